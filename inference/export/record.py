"""Export of a whole record: readings, masks, frames, summary page, area plot; chosen frames as pictures and DICOM.

Every value is the one given during recording; nothing is analysed again.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from inference.errors import OutputError
from inference.export.dicom import write_dicom_pair
from inference.export.picture import write_pictures
from inference.export.plot import STYLE, area_plot
from inference.export.readings import QUALITY, UNLIKE, write_readings
from inference.export.record_capture import capture_of
from inference.export.record_readings import COLUMNS, Reading, largest_plane, reading_of
from inference.export.record_summary import session_of
from inference.export.record_volumes import write_volumes
from inference.export.summary import Session, write_summary
from inference.files import remove, together, write_text
from inference.nifti import other_scale
from inference.safety import INTENDED_USE
from inference.sources.record import RecordSource
from inference.version import SOFTWARE

SWEEP = "sweep.json"
SHOWN = 8
"""The page shows at most this many marked frames; the table lists all of them."""


class _Written(msgspec.Struct, frozen=True):
    files: list[str] = []


def export_record(
    source: RecordSource, out: Path, *, chosen: Sequence[int] = (), watch: Callable[[range], Iterable[int]] = iter
) -> list[Path]:
    """Write every export of a record, or none: one that is stopped leaves the files of an earlier one as they were.

    Frames that an earlier export into the same folder was asked for are written anew beside those chosen now, by the
    scale and with the corrections of now, and what does not hold any more is removed: a folder has one scale.

    Args:
        source: the record.
        out: an existing folder.
        chosen: numbers of the frames to write as DICOM and DICOM SEG as well.
        watch: wraps the frame numbers, for a progress bar.

    Returns:
        The files that were written.

    Raises:
        OutputError: if a file cannot be written or a frame is not in the record.
    """
    for number in chosen:
        if not 0 <= number < len(source):
            raise OutputError(f"The record has no frame {number}: give 0 to {len(source) - 1}.")
    before = _earlier(out)
    chosen = sorted({*chosen, *(number for number in _asked_for(before) if number < len(source))})
    with together(out, SWEEP) as aside:
        names = [file.name for file in _written(source, aside, chosen, watch)]
        for name in set(before) - set(names):
            remove(out / name)
    return [out / name for name in names]


def _written(
    source: RecordSource, out: Path, chosen: Sequence[int], watch: Callable[[range], Iterable[int]]
) -> list[Path]:
    """Write every file of an export into an empty folder, the list of them last."""
    settings = source.settings()
    readings = [reading_of(source, number, settings[number]) for number in watch(range(len(source)))]
    rows = [reading.row for reading in readings]
    write_readings(out / "readings.csv", rows, COLUMNS)
    files = [out / "readings.csv", *write_volumes(source, readings, out, watch)]
    largest = largest_plane(readings)
    wrong = [reading.number for reading in readings if settings[reading.number].wrong]
    shown = sorted({*chosen, *wrong[:SHOWN], *(() if largest is None else (largest.number,))})
    captures = [capture_of(source, number, settings[number]) for number in shown]
    for number, capture in zip(shown, captures, strict=True):
        files += write_pictures(capture, out / f"frame-{number:06}.png")
        if number in chosen:
            files += write_dicom_pair(capture, out / f"frame-{number:06}.dcm").files
    other = [other_scale(one, source.info) for one in files if one.name == "masks.nii.gz" and source.info.grid]
    session = session_of(source, readings, captures, [said for said in other if said])
    write_summary(session, out / "summary.html")
    files.append(out / "summary.html")
    files += _plot(session, out / "area.svg")
    files.append(out / SWEEP)
    written = {"notes": session.notes, "files": [file.name for file in files]}
    write_text(out / SWEEP, json.dumps(sweep(source, readings) | written, indent=2) + "\n")
    return files


def _earlier(out: Path) -> list[str]:
    """The names of the files that an earlier export wrote into this folder; none if no list of it can be read."""
    try:
        names = msgspec.json.decode((out / SWEEP).read_bytes(), type=_Written).files
    except (OSError, msgspec.DecodeError):
        return []
    return [name for name in names if re.fullmatch(r"\w[\w.-]*", name)]  # never one outside of the folder


def _asked_for(names: Iterable[str]) -> Iterator[int]:
    """The numbers of the frames that were written as DICOM."""
    for name in names:
        if (found := re.fullmatch(r"frame-(\d{6,})\.dcm", name)) is not None:
            yield int(found[1])


def sweep(source: RecordSource, readings: Sequence[Reading]) -> dict[str, object]:
    """The largest plane with its diameters, and how many frames and seconds it was chosen from."""
    largest = largest_plane(readings)
    found: dict[str, object] | None = None
    if largest is not None:
        kept = (
            "frame",
            "time_s",
            "area_mm2",
            "largest_mm2",
            "size_state",
            "touches_edge",
            *QUALITY,
            "phase",
            "demonstration",
            UNLIKE,
            "guards_overruled",
            "corrected_by",
            "corrected_mm2",
        )
        found = {key: largest.row.get(key) for key in kept}
        found |= {"longest_mm": largest.longest_mm, "perpendicular_mm": largest.perpendicular_mm}
        found |= {key: largest.row[key] for key in ("spacing_row_mm", "spacing_col_mm", "spacing_provenance")}
    return {
        "software": SOFTWARE,
        "frames": len(readings),
        "seconds": round(source.seconds, 3),
        "frames_dropped": source.dropped,
        "whole": source.finished,
        "ended_by": source.ended or None,
        "contours_marked_wrong": sum(bool(reading.row["contour_wrong"]) for reading in readings),
        "contours_corrected": sum(bool(reading.row["corrected_by"]) for reading in readings),
        "largest_plane": found,
        "note": "Area in the plane shown, which moved with the probe: no volume and no measure of progress.",
        "intended_use": INTENDED_USE,
    }


def _plot(session: Session, path: Path) -> list[Path]:
    """Write the area plot to its own file, if there is anything to plot."""
    plot = area_plot(session.readings, session.limits_mm2)
    if not plot:
        return []
    head, _, rest = plot.partition(">")
    write_text(path, f"{head}><metadata>{SOFTWARE}</metadata><style>{STYLE}</style>{rest}\n")
    return [path]
