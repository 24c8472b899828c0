"""A whole record as one de-identified multi-frame DICOM, and its masks as one SEG that names the frames they are of."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UltrasoundMultiFrameImageStorage, generate_uid

from inference.errors import OutputError
from inference.export import words
from inference.export.capture import Capture
from inference.export.deidentified import DeidentifiedRecord
from inference.export.dicom import image_of, save
from inference.export.mp4_times import durations
from inference.export.record_capture import capture_of
from inference.export.seg import segmentation_of
from inference.export.seg_frames import put_frames
from inference.outcome import Failed, NotAnalysed, NothingFound, Outcome, Reason, Tumour
from inference.safety import CALLED_WRONG, MODELS_OWN
from inference.sources.base import read_or_black
from inference.spacing import PixelSpacing

LARGEST = 1 << 30
"""Bytes of pixels in one file: more, and archives and viewers refuse it."""
MOST = 9000
"""Frames whose times fit into one attribute (65534 bytes, PS3.5 7.1.2)."""
_FRAME_TIME_VECTOR = Tag("FrameTimeVector")


@dataclass(slots=True)
class _Answers:
    """What was answered frame by frame.

    Attributes:
        counts: how many frames had which answer.
        warned: each warning, and of how many contours it was said.
        unlike: those of them that say how a frame differs from the training data, nearly each in words of its own.
        judged: what a person said of contours, and of which frames, counted from 1 as DICOM does.
        noted: what else was said of frames, such as the phase, and of how many.
        models: which models drew contours.
        scales: the scales of the frames; None for an unknown one.
        last: the last contour, whose model the segmentation names.
    """

    counts: Counter[str] = field(default_factory=Counter)
    warned: Counter[str] = field(default_factory=Counter)
    unlike: set[str] = field(default_factory=set)
    judged: dict[str, list[int]] = field(default_factory=dict)
    noted: Counter[str] = field(default_factory=Counter)
    models: set[str] = field(default_factory=set)
    scales: set[PixelSpacing | None] = field(default_factory=set)
    last: Tumour | None = None

    def add(self, capture: Capture) -> None:
        """Count one frame's answer."""
        outcome = capture.outcome
        self.counts[_kind(outcome)] += 1
        self.scales.add(outcome.frame.spacing)
        self.noted.update(capture.notes)
        for note in {CALLED_WRONG, MODELS_OWN}.intersection(capture.notes):
            self.judged.setdefault(note, []).append(self.counts.total())
        if isinstance(outcome, Tumour):
            self.last = outcome
            self.models.add(outcome.analysis.model_sha256)
            self.unlike.add(outcome.analysis.unlike)
            self.warned.update((*words.warnings(outcome, capture.phase), *words.demonstration(outcome)))

    @property
    def said(self) -> str:
        """All of it, as a segment's description: first what a person judged, last what may fill all the room."""
        counts = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        others = f" by {len(self.models)} models, the last of which is named" if len(self.models) > 1 else ""
        judged = "".join(f" {note}: {_frames(numbers)}." for note, numbers in sorted(self.judged.items()))
        ordered = sorted(self.warned.most_common(), key=lambda said: said[0] in self.unlike)
        warned = "".join(f" {sentence.rstrip('.')}: {count} frames." for sentence, count in ordered)
        return f"Frames: {counts}{others}. A frame without a segment is not for that free of tumour.{judged}{warned}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noted, with the number of frames where it was not of all, and which they are if a person judged."""
        return tuple(
            note if of == self.counts.total() else self._counted(note, of) for note, of in self.noted.most_common()
        )

    def _counted(self, note: str, of: int) -> str:
        which = f" ({_frames(self.judged[note])})" if note in self.judged else ""
        return f"{note}: {of} of {self.counts.total()} frames{which}"


def _frames(numbers: Sequence[int]) -> str:
    """Ascending numbers in words: `frames 2, 5-7`."""
    runs = list[list[int]]()
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return "frames " + ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def write_clip(
    source: DeidentifiedRecord, path: Path, *, watch: Callable[[range], Iterable[int]] = iter
) -> tuple[Path, ...]:
    """Write every frame of a record into one file, and the masks into another, `_seg` after its name.

    The scale is written where all frames have the same one. The masks have no coordinates, since the probe moved:
    they belong to frames, by number.

    Args:
        source: the record; de-identified, since such files are made to be passed on.
        path: the file, .dcm.
        watch: wraps the frame numbers, for a progress bar.

    Returns:
        The files: one where nothing was segmented.

    Raises:
        OutputError: if they cannot be written, or the record is longer than one file may be.
    """
    count, settings = len(source), source.settings()
    shape = (count, source.info.rows, source.info.cols)
    if count > MOST or np.prod(shape, dtype=np.int64) > LARGEST:
        raise OutputError(f"{count} frames are more than one DICOM file may hold: record shorter pieces.")
    pixels, labels = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    answers = _Answers()
    for number in watch(range(count)):
        capture = capture_of(source, number, settings[number])
        answers.add(capture)
        pixels[number], labels[number] = capture.pixels, _labels(capture.outcome)
    image = _first(source, answers)
    files = [path]
    if answers.last is not None:
        seg = segmentation_of(answers.last, image, labels.max(axis=0)[None], answers.said)
        put_frames(seg, labels)
        files.append(path.with_name(f"{path.stem}_seg.dcm"))
        save(seg, files[-1])
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    image.NumberOfFrames = count
    image.FrameIncrementPointer = _FRAME_TIME_VECTOR
    image.FrameTimeVector = [0, *durations(source.times_s)[:-1]]
    image.PixelData = pixels.tobytes() + b"\0" if pixels.size % 2 else pixels.tobytes()
    save(image, path)
    return tuple(files)


def _first(source: DeidentifiedRecord, answers: _Answers) -> Dataset:
    """The first frame as a file of its own, with its scale if that is the scale of all, and all that was noted."""
    first = read_or_black(source, 0)
    silent = NotAnalysed(first if len(answers.scales) == 1 else replace(first, spacing=None, pose=None), Reason.OFF, "")
    capture = Capture(silent, source.info.levels, sector=source.inside, notes=answers.notes)
    return image_of(capture, generate_uid())


def _labels(outcome: Outcome) -> NDArray[np.uint8] | int:
    """Each pixel's segment: 1 the tumour, 2 the resection cavity."""
    found: NDArray[np.uint8] | int = outcome.mask if isinstance(outcome, Tumour) else 0
    if isinstance(outcome, Tumour | NothingFound) and outcome.cavity is not None:
        found = found + 2 * outcome.cavity.mask
    return found


def _kind(outcome: Outcome) -> str:
    match outcome:
        case Tumour():
            return "with a contour"
        case NothingFound():
            return "with nothing found"
        case Failed():
            return "failed"
        case _:
            return "not analysed"
