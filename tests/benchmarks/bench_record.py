"""Which container a record should have: size, time a frame, and what survives a kill and a full disk.

    .venv/bin/python tests/benchmarks/bench_record.py [--kills 5]

1280×720 frames of the bundled clip, its speckle made as noisy as a scanner's, each with its mask. A child writes them
as fast as it can and says each one that the container took; it gets SIGKILL at a random moment, or (as root) a small
tmpfs fills. Then: how many of the frames that it said are readable to the pixel. HDF5 and Zarr are compared where they
are installed (pip install h5py hdf5plugin zarr); the product needs neither.
"""

import argparse
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import cv2
import numpy as np
from benchfile import keep
from containers import COLS, CONTAINERS, ROWS, Picture

from inference.assets import demo_clip_path
from inference.sources import open_source

COUNT = 16
DISK_MB = 24
TIMED = 60


def pictures() -> list[tuple[Picture, Picture]]:
    """Frames with masks, the same in every process."""
    with open_source(str(demo_clip_path())) as source:
        picture = cv2.resize(source.read(len(source) // 2).pixels, (COLS, ROWS), interpolation=cv2.INTER_CUBIC)
    noise, found = np.random.default_rng(0), []
    mask = np.zeros((ROWS, COLS), np.uint8)
    cv2.ellipse(mask, (600, 350), (150, 110), 20, 0, 360, 1, -1)
    for _ in range(COUNT):
        noisy = np.where(picture > 0, np.clip(picture * noise.rayleigh(0.8, picture.shape), 1, 255), 0)
        found.append((noisy.astype(np.uint8), mask))
    return found


def child(name: str, path: Path) -> None:
    """Write until killed or refused; one line a frame."""
    frames, container = pictures(), CONTAINERS[name][0](path)
    print("ready", flush=True)
    for number in range(100_000):
        container.write(number, *frames[number % COUNT])
        print(number + 1, flush=True)


def killed(name: str, path: Path, seconds: float) -> tuple[int, int]:
    """(said, readable) frames of a container whose writer was killed."""
    with subprocess.Popen(_command(name, path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        assert run.stdout is not None
        run.stdout.readline()
        sleep(seconds)
        run.send_signal(signal.SIGKILL)
        said = [line for line in run.stdout.read().split("\n")[:-1] if line.isdecimal()]
    return int(said[-1]) if said else 0, readable(name, path)


def filled(name: str, folder: Path) -> tuple[int, int]:
    """(said, readable) frames of a container whose disk was full."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)], check=True)
    try:
        path = folder / "record.mcap"
        done = subprocess.run(_command(name, path), capture_output=True, text=True, check=False, timeout=300)
        said = [line for line in done.stdout.splitlines() if line.isdecimal()]
        return int(said[-1]) if said else 0, readable(name, path)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def readable(name: str, path: Path) -> int:
    """How many frames from the first on can be read, each to the pixel; read by another process, which may crash."""
    command = [sys.executable, __file__, "--count", name, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 else 0


def count(name: str, path: Path) -> int:
    frames, number = pictures(), 0
    for number, pixels in enumerate(CONTAINERS[name][0].read(path)):
        if not np.array_equal(pixels, frames[number % COUNT][0]):
            return number
    return number + 1


def timed(name: str, path: Path) -> tuple[float, float, float]:
    """Median and 99th percentile of milliseconds a frame, and megabytes a frame."""
    frames, container, times = pictures(), CONTAINERS[name][0](path), []
    for number in range(TIMED):
        begun = perf_counter()
        container.write(number, *frames[number % COUNT])
        times.append((perf_counter() - begun) * 1e3)
    container.close()
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files) / TIMED / 1e6
    return float(np.median(times)), float(np.percentile(times, 99)), size


def _command(name: str, path: Path) -> list[str]:
    return [sys.executable, __file__, "--child", name, str(path)]


def _in_folder(job: Callable[[Path], Any]) -> Any:
    folder = Path(tempfile.mkdtemp())
    try:
        return job(folder)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--count", nargs=2, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.child:
        return child(wanted.child[0], Path(wanted.child[1]))
    if wanted.count:
        return print(count(wanted.count[0], Path(wanted.count[1])))
    moments = random.Random(0)
    print(f"1280×720 uint8 with its mask; {wanted.kills} kills, a full disk of {DISK_MB} MB; said / readable frames")
    figures = {}
    for name, (_, library) in CONTAINERS.items():
        if importlib.util.find_spec(library) is None:
            print(f"{name:24}  {library} is not installed")
            continue
        middle, slow, size = _in_folder(lambda folder, name=name: timed(name, folder / "record.mcap"))
        ends = [
            _in_folder(lambda folder, name=name: killed(name, folder / "record.mcap", moments.uniform(0.5, 2.0)))
            for _ in range(wanted.kills)
        ]
        root = os.name == "posix" and os.geteuid() == 0
        full = _in_folder(lambda folder, name=name: filled(name, folder)) if root else "not root"
        figures[name] = {
            "ms": round(middle, 2),
            "p99_ms": round(slow, 2),
            "mb": round(size, 3),
            "ends": ends,
            "full": full,
        }
        print(
            f"{name:24}  {middle:5.1f} ms, p99 {slow:5.1f} ms, {size:.3f} MB a frame   {json.dumps(ends)}   full {full}"
        )
    keep("record", figures, "bundled clip (simulated) at 1280×720 with its mask")
    return None


if __name__ == "__main__":
    main()
