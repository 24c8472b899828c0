"""Tumour areas of every slice under the three slicings, since the published mm² depend on which one was used."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import get_args

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from inference.outcome import above
from inference.tables import read_rows, write_table
from training.io.files import written_aside
from training.slicing.size_bands import CUT_OFFS_MM2
from training.slicing.volumes import AXES, Slicing, gridded

SLICINGS: tuple[Slicing, ...] = get_args(Slicing)


@dataclass(frozen=True, slots=True)
class Area:
    """One tumour slice under one slicing.

    Attributes:
        case: the case's name.
        slicing: isotropic, native or as-published.
        axis: NIfTI axis it is perpendicular to.
        index: position along that axis.
        area_mm2: mask pixels times what that slicing takes for a pixel's size.
    """

    case: str
    slicing: str
    axis: str
    index: int
    area_mm2: float


def areas_of(case: str, mask: sitk.Image) -> list[Area]:
    """Every tumour slice of a volume, three times over.

    Args:
        case: the case's name.
        mask: the volume's mask, 0 and 1, on its native grid.
    """
    found = []
    for slicing in SLICINGS:
        stack = gridded(mask, mask, slicing)
        for axis, name in enumerate(AXES):
            pixels = np.count_nonzero(stack.mask, axis=tuple(at for at in range(3) if at != axis))
            pixel_mm2 = float(np.prod(stack.plane_mm(axis)))
            found += [
                Area(case, slicing, name, int(index), float(pixels[index] * pixel_mm2))
                for index in np.flatnonzero(pixels)
            ]
    return found


def areas_path(store: Path, case: str) -> Path:
    """Where a slice store keeps the areas of a volume's slices."""
    return store / "cases" / f"{case}-areas.csv"


def write_areas(areas: Iterable[Area], path: Path) -> None:
    """Write the table (CSV)."""
    with written_aside(path) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        write_table(stream, [field.name for field in fields(Area)], map(asdict, areas))


def read_areas(path: Path) -> list[Area]:
    """Read the table that `write_areas` wrote."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [
            Area(row["case"], row["slicing"], row["axis"], int(row["index"]), float(row["area_mm2"]))
            for row in read_rows(stream)[1]
        ]


def summary(areas: Sequence[Area]) -> str:
    """How many slices of volumes are larger than each cut-off, and the median area, by slicing; one line each."""
    lines = ["slices larger than (mm²)" + "".join(f"{cut_off:>8g}" for cut_off in CUT_OFFS_MM2) + "  median mm²"]
    for slicing in SLICINGS:
        sizes = [area.area_mm2 for area in areas if area.slicing == slicing]
        counts = "".join(f"{sum(above(size, cut_off) for size in sizes):>8}" for cut_off in CUT_OFFS_MM2)
        lines.append(f"{slicing:<24}{counts}  {np.median(sizes) if sizes else 0:>10.1f}")
    return "\n".join(lines)
