"""What decoding in a process of its own costs a frame, beside decoding here: a calibrated clip, and the bundled volume.

.venv/bin/python tests/benchmarks/bench_worker.py
"""

import time

import numpy as np
from benchfile import keep
from pydicom.data import get_testdata_file

from inference.assets import demo_clip_path
from inference.sources import open_here, open_source
from inference.sources.base import RecordedSource

ROUNDS = 9


def frame_ms(source: RecordedSource) -> list[float]:
    """Milliseconds of each read."""
    times = []
    for index in range(len(source)):
        begun = time.perf_counter()
        source.read(index)
        times.append((time.perf_counter() - begun) * 1e3)
    return times


def main() -> None:
    clips = {"calibrated DICOM, JPEG": get_testdata_file("color3d_jpeg_baseline.dcm", download=False)}
    clips["bundled clip"] = str(demo_clip_path())
    figures = {}
    for name, path in clips.items():
        with open_here(path) as here, open_source(path) as apart:
            size = f"{here.info.cols}×{here.info.rows}"
            rounds = [(frame_ms(here), frame_ms(apart)) for _ in range(ROUNDS)]
        # The best of the rounds for each frame: what else runs on the machine is not the question.
        inside, outside = (float(np.median(np.min(side, axis=0))) for side in zip(*rounds, strict=True))
        costs = outside - inside
        print(f"{name:24} {size:>9}  here {inside:6.2f} ms   apart {outside:6.2f} ms   costs {costs:5.2f} ms")
        figures[name] = {"here_ms": round(inside, 3), "apart_ms": round(outside, 3)}
    keep(
        "worker",
        figures,
        "pydicom-data's 120-frame clip (real) and the bundled clip (simulated), median of each frame's best",
    )


if __name__ == "__main__":
    main()
