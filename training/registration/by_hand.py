"""A registration that a person moved: kept as such, with its matrix, and to be decided on anew."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from inference.errors import FormatError
from training.io.files import alone_in
from training.registration.align import Alignment, align, sector_centre
from training.registration.decisions import fingerprint
from training.registration.deformation import Deformation
from training.registration.inputs import read_inputs
from training.registration.mapping import mapping_path, read_mapping
from training.registration.output import pair_of, read_record, write_output, write_record
from training.registration.result import Registered, read_results, write_results
from training.registration.transforms import Matrix, angle_deg, apply, rigid

MOST_MM, MOST_RAD = 40.0, 0.6
"""How far a person may move it at once."""


def move(folder: Path, case: str, by: Sequence[float], seen: str) -> Registered:
    """Move a case's MRI on from its result, carry its mask over again, and write all of its files.

    Args:
        folder: of `ius-train register`.
        case: its name.
        by: translation x, y, z in mm and rotation vector x, y, z in radians, about the sector's centre, RAS.
        seen: the fingerprint of the result that the person moved.

    Returns:
        The case's new row: flagged `hand`, and undecided.

    Raises:
        NotFoundError: if the case or one of its files is not there.
        FormatError: if it is another result by now, or a file cannot be read, or it would be moved out of sight.
        BusyError: if cases are being registered in the folder.
    """
    with alone_in(folder, wait=False):
        return _move(folder, case, by, seen)


def _move(folder: Path, case: str, by: Sequence[float], seen: str) -> Registered:
    """The move, as the only process that writes there."""
    if fingerprint(folder, case) != seen:
        raise FormatError(f"{case} has been registered anew since: load the page again.")
    parameters = np.asarray(by, np.float64)
    if parameters.shape != (6,) or not np.isfinite(parameters).all():
        raise FormatError("A move has three translations and three rotations.")
    if np.abs(parameters[:3]).max() > MOST_MM or np.abs(parameters[3:]).max() > MOST_RAD:
        raise FormatError(f"That is more than {MOST_MM:g} mm: give a start with 'ius-train register --start' instead.")
    before = read_mapping(mapping_path(folder, case))
    record = read_record(folder, case)
    inputs = read_inputs(pair_of(record, case))
    if isinstance(before, Deformation) or isinstance(inputs.start, Deformation):
        raise FormatError(
            f"{case} is deformed, and a move by hand is rigid: register it with --refine none, move that."
        )
    matrix = rigid(parameters, sector_centre(inputs.us)) @ before
    found = _from_start(align(inputs.us, inputs.mris, matrix, "none"), inputs.start, sector_centre(inputs.us))
    rows = {row.case: row for row in read_results(folder)}
    row = write_output(folder, case, inputs, found, rows[case].metric, by_hand=True)
    row = replace(row, similarity_start=rows[case].similarity_start)
    moved = {"from": before.tolist(), "to": matrix.tolist(), "at": datetime.now(UTC).isoformat(timespec="seconds")}
    write_record(record | {"result": asdict(row), "moved": [*record.get("moved", []), moved]}, folder, case)
    write_results(list((rows | {case: row}).values()), folder)
    return row


def _from_start(found: Alignment, start: Matrix, centre: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Alignment:
    """The same alignment, its shift and turn counted from the registration's start."""
    since = found.matrix @ np.linalg.inv(start)
    shift = float(np.linalg.norm(apply(since, centre[None])[0] - centre))
    return replace(found, shift_mm=shift, rotation_deg=angle_deg(since))
