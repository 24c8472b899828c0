"""Readings as a table: one row per frame; unknown cells are empty."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from inference.export.nameless import nameless
from inference.files import replacing
from inference.frame import Frame
from inference.outcome import Failed, NothingFound, Outcome, PredictedQuality, Tumour
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing
from inference.tables import write_table
from inference.version import SOFTWARE

COLUMNS = (
    *("frame", "time_s", "outcome", "area_mm2", "area_px", "regions", "largest_mm2", "diameter_mm", "size_state"),
    *("touches_edge", "spacing_row_mm", "spacing_col_mm", "spacing_provenance", "latency_ms", "reason", "software"),
)
"""Columns of every table of readings. Unknown cells are empty."""
UNLIKE = "unlike_training"
"""Column with the sentence that says how a frame differs from the training data; empty if it does not."""
QUALITY = ("predicted_quality", "likely_to_fail")
"""Columns of what the model foretells of its contour; empty where it foretells nothing."""


def write_readings(path: Path, rows: Iterable[Mapping[str, object]], more: Sequence[str] = ()) -> None:
    """Write readings as CSV: one header line, then one line per frame.

    Args:
        path: the file.
        rows: dictionaries of `COLUMNS`, from `reading_row`; missing cells stay empty.
        more: further columns.

    Raises:
        OutputError: if the file cannot be written.
    """
    with replacing(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        write_table(file, (*COLUMNS, *more), ({**row, "software": SOFTWARE} for row in rows), end="\n")


def reading_row(outcome: Outcome) -> dict[str, object]:
    """One row of a table of readings, in mm and mm² to six decimals, so that no area is rounded away."""
    outcome = nameless(outcome)
    frame = outcome.frame
    row = _frame_cells(frame.index, frame.time_s, frame.spacing)
    match outcome:
        case Tumour():
            row |= _tumour_cells(outcome)
        case NothingFound():
            row |= {"outcome": "none", "area_px": 0, "regions": 0}
            row["area_mm2"] = None if frame.spacing is None else 0
        case Failed():
            row |= {"outcome": "failed", "reason": outcome.sentence}
        case _:
            row |= {"outcome": "not_analysed", "reason": outcome.sentence}
    if isinstance(outcome, Tumour | NothingFound):
        row["latency_ms"] = round(outcome.analysis.latency_ms, 3)
        row[UNLIKE] = outcome.analysis.unlike
    return row


def pose_words(frame: Frame) -> str:
    """The frame's pose: `lps`, then across, down and origin in mm, three numbers each; empty if it is not known."""
    pose = frame.pose
    if pose is None:
        return ""
    return " ".join([pose.system, *(f"{value:.9g}" for value in (*pose.across, *pose.down, *pose.origin))])


def failed_row(index: int, info: SourceInfo, sentence: str) -> dict[str, object]:
    """The row for a frame that could not even be read."""
    time_s = None if info.fps is None else index / info.fps
    return _frame_cells(index, time_s, info.spacing) | {"outcome": "failed", "reason": sentence}


def _frame_cells(index: int, time_s: float | None, spacing: PixelSpacing | None) -> dict[str, object]:
    return {"frame": index, "time_s": _rounded(time_s), **spacing_cells(spacing)}


def spacing_cells(spacing: PixelSpacing | None) -> dict[str, object]:
    """The three cells that describe a spacing."""
    if spacing is None:
        return {"spacing_row_mm": None, "spacing_col_mm": None, "spacing_provenance": "none"}
    return {
        "spacing_row_mm": spacing.row_mm,
        "spacing_col_mm": spacing.col_mm,
        "spacing_provenance": spacing.provenance.value,
    }


def _tumour_cells(tumour: Tumour) -> dict[str, object]:
    largest = tumour.largest
    return {
        "outcome": "tumour",
        "area_mm2": _rounded(tumour.area_mm2),
        "area_px": tumour.area_px,
        "regions": len(tumour.regions),
        "largest_mm2": _rounded(largest.area_mm2),
        "diameter_mm": None if largest.diameters is None else _rounded(largest.diameters.longest_mm),
        "size_state": None if tumour.size is None else tumour.size.value,
        "touches_edge": "true" if tumour.touches_edge else "false",
        **_quality_cells(tumour.quality),
    }


def _quality_cells(quality: PredictedQuality | None) -> dict[str, object]:
    if quality is None:
        return {}
    cells = (_rounded(quality.score), "true" if quality.likely_to_fail else "false")
    return dict(zip(QUALITY, cells, strict=True))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
