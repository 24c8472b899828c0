"""Saves the last half minute afterwards, as a normal record made from the outcomes that the ring still holds."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from inference.alarms import OVERRULABLE, Finding
from inference.crop import Rect, crop
from inference.errors import OutputError
from inference.frame import Mask
from inference.live.ring import Held
from inference.outcome import Outcome
from inference.recording.entries import answer_of, correction_of, opening_of, picture_of, scale_event, since
from inference.recording.schema import Corrector, Event, EventKind, ModelUsed
from inference.recording.writer import RecordFile
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing


def keep(
    held: Held,
    path: Path,
    info: SourceInfo,
    *,
    case_code: str = "",
    rect: Rect | None = None,
    in_force: Iterable[Event | ModelUsed] = (),
    wrong: Iterable[tuple[int, float]] = (),
    corrected: Mapping[tuple[int, float], tuple[Mask, Corrector]] = MappingProxyType({}),
) -> int:
    """Write the held outcomes, each contour on its own frame.

    Args:
        held: at least one outcome.
        path: the new file; must not exist yet.
        info: the source's info.
        case_code: code typed by the user, already checked.
        rect: the part of the picture that is kept.
        in_force: the settings that applied throughout: phase, flip, model; and the alarms that are overruled now.
        wrong: (index, captured_at) of frames whose contour the user marked as wrong.
        corrected: the (rows, cols) 0/1 masks that a person corrected, and who, by the same.

    Returns:
        Number of frames written; fewer than held if earlier pictures had another size.

    Raises:
        OutputError: if the disk is full or failed; entries written before that are kept.
    """
    start, marked, written = held.captured_at(0), frozenset(wrong), 0
    scale: PixelSpacing | None = None
    guards = _Guards()
    file = RecordFile(path, opening_of(info, case_code, rect))
    whole = False
    try:
        for entry in in_force:
            file.append(entry)
            guards.heard(entry)
        for place in range(len(held)):
            outcome: Outcome = held.outcome(place)
            frame, at_s = outcome.frame, since(start, outcome.frame.captured_at)
            if (frame.rows, frame.cols) != (info.rows, info.cols):
                continue
            if frame.spacing != scale:
                scale = frame.spacing
                file.append(scale_event(scale, at_s))
            for event in guards.news(frame.findings, at_s):
                file.append(event)
            number = written
            file.append(picture_of(crop(frame, rect), number, start))
            written += 1
            file.append(answer_of(outcome, number))
            if (found := corrected.get((frame.index, frame.captured_at))) is not None:
                mask, who = found
                file.append(correction_of(mask, number, at_s, who))
            if (frame.index, frame.captured_at) in marked:
                file.append(Event(at_s=at_s, kind=EventKind.WRONG, words="", number=number))
        whole = True
    except OutputError as error:
        raise OutputError(f"{error} {written} of {len(held)} frames were kept.") from error
    finally:
        file.close(whole=whole)
    return written


class _Guards:
    """What the record says so far of the guards' alarms: which ring, and which of them the user calls false."""

    def __init__(self) -> None:
        self._ringing = self._overruled = frozenset[str]()

    def heard(self, entry: Event | ModelUsed) -> None:
        """Take over what an entry says."""
        if isinstance(entry, Event) and entry.kind is EventKind.OVERRULED:
            self._overruled = frozenset(entry.words.split())

    def news(self, findings: Iterable[Finding], at_s: float) -> Iterator[Event]:
        """What these findings change, as events at `at_s` seconds since the record began."""
        rings = {one.alarm.value: one.overruled for one in findings}
        for name in sorted(rings.keys() - self._ringing):
            yield Event(at_s=at_s, kind=EventKind.GUARD_BEGIN, words=name)
        for name in sorted(self._ringing - rings.keys()):
            yield Event(at_s=at_s, kind=EventKind.GUARD_END, words=name)
        self._ringing = frozenset(rings)
        # Of an alarm that does not ring, only what holds now is known.
        heeded = {alarm.value for alarm in OVERRULABLE if rings.get(alarm.value) is False}
        overruled = (self._overruled - heeded) | {name for name, said in rings.items() if said}
        if overruled != self._overruled:
            self._overruled = overruled
            yield Event(at_s=at_s, kind=EventKind.OVERRULED, words=" ".join(sorted(overruled)))
