"""What a registration leaves in its folder: transforms, the mask carried over, pictures, its row and its record."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from inference.errors import FormatError, NotFoundError
from training.io.files import written_aside
from training.io.receipt import write_json
from training.registration.align import Alignment
from training.registration.contrast import contrast
from training.registration.inputs import Inputs
from training.registration.mapping import Mapping, kind_of, placed, volume_change_percent, write_mapping
from training.registration.pairs import Pair
from training.registration.pictures import FOLDER, Placed, write_pictures
from training.registration.result import TABLE, Registered, flags
from training.registration.transfer import transfer
from training.registration.volume import as_volume

_FILES = ("us", "label", "start")
Record = dict[str, Any]
"""`key` (what the result depends on), `files`, `result`; `moved`, if a person moved it; `linear`, the matrix before it
was deformed."""


def write_output(
    out: Path, case: str, inputs: Inputs, found: Alignment, metric: str, *, by_hand: bool = False
) -> Registered:
    """Write a case's transforms, mask and pictures; the record of an earlier result, which these are not, is removed.

    Returns:
        Its row, which stands in the table only once the caller writes that.
    """
    record_path(out, case).parent.mkdir(parents=True, exist_ok=True)  # by which others know a folder of registrations
    record_path(out, case).unlink(missing_ok=True)
    mask, inside = _carried(inputs, found.mapping)
    change = None if mask is None else volume_change_percent(found.mapping, mask)
    stands_out = None if mask is None else contrast(inputs.us, as_volume(mask).pixels > 0)
    carried = out / "labels" / f"{case}.nii.gz"
    if mask is None:
        carried.unlink(missing_ok=True)  # of an earlier run that had one
    else:
        with written_aside(carried) as aside:
            sitk.WriteImage(mask, str(aside), useCompression=True)
    there, _ = _carried(inputs, inputs.start)
    before, after = _placed(inputs, inputs.start, there), _placed(inputs, found.mapping, mask)
    write_pictures(out / FOLDER, case, inputs.us, inputs.mris[0], before, after)
    write_mapping(found.mapping, out / "transforms" / case)
    return Registered(
        case=case,
        metric=metric,
        similarity_start=round(found.similarity_start, 6),
        similarity=round(found.similarity, 6),
        shift_mm=round(found.shift_mm, 3),
        rotation_deg=round(found.rotation_deg, 3),
        overlap_percent=round(found.overlap_percent, 2),
        label_inside_percent=None if inside is None else round(inside, 2),
        support=round(found.support, 4),
        kind=kind_of(found.mapping),
        refined_mm=None if found.refined_mm is None else round(found.refined_mm, 3),
        volume_change_percent=None if change is None else round(change, 2),
        refused=found.refused,
        flags=" ".join(flags(found, inside, change, stands_out, by_hand=by_hand)),
        contrast=None if stands_out is None else round(stands_out, 3),
    )


def _placed(inputs: Inputs, mapping: Mapping, mask: sitk.Image | None) -> Placed:
    """The MRI and its mask for the pictures."""
    matrix, mri = placed(inputs.mris[0], inputs.us, mapping)
    return Placed(matrix, None if mask is None else as_volume(mask), mri)


def _carried(inputs: Inputs, mapping: Mapping) -> tuple[sitk.Image | None, float | None]:
    """The mask on the ultrasound's grid, and the share of it in view, percent; None without a mask."""
    return (None, None) if inputs.label is None else transfer(inputs.label, inputs.image, mapping)


def record_of(pair: Pair, key: dict[str, object], row: Registered) -> Record:
    """A case's record; files are named in full, since the review reads them again from any folder."""
    files: Record = {name: _absolute(getattr(pair, name)) for name in _FILES}
    return {"key": key, "files": files | {"mri": [_absolute(path) for path in pair.mris]}, "result": asdict(row)}


def record_path(out: Path, case: str) -> Path:
    """Where a case's record is."""
    return out / "cases" / f"{case}.json"


def refuse_unfinished(out: Path, case: str) -> None:
    """Refuse what a registration that was stopped half way left: its transform and its mask may be of two runs.

    Raises:
        NotFoundError: if the case has no record, which is written last and removed first.
    """
    if not record_path(out, case).is_file():
        raise NotFoundError(f"The registration of {case} in {out} was not finished: run 'ius-train register' again.")


def refuse_unfinished_table(out: Path, rows: Sequence[Registered]) -> None:
    """Refuse a table whose results are not the cases' own: a later run was stopped, and the table is written last.

    Raises:
        NotFoundError: if a case was not finished.
        FormatError: if one has another result by now, or its record cannot be read.
    """
    for row in rows:
        if row.error:
            continue
        refuse_unfinished(out, row.case)
        if any(getattr(row, name, value) != value for name, value in read_record(out, row.case)["result"].items()):
            raise FormatError(
                f"{row.case} was registered anew in a run that was stopped, and {out / TABLE} does not have it: run "
                "'ius-train register' again."
            )


def read_record(out: Path, case: str) -> Record:
    """A case's record.

    Raises:
        NotFoundError: if it has none.
        FormatError: if it cannot be read, or is of an earlier version.
    """
    path = record_path(out, case)
    if not path.is_file():
        raise NotFoundError(f"{out} holds no registration of {case}: run 'ius-train register'.")
    try:
        record: Record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(f"{path} is damaged: run 'ius-train register' again.") from error
    if "files" not in record:
        raise FormatError(f"{path} does not name its files: run 'ius-train register' again.")
    return record


def write_record(record: Record, out: Path, case: str) -> None:
    """Write a case's record."""
    write_json(record, record_path(out, case))


def pair_of(record: Record, case: str) -> Pair:
    """The files that a record names."""
    us, label, start = (None if path is None else Path(path) for path in (record["files"][name] for name in _FILES))
    return Pair(case, us, tuple(Path(path) for path in record["files"]["mri"]), label, start)


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())
