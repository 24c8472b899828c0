"""The summary page's content for a whole record: facts, largest plane, and which model answered."""

from collections.abc import Iterator, Sequence
from functools import reduce

import cv2
import numpy as np

from inference.contract import ModelContract
from inference.export import words
from inference.export.capture import Capture
from inference.export.deidentified import DeidentifiedRecord
from inference.export.record_readings import Reading, largest_plane
from inference.export.summary import Session
from inference.files import time_in
from inference.recording.schema import End
from inference.sector import DARK, sector_mask
from inference.sources.base import read_or_black
from inference.sources.record import RecordSource

LEFT_OUT = "left out, as is the device: this export is de-identified"
RIM = 11
"""Pixels: anything within half of this distance from the sector counts as the sector's rim."""
_ENDINGS: dict[str, str] = {
    End.STOPPED: "the user",
    End.SOURCE: "its source",
    End.SIZE: "a change of the picture's size",
    End.CLOSED: "the end of the program",
    End.LOGOUT: "the end of the desktop's session",
}


def session_of(
    source: RecordSource, readings: Sequence[Reading], captures: Sequence[Capture], notes: Sequence[str] = ()
) -> Session:
    """The content of the summary page, with these notes."""
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
        notes=[*(f"Another model answered earlier: sha256 {sha256}" for sha256 in sorted(others)), *notes],
        facts=list(_facts(source, readings)),
        largest=list(_largest(readings)),
        demonstrated=any(reading.demonstration for reading in readings),
    )


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
    corrected = sum(bool(reading.row["corrected_by"]) for reading in readings)
    if corrected:
        yield "Contours corrected", f"{corrected}: pictures and areas on this page are the model's own"
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
        of = "" if row["regions"] == 1 else f" of the largest region, {float(str(row['largest_mm2'])):.1f} mm²"
        yield f"Longest × perpendicular{of}", f"{largest.longest_mm:.1f} × {largest.perpendicular_mm:.1f} mm"
    yield "Regions", str(row["regions"])
    if row["corrected_by"]:
        area = row["corrected_mm2"]
        measured = f"{area:.1f} mm²" if isinstance(area, float) else str(area)
        yield "Corrected", f"to {measured} ({row['corrected_by']}): the numbers above are the model's own"
    yield "Out of", "the planes that were shown; the probe may have missed a larger one"
