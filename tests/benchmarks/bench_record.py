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
from typing import Any, Protocol

import cv2
import numpy as np
from benchfile import keep
from mcap.reader import NonSeekingReader
from mcap.writer import Writer
from numpy.typing import NDArray

from inference.assets import demo_clip_path
from inference.frame import Frame, Origin, View
from inference.reading import Analysis, Region, Tumour
from inference.recording.entries import answer_of, opening_of, picture_of
from inference.recording.writer import RecordFile
from inference.sources import open_source
from inference.sources.base import SourceInfo
from inference.sources.record import RecordSource

ROWS, COLS, COUNT = 720, 1280, 16
DISK_MB = 24
TIMED = 60
Picture = NDArray[np.uint8]


class Container(Protocol):
    """Somewhere to put frames with their masks."""

    def __init__(self, path: Path) -> None: ...

    def write(self, number: int, pixels: Picture, mask: Picture) -> None:
        """Have a frame outlive this process."""

    def close(self) -> None: ...

    @staticmethod
    def read(path: Path) -> list[Picture]:
        """Every frame that can be read."""


class Record:
    """Ours: unchunked MCAP, each frame and each answer an entry of its own, zstandard 1 inside."""

    def __init__(self, path: Path) -> None:
        self._origin = Origin("bench", View.NATIVE, live=True)
        self._file = RecordFile(path, opening_of(SourceInfo(self._origin, ROWS, COLS, None, "none", (0.0, 255.0))))

    def write(self, number: int, pixels: Picture, mask: Picture) -> None:
        frame = Frame(number, pixels, None, number / 25, self._origin, no_spacing_reason="none")
        analysis = Analysis("threshold", "0" * 64, "CPU", 1.0, 1.0, demonstration=False)
        region = Region(1, None, (), None, None, touches_edge=False, size=None)
        self._file.append(picture_of(frame, number, 0.0))
        self._file.append(answer_of(Tumour(frame, analysis, mask, (region,)), number))

    def close(self) -> None:
        self._file.close()

    @staticmethod
    def read(path: Path) -> list[Picture]:
        with RecordSource(path) as source:
            return [source.read(number).pixels for number in range(len(source))]


class Chunked:
    """MCAP as its library writes it: 1 MB chunks, zstandard 3 over the chunk."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._writer = Writer(self._file)
        self._writer.start()
        self._channel = self._writer.register_channel("frame", "raw", 0)

    def write(self, number: int, pixels: Picture, mask: Picture) -> None:
        data = pixels.tobytes() + np.packbits(mask).tobytes()
        self._writer.add_message(self._channel, number, data, number)
        self._file.flush()

    def close(self) -> None:
        self._writer.finish()
        self._file.close()

    @staticmethod
    def read(path: Path) -> list[Picture]:
        found = []
        with path.open("rb") as file:
            try:
                for _, _, message in NonSeekingReader(file).iter_messages(log_time_order=False):
                    found.append(np.frombuffer(message.data[: ROWS * COLS], np.uint8).reshape(ROWS, COLS))
            except Exception as error:  # noqa: BLE001 (whatever a half file makes of a reader)
                print(f"    mcap: {type(error).__name__}", file=sys.stderr)
        return found


class Hdf5:
    """HDF5 in SWMR mode, one chunk a frame, flushed after each."""

    def __init__(self, path: Path) -> None:
        import h5py
        import hdf5plugin

        self._file = h5py.File(path, "w", libver="latest")
        options: dict[str, Any] = {"dtype": "u1", **hdf5plugin.Zstd(clevel=1)}
        self._sets = [
            self._file.create_dataset(
                name, (0, ROWS, width), maxshape=(None, ROWS, width), chunks=(1, ROWS, width), **options
            )
            for name, width in (("frames", COLS), ("masks", COLS // 8))
        ]
        self._file.swmr_mode = True

    def write(self, number: int, pixels: Picture, mask: Picture) -> None:
        for dataset, values in zip(self._sets, (pixels, np.packbits(mask, axis=1)), strict=True):
            dataset.resize(number + 1, axis=0)
            dataset[number] = values
            dataset.flush()

    def close(self) -> None:
        self._file.close()

    @staticmethod
    def read(path: Path) -> list[Picture]:
        import h5py
        import hdf5plugin  # noqa: F401 (registers zstandard)

        with h5py.File(path, "r", libver="latest", swmr=True) as file:
            return list(file["frames"][:])


class Zarr:
    """Zarr, one file a frame, zstandard 1."""

    def __init__(self, path: Path) -> None:
        import zarr
        from zarr.codecs import ZstdCodec

        self._arrays = [
            zarr.create_array(
                store=str(path / name),
                shape=(0, ROWS, width),
                chunks=(1, ROWS, width),
                dtype="u1",
                compressors=ZstdCodec(level=1),
            )
            for name, width in (("frames", COLS), ("masks", COLS // 8))
        ]

    def write(self, number: int, pixels: Picture, mask: Picture) -> None:
        for array, values in zip(self._arrays, (pixels, np.packbits(mask, axis=1)), strict=True):
            array.resize((number + 1, *array.shape[1:]))
            array[number] = values

    def close(self) -> None:
        pass

    @staticmethod
    def read(path: Path) -> list[Picture]:
        import zarr

        return list(zarr.open_array(str(path / "frames"), mode="r")[:])


class Matroska:
    """Matroska with FFV1 by OpenCV's ffmpeg; masks and readings in a file beside it."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        code = cv2.VideoWriter.fourcc(*"FFV1")
        self._video = cv2.VideoWriter(str(path / "frames.mkv"), cv2.CAP_FFMPEG, code, 25, (COLS, ROWS), False)
        self._masks = (path / "masks.bin").open("wb")

    def write(self, number: int, pixels: Picture, mask: Picture) -> None:  # noqa: ARG002
        import zstandard

        self._video.write(pixels)
        self._masks.write(zstandard.compress(np.packbits(mask).tobytes(), 1))
        self._masks.flush()

    def close(self) -> None:
        self._video.release()
        self._masks.close()

    @staticmethod
    def read(path: Path) -> list[Picture]:
        video, found = cv2.VideoCapture(str(path / "frames.mkv"), cv2.CAP_FFMPEG), []
        while (answer := video.read())[0]:
            found.append(np.asarray(answer[1])[..., 0])
        return found


CONTAINERS: dict[str, tuple[type[Container], str]] = {
    "MCAP, an entry a frame": (Record, "mcap"),
    "MCAP, chunked": (Chunked, "mcap"),
    "HDF5, SWMR": (Hdf5, "h5py"),
    "Zarr": (Zarr, "zarr"),
    "Matroska FFV1 + masks": (Matroska, "cv2"),
}


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
