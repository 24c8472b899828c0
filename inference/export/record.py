"""Export of a whole record: readings, masks, frames, summary page, area plot; chosen frames as pictures and DICOM.

Every value is the one given during recording; nothing is analysed again.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference import safety
from inference.alarms import OVERRULABLE, Alarm, Finding, forbidding
from inference.contract import ModelContract
from inference.errors import FormatError, OutputError
from inference.export import words
from inference.export.capture import Capture
from inference.export.deidentified import DeidentifiedRecord
from inference.export.dicom import write_dicom_pair
from inference.export.picture import write_pictures
from inference.export.plot import STYLE, area_plot
from inference.export.readings import QUALITY, UNLIKE, pose_words, reading_row, spacing_cells, write_readings
from inference.export.stack import write_stack
from inference.export.summary import Session, write_summary
from inference.files import remove, time_in, write_text
from inference.nifti import MOST_PICTURES, header_of, in_volume, write_nifti
from inference.outcome import NotAnalysed, NothingFound, Outcome, Reason, Tumour
from inference.recording.schema import End
from inference.recording.timeline import Setting
from inference.safety import INTENDED_USE
from inference.sector import DARK, sector_mask
from inference.sources.base import read_or_black
from inference.sources.record import RecordSource
from inference.spacing import PixelSpacing
from inference.version import SOFTWARE
from inference.view_notes import Phase

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
LEFT_OUT = "left out, as is the device: this export is de-identified"
RIM = 11
"""Pixels: anything within half of this distance from the sector counts as the sector's rim."""
SHOWN = 8
"""The page shows at most this many marked frames; the table lists all of them."""
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


def export_record(
    source: RecordSource, out: Path, *, chosen: Sequence[int] = (), watch: Callable[[range], Iterable[int]] = iter
) -> list[Path]:
    """Write every export of a record.

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
    settings = source.settings()
    readings = [_reading(source, number, settings[number]) for number in watch(range(len(source)))]
    rows = [reading.row for reading in readings]
    write_readings(out / "readings.csv", rows, COLUMNS)
    files = [out / "readings.csv", *_volumes(source, readings, out, watch)]
    largest = largest_plane(readings)
    wrong = [reading.number for reading in readings if settings[reading.number].wrong]
    shown = sorted({*chosen, *wrong[:SHOWN], *(() if largest is None else (largest.number,))})
    captures = [capture_of(source, number, settings[number]) for number in shown]
    for number, capture in zip(shown, captures, strict=True):
        files += write_pictures(capture, out / f"frame-{number:06}.png")
        if number in chosen:
            files += write_dicom_pair(capture, out / f"frame-{number:06}.dcm").files
    session = session_of(source, readings, captures)
    write_summary(session, out / "summary.html")
    files.append(out / "summary.html")
    files += _plot(session, out / "area.svg")
    write_text(out / "sweep.json", json.dumps(sweep(source, readings), indent=2) + "\n")
    for old in {*out.glob("corrected*.nii.gz"), out / "area.svg"} - set(files):
        remove(old)  # of an earlier export: by another scale, or of corrections that were taken back
    return [*files, out / "sweep.json"]


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


def capture_of(source: RecordSource, number: int, setting: Setting) -> Capture:
    """A frame prepared for export, with the settings in force when it was recorded."""
    notes = [words.phase(setting.phase), *(f"Guard: {name.replace('_', ' ')}" for name in setting.guards)]
    notes += [f"Overruled by the user: {name.replace('_', ' ')}" for name in setting.overruled]
    if setting.wrong:
        notes.append(safety.CALLED_WRONG)
    if _correction(source, number, None)["corrected_by"]:
        notes.append(safety.MODELS_OWN)
    if source.opening.case_code:
        notes.append(f"Case {source.opening.case_code}")
    turned_over = ("left-right" in setting.flip, "up-down" in setting.flip)
    outcome = _as_guarded(outcome_at(source, number), setting)
    phase = safety.of_phase(Phase(setting.phase or Phase.UNSET), _evaluated(source, outcome))
    levels, sector = source.info.levels, source.inside
    return Capture(outcome, levels, sector=sector, notes=tuple(notes), phase=phase, turned_over=turned_over)


def _as_guarded(outcome: Outcome, setting: Setting) -> Outcome:
    """The outcome with what the guards and the user said of its frame then and still warn of, which keeps its contour.

    A record holds it beside the frames, and every export says it with the contour.
    """
    frame = outcome.frame
    overruled = {alarm for alarm in OVERRULABLE if alarm.value in setting.overruled}
    frozen = {Alarm.FROZEN} if Alarm.FROZEN.value in setting.guards else set[Alarm]()
    found = (Finding(one, frame.captured_at, one.sentence, one in overruled) for one in overruled | frozen)
    return replace(outcome, frame=replace(frame, findings=(*frame.findings, *found)))


def _evaluated(source: RecordSource, outcome: Outcome) -> tuple[str, ...] | None:
    """The phases of surgery on which the frame's model was evaluated; None if no model answered."""
    if not isinstance(outcome, Tumour | NothingFound):
        return None
    sha256 = outcome.analysis.model_sha256
    contract = next((model.contract for model in source.models if model.sha256 == sha256), None)
    return None if contract is None else ModelContract.from_json(contract).population.phases


def largest_plane(readings: Sequence[Reading]) -> Reading | None:
    """The reading with the largest area in mm², leaving out contours marked as wrong; None if there is none."""
    sized = [r for r in readings if isinstance(r.row.get("area_mm2"), float) and not r.row["contour_wrong"]]
    return max(sized, key=lambda reading: float(str(reading.row["area_mm2"])), default=None)


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
        "largest_plane": found,
        "note": "Area in the plane shown, which moved with the probe: no volume and no measure of progress.",
        "intended_use": INTENDED_USE,
    }


def session_of(source: RecordSource, readings: Sequence[Reading], captures: Sequence[Capture]) -> Session:
    """The content of the summary page."""
    last = next((reading for reading in reversed(readings) if reading.model), None)
    contracts = {model.sha256: model.contract for model in source.models}
    contract = None
    if last is not None and last.model in contracts:
        contract = ModelContract.from_json(contracts[last.model])
    others = {reading.model for reading in readings if reading.model} - {last.model if last else ""}
    return Session(
        origin=source.info.origin,
        readings=[reading.row for reading in readings],
        contract=contract,
        model_sha256=last.model if last else "",
        provider=last.provider if last else "",
        captures=captures,
        notes=[f"Another model answered earlier: sha256 {sha256}" for sha256 in sorted(others)],
        facts=list(_facts(source, readings)),
        largest=list(_largest(readings)),
        demonstrated=any(reading.demonstration for reading in readings),
    )


_ENDINGS: dict[str, str] = {
    End.STOPPED: "the user",
    End.SOURCE: "its source",
    End.SIZE: "a change of the picture's size",
    End.CLOSED: "the end of the program",
    End.LOGOUT: "the end of the desktop's session",
}


def _facts(source: RecordSource, readings: Sequence[Reading]) -> Iterator[tuple[str, str]]:
    opening = source.opening
    yield "Case", opening.case_code or "no code given"
    deidentified = isinstance(source, DeidentifiedRecord)
    yield "Begun", LEFT_OUT if deidentified else _begun(source.info.origin.name)
    if opening.device and not deidentified:
        yield "Recorded from", opening.device
    length = f"{source.seconds:.1f} s, {len(source)} frames, {source.dropped} dropped"
    yield (
        "Recorded",
        length if source.finished else f"{length}; cut off there by a kill or a full disk, or still recording then",
    )
    if source.ended:
        yield "Ended by", _ENDINGS.get(source.ended, source.ended)
    phases = dict.fromkeys(str(reading.row["phase"]) for reading in readings)
    yield "Phase of surgery", ", then ".join(words.phase(name).removeprefix("Phase: ") for name in phases)
    flips = dict.fromkeys(str(reading.row["flip"]) for reading in readings if reading.row["flip"])
    if flips:
        yield "Shown turned over", ", then ".join(flips)
    guards = dict.fromkeys(name for reading in readings for name in str(reading.row["guards"]).split() if name)
    if guards:
        yield "Guards that rang", ", ".join(name.replace("_", " ") for name in guards)
    overruled = dict.fromkeys(name for reading in readings for name in str(reading.row["guards_overruled"]).split())
    if overruled:
        yield "Alarms overruled by the user", ", ".join(name.replace("_", " ") for name in overruled)
    wrong = sum(bool(reading.row["contour_wrong"]) for reading in readings)
    if wrong:
        yield "Contours marked as wrong", str(wrong)
    yield "Text outside the sector", _outside_words(source)
    yield "Software", f"ius {opening.software}"


def _begun(name: str) -> str:
    """Day and time by this computer's clock, taken from the file name: a record itself holds no date."""
    begun = time_in(name)
    if begun is None:
        return "not known: the record's file was renamed"
    return f"{begun:%Y-%m-%d %H:%M:%S}, by this computer's clock"


def _outside_words(source: RecordSource) -> str:
    """Whether the recorded frames may have text outside the sector, judged from their pixels."""
    if isinstance(source, DeidentifiedRecord):
        return "Set to black in this export"
    if source.cropped:
        return "Cropped away before recording"
    brightest = reduce(np.maximum, (read_or_black(source, number).pixels for number in range(len(source))))
    inside = sector_mask([brightest])
    if inside.all():
        return "No sector stands out in what was recorded: check the pictures for names"
    outside = brightest[cv2.dilate(inside, np.ones((RIM, RIM), np.uint8)) == 0]
    if outside.size and float(outside.max()) > DARK / 255 * float(brightest.max()):
        return "Whole picture recorded: text outside the sector was kept in the record"
    return "Set to black before recording"


def _largest(readings: Sequence[Reading]) -> Iterator[tuple[str, str]]:
    largest = largest_plane(readings)
    if largest is None:
        return
    row = largest.row
    bound = "≥ " if row.get("touches_edge") == "true" else ""
    yield "Frame", f"{largest.number + 1} of {len(readings)} in the viewer, {largest.number} in tables and files"
    yield "Time", f"{float(str(row['time_s'])):.2f} s"
    yield "Area", f"{bound}{float(str(row['area_mm2'])):.1f} mm²"
    if largest.longest_mm is not None and largest.perpendicular_mm is not None:
        yield "Longest × perpendicular", f"{largest.longest_mm:.1f} × {largest.perpendicular_mm:.1f} mm"
    yield "Regions", str(row["regions"])
    yield "Out of", "the planes that were shown; the probe may have missed a larger one"


def _reading(source: RecordSource, number: int, setting: Setting) -> Reading:
    outcome = outcome_at(source, number)
    row = reading_row(outcome) | {
        "source_frame": _place(source, number),
        "phase": setting.phase or "unset",
        "flip": setting.flip,
        "marker": setting.marker,
        "guards": " ".join(setting.guards),
        "guards_overruled": " ".join(setting.overruled),
        "contour_wrong": "true" if setting.wrong else "",
        "pose": pose_words(outcome.frame),
    }
    row |= _correction(source, number, outcome.frame.spacing)
    if not isinstance(outcome, Tumour | NothingFound):
        return Reading(number, row, outcome.frame.pixels.dtype)
    analysis = outcome.analysis
    row |= {"mode": analysis.mode.value, "model_sha256": analysis.model_sha256}
    row["demonstration"] = "true" if analysis.demonstration else "false"
    diameters = outcome.largest.diameters if isinstance(outcome, Tumour) else None
    longest, across = (None, None) if diameters is None else (diameters.longest_mm, diameters.perpendicular_mm)
    said = analysis.model_sha256, analysis.provider, analysis.demonstration
    return Reading(number, row, outcome.frame.pixels.dtype, longest, across, *said)


def _correction(source: RecordSource, number: int, spacing: PixelSpacing | None) -> dict[str, object]:
    """The columns about a contour that a person corrected; the model's own numbers stay what they are."""
    who = source.corrector(number)
    try:
        mask = _corrected(source, number)
    except FormatError:
        return {"corrected_by": "" if who is None else who.value, "corrected_mm2": "damaged"}
    if who is None or mask is None:
        return {"corrected_by": "", "corrected_mm2": ""}
    area = "" if spacing is None else round(int(np.count_nonzero(mask)) * spacing.pixel_mm2, 3)
    return {"corrected_by": who.value, "corrected_mm2": area}


def _corrected(source: RecordSource, number: int) -> NDArray[np.uint8] | None:
    """The mask that a person gave a frame; None if there is none, or if all of it was taken back.

    Raises:
        FormatError: if it is damaged.
    """
    mask = source.correction(number)
    return None if mask is None or np.array_equal(mask, _mask(source, number)) else mask


def _volumes(
    source: RecordSource, readings: Sequence[Reading], out: Path, watch: Callable[[range], Iterable[int]]
) -> list[Path]:
    """Write frames and masks, and the masks that a person corrected: in the volume that was swept, or as stacks.

    A stack that is longer than one file can count goes into several, each named after the number of its first frame.

    A volume has room for one frame a slice. Of several, the last one counts of which there is anything to write: that
    a slice was shown again takes neither its contour nor its correction away.
    """
    kind = np.result_type(*{reading.kind for reading in readings})  # what stands for a damaged frame is of 8 bits
    answered = {reading.number for reading in readings if reading.row["outcome"] in ("tumour", "none")}
    stacks: dict[str, tuple[Callable[[int], NDArray[Any]], Collection[int]]] = {
        "frames": (lambda number: read_or_black(source, number).pixels.astype(kind), ()),
        "masks": (lambda number: _mask(source, number), answered),
    }
    whole = [reading for reading in readings if reading.row["corrected_mm2"] != "damaged"]
    if corrected := {reading.number for reading in whole if reading.row["corrected_by"]}:
        stacks["corrected"] = lambda number: _corrected_or_empty(source, number, corrected), corrected
    grid, count, spacing, files = source.info.grid, len(source), _one_scale(source, readings), list[Path]()
    for name, (picture, known) in stacks.items():
        if grid is None:
            pictures = (picture(number) for number in watch(range(count)))
            for first in range(0, count, MOST_PICTURES):
                files.append(out / (f"{name}.nii.gz" if count <= MOST_PICTURES else f"{name}-from-{first:06}.nii.gz"))
                length = min(MOST_PICTURES, count - first)
                write_stack(files[-1], islice(pictures, length), length, spacing)
        else:
            order = sorted(range(count), key=lambda number: number in known)
            shown = {place: number for number in order if (place := _place(source, number)) is not None}
            if not shown:  # every frame is damaged, as the table says of each: nobody knows where it stood
                continue
            slices = ((place, picture(number)) for place, number in shown.items())
            files.append(out / f"{name}.nii.gz")
            write_nifti(in_volume(grid, slices), header_of(grid), str(files[-1]))
    return files


def _one_scale(source: RecordSource, readings: Sequence[Reading]) -> PixelSpacing | None:
    """The scale of a stack: the record's, if every frame has it, for the entry that told of a change may be damaged."""
    cells = spacing_cells(source.info.spacing)
    read = (reading.row for reading in readings if reading.row.get("reason") != Alarm.UNREADABLE.sentence)
    return source.info.spacing if all(row[name] == cells[name] for row in read for name in cells) else None


def _place(source: RecordSource, number: int) -> int | None:
    """Where a frame stood in its source; None if its entry is damaged."""
    try:
        return source.place(number)
    except FormatError:
        return None


def _mask(source: RecordSource, number: int) -> NDArray[np.uint8]:
    outcome = outcome_at(source, number)
    if isinstance(outcome, Tumour):
        return outcome.mask
    return np.zeros((source.info.rows, source.info.cols), np.uint8)


def _corrected_or_empty(source: RecordSource, number: int, corrected: Collection[int]) -> NDArray[np.uint8]:
    """The user's mask of a frame; empty where nothing was corrected, which the table tells from an emptied one."""
    mask = _corrected(source, number) if number in corrected else None
    return np.zeros((source.info.rows, source.info.cols), np.uint8) if mask is None else mask


def _plot(session: Session, path: Path) -> list[Path]:
    """Write the area plot to its own file, if there is anything to plot."""
    plot = area_plot(session.readings, session.limits_mm2)
    if not plot:
        return []
    head, _, rest = plot.partition(">")
    write_text(path, f"{head}><metadata>{SOFTWARE}</metadata><style>{STYLE}</style>{rest}\n")
    return [path]
