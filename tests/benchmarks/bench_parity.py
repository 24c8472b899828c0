"""Do exported files say what nnU-Net says? Simulated and real slices of mixed size and spacing, current and old plans.

A small network trained in seconds on blobs; every slice through nnUNetPredictor and through the engine.

    python tests/benchmarks/bench_parity.py [--slices N] [--real FOLDER of .nii.gz]
"""

import argparse
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
from benchfile import keep
from blobs import write_model

from inference.contract import Identity, Mode
from inference.model.engine import Engine
from training.export import parity
from training.export import training_facts as facts
from training.export.contract import contract_of
from training.export.golden_cases import golden_cases
from training.export.input_ranges import seen_in_training
from training.export.network import to_onnx
from training.export.onnx_file import seal, write_onnx
from training.export.samples import Sample, draw_samples
from training.nnunet.results.checkpoint import read_trained

REAL = Path(__file__).resolve().parents[3] / "shared/data/resect/us"
MODELS = {
    "current plans": {},
    "current plans, masked normalisation": {"mask_normalisation": True},
    "residual encoder": {"residual": True},
    "plans of nnU-Net 2.2, transposed, three folds": {"old": True, "transposed": True, "folds": 3},
}
A_VOLUME = 8
"""Slices of each real volume."""
MIRRORED_EVERY = 5
"""With mirrors every fifth slice is compared: each costs four passes."""


def real_slices(folder: Path) -> list[Sample]:
    """Slices of real volumes along all three axes, whole and cut to one tile, at their own and at other spacings."""
    rng = np.random.default_rng(0)
    found = []
    for path in sorted(folder.glob("*.nii.gz")):
        volume = nib.load(path)
        mm = volume.header.get_zooms()[:3]
        values = np.asarray(volume.dataobj, np.float32)
        for number in range(A_VOLUME):
            axis = number % 3
            index = int(values.shape[axis] * rng.uniform(0.35, 0.65))
            pixels = np.ascontiguousarray(np.take(values, index, axis))
            spacing = [float(one) for one in np.delete(mm, axis)]
            if number % 2:
                pixels, spacing = _other_spacing(pixels, spacing, float(rng.uniform(0.6, 1.6)))
            if number % 4 > 1:
                pixels = _middle(pixels)
            found.append(Sample(f"{path.name[:7]} {'ijk'[axis]} {index}", pixels, (spacing[0], spacing[1])))
    return [one for one in found if one.pixels.any()]


def _other_spacing(pixels: np.ndarray, spacing: list[float], factor: float) -> tuple[np.ndarray, list[float]]:
    """The slice with other rows, so that its pixels are not square."""
    rows = max(8, round(pixels.shape[0] * factor))
    resized = cv2.resize(pixels, (pixels.shape[1], rows), interpolation=cv2.INTER_NEAREST)
    return resized, [spacing[0] * pixels.shape[0] / rows, spacing[1]]


def _middle(pixels: np.ndarray) -> np.ndarray:
    """The middle of a slice, small enough for one tile."""
    rows, cols = pixels.shape
    top, left = max(0, rows // 2 - 32), max(0, cols // 2 - 32)
    return np.ascontiguousarray(pixels[top : top + 64, left : left + 64])


def main() -> None:
    """Compare, print a line a group, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=200, help="simulated ones (default: %(default)s)")
    parser.add_argument("--real", type=Path, default=REAL)
    given = parser.parse_args()
    half = given.slices // 2
    simulated = draw_samples(half, seed=11, field_mm=(12.0, 40.0)) + draw_samples(half, seed=12, field_mm=(40.0, 70.0))
    groups = {"simulated": simulated, "real": real_slices(given.real) if given.real.is_dir() else []}
    figures: dict[str, object] = {}
    for name, settings in MODELS.items():
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            engine, references = _rivals(Path(folder), settings)
            for kind, samples in groups.items():
                for mode, every in ((Mode.FAST, 1), (Mode.THOROUGH, MIRRORED_EVERY)):
                    key = f"{name}, {kind}, {mode.value}"
                    figures[key] = _line(key, engine, references[mode], samples[::every], mode)
    if given.slices >= 200:
        keep(
            "parity",
            figures,
            "small networks trained on blobs; simulated and real slices apart: agreement, no accuracy",
        )


def _rivals(folder: Path, settings: dict) -> tuple[Engine, dict[Mode, parity.Reference]]:
    """The same weights in the engine and in nnU-Net."""
    trained = read_trained(write_model(folder, **settings), range(settings.get("folds", 1)), postprocessing="none")
    references = {mode: parity.Reference(trained, mode) for mode in Mode}
    identity = Identity(name="blobs", version="1", created="2026-01-01", licence="none", intended_use="measurement")
    people = facts.simulated_population(0, native=False)
    contract = contract_of(trained, identity, people, seen_in_training(trained), {}, "simulated")
    samples = draw_samples(10, seed=5)
    reference = references[Mode.FAST]
    model = to_onnx(trained)
    seal(model, contract, golden_cases(reference, samples, parity.predict_all(reference, samples)))
    write_onnx(model, folder / "model.onnx")
    return Engine.load(folder / "model.onnx", providers=["CPUExecutionProvider"]), references


def _line(
    name: str, engine: Engine, reference: parity.Reference, samples: list[Sample], mode: Mode
) -> dict[str, object]:
    """One group: counts, the largest differences, and whether the export would have been refused."""
    if not samples:
        return {"slices": 0}
    found = parity.compare_all(engine, samples, parity.predict_all(reference, samples), mode)
    single = [one for one in found if one.tiles == 1]
    identical = _identical(found)
    worst = max(one.differing_px for one in found)
    area = max(one.area_delta_mm2 for one in found)
    try:
        parity.demand(found)
        verdict = "accepted"
    except parity.ModelError:
        verdict = "REFUSED"
    print(
        f"{name}: {len(found)} slices, {identical:.1%} identical ({_identical(single):.1%} of the {len(single)} of one "
        f"tile), at most {worst} pixels and {area:.2f} mm² apart, {verdict}"
    )
    return {
        "slices": len(found),
        "one_tile": len(single),
        "identical": round(identical, 4),
        "identical_of_one_tile": round(_identical(single), 4),
        "largest_difference_px": worst,
        "largest_area_difference_mm2": round(area, 3),
        "verdict": verdict,
    }


def _identical(found: Sequence[parity.Comparison]) -> float:
    """Share of identical masks; 1 where there are none."""
    return sum(one.differing_px == 0 for one in found) / len(found) if found else 1.0


if __name__ == "__main__":
    main()
