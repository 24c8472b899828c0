"""Draw what bench_registration.py measured: success against the start's distance, method by method, and the errors.

    python tests/benchmarks/registration_figure.py simulated.jsonl --out docs/figures/registration-simulated.png
    python tests/benchmarks/registration_figure.py real.jsonl --out docs/figures/registration-real.png

Simulated and real pairs are never drawn together: a file that holds both is refused.
"""

import argparse
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

SUCCESS_MM = 2.5
NAMES = {"lc2+mind": "LC2, then MIND-SSC", "lc2": "LC2", "mind": "MIND-SSC", "mattes": "Mattes MI (SimpleITK)"}
COLOURS = {"lc2+mind": "#0072b2", "lc2": "#d55e00", "mind": "#009e73", "mattes": "#7f7f7f"}
MARKERS = {"lc2+mind": "o", "lc2": "s", "mind": "^", "mattes": "x"}
# Wider below narrower, since several methods end at 100 %.
WIDTHS = {"lc2+mind": (2.0, 6.0, 5), "lc2": (5.0, 11.0, 4), "mind": (2.0, 7.0, 3), "mattes": (2.0, 7.0, 3)}
BIN_MM = 4.0


def read(path: Path) -> tuple[str, dict[str, np.ndarray]]:
    """What data it is, and metric -> (n, 2) of start and end error, mm."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in path.read_text().splitlines()]
    kinds = {row["data"] for row in rows}
    if len(kinds) != 1:
        sys.exit(f"{path} holds {' and '.join(sorted(kinds)) or 'no'} pairs: one figure shows one kind.")
    metrics = [name for name in NAMES if any(row["metric"] == name for row in rows)]
    errors = {m: np.array([(r["start_mm"], r["mtre_mm"]) for r in rows if r["metric"] == m]) for m in metrics}
    pairs = len({row["case"] for row in rows})
    words = f"{pairs} simulated pairs" if kinds == {"simulated"} else "Case 24 of RESECT (T1)"
    return words, errors


def draw(words: str, errors: dict[str, np.ndarray], out: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    last = max(values[:, 0].max() for values in errors.values())
    edges = np.arange(0.0, last + BIN_MM, BIN_MM)
    for metric, values in errors.items():
        style = {"color": COLOURS[metric], "marker": MARKERS[metric]}
        at, share = [], []
        for low, high in itertools.pairwise(edges):
            inside = values[(values[:, 0] >= low) & (values[:, 0] < high), 1]
            if inside.size:
                at.append((low + high) / 2)
                share.append(100 * (inside < SUCCESS_MM).mean())
        width, size, order = WIDTHS[metric]
        left.plot(at, share, lw=width, ms=size, zorder=order, label=NAMES[metric], **style)
        right.scatter(*values.T, s=26, lw=1.4, alpha=0.85, label=NAMES[metric], **style)
    left.set(xlabel="Start: mean landmark error (mm)", ylabel=f"Ends under {SUCCESS_MM} mm (%)", ylim=(-4, 104))
    left.set(xlim=(0, edges[-1]), xticks=edges)
    right.axhline(SUCCESS_MM, color="#444", lw=0.8, ls="--")
    line = np.linspace(0.5, edges[-1], 50)
    right.plot(line, line, color="#bbb", lw=0.8)
    right.set(xlabel="Start: mean landmark error (mm)", ylabel="End: mean landmark error (mm)", yscale="log")
    right.set(xlim=(0, edges[-1]), xticks=edges, yticks=[0.5, 1, 2.5, 5, 10, 20], yticklabels=[0.5, 1, 2.5, 5, 10, 20])
    right.minorticks_off()
    for axis in (left, right):
        axis.grid(color="#e3e3e3", lw=0.7)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    counts = sorted({len(values) for values in errors.values()})
    starts = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    figure.suptitle(f"Rigid registration of MRI to ultrasound: {words}, {starts} starts a method")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=120, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    words, errors = read(arguments.rows)
    draw(words, errors, arguments.out)


if __name__ == "__main__":
    main()
