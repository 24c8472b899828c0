"""Saves the last half minute afterwards, as a normal record made from the outcomes that the ring still holds."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from inference.crop import Rect, crop
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
        in_force: the settings that applied throughout: phase, flip, model.
        wrong: (index, captured_at) of frames whose contour the user marked as wrong.
        corrected: the (rows, cols) 0/1 masks that a person corrected, and who, by the same.

    Returns:
        Number of frames written; fewer than held if earlier pictures had another size.

    Raises:
        OutputError: if the disk is full or failed; entries written before that are kept.
    """
    start, marked, written = held.captured_at(0), frozenset(wrong), 0
    scale: PixelSpacing | None = None
    file = RecordFile(path, opening_of(info, case_code, rect))
    whole = False
    try:
        for entry in in_force:
            file.append(entry)
        for place in range(len(held)):
            outcome: Outcome = held.outcome(place)
            frame, at_s = outcome.frame, since(start, outcome.frame.captured_at)
            if (frame.rows, frame.cols) != (info.rows, info.cols):
                continue
            if frame.spacing != scale:
                scale = frame.spacing
                file.append(scale_event(scale, at_s))
            file.append(picture_of(crop(frame, rect), written, start))
            file.append(answer_of(outcome, written))
            if (found := corrected.get((frame.index, frame.captured_at))) is not None:
                mask, who = found
                file.append(correction_of(mask, written, at_s, who))
            if (frame.index, frame.captured_at) in marked:
                file.append(Event(at_s=at_s, kind=EventKind.WRONG, words="", number=written))
            written += 1
        whole = True
    finally:
        file.close(whole=whole)
    return written
