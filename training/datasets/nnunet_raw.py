"""A raw data set of nnU-Net's, `DatasetNNN_Name` with dataset.json, imagesTr and labelsTr, as its owner has it."""

import json
from pathlib import Path
from typing import Any

from inference.errors import FormatError, NotFoundError
from training.cohort.cases import Case
from training.datasets.pictures import PictureSet
from training.datasets.pictures import find_cases as find_pictures


def find_cases(root: Path, patient: str, cache: Path | None = None, pixel_mm: float | None = None) -> list[Case]:
    """Every training image with its label; nnU-Net does not know whose they are, so the names have to tell.

    Args:
        root: the data set's folder.
        patient: regular expression that finds the patient in a file's name, as in `PictureSet`.
        cache: where calibrated copies of 2D pictures are written.
        pixel_mm: side of the pixels of 2D pictures whose headers have no scale.

    Raises:
        NotFoundError: if it has no dataset.json or no images.
        FormatError: if it has more than one channel, or other labels than background and one tumour.
    """
    told = _told(root / "dataset.json")
    channels = told.get("channel_names") or told.get("modality") or {}
    labels = told.get("labels") or {}
    if len(channels) != 1:
        raise FormatError(f"{root} has {len(channels)} channels, and ultrasound is one: give a data set of one.")
    if not isinstance(labels, dict) or sorted(str(value) for value in labels.values()) != ["0", "1"]:
        raise FormatError(
            f"{root} has the labels {', '.join(map(str, labels))}: background (0) and one tumour (1) can be learnt."
        )
    ending = told.get("file_ending", ".nii.gz")
    name = root.resolve().name.partition("_")[2] or root.resolve().name
    chosen = PictureSet(name, f"{root}/imagesTr/*_0000{ending}", f"{root}/labelsTr/*{ending}", patient)
    return find_pictures(chosen, cache, pixel_mm)


def _told(path: Path) -> dict[str, Any]:
    """What dataset.json says."""
    if not path.is_file():
        raise NotFoundError(f"There is no {path}: give nnU-Net's folder DatasetNNN_Name of nnUNet_raw.")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(f"{path} is no JSON ({error}).") from error
    if not isinstance(told, dict):
        raise FormatError(f"{path} does not describe a data set.")
    return told
