"""Masks that others drew on ReMIND's ultrasound later: Zenodo 22214974, CC BY 4.0, as its record describes them.

`ReMIND-001-pre-us-segmentation.nii.gz` and `-post-`: 1 is tumour, 2 the resection cavity. No name says which volume of
the patient is meant, so a mask belongs to the one whose voxels are its own, in whatever order of axes.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from inference.errors import FormatError
from training.cohort.cases import Case
from training.datasets.cache import converted
from training.datasets.files import VOLUME_SUFFIXES, checked
from training.datasets.usable import judged
from training.registration.volume import read_image, read_placed

VALUES = {"tumour": 1, "cavity": 2}
_NAME = re.compile(r"(?P<patient>ReMIND-\d+)-(pre|post)-us-segmentation", re.IGNORECASE)
_AT_VOXEL = 0.05
"""How far a corner may lie from a voxel's centre, voxels: software rounds affines differently."""


class DrawnMasks:
    """The masks of a folder, joined to volumes by their grids.

    Args:
        folder: holds them, in any subfolder.
        cache: folder for one mask of the tumour and one of the cavity, made from each.

    Raises:
        NotFoundError: if there is no such folder.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        self._cache = cache
        self._masks: dict[str, list[Path]] = defaultdict(list)
        self._volumes: dict[Path, list[str]] = defaultdict(list)
        for path in sorted(checked(folder).rglob("*")):
            named = _NAME.fullmatch(path.name.partition(".")[0])
            if named and path.name.endswith(VOLUME_SUFFIXES):
                self._masks[named["patient"].lower()].append(path)

    def on(self, case: Case) -> Case:
        """The case with `us_label`, and `cavity_label` if a cavity is drawn; as it is where no mask has its grid.

        Raises:
            NotFoundError: if its volume is missing.
            FormatError: if a mask cannot be read, two have its grid, or one holds a label that nobody described.
        """
        if case.us is None:
            return case
        us, volume = case.us, read_placed(case.us)
        fitting = [path for path in self._masks[case.patient.lower()] if same_voxels(read_placed(path), volume)]
        if not fitting:
            return case
        if len(fitting) > 1:
            raise FormatError(f"{fitting[0].name} and {fitting[1].name} have the same grid: leave one of them out.")
        (path,) = fitting
        self._volumes[path].append(case.case)
        folder = self._cache / case.patient
        made = {
            name: converted(folder / f"{case.case}-drawn-{name}.nii.gz", [path, us], partial(_only, path, us, name))
            for name in VALUES
        }
        holed = sitk.GetArrayFromImage(read_image(made["cavity"])).any()
        return replace(case, us_label=made["tumour"], cavity_label=made["cavity"] if holed else None)

    def settled(self, cases: Sequence[Case]) -> list[Case]:
        """The cases, excluded where one mask has the grid of two volumes: nobody knows on which it was drawn."""
        shared = {name: path for path, names in self._volumes.items() if len(names) > 1 for name in names}
        return [
            judged(case, f"{shared[case.case].name} has the grid of {' and '.join(self._volumes[shared[case.case]])}")
            if case.case in shared
            else case
            for case in cases
        ]

    @property
    def left(self) -> list[Path]:
        """Masks that lie on no volume that was taken."""
        return [path for paths in self._masks.values() for path in paths if path not in self._volumes]


def same_voxels(one: sitk.Image, other: sitk.Image) -> bool:
    """Whether two volumes have the same voxels, in whatever order of axes."""
    last, found = np.array(one.GetSize()) - 1, []
    for corner in product((0, 1), repeat=3):
        index = [at * (count - 1) for at, count in zip(corner, other.GetSize(), strict=True)]
        place = np.array(one.TransformPhysicalPointToContinuousIndex(other.TransformIndexToPhysicalPoint(index)))
        nearest = np.where(place > last / 2, last, 0)
        if np.abs(place - nearest).max() > _AT_VOXEL:
            return False
        found.append(tuple(nearest.tolist()))
    return sorted(one.GetSize()) == sorted(other.GetSize()) and len(set(found)) == len(found)


def _only(path: Path, us: Path, name: str) -> sitk.Image:
    """The voxels of one label, 0 and 1, on the volume's grid."""
    mask, volume = read_placed(path), read_placed(us)
    unknown = sorted(set(np.unique(sitk.GetArrayViewFromImage(mask)).tolist()) - {0, *VALUES.values()})
    if unknown:
        raise FormatError(f"{path} holds the label {unknown[0]:g}, and 1 is tumour, 2 cavity: leave it out.")
    moved = sitk.Resample(mask, volume, sitk.Transform(), sitk.sitkNearestNeighbor)
    return sitk.Cast(moved == VALUES[name], sitk.sitkUInt8)
