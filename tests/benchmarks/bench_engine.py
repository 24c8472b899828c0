"""The engine against nnU-Net's own predictor and against the bare session, on the same frames and weights.

For the full-size plan and the real-time one, at three picture sizes: alternated runs, medians with quartiles, ratios;
what each step costs; the paper's five folds with mirrors, once a size. Not a test.

    python tests/benchmarks/bench_engine.py [--pairs N] [--plan full|realtime]
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from benchfile import keep, quartiles, shown
from networks import FULL, REALTIME, write_random_model

from inference.contract import Identity, Mode
from inference.engine import Engine
from inference.frame import Frame
from inference.golden import GoldenCase
from inference.preprocessing import prepare, restore
from inference.providers import default_threads
from inference.segmentation import mask_of, regions_of
from inference.segmenter import Segmenter
from inference.sources.simulated import PhantomSource
from training.export import facts, parity
from training.export.checkpoint import Trained, read_trained
from training.export.graph import seal, write_onnx
from training.export.network import to_onnx
from training.export.recipe import contract_of
from training.export.seen import seen_in_training

PLANS = {"full": FULL, "realtime": REALTIME}
SIZES = ((384, 512), (512, 512), (768, 1024))
"""(rows, cols) of the pictures."""
ALLOWED_SHARE, ALLOWED_MS = 0.02, 4.0
"""Beside the network the engine may cost this share of it and these milliseconds."""


@dataclass(frozen=True)
class Rival:
    """The same weights in the engine and in nnU-Net."""

    trained: Trained
    engine: Engine
    reference: parity.Reference


def built(folder: Path, plan: str) -> Rival:
    """A random network of a plan, exported and as nnU-Net runs it; both on the same threads."""
    torch.set_num_threads(default_threads())
    trained = read_trained(write_random_model(folder, PLANS[plan]), [0])
    identity = Identity(name=plan, version="1", created="2026-01-01", licence="none", intended_use="measurement")
    people = facts.simulated_population(0, native=False)
    contract = contract_of(trained, identity, people, seen_in_training(trained, None), {}, "simulated")
    reference = parity.Reference(trained)
    model = to_onnx(trained)
    small = PhantomSource(96, 128, spacing_mm=(0.3, 0.4)).read(0)
    seal(model, contract, [GoldenCase(small.pixels, (0.3, 0.4), reference.predict(small.pixels, (0.3, 0.4)))])
    write_onnx(model, folder / "model.onnx")
    return Rival(trained, Engine.load(folder / "model.onnx"), reference)


def frame_of(size: tuple[int, int], plan: str) -> Frame:
    """A speckled phantom frame of about 100 mm, as scanners send them; at 512×512 the full plan needs two tiles."""
    mm = 102.4 / size[1] if plan == "full" else 85.0 / size[1]
    return PhantomSource(*size, spacing_mm=(mm, mm), speckle=0.3).read(5)


def milliseconds(job: Callable[[], object]) -> float:
    """How long a job takes."""
    started = time.perf_counter()
    job()
    return (time.perf_counter() - started) * 1e3


def measure(rival: Rival, frame: Frame, pairs: int) -> dict[str, object]:
    """Alternated runs of the engine, the bare session and nnU-Net on one frame."""
    engine, segmenter = rival.engine, Segmenter(rival.engine)
    assert frame.spacing is not None
    spacing = (frame.spacing.row_mm, frame.spacing.col_mm)
    prepared = prepare(frame.pixels, spacing, engine.contract.input)
    tiles = [prepared.tile(corner) for corner in prepared.corners]

    def bare() -> None:
        for tile in tiles:
            engine._session.run(None, {engine._input: tile})

    times: dict[str, list[float]] = {"ours": [], "bare session": [], "nnU-Net": []}
    for _ in range(pairs):
        times["ours"].append(milliseconds(lambda: segmenter(frame)))
        times["bare session"].append(milliseconds(bare))
        times["nnU-Net"].append(milliseconds(lambda: rival.reference.predict(frame.pixels, spacing)))
    over = [a - b for a, b in zip(times["ours"], times["bare session"], strict=True)]
    ratio = [b / a for a, b in zip(times["ours"], times["nnU-Net"], strict=True)]
    allowed = ALLOWED_SHARE * float(np.median(times["bare session"])) + ALLOWED_MS
    print(f"  {frame.cols}×{frame.rows}, {len(tiles)} tile{'s' * (len(tiles) > 1)}, {pairs} alternated runs, ms")
    for name, values in times.items():
        print(f"    {name:<34}{shown(values)}")
    within = "within" if np.median(over) <= allowed else "BEYOND"
    print(f"    {'ours beside the session':<34}{shown(over)}   {within} the allowed {allowed:.2f}")
    print(f"    {'nnU-Net / ours':<34}{shown(ratio)}")
    steps = step_costs(engine, frame, pairs)
    print("    steps: " + ", ".join(f"{name} {value:.2f}" for name, value in steps.items()))
    return {
        "tiles": len(tiles),
        "pairs": pairs,
        "ms": {name: quartiles(values) for name, values in times.items()},
        "beside_the_session_ms": quartiles(over),
        "allowed_ms": round(allowed, 3),
        "nnunet_to_ours": quartiles(ratio),
        "steps_ms": steps,
    }


def step_costs(engine: Engine, frame: Frame, runs: int) -> dict[str, float]:
    """Median milliseconds of each step beside the network."""
    assert frame.spacing is not None
    spacing, contract = (frame.spacing.row_mm, frame.spacing.col_mm), engine.contract
    rows, cols = contract.input.patch
    blob = cv2.GaussianBlur(np.pad(np.full((rows // 4, cols // 4), 8, np.float32), 0), (0, 0), 5)
    tile = np.full((2, rows, cols), -4, np.float32)
    tile[1, rows // 3 : rows // 3 + rows // 4, cols // 3 : cols // 3 + cols // 4] = blob
    prepared = prepare(frame.pixels, spacing, contract.input)
    logits = [tile for _ in prepared.corners]
    margin = restore(logits, prepared)
    mask = mask_of(margin, keep_largest=False)
    jobs: dict[str, Callable[[], object]] = {
        "prepare": lambda: prepare(frame.pixels, spacing, contract.input),
        "restore": lambda: restore(logits, prepared),
        "mask": lambda: mask_of(margin, keep_largest=False),
        "regions": lambda: regions_of(mask, margin, frame, contract.reliability),
    }
    return {name: round(float(np.median([milliseconds(job) for _ in range(runs)])), 3) for name, job in jobs.items()}


def paper(folder: Path, frame: Frame) -> dict[str, float]:
    """Five folds with mirrors, nnU-Net's default: its predictor against one fused file, once."""
    trained = read_trained(write_random_model(folder, FULL, folds=5), range(5))
    reference = parity.Reference(trained, Mode.THOROUGH)
    assert frame.spacing is not None
    spacing = (frame.spacing.row_mm, frame.spacing.col_mm)
    theirs = milliseconds(lambda: reference.predict(frame.pixels, spacing))
    return {"nnunet_five_folds_mirrored_ms": round(theirs, 1)}


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=30, help="alternated runs a size (default: %(default)s)")
    parser.add_argument("--plan", choices=PLANS, help="one plan only, kept nowhere")
    given = parser.parse_args()
    figures: dict[str, object] = {"threads": default_threads()}
    for plan in [given.plan] if given.plan else PLANS:
        with tempfile.TemporaryDirectory() as folder:
            rival = built(Path(folder), plan)
            print(f"{plan} plan, {rival.engine.provider}, {default_threads()} threads, random weights")
            sizes = {
                f"{cols}×{rows}": measure(rival, frame_of((rows, cols), plan), given.pairs) for rows, cols in SIZES
            }
            figures[plan] = {"provider": rival.engine.provider, "sizes": sizes}
    if given.plan is None:
        for rows, cols in SIZES:
            with tempfile.TemporaryDirectory() as folder:
                once = paper(Path(folder), frame_of((rows, cols), "full"))
            (milli,) = once.values()
            print(f"{cols}×{rows}, five folds with mirrors by nnU-Net, once: {milli:.0f} ms")
            figures[f"paper {cols}×{rows}"] = once
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        figures["peak_memory_mib"] = round(peak)
        keep("engine", figures)


if __name__ == "__main__":
    main()
