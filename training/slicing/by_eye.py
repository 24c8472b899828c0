"""Outlines of what is plainly visible in real volumes, drawn by eye by no expert: read, as masks, as a slice store.

They are a yardstick for a model that has never had a real one, and no clinical truth: what is scored against them never
stands beside a clinical or a simulated figure.
"""

from pathlib import Path
from typing import Literal

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.errors import FormatError, NotFoundError
from training.io.receipt import sha256
from training.registration.volume import read_image
from training.slicing.fingerprint import fingerprint
from training.slicing.leaks import look_path, write_look
from training.slicing.slices import BY_EYE, SliceRow, write_slice, write_slices

OUTLINES = Path(__file__).with_name("by_eye.json")
"""Those of the nine RESECT volumes, drawn on 2026-11-27 and never changed since."""
_BEYOND_MM = 15.0

Certainty = Literal["plain", "likely", "unsure", "nothing plainly visible"]
Mask = NDArray[np.bool_]


class Outline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One slice.

    Attributes:
        index: along k.
        certainty: how sure the eye was; the last kind has no polygon.
        polygons: corners (i, j) in voxels; a voxel's centre is a whole number.
    """

    index: int
    certainty: Certainty
    polygons: tuple[tuple[tuple[float, float], ...], ...]


class Outlined(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One volume: its case, size (i, j, k), hash, what was seen, and its slices."""

    case: str
    shape: tuple[int, int, int]
    sha256: str
    seen: str
    slices: tuple[Outline, ...]


class Outlines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    annotator: str
    drawn: str
    data: str
    axis: Literal["k"]
    coordinates: str
    rule: str
    volumes: tuple[Outlined, ...]


def read_outlines(path: Path = OUTLINES) -> Outlines:
    """Read an outline file.

    Raises:
        NotFoundError: if there is none.
        FormatError: naming the field that is missing, unknown or of the wrong type.
    """
    if not path.is_file():
        raise NotFoundError(f"There are no outlines at {path}.")
    try:
        return msgspec.json.decode(path.read_bytes(), type=Outlines)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} holds no outlines ({error}).") from error


def mask_of(outline: Outline, shape: tuple[int, int, int]) -> Mask:
    """An outline as a mask (j, i) of a volume of `shape` (i, j, k)."""
    mask = np.zeros((shape[1], shape[0]), np.uint8)
    for polygon in outline.polygons:
        cv2.fillPoly(mask, [np.round(np.array(polygon)).astype(np.int32)], 1)
    return mask > 0


def region_of(volume: Outlined, spacing_mm: float) -> Mask:
    """What the outlines enclose between and beyond their slices, (k, j, i): a guess, to leave alone.

    Between two slices signed distances are interpolated; beyond the last one it goes on for 15 mm.
    """
    i, j, k = volume.shape
    drawn = sorted((one for one in volume.slices if one.polygons), key=lambda one: one.index)
    if not drawn:
        return np.zeros((k, j, i), np.bool_)
    distances = np.stack([_distance(mask_of(one, volume.shape)) for one in drawn])
    at = np.array([one.index for one in drawn], np.float64)
    region = np.zeros((k, j, i), np.bool_)
    reach = _BEYOND_MM / spacing_mm
    for index in range(k):
        if at[0] - reach <= index <= at[-1] + reach:
            place = float(np.interp(index, at, np.arange(len(at))))
            low, part = int(place), place - int(place)
            high = min(low + 1, len(at) - 1)
            region[index] = (1.0 - part) * distances[low] + part * distances[high] > 0
    return region


def _distance(mask: Mask) -> NDArray[np.float64]:
    """Signed distance to the border of a mask, pixels, positive inside."""
    return np.asarray(ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask), np.float64)


def volume_of(outlined: Outlined, folder: Path) -> Path:
    """The file that was outlined, below a folder.

    Raises:
        NotFoundError: if it is not there.
        FormatError: if there is another file of its name.
    """
    found = sorted(folder.rglob(f"{outlined.case}-US-before*.nii.gz"))
    if not found:
        raise NotFoundError(f"{folder} holds no volume of {outlined.case}: name the folder of the RESECT volumes.")
    if sha256(found[0]) != outlined.sha256:
        raise FormatError(f"{found[0]} is not the volume that was outlined: use the one resampled to 0.5 mm.")
    return found[0]


def write_store(outlines: Outlines, folder: Path, store: Path, cases: tuple[str, ...] = ()) -> list[SliceRow]:
    """Cut every outlined slice into a slice store whose masks are the outlines.

    Args:
        outlines: what was drawn.
        folder: of the volumes.
        store: gets images, labels and `slices.csv`, its masks marked as drawn by eye.
        cases: which ones; all without any.

    Raises:
        NotFoundError: if a volume is missing.
        FormatError: if a volume is another one.
    """
    import SimpleITK as sitk  # noqa: N813 - its own documentation's name

    rows = []
    (store / "slices.csv").unlink(missing_ok=True)  # of other masks than those that are there from now on
    for volume in outlines.volumes:
        if cases and volume.case not in cases:
            continue
        image = read_image(volume_of(volume, folder))
        write_look(fingerprint(image), look_path(store, volume.case))
        pixels = sitk.GetArrayFromImage(image).astype(np.float32)
        col_mm, row_mm, _ = image.GetSpacing()
        for outline in volume.slices:
            mask = mask_of(outline, volume.shape)
            name, area = f"{volume.case}_k{outline.index:04d}", float(mask.sum()) * row_mm * col_mm
            row = SliceRow(
                name=name,
                case=volume.case,
                patient=f"RESECT-{volume.case}",
                axis="k",
                index=outline.index,
                area_mm2=area,
                rows=mask.shape[0],
                cols=mask.shape[1],
                row_mm=row_mm,
                col_mm=col_mm,
                origin=BY_EYE,
            )
            write_slice(pixels[outline.index], (row_mm, col_mm), row.image(store))
            write_slice(mask.astype(np.uint8), (row_mm, col_mm), row.label(store))
            rows.append(row)
    write_slices(rows, store / "slices.csv")
    return rows
