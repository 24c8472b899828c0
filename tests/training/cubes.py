"""A cube of ultrasound, an MRI with a bright ball in it, and the ball's mask, as arrays and as a registered folder."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from training.cli import main
from training.io.receipt import write_json
from training.registration.output import record_path
from training.registration.result import Registered
from training.registration.transforms import LPS, rigid, write_transform
from training.registration.volume import Volume


def volume(side: int, mm: float, of: object) -> Volume:
    """A cube about the origin, in RAS, axes (k, j, i) = (z, y, x); `of` gives values from x, y and z."""
    line = (np.arange(side) - (side - 1) / 2) * mm
    z, y, x = np.meshgrid(line, line, line, indexing="ij")
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = mm
    affine[:3, 3], affine[3, 3] = line[0], 1
    return Volume(of(x, y, z).astype(np.float32), affine)  # type: ignore[operator]


def ball(x0: float, y0: float, z0: float, radius: float) -> object:
    return lambda x, y, z: (x - x0) ** 2 + (y - y0) ** 2 + (z - z0) ** 2 < radius**2


SHIFT = rigid(np.array([3.0, -2.0, 1.0, 0, 0, 0]), np.zeros(3))
"""MRI to ultrasound; it takes the MRI's ball at (5, -4, 3) to (8, -6, 4)."""
BALL = (5.0, -4.0, 3.0)
US = volume(60, 0.6, lambda x, y, z: np.full(np.broadcast(x, y, z).shape, 50.0))
MRI = volume(50, 1.0, lambda x, y, z: 100.0 + 80 * (((x - 5) ** 2 + (y + 4) ** 2 + (z - 3) ** 2) < 16))
TUMOUR = volume(60, 0.6, ball(8, -6, 4, 4))


def _write(one: Volume, path: Path) -> Path:
    """A volume as a file."""
    image = sitk.GetImageFromArray(one.pixels)
    directions = LPS[:3, :3] @ (one.affine[:3, :3] / one.spacing)[:, ::-1]
    image.SetSpacing([float(mm) for mm in one.spacing[::-1]])
    image.SetDirection(directions.ravel().tolist())
    image.SetOrigin((LPS[:3, :3] @ one.affine[:3, 3]).tolist())
    sitk.WriteImage(image, str(path))
    return path


def recorded(folder: Path, row: Registered, **key: object) -> None:
    """The record by which `ius-train register` says that it has finished a case."""
    write_json({"key": key, "files": {}, "result": asdict(row)}, record_path(folder, row.case))


def registered(folder: Path) -> tuple[Path, str]:
    """The MRI put by `SHIFT`, as 'ius-train register' leaves it; its folder and its case."""
    rng = np.random.default_rng(0)
    us = Volume(US.pixels + rng.normal(0, 5, US.pixels.shape).astype(np.float32), US.affine)
    pair = [_write(us, folder / "us.nii.gz"), _write(MRI, folder / "mri.nii.gz")]
    label = _write(volume(50, 1.0, ball(*BALL, 4)), folder / "label.nii.gz")
    text, _ = write_transform(SHIFT, folder / "shift")
    out = folder / "registered"
    words = [*pair, "--label", label, "--start", text, "--metric", "none", "--out", out]
    assert main(["register", *map(str, words)]) == 0
    return out, "us"
