"""A slice store of real volumes with painted tumours."""

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from scipy import ndimage

from inference.errors import FormatError
from training.io.progress import Bar
from training.registration.volume import read_image
from training.simulation import CohortError
from training.simulation.painting import paint
from training.slicing.by_eye import Outlined, Outlines, region_of, volume_of
from training.slicing.fingerprint import fingerprint
from training.slicing.half_known import Volume, cut_all_ways
from training.slicing.leaks import look_path, write_look
from training.slicing.slices import PAINTED, SliceRow, write_slices
from training.slicing.volumes import ISOTROPIC_TOLERANCE

_CLEAR_MM = 8.0
"""How far around an outline nothing is said."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much is painted: paintings a volume, mm between slices, tumour-free slices a painting, seed."""

    each: int
    step_mm: float
    negatives: int
    seed: int


def paint_store(
    outlines: Outlines, folder: Path, store: Path, wanted: Wanted, left_out: tuple[str, ...]
) -> list[SliceRow]:
    """Paint and cut every outlined volume that is not left out.

    Args:
        outlines: where the volumes' own tumours may be.
        folder: of the volumes.
        store: gets images, labels (0, 1, 2 to ignore) and `slices.csv`.
        wanted: how much.
        left_out: cases that no training may see.

    Raises:
        CohortError: if no volume is left.
        NotFoundError: if a volume is missing.
        FormatError: if a volume is another than the one outlined, or its voxels are no cubes.
    """
    used = [volume for volume in outlines.volumes if volume.case not in left_out]
    if not used:
        raise CohortError("Every volume is left out: nothing can be painted.")
    (store / "slices.csv").unlink(missing_ok=True)  # of other slices than those that are there from now on
    rows = [
        row for volume in Bar(used, desc="paint", unit="volume") for row in _paint_volume(volume, folder, store, wanted)
    ]
    write_slices(rows, store / "slices.csv")
    return rows


def _paint_volume(outlined: Outlined, folder: Path, store: Path, wanted: Wanted) -> list[SliceRow]:
    """All paintings of one volume."""
    path = volume_of(outlined, folder)
    image = read_image(path)
    if max(image.GetSpacing()) / min(image.GetSpacing()) > ISOTROPIC_TOLERANCE:
        raise FormatError(
            f"{path} has voxels of {' x '.join(f'{mm:g}' for mm in image.GetSpacing())} mm: resample it to cubes, and "
            "outline that."
        )
    write_look(fingerprint(image), look_path(store, outlined.case))
    pixels, spacing = sitk.GetArrayFromImage(image).astype(np.float32), float(image.GetSpacing()[0])
    own = region_of(outlined, spacing)
    ignored = (ndimage.distance_transform_edt(~own) * spacing < _CLEAR_MM) if own.any() else own
    rows = []
    for number in range(wanted.each):
        rng = np.random.default_rng((wanted.seed, crc32(outlined.case.encode()), number))
        painted = paint(rng, pixels, spacing, ignored, known=bool(own.any()))
        if painted is not None:
            # The seed in their names lets one training take several stores.
            name, patient = f"{outlined.case}s{wanted.seed}p{number:02d}", f"RESECT-{outlined.case}"
            volume = Volume(name, outlined.case, patient, painted.image, painted.label, spacing, PAINTED)
            rows += cut_all_ways(volume, store, wanted.step_mm, wanted.negatives)
    return rows
