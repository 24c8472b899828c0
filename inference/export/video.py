"""A record as an MP4 to be passed on: each frame with its contour above the caption that every picture carries.

The picture is MPEG-4 Part 2, which OpenCV's FFmpeg encodes itself (LGPL) and which is fast; H.264 would need a GPL or a
licensed encoder, and VP9 takes fifty times as long (tests/benchmarks/bench_video.py).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import OutputError
from inference.export.deidentified import DeidentifiedRecord
from inference.export.mp4_times import retime
from inference.export.picture import annotated, text_rows
from inference.export.record_capture import capture_of
from inference.files import replacing

CODEC = cv2.VideoWriter.fourcc(*"mp4v")
NOMINAL_FPS = 25.0
"""Only the encoder's budget of bits depends on it; each picture has its own time."""


def write_video(source: DeidentifiedRecord, path: Path, *, watch: Callable[[range], Iterable[int]] = iter) -> Path:
    """Write every frame of a record, each as long as it was shown, and none without its caption.

    Args:
        source: the record; de-identified, since a video is made to be passed on.
        path: the file, .mp4.
        watch: wraps the frame numbers, for a progress bar.

    Returns:
        The file.

    Raises:
        OutputError: if it cannot be written.
    """
    settings, numbers = source.settings(), range(len(source))
    # Captions differ in length, pictures of a video must not: the room for the longest stays below each.
    rows = max(text_rows(capture_of(source, number, settings[number])) for number in numbers)
    with replacing(path) as aside:
        pictures = (annotated(capture_of(source, number, settings[number]), rows) for number in watch(numbers))
        _encode(aside, map(_even, pictures))
        retime(aside, source.times_s)
    return path


def _encode(path: Path, pictures: Iterator[NDArray[np.uint8]]) -> None:
    """Encode pictures of one size, (rows, cols, 3), blue-green-red."""
    first = next(pictures)
    with _writer(path, first.shape[1], first.shape[0]) as writer:
        writer.write(first)
        for picture in pictures:
            writer.write(picture)


@contextmanager
def _writer(path: Path, width: int, height: int) -> Iterator[cv2.VideoWriter]:
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, CODEC, NOMINAL_FPS, (width, height))
    try:
        if not writer.isOpened():
            raise OutputError(f"{path.name} cannot be encoded on this computer: export the record without video.")
        yield writer
    finally:
        writer.release()


def _even(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with an even number of rows and columns, which its colours at half the resolution need."""
    rows, cols = picture.shape[:2]
    return np.pad(picture, ((0, rows % 2), (0, cols % 2), (0, 0)))
