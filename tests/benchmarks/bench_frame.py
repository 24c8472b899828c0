"""Everything but the network: what a frame costs beside the session, on 200 phantom frames of 512x512.

The peer is what nnU-Net's own code path does with the same frame: skimage's order-3 resize in, both logit channels
resized back by skimage, argmax. Prints medians with quartiles and the ratio. Not a test.

    python tests/benchmarks/bench_frame.py [--model FILE]
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from benchfile import keep
from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape

from inference.frame import Frame
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.outcome import NothingFound, Tumour
from inference.sources.simulated import PhantomSource

FRAMES = 200


def ours(segmenter: Segmenter, frames: list[Frame]) -> list[float]:
    """Milliseconds a frame outside the session."""
    times = []
    for frame in frames:
        outcome = segmenter(frame)
        assert isinstance(outcome, Tumour | NothingFound)
        times.append(outcome.analysis.latency_ms - outcome.analysis.network_ms)
    return times


def peer(spacing_mm: tuple[float, float], frames: list[Frame]) -> list[float]:
    """Milliseconds a frame for the same steps by nnU-Net's own functions."""
    times = []
    for frame in frames:
        assert frame.spacing is not None
        own = (999.0, frame.spacing.row_mm, frame.spacing.col_mm)
        target = (999.0, *spacing_mm)
        shape = (1, *(round(n * a / b) for n, a, b in zip(frame.pixels.shape, own[1:], spacing_mm, strict=True)))
        started = time.perf_counter()
        picture = frame.pixels[None, None].astype(np.float32)
        picture = (picture - picture.mean()) / max(picture.std(), 1e-8)
        small = resample_data_or_seg_to_shape(picture, shape, own, target, is_seg=False, order=3, order_z=0)
        logits = np.concatenate([np.zeros_like(small), small])
        large = resample_data_or_seg_to_shape(
            logits, (1, *frame.pixels.shape), target, own, is_seg=False, order=1, order_z=0
        )
        large.argmax(0)
        times.append((time.perf_counter() - started) * 1e3)
    return times


def quartiles(times: list[float]) -> str:
    """Median with quartiles, as printed."""
    low, middle, high = np.percentile(times, [25, 50, 75])
    return f"{middle:6.2f} ms ({low:.2f} to {high:.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="an exported .onnx; default: a threshold made in code")
    given = parser.parse_args().model
    with tempfile.TemporaryDirectory() as folder:
        path = given or Path(folder) / "threshold.onnx"
        if given is None:
            from tiny import threshold_model

            threshold_model(path, level=110 / 150, spacing_mm=(0.35, 0.35))
        segmenter = Segmenter(Engine.load(path))
    source = PhantomSource()
    frames = [source.read(index % len(source)) for index in range(FRAMES)]
    ours(segmenter, frames[:20])
    mine = ours(segmenter, frames)
    theirs = peer(segmenter.engine.contract.input.spacing_mm, frames[::10])
    model = segmenter.engine.contract.identity.name
    keep(
        "frame",
        {"ours_ms": round(float(np.median(mine)), 3), "nnunet_ms": round(float(np.median(theirs)), 3)},
        f"everything but the network, {FRAMES} phantom frames of 512×512 (simulated), {model}",
    )
    print(f"everything but the network, {FRAMES} phantom frames of 512x512, {model}")
    print(f"  ours              {quartiles(mine)}")
    print(f"  nnU-Net's own     {quartiles(theirs)}")
    print(f"  ratio of medians  {np.median(theirs) / np.median(mine):.1f}")


if __name__ == "__main__":
    main()
