"""What a pass of each full-size network costs on the CPU, beside nnU-Net's own: exports of one patch, runs alternated.

python tests/benchmarks/bench_nets.py [--rounds N]
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from bench_engine import milliseconds
from benchfile import keep, quartiles, shown
from networks import FULL, as_planned, residual, swin_unetr, write_random_model

from inference.model.engine import trust
from inference.model.providers import CPU, Session, default_threads
from inference.model.session import open_session
from training.export.network import to_onnx
from training.export.onnx_file import write_onnx
from training.nnunet.results.checkpoint import read_trained

KINDS = {"full": as_planned, "resenc-m": residual, "swin-unetr": swin_unetr}


def session(name: str, folder: Path) -> tuple[Session, float]:
    """A random network of a kind on the engine's threads, and its millions of parameters."""
    trained = read_trained(write_random_model(folder / name, FULL, kind=KINDS[name]), [0])
    write_onnx(to_onnx(trained), folder / f"{name}.onnx")
    opened = open_session(folder / f"{name}.onnx", CPU, default_threads(), [])
    assert opened is not None
    trust(opened)
    return opened, sum({one.data_ptr(): one.numel() for one in trained.weights[0].values()}.values()) / 1e6


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        opened = {name: session(name, Path(folder)) for name in KINDS}
    tile = np.random.default_rng(0).normal(size=(1, 1, *FULL[0])).astype(np.float32)
    times: dict[str, list[float]] = {name: [] for name in opened}
    for warm in [True, *[False] * rounds]:
        for name, (one, _) in opened.items():
            taken = milliseconds(lambda one=one: one.run(None, {one.get_inputs()[0].name: tile}))
            if not warm:
                times[name].append(taken)
    size = "×".join(map(str, FULL[0]))
    print(f"ms a pass of {size}, {default_threads()} threads, {rounds} alternated rounds; ratio to 'full'")
    found: dict[str, object] = {"threads": default_threads()}
    for name, values in times.items():
        ratio = float(np.median([one / full for one, full in zip(values, times["full"], strict=True)]))
        print(f"  {name:<12}{opened[name][1]:6.1f} M parameters {shown(values)}   x{ratio:.2f}")
        found[name] = {"ms": quartiles(values), "to_full": round(ratio, 2), "parameters_M": round(opened[name][1], 1)}
    keep("nets", found, "random weights, noise (simulated): times mean something, masks do not")


if __name__ == "__main__":
    main()
