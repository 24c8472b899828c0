"""From nothing to the first mask: seconds and peak memory of a fresh process, ours and nnU-Net's.

python tests/benchmarks/starts.py ours MODEL.onnx | nnunet FOLDER
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rivals import Rival

RUNS = {"ours": 3, "nnunet": 1}


def starts(rival: "Rival") -> dict[str, dict[str, float]]:
    """Median seconds to the first mask, and the most memory; printed."""
    found = {}
    for who, path in (("ours", rival.file), ("nnunet", rival.folder)):
        each = [_run(who, path) for _ in range(RUNS[who])]
        seconds, mib = float(np.median([one for one, _ in each])), max(most for _, most in each)
        print(f"  {who:<7} start to the first mask {seconds:6.2f} s, {mib:5.0f} MiB at most")
        found[who] = {"first_mask_s": round(seconds, 3), "peak_mib": round(mib)}
    return found


def _run(who: str, path: Path) -> tuple[float, float]:
    """Seconds and MiB of one process."""
    began = time.perf_counter()
    command = [sys.executable, __file__, who, str(path)]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    return time.perf_counter() - began, float(said.split()[-1])


def _most_mib() -> float:
    """The most memory this process has held; what resource.getrusage says is its parent's, where that held more."""
    words = Path("/proc/self/status").read_text().split()
    return int(words[words.index("VmHWM:") + 1]) / 1024


def main() -> None:
    """Make one mask, and print MiB."""
    who, path = sys.argv[1], Path(sys.argv[2])
    pixels = np.random.default_rng(0).integers(1, 255, (384, 512)).astype(np.uint8)
    if who == "ours":
        from inference.model.engine import Engine

        Engine.load(path).segment(pixels, (0.2, 0.2))
    else:
        from training.export.parity import Reference
        from training.nnunet.results.checkpoint import read_trained

        Reference(read_trained(path, [0])).predict(pixels, (0.2, 0.2))
    print(_most_mib())


if __name__ == "__main__":
    main()
