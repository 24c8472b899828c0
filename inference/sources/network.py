"""Network video: rtsp, udp and the like, through the ffmpeg in OpenCV. It knows no scale.

No option is passed through OPENCV_FFMPEG_CAPTURE_OPTIONS: the environment is shared by all threads and children, and
`fflags;nobuffer` throws away the key frame that probing has found, so that a sender with rare ones is never followed.
What it is used for, old pictures collected while probing, are skipped here by their own clock.
"""

import os
from collections import deque
from time import monotonic
from urllib.parse import urlsplit

import cv2

from inference.errors import SourceError
from inference.sources.colour import colour_map
from inference.sources.live import Connection, Live, Picture
from inference.sources.paths import shown_address
from inference.sources.pixels import grey
from inference.sources.recorded import REMEDY, quiet_opencv
from inference.spacing import PixelSpacing

NO_SCALE = f"Network video does not say how large a pixel is: {REMEDY}."
OPEN_MS = 7000
"""An H.264 stream can be opened from its next key frame on; senders set that to up to five seconds."""
READ_MS = 800
"""A sender that is silent for this long is taken as gone, and connected to anew; less than `close()` waits."""
LATE_S = 0.5
"""A picture that comes so much later than others of its stream did is old, and not shown as live."""
GIVE_UP_S = 3.0
"""Late for so long, it will not catch up by itself: connecting anew empties every buffer."""
CLOCKED = ("rtsp", "rtsps", "udp", "rtp", "srt")
"""Carry the sender's clock; a plain MJPEG over http has none, and ffmpeg invents one."""


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


class Lateness:
    """How much later a picture comes than the fastest ones of its stream did in the last minute.

    The two clocks drift apart, by far less than `LATE_S` a minute, so that a minute is all that is remembered.

    Args:
        clocked: whether the stream's times are the sender's; otherwise only the backlog at the start is told.
    """

    MINUTE_S = 60.0
    JUMP_S = 10.0

    def __init__(self, *, clocked: bool) -> None:
        self._clocked = clocked
        self._last: tuple[float, float] | None = None
        self._caught_up = False
        self._offsets: deque[tuple[float, float]] = deque()

    def late(self, stream_s: float, now: float) -> bool:
        """Whether the picture with this time of its stream, which came now, is an old one."""
        streamed, waited = (0.0, 0.0) if self._last is None else (stream_s - self._last[0], now - self._last[1])
        first, self._last = self._last is None, (stream_s, now)
        if not self._caught_up:
            # Collected pictures come as fast as they are decoded, live ones at the sender's pace.
            self._caught_up = not first and streamed <= 2 * waited
            return not self._caught_up
        return self._clocked and self._behind(stream_s, now, jumped=abs(streamed - waited) > self.JUMP_S) > LATE_S

    def _behind(self, stream_s: float, now: float, *, jumped: bool) -> float:
        """Seconds behind the fastest picture of the last minute; a sender whose clock was set anew begins anew."""
        offset = now - stream_s
        if jumped:
            self._offsets.clear()
        while self._offsets and self._offsets[0][0] < now - self.MINUTE_S:
            self._offsets.popleft()
        while self._offsets and self._offsets[-1][1] >= offset:
            self._offsets.pop()
        self._offsets.append((now, offset))
        return offset - self._offsets[0][1]


class _Capture:
    """One `cv2.VideoCapture`, with limits on how long it may block."""

    def __init__(self, url: str) -> None:
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # ffmpeg writes to the terminal by itself
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
        # Each further thread of the decoder holds back one picture more.
        with quiet_opencv():
            self._capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_N_THREADS, 1])
        if not self._capture.isOpened():
            raise SourceError(f"Nothing comes from {shown_address(url)}: check the sender, its address and port.")
        self._lateness = Lateness(clocked=urlsplit(url).scheme.lower() in CLOCKED)

    def read(self) -> Picture | None:
        """The next picture that is not an old one; None after `READ_MS` without any, or `GIVE_UP_S` of old ones."""
        end = monotonic() + GIVE_UP_S
        while monotonic() < end:
            with quiet_opencv():
                decoded, picture = self._capture.read()
            if not decoded:
                return None
            if not self._lateness.late(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3, monotonic()):
                return Picture(grey(picture), None, NO_SCALE, colour_map(picture, order="BGR"))
        return None

    def close(self) -> None:
        """Free the decoder and the socket."""
        self._capture.release()
