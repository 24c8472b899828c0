"""Turns slice stores into an nnU-Net data set: dataset.json points into the stores, splits are by patient."""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.errors import IusError
from training.cohort.folds import Folds, Split, split_slices
from training.io.files import gz_content
from training.io.receipt import write_json
from training.nnunet.claims import DIGEST, data_lock, refuse_while_training
from training.nnunet.settings import Fold
from training.slicing.size_bands import MIN_RELIABLE_MM2, within
from training.slicing.slices import CAVITY, HALF_KNOWN, SliceRow, as_cells, larger_than, read_slices

FILE_ENDING = ".nii.gz"
CHANNEL = "US"
LABELS = {"background": 0, "tumor": 1}
CAVITY_LABEL = {"cavity": CAVITY}
"""The third tissue, in data sets that show a resection cavity anywhere."""
IGNORE = {"ignore": 2}
"""nnU-Net's ignore label: around a real tumour where another was painted in, and where models were in doubt."""
TUMOUR_FREE = "tumour_free"
"""A key in dataset.json that nnU-Net does not read, as `DIGEST`: the names of the slices without a tumour."""
SMALL = "small_tumours"
"""And another: the names of the slices with a tumour on which models are not reliable, `MIN_RELIABLE_MM2` or less."""


class DatasetError(IusError):
    """nnU-Net could not learn from this training set."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which slices of the stores a model learns from.

    Attributes:
        min_area_mm2: cut-off; only slices with strictly more tumour are used.
        negatives: whether the tumour-free slices in the stores are used too.
        exclude: case -> why it is left out.
    """

    min_area_mm2: float = 0.0
    negatives: bool = True
    exclude: Mapping[str, str] | None = None

    def of(self, rows: Sequence[SliceRow]) -> list[SliceRow]:
        """The slices used in training."""
        kept = larger_than((row for row in rows if row.case not in (self.exclude or {})), self.min_area_mm2)
        return [row for row in kept if self.negatives or row.area_mm2 > 0]


def write_dataset(stores: Sequence[Path], folder: Path, choice: Choice, folds: Folds) -> list[Split]:
    """Write `dataset.json` and `splits_final.json` into nnU-Net's raw folder of this data set.

    Args:
        stores: slice stores that share no slice name.
        folder: `nnUNet_raw/DatasetNNN_Title`.
        choice: which of their slices to use.
        folds: drawn over all patients, whatever the choice.

    Returns:
        The splits, one per fold.

    Raises:
        DatasetError: if no tumour slice is left, two stores hold a slice of the same name, such volumes meet
            cavities, or another data set has its number.
        FoldError: if a patient is in no fold, or in two.
        FormatError: if a training on other slices is running on the data set that is there.
        NotFoundError: if a file of a slice is missing or empty.
    """
    _refuse_one_number(folder)
    homes = {row.name: (row, store) for store in stores for row in read_slices(store)}
    if len(homes) != sum(len(read_slices(store)) for store in stores):
        raise DatasetError("Two of the slice stores hold slices of the same name: name their cases differently.")
    used = choice.of([row for row, _ in homes.values()])
    if not any(row.area_mm2 > 0 for row in used):
        raise DatasetError(f"No slice holds a tumour larger than {choice.min_area_mm2:g} mm²: lower the cut-off.")
    splits = split_slices({row.name: row.patient for row in used}, folds)
    content = {
        "channel_names": {"0": CHANNEL},
        "labels": labels_of(used),
        "numTraining": len(used),
        "file_ending": FILE_ENDING,
        "overwrite_image_reader_writer": "SimpleITKIO",
        DIGEST: digest((row, homes[row.name][1]) for row in used),
        TUMOUR_FREE: [row.name for row in used if row.area_mm2 == 0],
        SMALL: [row.name for row in used if within(row.area_mm2, (0.0, MIN_RELIABLE_MM2))],
        "dataset": {row.name: _files(row, homes[row.name][1], folder) for row in used},
    }
    with data_lock(folder):
        if _read(folder / "splits_final.json", []) != splits or (
            _read(folder / "dataset.json", {}).get(DIGEST) != content[DIGEST]
        ):
            refuse_while_training(folder)
        write_json(splits, folder / "splits_final.json")
        write_json(content, folder / "dataset.json")
    return splits


def _refuse_one_number(folder: Path) -> None:
    """Refuse a second data set of one number: nnU-Net would find neither any more."""
    numbered = re.match(r"Dataset\d+_", folder.name)
    for other in sorted(folder.parent.glob(f"{numbered[0]}*/dataset.json") if numbered else ()):
        if other.parent.name != folder.name:
            raise DatasetError(
                f"{folder.parent} holds {other.parent.name} already, and nnU-Net knows a data set by its number: give "
                "another --dataset-id, or its --title. In an experiment, write new models below the earlier ones."
            )


def _read(path: Path, otherwise: Any) -> Any:  # noqa: ANN401 - JSON
    """A file of a data set that was written before."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else otherwise


def labels_of(rows: Sequence[SliceRow]) -> dict[str, int]:
    """The labels of a data set's masks by name.

    Raises:
        DatasetError: if 2 means the cavity in some masks, and what is to be ignored in others.
    """
    cavities, ignored = any(row.cavity_mm2 for row in rows), any(row.origin in HALF_KNOWN for row in rows)
    if cavities and ignored:
        raise DatasetError(
            "Painted and pseudo-labelled volumes ignore what masks with cavities call cavity: train on one of both."
        )
    return LABELS | (CAVITY_LABEL if cavities else IGNORE if ignored else {})


def train_patients(stores: Sequence[Path], splits: Sequence[Split], fold: Fold) -> list[str]:
    """The patients whose slices train a fold; `all` trains on the validation slices too."""
    patient_of = {row.name: row.patient for store in stores for row in read_slices(store)}
    names = splits[0]["train"] + splits[0]["val"] if fold == "all" else splits[fold]["train"]
    return sorted({patient_of[name] for name in names})


def digest(slices: Iterable[tuple[SliceRow, Path]]) -> str:
    """A digest of a data set's content (areas, sizes and every pixel) that does not depend on where it lies."""
    table = [[as_cells(row), gz_content(row.image(store)), gz_content(row.label(store))] for row, store in slices]
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()


def _files(row: SliceRow, store: Path, folder: Path) -> dict[str, object]:
    """The paths of one slice's files, relative to the data set's folder."""
    image, label = (os.path.relpath(path.resolve(), folder.resolve()) for path in (row.image(store), row.label(store)))
    return {"images": [image], "label": label}
