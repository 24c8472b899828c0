"""Export of records from the window: reports its progress; its key stops it, and so does closing the window."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from inference.alarms import Alarm
from inference.crop import Rect
from inference.errors import IusError, OutputError
from inference.files import make_folder
from inference.frame import Mask
from inference.jobs.background import BackgroundJobs
from inference.live.requests import where
from inference.live.session import Session
from inference.outcome import Outcome
from inference.patience import SILENT, bytes_answered
from inference.readout.formatting import counted
from inference.readout.marks import Tone
from inference.recording.schema import Corrector
from inference.spacing import PixelSpacing

if TYPE_CHECKING:
    from inference.sources.record import RecordSource

Corrected = Mapping[int, tuple[Mask | None, Corrector]]
TELL_S = 1.0
MOVED = "{} is not there any more: open the list anew (Ctrl R), or connect its drive."
DEIDENTIFIED = "deidentified"
"""The folder beside the records into which de-identified exports go."""
AS_RECORDED = (
    " They hold the answers given while it was recorded. Those on the screen are new ({}): press R while it plays, and "
    "export that record."
)


class Form(Enum):
    """The form in which a record is exported."""

    FULL = auto()
    """Every file, as recorded."""
    DEIDENTIFIED = auto()
    """Every file, without date, device, file name and everything outside the sector."""
    VIDEO = auto()
    """An MP4, de-identified as well, and nothing else."""
    DICOM = auto()
    """One multi-frame DICOM with its segmentation, de-identified as well, and nothing else."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One record to export.

    Attributes:
        path: its file.
        typed: the user's own spacing; takes precedence over the record's.
        chosen: numbers of the frames that are written as DICOM too.
        form: in what form.
        rect: the crop kept for its scanner; None if none is.
        corrected: (rows, cols) 0/1 masks made since it was opened, and by whom, by the number of their frame;
            None where all was taken back.
        on_screen: the sha256 of the model that answers on the screen, and the alarms that were called false there; None
            if the record is not open, or nothing answers.
    """

    path: Path
    typed: PixelSpacing | None = None
    chosen: tuple[int, ...] = ()
    form: Form = Form.FULL
    rect: Rect | None = None
    corrected: Corrected = field(default_factory=dict)
    on_screen: tuple[str, frozenset[Alarm]] | None = None


class RecordExport:
    """Runs one export at a time, of one record or of several.

    Args:
        session: the session whose record is exported.
        background: runs the export and reports how it went.
    """

    def __init__(self, session: Session, background: BackgroundJobs) -> None:
        self._session, self._background = session, background
        self._stop = threading.Event()
        self._job: Future[str] | None = None

    @property
    def running(self) -> bool:
        """Whether an export has not ended; one that a dead drive holds no longer counts."""
        return self._job is not None and self._background.waits(self._job)

    def toggle(self, shown: Outcome | None, corrected: Corrected) -> None:
        """Export the open record with what was corrected since, and the frame shown as DICOM; or stop an export."""
        if self.running:
            self._stop.set()
            return
        opened = self._session.opened
        if opened is None or shown is None or not shown.frame.origin.record:
            self._background.say("Open a record first (Ctrl R): what is exported is a record.")
            return
        chosen = (shown.frame.index,)
        self.begin([Wanted(Path(opened.text).expanduser(), chosen=chosen, corrected=corrected)])

    def begin(self, wanted: Sequence[Wanted]) -> None:
        """Export these records one after another; a record that cannot be exported does not keep the others back."""
        if self.running:
            self._background.say("An export is running: E stops it.")
            return
        self._stop = stop = threading.Event()
        wanted = [self._as_on_screen(one) for one in wanted]
        what = "The record is" if len(wanted) == 1 else f"{counted(len(wanted), 'record')} are"
        self._background.say(f"{what} being exported: E stops it.", Tone.NEUTRAL)
        late = SILENT.format(wanted[0].path.parent)
        self._job = self._background.begin(lambda: self._export(wanted, stop), late)

    def close(self) -> None:
        """Stop a running export."""
        self._stop.set()

    def _as_on_screen(self, wanted: Wanted) -> Wanted:
        """The open record with the scale that the user gave it, so that files and screen give the same millimetres."""
        opened, playback, source = self._session.opened, self._session.playback, self._session.source
        if opened is None or playback is None or source is None or opened.place != where(wanted.path):
            return wanted
        model = self._session.model
        on_screen = None if model is None else (model.sha256, source.overruled)
        return replace(wanted, typed=playback.given or opened.spacing, on_screen=on_screen)

    def _export(self, wanted: Sequence[Wanted], stop: threading.Event) -> str:
        """Export all, and say where they are; what could not be exported is the sentence if there is any."""
        outs, files, refused, anew = list[Path](), 0, list[str](), ""
        for place, one in enumerate(wanted):
            said = "" if len(wanted) == 1 else f" {place + 1} of {len(wanted)}"
            try:
                out, count, why = _export_one(one, partial(self._watched, stop=stop, of=said))
            except IusError as error:
                if stop.is_set() or len(wanted) == 1:
                    raise
                refused.append(str(error))
                continue
            outs.append(out)
            files += count
            anew = anew or (AS_RECORDED.format(why) if why else "")
        folder = outs[0] if len(set(outs)) == 1 else outs[0].parent if outs else None
        done = "" if folder is None else f"Exported: {counted(files, 'file')} in {folder}.{anew}"
        if refused:
            raise OutputError(f"{counted(len(refused), 'record')} could not be exported. {refused[0]} {done}".strip())
        return done

    def _watched(self, numbers: range, stop: threading.Event, of: str) -> Iterator[int]:
        """Pass frame numbers on to an export, in its thread: reports progress once a second, ends when stopped."""
        told = monotonic()
        for number in numbers:
            if monotonic() - told > TELL_S:
                told = monotonic()
                self._background.say(f"Exporting{of}: frame {number} of {len(numbers)}. E stops it.", Tone.NEUTRAL)
            if stop.is_set():
                raise OutputError("The export was stopped before its end: export again for all files.")
            yield number


def _export_one(wanted: Wanted, watch: Callable[[range], Iterator[int]]) -> tuple[Path, int, str]:
    """Export one record. Returns its folder, the number of files in it, and why the screen's answers are others."""
    from inference.export.deidentified import DeidentifiedRecord
    from inference.export.record import export_record
    from inference.sources.record import RecordSource

    if bytes_answered(wanted.path) is None:
        raise OutputError(MOVED.format(wanted.path.name))
    if wanted.form in (Form.VIDEO, Form.DICOM):
        return _whole_of(wanted, watch)
    if wanted.form is Form.DEIDENTIFIED:
        with DeidentifiedRecord(wanted.path, wanted.rect, typed=wanted.typed) as source:
            _correct(source, wanted.corrected)
            out = make_folder(_free(wanted.path.parent / DEIDENTIFIED, source))
            return out, len(export_record(source, out, chosen=wanted.chosen, watch=watch)), _anew(source, wanted)
    out = make_folder(wanted.path.with_suffix(""))
    with RecordSource(wanted.path, typed=wanted.typed) as source:
        _correct(source, wanted.corrected)
        return out, len(export_record(source, out, chosen=wanted.chosen, watch=watch)), _anew(source, wanted)


def _anew(source: "RecordSource", wanted: Wanted) -> str:
    """Why the screen's answers to an open record are others than those recorded with it; empty if they are not."""
    if wanted.on_screen is None:
        return ""
    model, overruled = wanted.on_screen
    recorded = {alarm for setting in source.settings() for alarm in setting.overruled}
    others = {
        "of another model": {used.sha256 for used in source.models} != {model},
        "at another scale": source.measured_anew,
        "an alarm was called false": not {alarm.value for alarm in overruled} <= recorded,
    }
    return ", ".join(why for why, differs in others.items() if differs)


def _correct(source: "RecordSource", corrected: Corrected) -> None:
    for number, (mask, who) in corrected.items():
        source.correct(number, mask, who)


def _whole_of(wanted: Wanted, watch: Callable[[range], Iterator[int]]) -> tuple[Path, int, str]:
    """Write a record as one video or DICOM beside the de-identified exports. Returns the same as `_export_one`."""
    from inference.export.deidentified import DeidentifiedRecord

    folder = make_folder(wanted.path.parent / DEIDENTIFIED)
    with DeidentifiedRecord(wanted.path, wanted.rect, typed=wanted.typed) as source:
        _correct(source, wanted.corrected)
        if wanted.form is Form.DICOM:
            from inference.export.clip import write_clip

            files = write_clip(source, _free(folder, source, ".dcm"), watch=watch)
            return folder, len(files), _anew(source, wanted)
        from inference.export.video import write_video

        write_video(source, _free(folder, source, ".mp4"), watch=watch)
        return folder, 1, _anew(source, wanted)


def _free(folder: Path, source: "RecordSource", suffix: str = "") -> Path:
    """A name made of the case code and a number, since the record's own name tells the time of the operation."""
    code = source.opening.case_code or "record"
    number = 1
    while (out := folder / f"{code}-{number}{suffix}").exists():
        number += 1
    return out
