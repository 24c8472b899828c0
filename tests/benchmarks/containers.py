"""Containers that a record could have, each for frames of one size with their masks."""

import sys
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from mcap.reader import NonSeekingReader
from mcap.writer import Writer
from numpy.typing import NDArray

from inference.frame import Frame, Origin, View
from inference.outcome import Analysis, Region, Tumour
from inference.recording.entries import answer_of, opening_of, picture_of
from inference.recording.writer import RecordFile
from inference.source_info import SourceInfo
from inference.sources.record import RecordSource

ROWS, COLS = 720, 1280
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
