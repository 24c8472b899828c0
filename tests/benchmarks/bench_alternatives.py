"""Would another engine, fewer bits, or all mirrors in one batch serve the bundled network better? Beside float32.

Every third frame of the bundled clip; masks compared with ONNX Runtime's in float32, whose time is the peer's.
Simulated frames.

    python tests/benchmarks/bench_alternatives.py [--threads N]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from benchfile import keep, shown
from numpy.typing import NDArray

from inference.assets import demo_clip_path, demo_model_path
from inference.errors import ModelError
from inference.frame import Frame
from inference.model.engine import Engine
from inference.model.margin import Margin
from inference.model.openvino_session import OpenVinoSession, library
from inference.model.preprocessing import prepare
from inference.sources import open_source
from training.export.precision import to_int8

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
RUNS = 30


def tiles_of(engine: Engine, frame: Frame) -> list[NDArray[np.float32]]:
    """The network's inputs for one frame."""
    assert frame.spacing is not None
    prepared = prepare(frame.pixels, (frame.spacing.row_mm, frame.spacing.col_mm), engine.contract.input)
    return [prepared.tile(corner) for corner in prepared.corners]


def mask(engine: Engine, frame: Frame, run: Run) -> NDArray[np.bool_]:
    """The mask of one frame by another run of the network."""
    assert frame.spacing is not None
    prepared = prepare(frame.pixels, (frame.spacing.row_mm, frame.spacing.col_mm), engine.contract.input)
    return Margin([run(prepared.tile(corner))[0] for corner in prepared.corners], prepared).mask() > 0


def by_onnx_runtime(path: Path, threads: int) -> Run:
    """A session on the CPU."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda tile: session.run(None, {session.get_inputs()[0].name: tile})[0]


def by_openvino(path: Path, threads: int, precision: str) -> Run:
    """The same file compiled by OpenVINO in a way that the product does not take."""
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    compiled = library().Core().compile_model(path, "CPU", settings)
    return lambda tile: np.asarray(compiled([tile])[0])


def by_the_engines_openvino(path: Path, threads: int) -> Run:
    """The session that the engine opens for a bfloat16 file."""
    session = OpenVinoSession(path, threads)
    return lambda tile: session.run(None, {session.get_inputs()[0].name: tile})[0]


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    threads = parser.parse_args().threads
    engine = Engine.load(demo_model_path(), providers=["CPUExecutionProvider"], threads=threads)
    source = open_source(str(demo_clip_path()))
    frames = [source.read(index) for index in range(0, len(source), 3)]
    source.close()
    with tempfile.TemporaryDirectory() as folder:
        reduced = Path(folder) / "int8.onnx"
        inputs = [tile for frame in frames for tile in tiles_of(engine, frame)]
        onnx.save(to_int8(onnx.load(demo_model_path()), inputs), reduced)
        runs = {"ONNX Runtime float32": by_onnx_runtime(demo_model_path(), threads)}
        runs["ONNX Runtime int8"] = by_onnx_runtime(reduced, threads)
        try:
            runs["OpenVINO bfloat16"] = by_the_engines_openvino(demo_model_path(), threads)
            runs["OpenVINO float32"] = by_openvino(demo_model_path(), threads, "f32")
            runs["OpenVINO int8"] = by_openvino(reduced, threads, "f32")
        except ModelError as error:
            print(f"not measured: {error}")
        together = Path(folder) / "together.onnx"
        onnx.save(of_any_batch(onnx.load(demo_model_path())), together)
        measure(engine, frames, runs, threads)
        mirrors_at_once(runs["ONNX Runtime float32"], by_onnx_runtime(together, threads), inputs[0])


def of_any_batch(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network for any number of tiles at once."""
    for end in (*model.graph.input, *model.graph.output):
        end.type.tensor_type.shape.dim[0].dim_param = "tiles"
    del model.graph.value_info[:]
    return model


def mirrors_at_once(alone: Run, together: Run, tile: NDArray[np.float32]) -> None:
    """Four passes of a tile one after another, and as one batch; alternated."""
    four, times = np.concatenate([tile] * 4), (list[float](), list[float]())
    for _ in range(RUNS):
        for way, kept in zip((lambda: [alone(tile) for _ in range(4)], lambda: together(four)), times, strict=True):
            started = time.perf_counter()
            way()
            kept.append((time.perf_counter() - started) * 1e3)
    same = np.array_equal(together(four)[3:], alone(tile))
    print(f"  four mirrors, each     {shown(times[0])} ms")
    ratio = float(np.median(times[0]) / np.median(times[1]))
    print(f"  four mirrors, a batch  {shown(times[1])} ms, {ratio:.2f} times as fast; same logits: {same}")


def measure(engine: Engine, frames: list[Frame], runs: dict[str, Run], threads: int) -> None:
    """A line a way: alternated times, and masks against the first way's."""
    tile = tiles_of(engine, frames[len(frames) // 2])[0]
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(RUNS):
        for name, run in runs.items():
            started = time.perf_counter()
            run(tile)
            times[name].append((time.perf_counter() - started) * 1e3)
    peer, *_ = runs.values()
    exact = [mask(engine, frame, peer) for frame in frames]
    figures: dict[str, object] = {"threads": threads, "frames": len(frames)}
    print(f"bundled network, {threads} thread(s), {len(frames)} frames of the bundled clip (simulated)")
    for name, run in runs.items():
        found = [mask(engine, frame, run) for frame in frames]
        pairs = list(zip(found, exact, strict=True))
        dice = [2 * (a & b).sum() / total if (total := a.sum() + b.sum()) else 1.0 for a, b in pairs]
        same = float(np.mean([(a == b).all() for a, b in pairs]))
        ratio = float(np.median(times["ONNX Runtime float32"]) / np.median(times[name]))
        words = f"Dice {np.mean(dice):.4f}, least {min(dice):.4f}, {same:.0%} identical"
        print(f"  {name:<22}{shown(times[name])} ms, {ratio:.2f} times as fast; {words}")
        figures[name] = {
            "ms": round(float(np.median(times[name])), 2),
            "speed": round(ratio, 3),
            "dice_mean": round(float(np.mean(dice)), 4),
            "dice_min": round(float(min(dice)), 4),
            "identical": round(same, 3),
        }
    keep("alternatives", figures, "bundled network on the bundled clip (simulated)")


if __name__ == "__main__":
    main()
