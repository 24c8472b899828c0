"""OpenIGTLink output: frames and answers, with their scale, for 3D Slicer or a navigation system.

For every outcome, the server sends these in one piece with one timestamp (UTC, when the frame reached this computer):

    IMAGE    IUS_Frame    the frame's grey values
    IMAGE    IUS_Mask     0/1 on the same grid; all 0 unless a tumour was found
    POLYDATA IUS_Contour  closed lines in mm, if asked for; none unless a tumour was found
    STRING   IUS_Result   JSON: outcome, area, size state, where the scale comes from, model, reason, notes

The images' matrix is the frame's own pose, in its sender's coordinates, so that frame, mask and contour lie where the
probe was. A source without a tracker gets diag(mm per column, mm per row, 1, 1) in LPS, x right and y down. The third
column is a unit normal and claims no thickness. A tracked frame whose place is not known is not sent as a picture.

The protocol cannot say "scale unknown": the identity that peers write instead reads as 1 mm per pixel. A frame without
a scale is therefore never sent as a picture. Its STRING says `"scale": "unknown"` and why, and blank images with the
last geometry sent clear the old picture and contour from the peer's screen; so does `withdraw()`.

We use pyigtl's messages but our own server: pyigtl's serves one peer at a time, binds to loopback or to a guess, takes
over the program's signals and does not notice when a peer has gone.
"""

import errno
import json
import logging
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np

from inference.errors import OutputError
from inference.export.result import result_cells, withdrawn_cells
from inference.frame import Frame, Pixels
from inference.latest import Latest
from inference.openigtlink import ImageMessage, MessageBase, PolyDataMessage, StringMessage
from inference.outcome import Outcome, Tumour
from inference.pose import Pose

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
"""Only programs on this computer, unless the user names an address."""
PORT = 18944
"""OpenIGTLink's registered port."""
FRAME, MASK, CONTOUR, RESULT = "IUS_Frame", "IUS_Mask", "IUS_Contour", "IUS_Result"
STALLED_S = 5.0
"""A peer that takes no data for this long is disconnected."""
POLL_S = 0.1
JOIN_S = 1.0
LAST_S = 0.5
"""The time that all peers together have to take the last message."""
MOST_PEERS = 8


@dataclass(frozen=True, slots=True)
class _Withdrawn:
    """Everything sent before is no longer valid."""

    sentence: str
    at: float


_News: TypeAlias = Outcome | _Withdrawn


class Broadcast:
    """An OpenIGTLink server that sends outcomes to whoever connects. Nothing is queued: a slow peer misses frames.

    Args:
        port: TCP port; 0 takes a free one.
        host: address of this computer to listen on; any but loopback lets other computers connect without a password.
        contour: whether contours are sent as POLYDATA too, on which clients of pyigtl up to 0.3.4 break.

    Attributes:
        notes: phase and orientation, sent with every result from now on.
        of_phase: the result of `safety.of_phase`, added to the warnings of every result from now on.

    Raises:
        OutputError: if the port is taken or the address is not this computer's.
    """

    def __init__(self, port: int = PORT, host: str = HOST, *, contour: bool = False) -> None:
        self._contour = contour
        self._server = _listen(host, port)
        self._address = str(self._server.getsockname()[0]), int(self._server.getsockname()[1])
        self._closing = threading.Event()
        self._news: Latest[_News] = Latest()
        self.notes: Mapping[str, str] = {}
        self.of_phase: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._peers: list[_Peer] = []
        self._threads = (
            threading.Thread(target=self._accept_loop, name="ius-igtl-accept", daemon=True),
            threading.Thread(target=self._pack_loop, name="ius-igtl-pack", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """The host and port that the server really listens on."""
        return self._address

    @property
    def peers(self) -> int:
        """How many programs are connected."""
        with self._lock:
            return sum(peer.alive for peer in self._peers)

    def send(self, outcome: Outcome) -> None:
        """Send this outcome, unless a newer one comes first; returns at once, from any thread."""
        self._news.put(outcome)

    def withdraw(self, sentence: str) -> None:
        """Clear picture and contour from the peers' screens (signal lost, guard, pause); returns at once.

        Args:
            sentence: why, without naming a patient; sent as the result's reason.
        """
        self._news.put(_Withdrawn(sentence, time.monotonic()))

    def close(self) -> None:
        """Withdraw what was sent and disconnect; takes half a second if a peer takes no data. Safe to call again."""
        if not self._closing.is_set():
            self.withdraw("The sender was closed.")
        self._closing.set()
        self._news.close()
        for thread in self._threads:
            thread.join(JOIN_S)
        with self._lock:
            peers, self._peers = self._peers, []
        end = time.monotonic() + LAST_S
        for peer in peers:
            peer.finish()
        for peer in peers:
            peer.close(end)
        self._server.close()

    def __enter__(self) -> Self:
        """Return the running server."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Close the server."""
        self.close()

    def _accept_loop(self) -> None:
        while not self._closing.is_set():
            try:
                connection, peer_name = self._server.accept()
            except TimeoutError:
                continue
            except OSError as error:  # a peer that left before it was let in
                log.info("OpenIGTLink: %r", error)
                self._closing.wait(POLL_S)
                continue
            self._admit(connection, str(peer_name[0]))

    def _admit(self, connection: socket.socket, name: str) -> None:
        with self._lock:
            self._peers = [peer for peer in self._peers if peer.alive]
            full = len(self._peers) >= MOST_PEERS
            if not full:
                self._peers.append(_Peer(connection, name))
        if full:
            log.warning("OpenIGTLink: %s is one program too many", name)
            connection.close()

    def _pack_loop(self) -> None:
        """Pack each update once for all peers, outside the analysis thread."""
        packer = _Packer(contour=self._contour)
        while (news := self._news.take()) is not None:
            with self._lock:
                peers = [peer for peer in self._peers if peer.alive]
            if peers:
                data = packer.pack(news, self.notes, self.of_phase)
                for peer in peers:
                    peer.send(data)


class _Peer:
    """One connected program, with a thread that sends it the newest bytes."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self._socket, self._name = connection, name
        self._mail: Latest[bytes] = Latest()
        connection.settimeout(STALLED_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._thread = threading.Thread(target=self._send_loop, name="ius-igtl-peer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def send(self, data: bytes) -> None:
        self._mail.put(data)

    def finish(self) -> None:
        """Take no more bytes; those that were given last are sent."""
        self._mail.close()

    def close(self, end: float) -> None:
        """Wait until the peer has taken the last bytes, at most until `end` (`time.monotonic()`), then disconnect."""
        self._thread.join(max(0.0, end - time.monotonic()))
        with suppress(OSError):  # the peer has already gone
            self._socket.shutdown(socket.SHUT_RDWR)  # unblocks a send to a peer that takes no data; closing doesn't
        self._thread.join(JOIN_S)

    def _send_loop(self) -> None:
        try:
            with self._socket:
                while (data := self._mail.take()) is not None:
                    self._socket.sendall(data)
                    if not self._drain():
                        break
        except OSError as error:
            log.info("OpenIGTLink: %s is gone (%r)", self._name, error)

    def _drain(self) -> bool:
        """Read and drop the peer's own messages, or it would block; False once the peer has disconnected."""
        self._socket.setblocking(False)
        try:
            while self._socket.recv(65536):
                pass
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(STALLED_S)
        return False


class _Packer:
    """Packs outcomes into bytes, and remembers the last geometry sent so that it can be blanked."""

    def __init__(self, *, contour: bool) -> None:
        self._contour = contour
        self._sent: tuple[Pixels, Pose] | None = None

    def pack(self, news: _News, notes: Mapping[str, str], of_phase: tuple[str, ...]) -> bytes:
        captured_at = news.at if isinstance(news, _Withdrawn) else news.frame.captured_at
        utc = time.time() - (time.monotonic() - captured_at)
        if isinstance(news, _Withdrawn):
            cells = withdrawn_cells(news.sentence, utc, notes)
        else:
            cells = result_cells(news, utc, notes, of_phase)
        text = StringMessage(json.dumps(cells, allow_nan=False), timestamp=utc, device_name=RESULT)
        return b"".join(bytes(message.pack()) for message in (*self._pictures(news, utc), text))

    def _pictures(self, news: _News, utc: float) -> tuple[MessageBase, ...]:
        tumour = news if isinstance(news, Tumour) else None
        pose = None if isinstance(news, _Withdrawn) else place_of(news.frame)
        if not isinstance(news, _Withdrawn) and pose is not None:
            pixels = news.frame.pixels
            self._sent = np.zeros_like(pixels), pose
        elif self._sent is not None:
            (pixels, pose), tumour = self._sent, None
        else:
            return ()
        mask = np.zeros(pixels.shape, np.uint8) if tumour is None else tumour.mask
        images = _image(FRAME, pixels, pose, utc), _image(MASK, mask, pose, utc)
        return (*images, _contour(tumour, pose, utc)) if self._contour else images


def place_of(frame: Frame) -> Pose | None:
    """Where a frame is sent to: its own pose, or x right and y down from 0 for a source without a tracker.

    None if it cannot be sent as a picture: its scale is not known, or its place although it has a tracker.
    """
    if frame.spacing is None or frame.pose is not None or frame.no_pose_reason:
        return frame.pose
    return Pose((frame.spacing.col_mm, 0.0, 0.0), (0.0, frame.spacing.row_mm, 0.0), (0.0, 0.0, 0.0))


def _image(name: str, pixels: Pixels, pose: Pose, utc: float) -> ImageMessage:
    return ImageMessage(pixels[None], pose.matrix, pose.system, timestamp=utc, device_name=name)


def _contour(tumour: Tumour | None, pose: Pose, utc: float) -> PolyDataMessage:
    """The outlines as closed lines; the message has no axes of its own, so it is in those of the images."""
    outlines = [] if tumour is None else [line for region in tumour.regions for line in region.contours]
    points = np.concatenate([np.zeros((0, 3)), *(pose.points(line) for line in outlines)])
    cells, first = [np.zeros(0, np.int64)], 0
    for line in outlines:
        count = len(line)
        cells.append(np.array([count + 1, *range(first, first + count), first]))
        first += count
    return PolyDataMessage(points=points, lines=np.concatenate(cells), timestamp=utc, device_name=CONTOUR)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:  # create_server leaks its socket on these
        raise OutputError(f"{port} is no port for OpenIGTLink: choose one from 1 to 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        server = socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OutputError(
                f"Port {port} of {host} is taken by another program: end it, or send OpenIGTLink on another port."
            ) from error
        raise OutputError(
            f"OpenIGTLink cannot be sent from {host}:{port} ({error.strerror}): give an address of this computer."
        ) from error
    server.settimeout(POLL_S)
    return server
