"""Slices for the parity check: read from a folder, or simulated with mixed sizes and spacings."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray

from inference.errors import FormatError
from inference.frame import Pixels
from training.slicing.slices import read_slices, tumour_in

VERIFY_SLICES = 70
"""Slices of the parity check, and of the comparison of two precisions."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One slice.

    Attributes:
        name: its name in tables.
        pixels: (rows, cols), 0 outside the sector.
        spacing_mm: (row, col).
        truth: (rows, cols) uint8 0/1, the true tumour; None if there is no mask.
    """

    name: str
    pixels: Pixels
    spacing_mm: tuple[float, float]
    truth: NDArray[np.uint8] | None = None


def read_samples(folder: Path, limit: int) -> list[Sample]:
    """A store's slices by its table, or all 2D NIfTI of a folder (nnU-Net's `imagesTs`), at most `limit` of them.

    Raises:
        FormatError: if there are none, or one is not a 2D picture.
    """
    store = folder / "images"
    if (folder / "slices.csv").is_file():
        files = sorted(row.image(folder) for row in read_slices(folder))
    else:
        files = sorted((store if store.is_dir() else folder).glob("*.nii.gz"))
    if not files:
        raise FormatError(f"There are no .nii.gz slices in {folder}: give a slice store or a folder of 2D NIfTI.")
    chosen = np.unique(np.linspace(0, len(files) - 1, min(limit, len(files))).round().astype(int))
    return [_read(files[index]) for index in chosen]


def _read(path: Path) -> Sample:
    """Read one 2D NIfTI with its own grey values."""
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise FormatError(f"{path} cannot be read as a slice: copy it again.") from error
    if image.GetDimension() != 2:
        raise FormatError(f"{path} has {image.GetDimension()} axes, and a slice has two.")
    values = sitk.GetArrayFromImage(image)
    kept = values.dtype in (np.uint8, np.uint16)
    col_mm, row_mm = image.GetSpacing()
    pixels = values if kept else values.astype(np.float32)
    return Sample(path.name.removesuffix(".nii.gz"), pixels, (row_mm, col_mm), _truth(path, values.shape))


def _truth(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """Read the mask of an image in a slice store, if there is one.

    Raises:
        FormatError: if it is not on the image's grid.
    """
    label = path.parent.parent / "labels" / path.name.replace("_0000.nii.gz", ".nii.gz")
    if path.parent.name != "images" or not label.is_file():
        return None
    mask: NDArray[np.uint8] = tumour_in(sitk.GetArrayFromImage(sitk.ReadImage(str(label)))).astype(np.uint8)
    if mask.shape != shape:
        raise FormatError(f"{label} is not on the grid of its image: slice the case again.")
    return mask


def draw_samples(
    count: int, seed: int, *, field_mm: tuple[float, float] = (25.0, 60.0), spacing_mm: tuple[float, float] = (0.2, 0.8)
) -> list[Sample]:
    """Draw speckled sectors of any size and anisotropy, four of five with bright blobs; the same for the same seed.

    Args:
        count: how many.
        seed: seed of all random choices.
        field_mm: smallest and largest side of the picture.
        spacing_mm: smallest and largest pixel side; rows and columns are drawn separately.
    """
    rng = np.random.default_rng(seed)
    samples = []
    for number in range(count):
        mm = np.exp(rng.uniform(np.log(spacing_mm[0]), np.log(spacing_mm[1]), 2))
        shape = np.maximum(8, (rng.uniform(field_mm[0], field_mm[1], 2) / mm).astype(int))
        pixels, mask = draw_blobs(rng, (int(shape[0]), int(shape[1])), (float(mm[0]), float(mm[1])), number % 5 != 0)
        samples.append(Sample(f"simulated_{number:03d}", pixels, (float(mm[0]), float(mm[1])), mask))
    return samples


def draw_blobs(
    rng: np.random.Generator, shape: tuple[int, int], spacing_mm: tuple[float, float], tumour: bool
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw one speckled sector and the mask of its blobs.

    Args:
        rng: source of all random choices.
        shape: (rows, cols).
        spacing_mm: (row, col).
        tumour: whether there are blobs.

    Returns:
        Pixels and mask, (rows, cols) uint8 each; blobs are 4 to 12 mm in half axis.
    """
    rows, cols = shape
    mask = np.zeros(shape, np.uint8)
    for _ in range(int(rng.integers(1, 3)) if tumour else 0):
        centre = (int(cols * rng.uniform(0.3, 0.7)), int(rows * rng.uniform(0.35, 0.75)))
        half_mm = rng.uniform(4, 12, 2)
        axes = (max(1, int(half_mm[0] / spacing_mm[1])), max(1, int(half_mm[1] / spacing_mm[0])))
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 1, cv2.FILLED)
    sigma = (0.8 / spacing_mm[1], 0.8 / spacing_mm[0])
    speckle = cv2.GaussianBlur(rng.rayleigh(1, shape), (0, 0), sigmaX=sigma[0], sigmaY=sigma[1])
    grey = (50 + 90 * cv2.GaussianBlur(mask.astype(np.float64), (0, 0), sigmaX=sigma[0], sigmaY=sigma[1])) * speckle
    sector = np.zeros(shape, np.uint8)
    cv2.ellipse(sector, (cols // 2, -rows // 8), (int(cols * 0.7), int(rows * 1.1)), 0, 0, 360, 1, cv2.FILLED)
    return (np.clip(grey, 1, 255) * sector).astype(np.uint8), mask * sector
