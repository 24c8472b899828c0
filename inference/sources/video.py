"""Video files: mp4, avi, mov, mkv, whatever the bundled ffmpeg decodes. They know no scale."""

import os
import threading
from pathlib import Path
from typing import Any

import cv2
from numpy.typing import NDArray

from inference.errors import FormatError, SourceError
from inference.frame import ColourMap, Origin, Pixels, View
from inference.sector import sector_mask, spread
from inference.source_info import SourceInfo
from inference.sources.colour import colour_map
from inference.sources.pixels import as_pixels, luma
from inference.sources.recorded import REMEDY, Recorded, quiet_opencv
from inference.spacing import PixelSpacing

NO_SCALE = f"A video does not say how large a pixel is: {REMEDY}."
SAMPLED = 16
"""Frames looked at to find the sector."""
AHEAD = 16
"""Up to this many frames forward, decoding on is cheaper than jumping to the key frame before."""
MISSING = 50
"""Containers state more frames than can be decoded; by more than this the file is cut short."""


class VideoSource(Recorded):
    """The frames of one video file, grey; what is outside the sector is exactly 0.

    Raises:
        FormatError: if it is no video that can be decoded.
    """

    def __init__(self, path: Path, *, typed: PixelSpacing | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._capture = _open(path)
        self._next = 0
        self._count = self._decodable(int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        samples = [_grey(self._picture(index)) for index in spread(self._count, SAMPLED)]
        self._inside = sector_mask(samples)
        self._whole: Pixels | None = None
        rows, cols = samples[0].shape
        info = SourceInfo(
            origin=Origin(path.name, View.UNKNOWN),
            rows=rows,
            cols=cols,
            spacing=None,
            no_spacing_reason=NO_SCALE,
            levels=(0.0, 255.0),
            fps=fps if fps > 0 else None,
        )
        super().__init__(info, typed)

    def __len__(self) -> int:
        """Number of frames that can be decoded."""
        return self._count

    def close(self) -> None:
        """Free the decoder, once a frame that is being decoded is done."""
        super().close()
        with self._lock:
            self._capture.release()

    def whole(self) -> Pixels | None:
        """The frame read last, with the scanner's text and ruler; never kept, recorded or exported."""
        return self._whole

    def _pixels(self, index: int) -> Pixels:
        return self._seen(index)[0]

    def _seen(self, index: int) -> tuple[Pixels, ColourMap | None]:
        picture = self._picture(index)
        grey = self._whole = _grey(picture)
        return as_pixels(cv2.bitwise_and(grey, grey, mask=self._inside)), colour_map(picture, order="BGR")

    def _picture(self, index: int) -> NDArray[Any]:
        with self._lock:
            picture = self._decode(index)
        if picture is None:
            raise SourceError(f"Frame {index} of {self._path.name} cannot be decoded: convert the video.")
        return picture

    def _decode(self, index: int) -> NDArray[Any] | None:
        """Frame `index` exactly, whatever was decoded before."""
        if not self._next <= index <= self._next + AHEAD:
            self._jump(index)
        while self._next < index:
            if not self._capture.grab():
                return None
            self._next += 1
        decoded, picture = self._capture.read()
        self._next = index + 1 if decoded else 0
        return picture if decoded else None

    def _jump(self, index: int) -> None:
        """Go to a frame; from the beginning where the container cannot say where it landed."""
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        self._next = index
        if round(self._capture.get(cv2.CAP_PROP_POS_FRAMES)) != index:
            self._capture.release()
            self._capture = _open(self._path)
            self._next = 0

    def _decodable(self, stated: int) -> int:
        """The number of frames: the stated one, less what is missing at the end."""
        for count in range(stated, max(0, stated - MISSING), -1):
            with self._lock:
                if self._decode(count - 1) is not None:
                    return count
        raise FormatError(f"{self._path.name} holds no frames, or was cut short: copy it again.")


def _grey(picture: NDArray[Any]) -> Pixels:
    return as_pixels(luma(picture, order="BGR") if picture.ndim == 3 else picture)


def _open(path: Path) -> cv2.VideoCapture:
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # ffmpeg writes to the terminal by itself
    with quiet_opencv():
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise FormatError(f"{path.name} is not a video that can be decoded: convert it to mp4 or avi.")
    return capture
