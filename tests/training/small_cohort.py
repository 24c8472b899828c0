"""A cohort of plain ellipsoids in RESECT's layout, small enough to train on in seconds, and a model trained on it."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from fitting import FIT, fit_until_killed, ius_train

from training.cohort.cases import write_cases
from training.datasets.resect import find_cases
from training.slicing.cutting import Cutting
from training.slicing.store import cut_cases

SHAPE = (40, 46, 36)
SPACING = (0.9, 0.9, 0.9)


def write_volume(array: np.ndarray, path: Path, spacing=SPACING) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing[::-1])
    sitk.WriteImage(image, str(path))
    return path


def ellipsoid(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(image, mask): speckle in a ball-shaped sector with a brighter ellipsoid; exactly 0 outside."""
    z, y, x = np.indices(SHAPE)
    sector = z**2 + (y - 23) ** 2 + (x - 18) ** 2 < 38**2
    centre = np.array([18, 23, 18]) + rng.uniform(-4, 4, 3)
    radius = rng.uniform(5, 8)
    mask = (z - centre[0]) ** 2 + 1.5 * (y - centre[1]) ** 2 + (x - centre[2]) ** 2 < radius**2
    image = np.where(sector, 5 + rng.rayleigh(15, SHAPE) + 30 * mask, 0)
    return image.astype(np.float32), mask.astype(np.uint8)


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six patients, numbered like RESECT's, not consecutively."""
    root = tmp_path_factory.mktemp("cohort")
    rng = np.random.default_rng(0)
    for number in (1, 2, 3, 7, 11, 12):
        name = f"Case{number}"
        image, mask = ellipsoid(rng)
        write_volume(image, root / "RESECT" / "NIFTI" / name / "US" / f"{name}-US-before.nii.gz")
        write_volume(mask, root / "RESECT_segmentation" / name / f"{name}-US-before-tumor.nii.gz")
    return root


@pytest.fixture(scope="session")
def store(cohort: Path) -> Path:
    """A slice store, made by the command line's own functions."""
    cases = find_cases(cohort / "RESECT", cohort / "RESECT_segmentation")
    write_cases(cases, cohort / "cases.csv")
    cut_cases(cases, cohort / "slices", Cutting(step_mm=6, negatives=3))
    return cohort / "slices"


@pytest.fixture(scope="session")
def model(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder whose training was killed after an epoch, resumed, and stopped early after the next one."""
    work = tmp_path_factory.mktemp("work")
    fit = ("fit", store, "--work", work, *FIT)
    fit_until_killed(work, fit)
    second = ius_train(*fit, "--patience", 0)
    assert second.returncode == 0, second.stderr
    (folder,) = (work / "nnUNet_results").glob("*/*")
    return folder
