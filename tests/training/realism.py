"""Grey levels and speckle of simulated volumes beside real ones: numbers for a test, curves for a figure.

    python -m tests.training.realism --cohort DIR --real DIR --out docs/figures/simulation.png
    python -m tests.training.realism --cohort DIR --real DIR --tell-apart

`REAL_RANGES` and `REAL_VARIATION` were measured with the same command's `--json` on the nine pre-resection RESECT
volumes (cases 1 4 5 8 14 15 18 24 25; Xiao et al. 2017, CC BY 4.0) resampled to 0.5 mm.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.errors import IusError
from training.io.files import written_aside
from training.simulation import CohortError
from training.simulation.greymap import PERCENTILES
from training.simulation.noise import Field

# Lowest and highest of the nine volumes: in-sector (> 0) p5, p25, p50, p75, p95, p99, to 0.1 grey.
REAL_RANGES = ((7.4, 22.2), (14.2, 38.4), (22.2, 47.0), (32.7, 52.7), (59.0, 83.7), (88.8, 109.5))
# Lowest and highest median local coefficient of variation of the nine.
REAL_VARIATION = (0.12, 0.27)
WINDOW_MM = 2.5
_GREYS = np.arange(0, 202, 2)
_RATIOS = np.linspace(0.0, 0.8, 81)


@dataclass(frozen=True, slots=True)
class Statistics:
    """In-sector statistics of one volume."""

    name: str
    levels: tuple[float, ...]
    """Grey at `greymap.PERCENTILES`."""
    variation: float
    """Median over the sector of local SD / mean in a cube of 2.5 mm."""
    histogram: Field
    """Share of the sector in bins of 2 grey levels."""
    variations: Field
    """Share of the sector in bins of 0.01 of local SD / mean."""


def measure(path: Path) -> Statistics:
    """Statistics of a NIfTI volume whose background is exactly 0."""
    image = nib.load(path)
    data = np.asarray(image.dataobj, dtype=np.float32)
    inside = data > 0
    if not inside.any():
        raise CohortError(f"{path} holds no sector: every voxel is 0.")
    grey = data[inside]
    ratios = local_variation(data, float(np.mean(image.header.get_zooms()[:3])))
    return Statistics(
        name=path.name.split("-")[0],
        levels=tuple(float(level) for level in np.percentile(grey, PERCENTILES)),
        variation=float(np.median(ratios)),
        histogram=(np.histogram(grey, _GREYS)[0] / grey.size).astype(np.float32),
        variations=(np.histogram(ratios, _RATIOS)[0] / ratios.size).astype(np.float32),
    )


def local_variation(data: Field, voxel_mm: float) -> Field:
    """Local SD / mean in a cube of 2.5 mm, of every voxel whose cube lies in the sector (> 0)."""
    size = max(2, round(WINDOW_MM / voxel_mm))
    whole = ndimage.minimum_filter(data, size) > 0
    mean = ndimage.uniform_filter(data, size)[whole]
    square = ndimage.uniform_filter(data * data, size)[whole]
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0.0)) / mean, dtype=np.float32)


def volumes_of(folder: Path) -> list[Path]:
    """Ultrasound volumes before resection below a folder, in order of their names."""
    found = sorted(folder.rglob("*Case*-US-before*.nii.gz"))
    volumes = [path for path in found if not path.name.endswith("-tumor.nii.gz")]
    if not volumes:
        raise CohortError(f"{folder} holds no volume named CaseN-US-before….nii.gz.")
    return volumes


PATCH_MM = 14.0
_SIDE = 28
_PATCHES = 150
_BANDS = 7


def patches(path: Path, seed: int = 0) -> NDArray[np.float32]:
    """Up to 150 patches of 14 mm from slices of a volume along its three axes, whole in the sector; (n, 28, 28)."""
    image = nib.load(path)
    voxel_mm = float(image.header.get_zooms()[0])
    data = ndimage.zoom(np.asarray(image.dataobj, dtype=np.float32), voxel_mm * _SIDE / PATCH_MM, order=1)
    rng, found = np.random.default_rng(seed), []
    for _ in range(60 * _PATCHES):
        plane = np.moveaxis(data, int(rng.integers(3)), 0)
        index, row, col = (
            int(rng.integers(0, max(1, n - margin))) for n, margin in zip(plane.shape, (0, _SIDE, _SIDE), strict=True)
        )
        patch = plane[index, row : row + _SIDE, col : col + _SIDE]
        if patch.shape == (_SIDE, _SIDE) and patch.min() > 0:
            found.append(patch)
        if len(found) == _PATCHES:
            break
    return np.stack(found) if found else np.zeros((0, _SIDE, _SIDE), np.float32)


def features(patch: Field) -> NDArray[np.float64]:
    """What a patch looks like: grey level, spread, skew, and the share of its power in rings of frequency."""
    centred = (patch - patch.mean()) * np.outer(np.hanning(_SIDE), np.hanning(_SIDE))
    power = np.abs(np.fft.rfft2(centred)) ** 2
    rows, cols = np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None, :]
    ring = np.minimum((np.hypot(rows, cols) * 2 * _BANDS).astype(int), _BANDS - 1)
    bands = np.bincount(ring.ravel(), weights=power.ravel(), minlength=_BANDS) / max(power.sum(), 1e-9)
    spread = patch.std() / patch.mean()
    skew = float(np.mean(((patch - patch.mean()) / max(patch.std(), 1e-6)) ** 3))
    return np.array([patch.mean(), *np.percentile(patch, (5, 50, 95)), spread, skew, *np.log(bands + 1e-6)])


def tell_apart(simulated: Sequence[Path], real: Sequence[Path]) -> float:
    """Balanced accuracy of a small forest that tells simulated patches from real ones; 0.5 cannot tell.

    Cross-validated by volume: no volume is both learnt from and asked about.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    seen, kind, group = [], [], []
    for number, (path, is_real) in enumerate([*((p, 0) for p in simulated), *((p, 1) for p in real)]):
        for patch in patches(path):
            seen.append(features(patch))
            kind.append(is_real)
            group.append(number)
    forest = RandomForestClassifier(200, min_samples_leaf=4, class_weight="balanced", random_state=0)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    said = cross_val_predict(forest, np.array(seen), np.array(kind), groups=np.array(group), cv=folds)
    return float(balanced_accuracy_score(kind, said))


def draw(simulated: Sequence[Statistics], real: Sequence[Statistics], out: Path) -> None:
    """Draw percentiles, histograms and local variation: one curve a volume, no pixels."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(13, 7), layout="constrained", sharex="col", sharey="col")
    groups = ((simulated, "#2f7fb5", "simulated"), (real, "#b3263a", "real (RESECT)"))
    # A row each: simulated and real never share an axis.
    for row, (group, colour, label) in zip(axes, groups, strict=True):
        style: dict[str, Any] = {"color": colour, "lw": 1, "alpha": 0.8}
        for one in group:
            row[0].plot(PERCENTILES, one.levels, marker=".", **style)
            row[1].plot(_GREYS[:-1] + 1, one.histogram * 100, **style)
            row[2].plot(_RATIOS[:-1] + 0.005, one.variations * 100, **style)
        row[0].set(ylabel="Grey level", title=f"{label}, {len(group)} volumes")
        row[1].set(ylabel="Share of the sector (% per 2 levels)")
        row[2].set(ylabel="Share of the sector (% per 0.01)")
    for axis, label in zip(
        axes[-1], ("Percentile of the sector", "Grey level", "Local SD / mean in 2.5 mm"), strict=True
    ):
        axis.set(xlabel=label)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Brain ultrasound volumes before resection: one curve a volume")
    with written_aside(out) as aside:
        figure.savefig(aside, dpi=120, metadata={"Software": None})
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: draw the figure, or print the statistics as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.training.realism", description=main.__doc__)
    parser.add_argument("--cohort", type=Path, help="folder of a simulated cohort")
    parser.add_argument("--real", type=Path, required=True, help="folder with real CaseN-US-before volumes")
    parser.add_argument("--out", type=Path, help="the figure (PNG)")
    parser.add_argument("--tell-apart", action="store_true", help="print how well a forest tells the two apart")
    parser.add_argument("--json", action="store_true", help="print levels and variation of each volume")
    options = parser.parse_args(arguments)
    try:
        real = [measure(path) for path in volumes_of(options.real)]
        simulated = [measure(path) for path in volumes_of(options.cohort)] if options.cohort else []
        if options.out:
            draw(simulated, real, options.out)
    except IusError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    if options.tell_apart and options.cohort:
        accuracy = tell_apart(volumes_of(options.cohort), volumes_of(options.real))
        sys.stdout.write(f"balanced accuracy, simulated from real patches of 14 mm: {accuracy:.3f}\n")
    if options.json:
        groups = {"real": real, "simulated": simulated}
        table = {key: [{"name": s.name, "levels": s.levels, "cv": s.variation} for s in v] for key, v in groups.items()}
        sys.stdout.write(json.dumps(table, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
