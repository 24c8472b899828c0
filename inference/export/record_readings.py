"""What was said of each frame of a record when it was recorded: its answer, its row of the table, its masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.alarms import forbidding
from inference.errors import FormatError
from inference.export.readings import QUALITY, UNLIKE, pose_words, reading_row
from inference.outcome import NotAnalysed, NothingFound, Outcome, Reason, Tumour
from inference.recording.timeline import Setting
from inference.sources.base import read_or_black
from inference.sources.record import RecordSource
from inference.spacing import PixelSpacing

COLUMNS = (
    "source_frame",
    "phase",
    "flip",
    "marker",
    "mode",
    UNLIKE,
    *QUALITY,
    "guards",
    "guards_overruled",
    "model_sha256",
    "demonstration",
    "contour_wrong",
    "corrected_by",
    "corrected_mm2",
    "pose",
)
"""Extra columns of a record's table, after those of every table of readings."""
PASSED_OVER = "Passed over by a slower analysis."
DAMAGED = "The answer recorded for this frame is damaged."


@dataclass(frozen=True, slots=True)
class Reading:
    """The numbers of one recorded frame, without its pictures.

    Attributes:
        number: the frame's number.
        row: its row of the table.
        kind: the type of its grey values.
        longest_mm: longest diameter of the largest region, if measured.
        perpendicular_mm: the width perpendicular to it, if measured.
        model: sha256 of the model that answered; empty if none did.
        provider: the provider it ran on.
        demonstration: whether that model was trained on simulation, and the frame is not simulated.
    """

    number: int
    row: dict[str, object]
    kind: np.dtype[Any]
    longest_mm: float | None = None
    perpendicular_mm: float | None = None
    model: str = ""
    provider: str = ""
    demonstration: bool = False


def largest_plane(readings: Sequence[Reading]) -> Reading | None:
    """The reading with the largest area in mm², leaving out contours marked as wrong; None if there is none."""
    sized = [r for r in readings if isinstance(r.row.get("area_mm2"), float) and not r.row["contour_wrong"]]
    return max(sized, key=lambda reading: float(str(reading.row["area_mm2"])), default=None)


def reading_of(source: RecordSource, number: int, setting: Setting) -> Reading:
    """The numbers of one frame, with the settings in force when it was recorded."""
    outcome = outcome_at(source, number)
    row = reading_row(outcome) | {
        "source_frame": place_of(source, number),
        "phase": setting.phase or "unset",
        "flip": setting.flip,
        "marker": setting.marker,
        "guards": " ".join(setting.guards),
        "guards_overruled": " ".join(setting.overruled),
        "contour_wrong": "true" if setting.wrong else "",
        "pose": pose_words(outcome.frame),
    }
    row |= correction_of(source, number, outcome.frame.spacing)
    if not isinstance(outcome, Tumour | NothingFound):
        return Reading(number, row, outcome.frame.pixels.dtype)
    analysis = outcome.analysis
    row |= {"mode": analysis.mode.value, "model_sha256": analysis.model_sha256}
    row["demonstration"] = "true" if analysis.demonstration else "false"
    diameters = outcome.largest.diameters if isinstance(outcome, Tumour) else None
    longest, across = (None, None) if diameters is None else (diameters.longest_mm, diameters.perpendicular_mm)
    said = analysis.model_sha256, analysis.provider, analysis.demonstration
    return Reading(number, row, outcome.frame.pixels.dtype, longest, across, *said)


def outcome_at(source: RecordSource, number: int) -> Outcome:
    """The answer recorded for a frame; `NotAnalysed` if a slower analysis skipped the frame, or if it is damaged."""
    frame = read_or_black(source, number)
    if (finding := forbidding(frame.findings)) is not None:
        return NotAnalysed(frame, Reason.GUARD, finding.sentence, finding.alarm)
    try:
        outcome = source.outcome(number)
    except FormatError:
        return NotAnalysed(frame, Reason.OFF, DAMAGED)
    return NotAnalysed(frame, Reason.OFF, PASSED_OVER) if outcome is None else outcome


def place_of(source: RecordSource, number: int) -> int | None:
    """Where a frame stood in its source; None if its entry is damaged."""
    try:
        return source.place(number)
    except FormatError:
        return None


def mask_of(source: RecordSource, number: int) -> NDArray[np.uint8]:
    """The model's own mask of a frame, (rows, cols), 0 or 1; empty where it gave none, which the table tells apart."""
    outcome = outcome_at(source, number)
    if isinstance(outcome, Tumour):
        return outcome.mask
    return np.zeros((source.info.rows, source.info.cols), np.uint8)


def correction_of(source: RecordSource, number: int, spacing: PixelSpacing | None) -> dict[str, object]:
    """The columns about a contour that a person corrected; the model's own numbers stay what they are."""
    who = source.corrector(number)
    try:
        mask = corrected_mask(source, number)
    except FormatError:
        return {"corrected_by": "" if who is None else who.value, "corrected_mm2": "damaged"}
    if who is None or mask is None:
        return {"corrected_by": "", "corrected_mm2": ""}
    area = "" if spacing is None else round(int(np.count_nonzero(mask)) * spacing.pixel_mm2, 3)
    return {"corrected_by": who.value, "corrected_mm2": area}


def corrected_mask(source: RecordSource, number: int) -> NDArray[np.uint8] | None:
    """The mask that a person gave a frame; None if there is none, or if all of it was taken back.

    Raises:
        FormatError: if it is damaged.
    """
    mask = source.correction(number)
    return None if mask is None or np.array_equal(mask, mask_of(source, number)) else mask
