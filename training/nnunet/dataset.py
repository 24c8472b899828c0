"""Slice stores as an nnU-Net data set: dataset.json points into the stores without copies; splits are by patient."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from inference.errors import IusError, NotFoundError
from training.cohort.folds import Folds, Split, split_slices
from training.io.receipt import write_json
from training.nnunet.settings import Fold
from training.slicing.slices import PAINTED, SliceRow, larger_than, read_slices

FILE_ENDING = ".nii.gz"
CHANNEL = "US"
LABELS = {"background": 0, "tumor": 1}
IGNORE = {"ignore": 2}
"""nnU-Net's own: pixels of which nothing is said, where a tumour was painted into a real volume."""
DIGEST = "slices_sha256"
"""In dataset.json, where nnU-Net does not look at it."""
TUMOUR_FREE = "tumour_free"
"""In dataset.json too: names of the slices without a tumour."""
_TRAILER = 8


class DatasetError(IusError):
    """The training set is one that nnU-Net could not learn from."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which slices of the stores a model learns from.

    Attributes:
        min_area_mm2: cut-off; tumour slices strictly larger are used.
        negatives: also use the tumour-free slices that the stores hold.
        exclude: case -> why it is left out.
    """

    min_area_mm2: float = 0.0
    negatives: bool = True
    exclude: Mapping[str, str] | None = None

    def of(self, rows: Sequence[SliceRow]) -> list[SliceRow]:
        """The slices that are used."""
        kept = larger_than((row for row in rows if row.case not in (self.exclude or {})), self.min_area_mm2)
        return [row for row in kept if self.negatives or row.area_mm2 > 0]


def write_dataset(stores: Sequence[Path], folder: Path, choice: Choice, folds: Folds) -> list[Split]:
    """Write `dataset.json` and `splits_final.json` into nnU-Net's raw folder of this data set.

    Args:
        stores: slice stores that share no slice name.
        folder: `nnUNet_raw/DatasetNNN_Title`.
        choice: which of their slices are used.
        folds: drawn over all patients, whatever the choice.

    Returns:
        The splits, one a fold.

    Raises:
        DatasetError: if no tumour slice is left, or two stores hold a slice of one name.
        FoldError: if a patient is in no fold, or in two.
        NotFoundError: if a file of a slice is missing or empty.
    """
    homes = {row.name: (row, store) for store in stores for row in read_slices(store)}
    if len(homes) != sum(len(read_slices(store)) for store in stores):
        raise DatasetError("Two of the slice stores hold slices of the same name: name their cases differently.")
    used = choice.of([row for row, _ in homes.values()])
    if not any(row.area_mm2 > 0 for row in used):
        raise DatasetError(f"No slice holds a tumour larger than {choice.min_area_mm2:g} mm²: lower the cut-off.")
    splits = split_slices({row.name: row.patient for row in used}, folds)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(splits, folder / "splits_final.json")
    write_json(
        {
            "channel_names": {"0": CHANNEL},
            "labels": LABELS | (IGNORE if any(row.origin == PAINTED for row in used) else {}),
            "numTraining": len(used),
            "file_ending": FILE_ENDING,
            "overwrite_image_reader_writer": "SimpleITKIO",
            DIGEST: _digest((row, homes[row.name][1]) for row in used),
            TUMOUR_FREE: [row.name for row in used if row.area_mm2 == 0],
            "dataset": {row.name: _files(row, homes[row.name][1], folder) for row in used},
        },
        folder / "dataset.json",
    )
    return splits


def train_patients(stores: Sequence[Path], splits: Sequence[Split], fold: Fold) -> list[str]:
    """The patients whose slices train a fold; `all` trains on the validation slices too."""
    patient_of = {row.name: row.patient for store in stores for row in read_slices(store)}
    names = splits[0]["train"] + splits[0]["val"] if fold == "all" else splits[fold]["train"]
    return sorted({patient_of[name] for name in names})


def _digest(slices: Iterable[tuple[SliceRow, Path]]) -> str:
    """A digest of a data set, wherever it lies: its slices' areas and sizes, and every pixel."""
    table = [[asdict(row), _unpacked(row.image(store)), _unpacked(row.label(store))] for row, store in slices]
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()


def _unpacked(path: Path) -> str:
    """CRC-32 and length of what a .gz file holds (RFC 1952, 2.3.1): its last eight bytes, however it was packed."""
    if not path.is_file() or path.stat().st_size < _TRAILER:
        raise NotFoundError(f"{path} is missing or empty, though the slice table names it: cut the slices again.")
    with path.open("rb") as stream:
        stream.seek(-_TRAILER, os.SEEK_END)
        return stream.read(_TRAILER).hex()


def _files(row: SliceRow, store: Path, folder: Path) -> dict[str, object]:
    """Where one slice's files are, seen from the data set's folder."""
    image, label = (os.path.relpath(path.resolve(), folder.resolve()) for path in (row.image(store), row.label(store)))
    return {"images": [image], "label": label}
