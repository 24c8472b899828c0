"""A slice store as an nnU-Net data set: dataset.json points into the store (no copies), splits go by patient."""

import os
from collections.abc import Sequence
from pathlib import Path

from inference.errors import IusError
from training.folds import Split, draw_folds, split_slices
from training.receipt import write_json
from training.slices import SliceRow, larger_than

FILE_ENDING = ".nii.gz"
CHANNEL = "US"
LABELS = {"background": 0, "tumor": 1}


class DatasetError(IusError):
    """A training set that nnU-Net could not learn from."""


def dataset_name(number: int, title: str) -> str:
    """nnU-Net's folder name: `Dataset501_US_200`."""
    return f"Dataset{number:03d}_{title}"


def write_dataset(
    rows: Sequence[SliceRow], store: Path, folder: Path, *, min_area_mm2: float, seed: int
) -> list[Split]:
    """Write `dataset.json` and `splits_final.json` into nnU-Net's raw folder of this data set.

    Args:
        rows: the slice table.
        store: where its images and labels lie.
        folder: `nnUNet_raw/DatasetNNN_Title`.
        min_area_mm2: cut-off; tumour slices strictly larger are used, tumour-free slices always.
        seed: of the folds, which are drawn over all patients before the cut-off.

    Returns:
        The five splits.

    Raises:
        DatasetError: if no tumour slice is larger than the cut-off.
    """
    folds = draw_folds((row.patient for row in rows), seed)
    used = larger_than(rows, min_area_mm2)
    if not any(row.area_mm2 > 0 for row in used):
        raise DatasetError(f"No slice holds a tumour larger than {min_area_mm2:g} mm²: lower the cut-off.")
    splits = split_slices({row.name: row.patient for row in used}, folds)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(splits, folder / "splits_final.json")
    write_json(
        {
            "channel_names": {"0": CHANNEL},
            "labels": LABELS,
            "numTraining": len(used),
            "file_ending": FILE_ENDING,
            "overwrite_image_reader_writer": "SimpleITKIO",
            "dataset": {row.name: _files(row, store, folder) for row in used},
        },
        folder / "dataset.json",
    )
    return splits


def _files(row: SliceRow, store: Path, folder: Path) -> dict[str, object]:
    """Where one slice's files are, seen from the data set's folder."""
    image, label = (os.path.relpath(path.resolve(), folder.resolve()) for path in (row.image(store), row.label(store)))
    return {"images": [image], "label": label}
