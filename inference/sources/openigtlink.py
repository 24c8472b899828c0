"""OpenIGTLink: pictures from PLUS, 3D Slicer or a navigation system, with scale and pose in their matrix.

pyigtl decodes the messages; the socket is ours, since pyigtl's own client does not notice that its server has gone.
"""

import logging
import math
import socket
import struct
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from inference.errors import ChoiceError, FormatError, SourceError
from inference.openigtlink import ImageMessage, TransformMessage, checksum
from inference.pose import Pose, System
from inference.source_info import SourceInfo
from inference.sources.colour import colour_map
from inference.sources.lateness import Lateness
from inference.sources.live import Connection, Live, Picture
from inference.sources.paths import shown_address
from inference.sources.pixels import as_pixels, luma
from inference.spacing import REMEDY, PixelSpacing, Provenance

log = logging.getLogger(__name__)

SCHEME = "igtl"
PORT = 18944
"""OpenIGTLink's registered port."""
SILENT_S = 2.0
"""A server that sends no picture of our device for this long is taken as gone, and reconnected."""
SAME = 1e-4
"""Relative difference below which two scales are one: a tracked probe's matrix rotates and is rounded each time."""
LARGEST = 64 * 1024 * 1024
"""Bytes; a longer message of our device is no ultrasound picture, and would fill the memory. 4K in colour has 25 MB."""
OTHERS = 8
"""Most names of other devices that are kept: a sender may name one after another without end."""
PIECE = 1 << 20
"""Bytes of a skipped message that are read at a time."""
LONGEST_S = 10.0
"""A message that takes longer than this is not a live picture."""
PAIRED_S = 0.04
"""A transform this much older or newer than a picture, by the sender's clock, is not where that picture was made."""
RIGID = 1e-3
"""Relative change of a length by a transform that only moves."""
IMAGE, VIDEO, TRANSFORM = "IMAGE", "VIDEO", "TRANSFORM"
_HEADER = struct.Struct(">H12s20sQQQ")
"""Version, type, device, time, size and checksum of the body (OpenIGTLink protocol, version 2)."""
_SECOND = 2**32
"""Times are whole seconds and a binary fraction."""
_EXTENDED = struct.Struct(">HHII")
"""Sizes of the extended header, of the metadata's index and of its texts; then the message's number."""
NO_SCALE = f"The stream's matrix has no scale (its columns have length 1): {REMEDY}."
NO_PLANE = f"The stream's matrix is not that of a picture: {REMEDY}."
NO_PLACE = "The stream's matrix places no picture: check the sender."
NO_TRANSFORM = "No transform {} came with this picture: check the name and the tracker."
SCALES = "The transform {} changes lengths although the pictures state their own scale: choose one that only moves."


class OpenIGTLinkSource(Live):
    """IMAGE messages of one device.

    Args:
        url: igtl://host[:port][/device][?transform=name]. The transform named, from the picture's coordinates to the
            tracker's, is applied to each picture's own matrix.
        typed: the user's own scale.

    Raises:
        SourceError: if no picture comes.
        ChoiceError: if the address has no host.
    """

    def __init__(self, url: str, *, typed: PixelSpacing | None = None) -> None:
        parts = urlsplit(url)
        if not parts.hostname:
            raise ChoiceError(f"{shown_address(url)} names no computer: type igtl://host:port.")
        try:
            self._port = parts.port or PORT
        except ValueError as error:
            raise ChoiceError(f"{shown_address(url)} has no usable port: type igtl://host:port.") from error
        self._host, self._device = parts.hostname, unquote(parts.path.strip("/")) or None
        self._transform = parse_qs(parts.query).get("transform", [""])[0]
        self._client: _Client | None = None
        super().__init__(shown_address(url), typed)

    def close(self) -> None:
        """End `frames()` and hang up, which frees a reader that waits for the rest of a message."""
        self._closed.set()
        if self._client is not None:
            self._client.hang_up()
        super().close()

    @property
    def info(self) -> SourceInfo:
        """What the first picture told, and which other pictures the server sends."""
        info, others = super().info, set() if self._client is None or self._device else self._client.others
        if not others:
            return info
        names = ", ".join(sorted(others))
        return replace(
            info, notice=f"The server sends other pictures too ({names}): add a name, igtl://host:port/name."
        )

    def _connect(self) -> Connection:
        # Only a user who has never seen the device is told that it is absent: later it may just be pausing.
        absent = self._info is None
        # The device that was opened is the one that is followed, whichever comes first after an interruption.
        device = self._device if self._client is None else self._client.device
        self._client = _Client(self._host, self._port, device, self._transform, tell_absent=absent)
        return self._client


class _Client:
    """One TCP connection to a server.

    Attributes:
        device: name of the device that is shown; None until the first picture, if none was chosen.
        others: names of other devices that send pictures.
    """

    def __init__(self, host: str, port: int, device: str | None, transform: str, *, tell_absent: bool) -> None:
        self.device, self._tracking = device, _Tracking(transform)
        self._tell_absent = tell_absent
        self.others: set[str] = set()
        self._video = False
        self._spacing: PixelSpacing | None = None
        self._lateness = Lateness(clocked=True, joined=False)
        try:
            self._socket = socket.create_connection((host, port), timeout=SILENT_S)
        except OSError as error:
            raise SourceError(f"Nobody answers at {host}:{port}: start the server, check address and port.") from error

    def read(self) -> Picture | None:
        """The next picture of the device; None if the server is gone, silent or late, or does not speak OpenIGTLink.

        A message that is not a picture, such as a volume among pictures, is skipped, and so is one that comes late by
        the sender's clock, since a slow network or a busy server queues them: connecting anew empties the queue.

        Raises:
            SourceError: if nothing arrives that could be shown.
        """
        until, wrong = monotonic() + SILENT_S, None
        while (message := self._next(until)) is not None:
            try:
                picture = self._steady(self._tracking.place(picture_of(message), message.timestamp))
                self._tell_absent = False  # it is there: a server that ends now is a lost signal
                if not self._lateness.late(message.timestamp, monotonic()):
                    return picture
            except FormatError as error:
                log.warning("OpenIGTLink: a message that is no picture is skipped")
                wrong = error
        if self._tell_absent:
            self._tell(wrong)
        return None

    def _next(self, until: float) -> ImageMessage | None:
        try:
            return self._image(until)
        # The TypeError is pyigtl's, when it makes arrays from what a damaged message states.
        except (OSError, struct.error, ValueError, TypeError, KeyError, NotImplementedError, OverflowError) as error:
            log.warning("OpenIGTLink: %s", type(error).__name__)
            return None

    def _tell(self, wrong: FormatError | None) -> None:
        """Report what arrives instead of pictures."""
        if wrong is not None:
            raise wrong
        if self.others:
            names = ", ".join(sorted(self.others))
            raise ChoiceError(f"The server sends no picture named {self.device} but {names}: type one of these names.")
        if self._video:
            raise FormatError("The server sends compressed video: have it send IMAGE messages.")

    def hang_up(self) -> None:
        """Release a `read()` in another thread."""
        with suppress(OSError):  # gone already
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _image(self, until: float) -> ImageMessage | None:
        """The next IMAGE message of the device; None at the end, or if none arrives by `until`."""
        while monotonic() < until and (header := self._receive(_HEADER.size)) is not None:
            version, kind, name, stamp, size, crc = _HEADER.unpack(header)
            self._video |= _text(kind) == VIDEO
            wanted = _text(kind) == IMAGE and self._is_ours(_text(name))
            moves = _text(kind) == TRANSFORM and _text(name) == self._tracking.name
            # Other transforms, texts and status messages in between are skipped unread.
            if not wanted and not moves:
                began = monotonic()
                if not self._skip(size):
                    return None
                # Our device is not silent while a volume of another one comes through.
                until += monotonic() - began if size > LARGEST else 0.0
                continue
            if size > LARGEST:
                raise ValueError(f"a message of {size} bytes")
            body = self._receive(size)
            if body is None:
                return None
            if crc and crc != checksum(body):  # 0: the sender computes none
                log.warning("OpenIGTLink: a message is skipped, since its checksum is wrong")
                continue
            content = _content(body) if version > 1 else body
            if moves:
                self._tracking.take(content, stamp / _SECOND)
                continue
            message = ImageMessage()
            # The metadata is left out: nobody needs its texts, and many senders get their encoding wrong.
            fields = {"header_version": 1, "message_type": IMAGE, "device_name": self.device}
            message.unpack(fields | {"timestamp": stamp / _SECOND}, content)
            return message
        return None

    def _steady(self, picture: Picture) -> Picture:
        """The picture with the previous picture's scale, if the two differ only by rounding."""
        old, new = self._spacing, picture.spacing
        if old is not None and new is not None:
            axes = ((old.row_mm, new.row_mm), (old.col_mm, new.col_mm))
            if all(math.isclose(before, now, rel_tol=SAME) for before, now in axes):
                return replace(picture, spacing=old)
        self._spacing = new
        return picture

    def _receive(self, size: int) -> bytes | None:
        """Exactly `size` bytes; None if the server hangs up first, or takes too long."""
        data = bytearray(size)
        view, have, until = memoryview(data), 0, monotonic() + LONGEST_S
        while have < size:
            got = self._socket.recv_into(view[have:])
            if got == 0 or monotonic() > until:
                return None
            have += got
        return bytes(data)

    def _skip(self, size: int) -> bool:
        """Read `size` bytes and discard them; False if the server hangs up first, or takes too long."""
        until = monotonic() + LONGEST_S
        while size > 0:
            piece = self._receive(min(size, PIECE))
            if piece is None or monotonic() > until:
                return False
            size -= len(piece)
        return True

    def _is_ours(self, name: str) -> bool:
        """Whether this is the device to show: the named one, else the first one seen; the others are reported."""
        self.device = name if self.device is None else self.device
        if name != self.device and len(self.others) < OTHERS:
            self.others.add("".join(sign for sign in name if sign.isprintable()))
        return name == self.device


class _Tracking:
    """The newest transform of one name, and the pictures that it moves.

    Args:
        name: its device name; empty where pictures are placed by their own matrix alone.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._newest: tuple[NDArray[np.float64], float, float] | None = None

    def take(self, content: bytes, stamp_s: float) -> None:
        """Remember a transform: a message's content, and its time by the sender's clock."""
        message = TransformMessage()
        message.unpack({"header_version": 1, "message_type": TRANSFORM, "device_name": "", "timestamp": 0.0}, content)
        self._newest = np.asarray(message.matrix, np.float64), stamp_s, monotonic()

    def place(self, picture: Picture, stamp_s: float) -> Picture:
        """The picture where the transform of its moment puts it, or not placed at all if there is none."""
        if not self.name or picture.pose is None:
            return picture
        if self._newest is None or not self._together(stamp_s):
            return replace(picture, pose=None, no_pose_reason=NO_TRANSFORM.format(self.name))
        try:
            pose = picture.pose.moved(self._newest[0])
        except ValueError:
            return replace(picture, pose=None, no_pose_reason=NO_TRANSFORM.format(self.name))
        if picture.spacing is not None and not np.allclose(pose.sides_mm, picture.pose.sides_mm, rtol=RIGID):
            return replace(picture, pose=None, no_pose_reason=SCALES.format(self.name))
        # A transform from pixels, as PLUS calibrates it, holds the scale that the picture itself does not state.
        spacing, reason = matrix_spacing(pose.matrix)
        return replace(picture, pose=pose, spacing=spacing, no_spacing_reason=reason)

    def _together(self, stamp_s: float) -> bool:
        """Whether picture and transform were made at one moment; without a sender's clock, by their arrival."""
        if self._newest is None:
            return False
        _, stamped_s, arrived_s = self._newest
        return abs(stamp_s - stamped_s if stamp_s and stamped_s else monotonic() - arrived_s) <= PAIRED_S


def _text(raw: bytes) -> str:
    """A name as its sender meant it: UTF-8, or else Latin-1, which accepts any byte."""
    bare = raw.rstrip(b" \t\r\n\0")
    try:
        return bare.decode()
    except UnicodeDecodeError:
        return bare.decode("latin-1")


def _content(body: bytes) -> bytes:
    """The body of a version 2 or later message, without extended header and metadata.

    Raises:
        ValueError: if those are longer than the body.
    """
    head, index, texts, _ = _EXTENDED.unpack_from(body)
    if head < _EXTENDED.size or head + index + texts > len(body):
        raise ValueError("a header longer than its message")
    return body[head : len(body) - index - texts]


def picture_of(message: ImageMessage) -> Picture:
    """The grey picture of an IMAGE message.

    Raises:
        FormatError: if it is a volume, or neither grey nor colour.
    """
    image = np.asarray(message.image)
    image = image.astype(image.dtype.newbyteorder("="), copy=False)  # 16 bits stay 16 bits in either byte order
    if image.ndim not in (3, 4) or image.shape[0] != 1:
        raise FormatError("The stream sends volumes, not pictures: choose the device that sends 2D images.")
    plane = image[0]
    if plane.ndim == 3 and plane.shape[2] not in (3, 4):
        raise FormatError(f"The stream sends {plane.shape[2]} components: choose the device that sends grey pictures.")
    matrix = message.ijk_to_world_matrix
    spacing, reason = matrix_spacing(matrix)
    # Colours at depths that frames do not have first become float32: OpenCV converts no others.
    grey = as_pixels(luma(np.asarray(as_pixels(plane))) if plane.ndim == 3 else plane)
    if 0 in grey.shape:
        raise FormatError("The stream sends empty pictures: start the imaging on the sender.")
    pose, lost = _pose_in(matrix, message.world_coordinate_system)
    return Picture(grey, spacing, reason, colour_map(plane), pose, lost)


def _pose_in(matrix: NDArray[np.floating], system: System) -> tuple[Pose | None, str]:
    try:
        return Pose.of_matrix(matrix, system), ""
    except ValueError:
        return None, NO_PLACE


def matrix_spacing(matrix: NDArray[np.floating]) -> tuple[PixelSpacing | None, str]:
    """The scale in an image-to-world matrix, or the reason why there is none.

    Senders that do not know the scale write columns of length 1: the identity, or a tool's rotation alone. A pixel of
    exactly 1 mm is therefore taken as unknown.

    Args:
        matrix: (4, 4), mm; column 0 is one pixel across, column 1 one pixel down.
    """
    across, down = np.asarray(matrix, np.float64)[:3, 0], np.asarray(matrix, np.float64)[:3, 1]
    col_mm, row_mm = float(np.linalg.norm(across)), float(np.linalg.norm(down))
    if not (np.isfinite(col_mm) and np.isfinite(row_mm) and col_mm > 0 and row_mm > 0):
        return None, NO_PLANE
    if abs(float(across @ down)) > 1e-3 * col_mm * row_mm:
        return None, NO_PLANE
    if np.allclose((col_mm, row_mm), 1.0, atol=1e-5):
        return None, NO_SCALE
    return PixelSpacing(row_mm, col_mm, Provenance.MATRIX), ""
