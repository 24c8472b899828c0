"""What the last half minute costs: lossless codecs on the bundled clip, its speckle made as noisy as a scanner's.

.venv/bin/python tests/benchmarks/bench_ring.py
"""

import time
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import zstandard
from benchfile import keep

from inference.assets import demo_clip_path
from inference.live.review import HELD_S
from inference.live.ring import LARGEST
from inference.sources import open_source

FPS = 25


def main() -> None:
    source = open_source(str(demo_clip_path()))
    picture = cv2.resize(source.read(len(source) // 2).pixels, (1280, 720), interpolation=cv2.INTER_CUBIC)
    source.close()
    noise = np.random.default_rng(0).rayleigh(0.8, picture.shape)
    noisy = np.where(picture > 0, np.clip(picture * noise, 1, 255), 0).astype(np.uint8)
    codecs: dict[str, Callable[[bytes], bytes]] = {
        "zlib 1": lambda data: zlib.compress(data, 1),
        "zstandard 1": zstandard.ZstdCompressor(level=1).compress,
        "PNG 1": lambda data: cv2.imencode(
            ".png", np.frombuffer(data, np.uint8).reshape(noisy.shape), [cv2.IMWRITE_PNG_COMPRESSION, 1]
        )[1].tobytes(),
    }
    print(f"1280×720 uint8, {HELD_S:.0f} s at {FPS} fps; at most {LARGEST / 1e6:.0f} MB")
    figures = {}
    for name, codec in codecs.items():
        times, size = [], 0
        for _ in range(10):
            begun = time.perf_counter()
            size = len(codec(noisy.tobytes()))
            times.append(time.perf_counter() - begun)
        whole = size * FPS * HELD_S / 1e6
        figures[name] = {"ms": round(float(np.median(times)) * 1e3, 2), "mb": round(whole)}
        print(f"{name:12}  {np.median(times) * 1e3:5.1f} ms a frame   {noisy.nbytes / size:4.2f}:1   {whole:4.0f} MB")
    keep("ring", figures, f"bundled clip (simulated) with noise, 1280×720, {HELD_S:.0f} s at {FPS} fps")


if __name__ == "__main__":
    main()
