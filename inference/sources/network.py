"""Network video: rtsp, udp and the like, through the ffmpeg in OpenCV. It knows no scale."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from inference.errors import FormatError, SourceError
from inference.sources.live import Connection, Live, Picture
from inference.sources.paths import shown_address
from inference.sources.recorded import REMEDY, as_pixels, luma, quiet_opencv
from inference.spacing import PixelSpacing

NO_SCALE = f"Network video does not say how large a pixel is: {REMEDY}."
OPEN_MS = 5000
READ_MS = 1000
"""A sender that is silent for this long is taken as gone, and connected to anew."""
LOW_LATENCY = "fflags;nobuffer|flags;low_delay|rtsp_transport;tcp"
"""Don't collect packets before decoding; rtsp over TCP, since a lost packet would smear a picture unseen."""
_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_environment = threading.Lock()


class NetworkSource(Live):
    """Frames of a network stream, grey; what is outside the sector is exactly 0.

    Args:
        url: for example rtsp://host/stream or udp://127.0.0.1:5000.
        typed: the user's own scale.

    Raises:
        SourceError: if no picture comes.
    """

    def __init__(self, url: str, *, typed: PixelSpacing | None = None) -> None:
        self._url = url
        super().__init__(shown_address(url), typed)

    def _connect(self) -> Connection:
        return _Capture(self._url)


class _Capture:
    """One `cv2.VideoCapture`, with limits on how long it may block."""

    def __init__(self, url: str) -> None:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
        with quiet_opencv(), _low_latency():
            self._capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits)
        if not self._capture.isOpened():
            raise SourceError(f"Nothing comes from {shown_address(url)}: check the sender, its address and port.")

    def read(self) -> Picture | None:
        """The next picture, None after `READ_MS` without one."""
        with quiet_opencv():
            decoded, picture = self._capture.read()
        if not decoded:
            return None
        if picture.ndim == 3 and picture.shape[2] not in (3, 4):
            raise FormatError("This stream is neither grey nor colour: set the sender to H.264 in yuv420p.")
        grey = luma(picture, order="BGR") if picture.ndim == 3 else picture
        return Picture(as_pixels(grey), None, NO_SCALE)

    def close(self) -> None:
        """Free the decoder and the socket."""
        self._capture.release()


@contextmanager
def _low_latency() -> Iterator[None]:
    """OpenCV takes ffmpeg's options from the environment alone: set while a stream is opened, then as before."""
    with _environment:
        before = os.environ.get(_OPTIONS)
        os.environ[_OPTIONS] = LOW_LATENCY if before is None else before
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # ffmpeg writes to the terminal by itself
        try:
            yield
        finally:
            if before is None:
                del os.environ[_OPTIONS]
