"""Any data set described by two file patterns and a patient pattern: CuRIOUS-SEG, BraTioUS, or your own."""

import glob
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray

from inference.errors import FormatError, IusError, NotFoundError
from training.cohort.cases import Case
from training.datasets.cache import converted
from training.datasets.usable import judged
from training.slicing.frames import frame_spacing, is_frame, read_mask_pixels, read_pixels

_CHANNEL = "_0000."
"""How nnU-Net ends the names of its images: NAME_0000.nii.gz, whose label is NAME.nii.gz."""


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Where a data set's files are.

    Attributes:
        dataset: its name, with which the patients' identifiers begin.
        images: glob of the volumes or 2D pictures.
        masks: glob of their masks.
        patient: regular expression that finds the patient in a file's path below the glob's fixed part: its group
            `patient`, its first group, or all of it.
    """

    dataset: str
    images: str
    masks: str
    patient: str


def bratious(root: Path, patient: str) -> PictureSet:
    """BraTioUS (Zenodo 10.5281/zenodo.16887362): 2D frames; the user says how file names give the patient."""
    images, masks = (f"{root}/**/{kind}BraTioUS*/*.nii*" for kind in ("images", "labels"))
    return PictureSet("BraTioUS", images, masks, patient)


def find_cases(chosen: PictureSet, cache: Path | None = None, pixel_mm: float | None = None) -> list[Case]:
    """Every image with the mask of the same name, or else, for a patient with one image, with the only mask.

    Args:
        chosen: where the files are.
        cache: where calibrated copies of 2D pictures are written; needed with `pixel_mm`.
        pixel_mm: side of the pixels of 2D pictures whose headers have no scale.

    Raises:
        NotFoundError: if there is no image.
        FormatError: if the patient pattern is not a regular expression.
    """
    try:
        pattern = re.compile(chosen.patient)
    except re.error as error:
        raise FormatError(f"'{chosen.patient}' is not a regular expression: {error}.") from error
    images, masks = _files(chosen.images), _files(chosen.masks)
    if not images:
        raise NotFoundError(f"No file is like {chosen.images}.")
    drawn = {path: _patient(pattern, path, chosen.masks) for path in masks}
    seen = {path: _patient(pattern, path, chosen.images) for path in images}
    return [_case(path, seen, drawn, chosen, cache, pixel_mm) for path in images]


def _files(pattern: str) -> list[Path]:
    """The files that a glob finds, in order."""
    return sorted(Path(name) for name in glob.glob(pattern, recursive=True) if Path(name).is_file())  # noqa: PTH207


def _patient(pattern: re.Pattern[str], path: Path, files: str) -> str:
    """The patient that a path names below the fixed part of the glob; empty if it names none."""
    fixed = os.path.dirname(re.split(r"[*?\[]", files, maxsplit=1)[0])  # noqa: PTH120 - a Path loses the last slash
    found = pattern.search(os.path.relpath(path, fixed or "."))
    if found is None:
        return ""
    named = found.groupdict().get("patient")
    return named or (found[1] if found.groups() else found[0]) or ""


def _case(
    path: Path,
    images: Mapping[Path, str],
    masks: Mapping[Path, str],
    chosen: PictureSet,
    cache: Path | None,
    pixel_mm: float | None,
) -> Case:
    """The case of one image; without a patient it is listed but excluded: it could land on both sides of a split."""
    patient, stem = images[path], path.name.replace(_CHANNEL, ".").partition(".")[0]
    case = Case(
        f"{chosen.dataset}-{stem}" if not patient or patient in stem else f"{chosen.dataset}-{patient}-{stem}",
        f"{chosen.dataset}-{patient}" if patient else "",
        dataset=chosen.dataset,
    )
    if not patient:
        return judged(case, f"'{chosen.patient}' finds no patient in {path}")
    try:
        us, mask = _scaled(path, _mask(path, images, masks), chosen.dataset, cache, pixel_mm)
    except IusError as error:
        return judged(case, str(error))
    return judged(Case(case.case, case.patient, dataset=case.dataset, us=us, us_label=mask))


def _mask(path: Path, images: Mapping[Path, str], masks: Mapping[Path, str]) -> Path:
    """The mask of the same file name, nnU-Net's number of the channel aside, or else the patient's only one.

    The latter only if the patient has one picture: it would be another one's.
    """
    patient = images[path]
    names = (path.name, path.name.replace(_CHANNEL, "."))
    theirs = [mask for mask, whose in masks.items() if whose == patient and mask != path and mask not in images]
    fitting = [mask for mask in theirs if mask.name in names]
    alone = sum(whose == patient for whose in images.values()) == 1
    fitting = fitting or (theirs if alone else [])
    if len(fitting) != 1:
        which = "its mask has its name, or is the only one of a patient with one picture"
        raise FormatError(f"{len(fitting)} masks fit {path.name}: {which}.")
    return fitting[0]


def _scaled(us: Path, mask: Path, dataset: str, cache: Path | None, pixel_mm: float | None) -> tuple[Path, Path]:
    """The files as they are, or calibrated copies of 2D pictures that have no scale."""
    if not is_frame(us) or frame_spacing(us) is not None:
        return us, mask
    if pixel_mm is None:
        raise FormatError(
            "Its header has no scale that can be used, so its masks no area: give --pixel-mm if you know it."
        )
    if pixel_mm <= 0 or cache is None:
        raise FormatError("--pixel-mm has to be above 0, and needs --cache DIR for the calibrated copies.")
    folder = cache / dataset / f"{pixel_mm:g} mm"
    return (
        converted(folder / "images" / _copy_of(us), [us], lambda: _calibrated(read_pixels(us), pixel_mm)),
        converted(folder / "masks" / _copy_of(mask), [mask], lambda: _calibrated(read_mask_pixels(mask), pixel_mm)),
    )


def _copy_of(path: Path) -> str:
    """The name of a file's copy: the files of two folders may have one name."""
    place = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:8]
    return f"{path.name.partition('.')[0]}-{place}.nii.gz"


def _calibrated(pixels: NDArray[np.float32], pixel_mm: float) -> sitk.Image:
    """A 2D picture without singleton axes, its pixels `pixel_mm` wide and high."""
    image = sitk.GetImageFromArray(pixels.squeeze())
    image.SetSpacing([pixel_mm] * 2)
    return image
