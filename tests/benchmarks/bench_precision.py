"""A trained network in fewer bits and on another engine: time beside float32, masks, Dice to the truth, and the gate.

Every way of running the same weights, alternated; masks of the slices compared with ONNX Runtime's in float32. Of
OpenVINO's ways the product takes bfloat16, by the engine's own session.

    python tests/benchmarks/bench_precision.py MODEL_FOLDER --slices STORE --train STORE [--limit 60] [--runs 15]
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from benchfile import heading, keep, quartiles, shown
from numpy.typing import NDArray
from rivals import milliseconds

from inference.contract import Identity, Input
from inference.dice import dice
from inference.errors import ModelError
from inference.model.margin import Margin
from inference.model.openvino_session import OpenVinoSession, library
from inference.model.preprocessing import prepare
from inference.model.providers import default_threads
from training.export import parity
from training.export import precision_gate as reduction
from training.export import training_facts as facts
from training.export.contract import contract_of
from training.export.input_ranges import seen_in_training
from training.export.network import to_onnx
from training.export.norm import fuse_norms
from training.export.precision import calibration_samples, calibration_tiles, to_int8
from training.export.samples import Sample, read_samples
from training.nnunet.results.checkpoint import Trained, read_trained

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Mask = NDArray[np.uint8]
EXACT = "ONNX Runtime float32"


def by_onnx_runtime(path: Path) -> Run:
    """A session on the CPU, as the engine opens it."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = default_threads()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda tile: session.run(None, {"image": tile})[0]


def by_openvino(path: Path, precision: str) -> Run:
    """A file compiled by OpenVINO in a way that the product does not take."""
    settings = {
        "INFERENCE_NUM_THREADS": default_threads(),
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
    }
    compiled = library().Core().compile_model(path, "CPU", settings)
    return lambda tile: np.asarray(compiled([tile])[0])


def by_the_engines_openvino(path: Path) -> Run:
    """The session that the engine opens for a bfloat16 file."""
    session = OpenVinoSession(path, default_threads())
    return lambda tile: session.run(None, {"image": tile})[0]


def in_bfloat16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Convolutions in bfloat16, all else in float32."""
    from training.export.precision import to_float16

    half = to_float16(model)
    for tensor in half.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT16:
            bits = onnx.numpy_helper.to_array(tensor).astype(np.float32).view(np.uint32) >> 16
            tensor.data_type, tensor.raw_data = onnx.TensorProto.BFLOAT16, bits.astype(np.uint16).tobytes()
    for node in half.graph.node:
        for entry in node.attribute:
            if node.op_type == "Cast" and entry.i == onnx.TensorProto.FLOAT16:
                entry.i = onnx.TensorProto.BFLOAT16
    return half


def every_way(trained: Trained, tiles: list[NDArray[np.float32]], folder: Path) -> dict[str, Run]:
    """What can run here, by name; what cannot is printed with its reason."""
    exact = to_onnx(trained)
    graphs = {"float32": exact, "fused": fuse_norms(exact), "int8": to_int8(exact, tiles), "bf16": in_bfloat16(exact)}
    for name, graph in graphs.items():
        onnx.save(graph, folder / f"{name}.onnx")
    wanted: dict[str, Callable[[], Run]] = {
        EXACT: lambda: by_onnx_runtime(folder / "float32.onnx"),
        "ONNX Runtime float32, fused norms": lambda: by_onnx_runtime(folder / "fused.onnx"),
        "ONNX Runtime int8": lambda: by_onnx_runtime(folder / "int8.onnx"),
        "ONNX Runtime bfloat16": lambda: by_onnx_runtime(folder / "bf16.onnx"),
        "OpenVINO float32": lambda: by_openvino(folder / "fused.onnx", "f32"),
        "OpenVINO bfloat16": lambda: by_the_engines_openvino(folder / "float32.onnx"),
        "OpenVINO bfloat16, norms spelled out": lambda: by_openvino(folder / "float32.onnx", "bf16"),
        "OpenVINO int8": lambda: by_openvino(folder / "int8.onnx", "f32"),
        "OpenVINO int8 and bfloat16": lambda: by_openvino(folder / "int8.onnx", "bf16"),
    }
    runs = {}
    for name, opened in wanted.items():
        try:
            runs[name] = opened()
        except Exception as error:  # noqa: BLE001 (whatever a runtime says of a graph that it lacks kernels for)
            print(f"{name}: does not run here ({str(error).splitlines()[0][:120]})")
    return runs


def masks(run: Run, samples: list[Sample], recipe: Input) -> list[Mask]:
    """The mask of each slice."""
    found = []
    for one in samples:
        ready = prepare(one.pixels, one.spacing_mm, recipe)
        logits = [run(ready.tile(corner))[0] for corner in ready.corners]
        found.append(Margin(logits, ready).mask())
    return found


def compared(found: list[Mask], exact: list[Mask], samples: list[Sample]) -> list[reduction.Cost]:
    """Each slice's Dice to float32, and of both to the truth."""
    return [
        reduction.Cost(
            one.name,
            reduction.agreement_in_area(mine, full, one.spacing_mm),
            dice(full, one.truth) if one.truth is not None and one.truth.any() else None,
            dice(mine, one.truth) if one.truth is not None and one.truth.any() else None,
        )
        for mine, full, one in zip(found, exact, samples, strict=True)
    ]


def verdict(costs: list[reduction.Cost]) -> str:
    """What the export's gate says."""
    try:
        reduction.demand(costs, "these bits")
    except ModelError as error:
        return str(error).splitlines()[0].split("written: ")[1].removesuffix(" Export it in float32.")
    return "passes"


def report(name: str, times: dict[str, list[float]], costs: list[reduction.Cost]) -> dict[str, object]:
    """One way's figures, printed."""
    ratio = [exact / mine for exact, mine in zip(times[EXACT], times[name], strict=True)]
    dices = [one.dice for one in costs]
    truth = float(np.mean([one.truth_dice for one in costs if one.truth_dice is not None]))
    said = verdict(costs)
    print(f"  {name:<38}{shown(times[name])} ms, {np.median(ratio):.2f} times as fast")
    print(f"  {'':<38}Dice to float32 {np.mean(dices):.4f}, least {min(dices):.4f}; to the truth {truth:.4f}; {said}")
    return {
        "ms": quartiles(times[name]),
        "speed": quartiles(ratio),
        "dice_mean": round(float(np.mean(dices)), 4),
        "dice_min": round(float(min(dices)), 4),
        "truth_dice": round(truth, 4),
        "gate": said,
    }


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path, help="nnU-Net's results folder")
    parser.add_argument("--slices", type=Path, required=True, help="slice store of patients not trained on")
    parser.add_argument("--train", type=Path, required=True, help="slice store of the training, for int8 ranges")
    parser.add_argument("--limit", type=int, default=60, help="slices (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=15, help="alternated runs (default: %(default)s)")
    given = parser.parse_args()
    trained = read_trained(given.model, [0], postprocessing="none")
    who = Identity(name="m", version="1", created="2026-01-01", licence="none", intended_use="measurement")
    people, seen = facts.simulated_population(0, native=False), seen_in_training(trained)
    recipe = contract_of(trained, who, people, seen, {}, "simulated").input
    tiles, samples = (
        calibration_tiles(calibration_samples([given.train]), recipe),
        read_samples(given.slices, given.limit),
    )
    rows, cols = recipe.patch
    on = f"{len(samples)} simulated slices of patients not trained on, patch {rows}×{cols}, {default_threads()} threads"
    print(heading(on))
    with tempfile.TemporaryDirectory() as folder:
        runs = every_way(trained, tiles, Path(folder))
        rounds = [
            {n: milliseconds(lambda r=run: r(tiles[0])) for n, run in runs.items()} for _ in range(given.runs + 1)
        ]
        times = {name: [one[name] for one in rounds[1:]] for name in runs}
        exact = masks(runs[EXACT], samples, recipe)
        figures = {
            name: report(name, times, compared(masks(run, samples, recipe), exact, samples))
            for name, run in runs.items()
        }
    nnunet = [parity.Reference(trained).predict(one.pixels, one.spacing_mm) for one in samples[:20]]
    same = sum(bool((a == b).all()) for a, b in zip(nnunet, exact, strict=False))
    print(f"  float32 against nnU-Net's predictor: {same} of {len(nnunet)} masks identical")
    keep("precision", figures | {"identical_to_nnunet": f"{same} of {len(nnunet)}"}, on)


if __name__ == "__main__":
    main()
