"""What a real-time network of each shape costs a frame, beside the Dice it reached in the same time of training.

Costs are of exports with random weights, runs alternated so that all meet the same machine; accuracy is read from the
report of `ius-train experiment realtime` where one is given. Simulated patients: the curve says nothing about patients.

    python tests/benchmarks/bench_shapes.py [--rounds N] [--report WORK/report/shapes/tables.json] [--figure PNG]
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from bench_engine import milliseconds
from benchfile import keep, quartiles, shown
from networks import write_random_model

from inference.model.providers import CPU, Session, default_threads
from inference.model.session import open_session
from training.export.network import to_onnx
from training.export.onnx_file import write_onnx
from training.nnunet.planner import SHAPES, Shape
from training.nnunet.results.checkpoint import read_trained

NAMES = {f"realtime-{name}": name for name in ("coarse", "narrow", "wide", "shallow", "deep", "half-wide")} | {
    "realtime": "base"
}
"""Plan -> model of the experiment."""
BANDS = ("> 200 mm²", "35\N{EN DASH}200 mm²")
COLOURS = ("#0072b2", "#d55e00")


def session(shape: Shape, folder: Path) -> Session:
    """A random network of a shape, on the engine's threads."""
    folder.mkdir()
    plan = ((shape.side, shape.side), shape.features, shape.spacing_mm)
    path = folder / "model.onnx"
    write_onnx(to_onnx(read_trained(write_random_model(folder, plan), [0])), path)
    opened = open_session(path, CPU, default_threads(), [])
    assert opened is not None
    return opened


def costs(rounds: int) -> dict[str, list[float]]:
    """Milliseconds of a pass, shape by shape, in rounds."""
    with tempfile.TemporaryDirectory() as folder:
        sessions = {plan: session(SHAPES[plan], Path(folder) / plan) for plan in NAMES}
    rng = np.random.default_rng(0)
    tiles = {plan: rng.normal(size=(1, 1, SHAPES[plan].side, SHAPES[plan].side)).astype(np.float32) for plan in NAMES}
    times: dict[str, list[float]] = {plan: [] for plan in NAMES}
    for warm in [True, *[False] * rounds]:
        for plan, one in sessions.items():
            feed = {one.get_inputs()[0].name: tiles[plan]}
            taken = milliseconds(lambda one=one, feed=feed: one.run(None, feed))
            if not warm:
                times[plan].append(taken)
    return times


def accuracy(report: Path) -> dict[str, dict[str, float]]:
    """Model -> band -> mean Dice, and the specificity, of the experiment's own tables."""
    tables = json.loads(report.read_text())
    found = {row["model"]: {band: row[band]["mean"] for band in BANDS} for row in tables["dice_by_true_area"]["rows"]}
    for row in tables["tumour_free"]["rows"]:
        found[row["model"]]["no contour on tumour-free slices"] = row["no contour"]
    return found


def draw(times: dict[str, list[float]], scores: dict[str, dict[str, float]], out: Path) -> None:
    """Accuracy against cost, one line a band of area."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
    trained = [plan for plan in NAMES if NAMES[plan] in scores]
    order = sorted(trained, key=lambda plan: np.median(times[plan]))
    x = [float(np.median(times[plan])) for plan in order]
    for band, colour in zip(BANDS, COLOURS, strict=True):
        y = [scores[NAMES[plan]][band] for plan in order]
        axes.plot(x, y, "o", color=colour, ms=8, label=f"true area {band}")
        for plan, at, height in zip(order, x, y, strict=True):
            axes.annotate(NAMES[plan], (at, height), (0, 8), textcoords="offset points", ha="center", color=colour)
    axes.set(xlabel=f"Network, ms a frame ({default_threads()} threads, CPU)", ylabel="Mean Dice of slices")
    axes.set_xlim(0, max(x) * 1.15)
    axes.set_ylim(0, 1)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", frameon=False)
    axes.set_title("Shapes of the real-time network after the same time of training\n(simulated patients)", fontsize=11)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=130)


def main() -> None:
    """Measure, print, keep; draw where there is a report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--figure", type=Path, default=Path("docs/figures/realtime-shapes.png"))
    wanted = parser.parse_args()
    times = costs(wanted.rounds)
    print(f"ms a pass of the network, {default_threads()} threads, {wanted.rounds} alternated rounds; ratio to 'base'")
    for plan, values in times.items():
        ratio = [one / base for one, base in zip(values, times["realtime"], strict=True)]
        print(f"  {NAMES[plan]:<10}{shown(values)}   x{np.median(ratio):.2f}")
    found = {"threads": default_threads(), "ms": {NAMES[p]: quartiles(v) for p, v in times.items()}}
    keep("shapes", found, "random weights, a phantom picture (simulated): times mean something, masks do not")
    if wanted.report is not None:
        draw(times, accuracy(wanted.report), wanted.figure)
        print(wanted.figure)


if __name__ == "__main__":
    main()
