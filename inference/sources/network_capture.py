"""Network video in the decoding process, through OpenCV's ffmpeg, each picture at its true size.

One `cv2.VideoCapture` follows the sender and returns compressed pictures; a second one decodes them. When the bytes
that state the size change, the decoder is reopened and reports the new size; otherwise it would go on scaling to the
old one, and with the old shape of its pixels. It is reopened as well where pictures are whole again after packets were
lost.

`fflags;nobuffer` is not used: it throws away the key frame found while probing, so that a sender with rare key frames
is never followed. Old pictures collected while probing are skipped here by their own clock.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import NamedTuple
from urllib.parse import urlsplit

import cv2

from inference.errors import FormatError, SourceError
from inference.sources import complaints
from inference.sources.colour import colour_map
from inference.sources.lateness import Lateness
from inference.sources.live import Picture
from inference.sources.packet_loss import PacketLoss
from inference.sources.packets import Ivf, codec_of, decoder_of, extradata, packet_of, pixel_aspect, tag_words
from inference.sources.paths import shown_address
from inference.sources.pixels import grey
from inference.spacing import REMEDY

NO_SCALE = f"Network video does not say how large a pixel is: {REMEDY}."
OPEN_MS = 7000
"""An H.264 stream can be opened only from its next key frame, and senders may set these up to five seconds apart."""
READ_MS = 800
"""A sender silent for this long is taken as gone, and reconnected; shorter than `close()` waits."""
GIVE_UP_S = 3.0
"""A stream late for this long will not catch up by itself; reconnecting empties every buffer."""
CLOCKED = ("rtsp", "rtsps", "udp", "rtp", "srt")
"""Protocols that carry the sender's clock; plain MJPEG over http has none, and ffmpeg invents one."""
UNNUMBERED = ("udp", "srt")
"""Protocols that may lose packets and do not number them: an MPEG transport stream does, a bare video does not."""
BARE = (
    "{} sends bare video, in which nobody can tell that a packet was lost: send it as an MPEG transport stream "
    "(ffmpeg: -f mpegts)."
)
LOCKED = (
    "{} lets nobody in without the right name and password: type its address anew, as rtsp://NAME:PASSWORD@computer "
    "(they are not shown or kept)."
)
OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
TRANSPORT_STREAM = "protocol_whitelist;udp,srt|format_whitelist;mpegts|fpsprobesize;0"
AT_ONCE = "format_whitelist;ivf|fpsprobesize;0|probesize;32"
"""The decoder probes one picture before it begins, not a whole second."""


class NetworkCapture:
    """Follows a stream, with limits on how long it may block. Made for a separate process.

    Raises:
        SourceError: if nothing arrives.
        FormatError: if the codec does not state the size of its pictures.
    """

    def __init__(self, url: str) -> None:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
        numbered = urlsplit(url).scheme.lower() not in UNNUMBERED
        complaints.new()
        with _options(os.environ.get(OPTIONS, "") if numbered else TRANSPORT_STREAM):
            self._packets = cv2.VideoCapture(url, cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_FORMAT, -1])
        if not self._packets.isOpened():
            said = complaints.new()
            if complaints.is_refused(said):
                raise FormatError(BARE.format(shown_address(url)))
            if complaints.is_locked(said):
                raise SourceError(LOCKED.format(shown_address(url)))
            raise SourceError(f"Nothing comes from {shown_address(url)}: check the sender, its address and port.")
        codec = codec_of(self._packets)
        if codec is None or not codec.tag:
            raise FormatError(
                f"{shown_address(url)} sends {tag_words(self._packets)}, which cannot be followed picture by picture: "
                "choose H.264, MPEG or Motion JPEG on the sender."
            )
        self._codec, self._shown = codec, shown_address(url)
        self._head = extradata(self._packets)
        self._size_bytes: bytes | None = None
        self._waiting: tuple[float, bytes] | None = None
        self._stream: Ivf | None = None
        self._decoder: cv2.VideoCapture | None = None
        self._begun_ms = 0.0
        self._aspect, self._carried = 1.0, pixel_aspect(self._packets)
        self._loss, self._said = PacketLoss(numbered=numbered), b""
        self._lateness = Lateness(clocked=urlsplit(url).scheme.lower() in CLOCKED)
        complaints.new()  # whoever joins a stream misses what came before

    def read(self) -> Picture | None:
        """The next picture that is not old; None after `READ_MS` without any, or `GIVE_UP_S` of old ones.

        Raises:
            FormatError: if the stream can never be shown.
        """
        end = monotonic() + GIVE_UP_S
        while monotonic() < end:
            if self._decoder is None and not self._begin():
                return None
            assert self._decoder is not None  # noqa: S101
            if not self._decoder.grab():
                self._decoder = None
                if self._waiting is None:
                    return None
                continue
            damaged = self._loss.decoded(self._said + complaints.new())
            self._said = b""
            _, picture = self._decoder.retrieve()
            complaints.check(complaints.new(), self._shown)
            at_s = (self._begun_ms + self._decoder.get(cv2.CAP_PROP_POS_MSEC)) / 1e3
            if not self._lateness.late(at_s, monotonic()):
                colour = colour_map(picture, order="BGR")
                return Picture(grey(picture), None, NO_SCALE, colour, damaged=damaged, aspect=self._aspect)
        return None

    def close(self) -> None:
        """Free the decoder and the socket."""
        if self._decoder is not None:
            self._decoder.release()
        self._packets.release()

    def _begin(self) -> bool:
        """Open a decoder at the waiting key picture, or at the next one; False once the sender is silent."""
        if self._waiting is None:
            self._waiting = self._key()
        if self._waiting is None:
            return False
        complaints.new()  # of the decoder before
        self._begun_ms, self._said = self._waiting[0], b""
        self._loss.begins()
        self._stream = Ivf(self._codec, self._until_a_restart())
        with _options(AT_ONCE):
            self._decoder = decoder_of(self._stream)
        if not self._decoder.isOpened():
            self._decoder = None
            return self._waiting is not None
        self._aspect = self._shape(pixel_aspect(self._decoder))
        return True

    def _shape(self, stated: float) -> float:
        """Width of a pixel over its height as the pictures state it, or what carries them, if they never do."""
        if stated != 1:
            self._carried = 1.0
        return self._carried if stated == 1 else stated

    def _key(self) -> tuple[float, bytes] | None:
        """The next picture that can be decoded without any other."""
        while (packet := self._packet()) is not None:
            if packet.key:
                return packet.at_ms, packet.data
        return None

    def _until_a_restart(self) -> Iterator[tuple[float, bytes]]:
        """The waiting picture and those after it, up to the first with which a new decoder must begin: it then waits.

        That is one that may have another size, or the first that is whole again after packets were lost.
        """
        first, self._waiting = self._waiting, None
        if first is None:
            return
        stated = self._codec.size_bytes(first[1])
        self._size_bytes = stated or self._size_bytes
        # The head is that of the picture met first: before one that states another size, its own would count.
        yield first[0] - self._begun_ms, first[1] if stated else self._head + first[1]
        while (packet := self._packet()) is not None:
            stated = self._codec.size_bytes(packet.data)
            if packet.restart or (stated and self._size_bytes and stated != self._size_bytes):
                self._waiting = packet.at_ms, packet.data
                return
            self._size_bytes = self._size_bytes or stated
            yield packet.at_ms - self._begun_ms, packet.data

    def _packet(self) -> "_Packet | None":
        """The next compressed picture; None once the sender is silent."""
        self._said += complaints.new()  # the decoder calls this when it needs more
        if not self._packets.grab():
            complaints.new()
            return None
        at_ms, data = self._packets.get(cv2.CAP_PROP_POS_MSEC), packet_of(self._packets)
        key = self._packets.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME) > 0
        return _Packet(at_ms, data, key, self._loss.packet(at_ms, complaints.new(), key=key))


@contextmanager
def _options(options: str) -> Iterator[None]:
    """FFmpeg's options for what is opened meanwhile."""
    usual = os.environ.get(OPTIONS, "")
    os.environ[OPTIONS] = options
    try:
        yield
    finally:
        os.environ[OPTIONS] = usual


class _Packet(NamedTuple):
    """A compressed picture, and whether a new decoder must begin with it."""

    at_ms: float
    data: bytes
    key: bool
    restart: bool
