"""Instance norm in ONNX Runtime: its own operator against the spelled-out one, in error and time.

The network is the real-time plan's, with random weights; errors are of the logits against float64 PyTorch.

    python tests/benchmarks/bench_norm.py
"""

import io
import time
import warnings

import numpy as np
import onnxruntime as ort
import torch
from benchfile import keep
from dynamic_network_architectures.architectures.unet import PlainConvUNet
from numpy.typing import NDArray
from torch import nn

from inference.sources.simulated import PhantomSource
from training.export.norm import spell_out_norms
from training.nnunet.planner import Shape

PATCH = (Shape().side, Shape().side)

FRAMES = 20


def network() -> nn.Module:
    """The real-time plan's network, random weights by seed."""
    torch.manual_seed(0)
    stages = len(Shape().features)
    return PlainConvUNet(
        1,
        stages,
        list(Shape().features),
        nn.Conv2d,
        3,
        [1] + [2] * (stages - 1),
        2,
        2,
        [2] * (stages - 1),
        conv_bias=True,
        norm_op=nn.InstanceNorm2d,
        norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
    ).eval()


def frame_input(index: int) -> NDArray[np.float32]:
    """A phantom frame as nnU-Net normalises it: (1, 1, rows, cols)."""
    source = PhantomSource(*PATCH, spacing_mm=(0.35, 0.35), count=FRAMES, speckle=0.3)
    pixels = source.read(index).pixels.astype(np.float32)
    scored: NDArray[np.float32] = ((pixels - pixels.mean()) / pixels.std())[None, None]
    return scored


def session(module: nn.Module) -> ort.InferenceSession:
    """An ONNX Runtime session of a network, on one thread: two would wait for each other on a busy machine."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module, (torch.zeros(1, 1, *PATCH),), dynamo=True, opset_version=18, external_data=False, verbose=False
        )
        program.save(buffer)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(buffer.getvalue(), options, providers=["CPUExecutionProvider"])


def main() -> None:
    """Measure and print."""
    images = [frame_input(index) for index in range(FRAMES)]
    exact = network().double()
    plain = network()
    spelled = network()
    spell_out_norms(spelled)
    runs = {"ONNX Runtime's operator": session(plain), "spelled out": session(spelled)}
    errors: dict[str, list[float]] = {"PyTorch": [], **{name: [] for name in runs}}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for image in images:
        with torch.no_grad():
            reference = exact(torch.from_numpy(image).double()).numpy()
            errors["PyTorch"].append(np.abs(plain(torch.from_numpy(image)).numpy() - reference).mean())
        for name, run in runs.items():
            started = time.perf_counter()
            logits = run.run(None, {run.get_inputs()[0].name: image})[0]
            times[name].append((time.perf_counter() - started) * 1e3)
            errors[name].append(np.abs(logits - reference).mean())
    print(f"real-time network, random weights, {FRAMES} inputs of {PATCH[0]}x{PATCH[1]}")
    for name, values in errors.items():
        spent = f", median {np.median(times[name]):.1f} ms" if name in times else ""
        print(f"  {name:<24} mean error of a logit {np.mean(values):.1e}{spent}")
    mine, theirs = (np.median(times[name]) for name in ("spelled out", "ONNX Runtime's operator"))
    keep(
        "norm",
        {
            "mean_logit_error": {name: float(np.mean(values)) for name, values in errors.items()},
            "ms": {name: round(float(np.median(values)), 2) for name, values in times.items()},
        },
        f"real-time network, random weights, {FRAMES} phantom inputs (simulated)",
    )
    print(f"  ratio of times {mine / theirs:.2f}")


if __name__ == "__main__":
    main()
