"""Messages of OpenIGTLink as senders in the field make them: damaged, foreign, mixed."""

import socket
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress

import numpy as np
import pyigtl
import pytest
from pyigtl.messages import CRC64

from inference.errors import SourceError
from inference.sources.openigtlink import LARGEST, OpenIGTLinkSource, _Client

FreePort = Callable[..., int]
MATRIX = np.diag([0.2, 0.3, 1.0, 1.0])


def image(value: int, name: str = "Image", planes: int = 1) -> bytes:
    voxels = np.full((planes, 96, 128), value, np.uint8)
    return bytes(pyigtl.ImageMessage(voxels, ijk_to_world_matrix=MATRIX, device_name=name).pack())


def version_2(value: int, *, key: bytes = b"k", text: bytes = b"v", name: bytes = b"Image") -> bytes:
    """A picture with one text of metadata, in whatever bytes."""
    content = image(value)[58:]
    index = struct.pack(">HHHI", 1, len(key), 3, len(text))
    body = struct.pack(">HHII", 12, len(index), len(key) + len(text), 7) + content + index + key + text
    return struct.pack(">H12s20sQQQ", 2, b"IMAGE", name, 0, len(body), CRC64(body)) + body


def damaged(value: int) -> bytes:
    """A picture of which one byte of the matrix was changed on the way: half the scale."""
    message = bytearray(image(value))
    message[58 + 12] ^= 0x01
    return bytes(message)


@contextmanager
def sending(port: int, messages: Sequence[bytes]) -> Iterator[None]:
    """A server that sends these messages again and again to whoever connects."""
    stop, listener = threading.Event(), socket.create_server(("127.0.0.1", port))
    listener.settimeout(0.1)

    def serve() -> None:
        while not stop.is_set():
            with suppress(OSError):
                client, _ = listener.accept()
                with client:
                    while not stop.wait(0.02):
                        for message in messages:
                            client.sendall(message)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        listener.close()


def shown(port: int, messages: Sequence[bytes], count: int = 4) -> tuple[set[int], OpenIGTLinkSource]:
    """The grey values of the first pictures, and the source, closed."""
    with sending(port, messages), closing(OpenIGTLinkSource(f"igtl://127.0.0.1:{port}")) as source:
        seen = set()
        for frame, _ in zip(source.frames(), range(count), strict=False):
            seen.add(int(frame.pixels.max()))
            assert frame.spacing is not None
            assert (frame.spacing.row_mm, frame.spacing.col_mm) == pytest.approx((0.3, 0.2))
        return seen, source


def test_a_picture_with_a_wrong_checksum_is_not_shown(free_port: FreePort) -> None:
    assert shown(free_port(), [image(100), damaged(200)])[0] == {100}


def test_a_sender_without_checksums_is_followed(free_port: FreePort) -> None:
    message = bytearray(image(100))
    message[50:58] = bytes(8)
    assert shown(free_port(), [bytes(message)])[0] == {100}


@pytest.mark.parametrize(
    "message",
    [
        version_2(100, text="Größe".encode("latin-1")),
        version_2(100, key="Größe".encode("latin-1")),
        version_2(100, name="Ultraschallgerät".encode("latin-1")),
        version_2(100, text=b"\xff\xfe\x00"),
    ],
    ids=["value", "key", "name", "noise"],
)
def test_foreign_text_costs_no_picture(free_port: FreePort, message: bytes) -> None:
    assert shown(free_port(), [message])[0] == {100}


def test_one_volume_among_pictures_is_skipped(free_port: FreePort) -> None:
    assert shown(free_port(), [image(100), image(200, planes=5)])[0] == {100}


def test_of_two_devices_the_first_is_shown_and_the_other_said(free_port: FreePort) -> None:
    port = free_port()
    messages = [image(100, "Left"), image(200, "Right")]
    with sending(port, messages), closing(OpenIGTLinkSource(f"igtl://127.0.0.1:{port}")) as source:
        assert {int(frame.pixels.max()) for frame, _ in zip(source.frames(), range(5), strict=False)} == {100}
        assert "Right" in source.info.notice
    with sending(port, messages), closing(OpenIGTLinkSource(f"igtl://127.0.0.1:{port}/Right")) as source:
        assert {int(frame.pixels.max()) for frame, _ in zip(source.frames(), range(5), strict=False)} == {200}
        assert source.info.notice == ""


def test_pictures_of_4k_are_taken(free_port: FreePort) -> None:
    rows, cols = 2160, 3840
    geometry = struct.pack(">12f", 0.05, 0, 0, 0, 0.05, 0, 0, 0, 1, 0, 0, 0)
    sizes = struct.pack(">3H", cols, rows, 1), struct.pack(">6H", 0, 0, 0, cols, rows, 1)
    body = struct.pack(">HBBBB", 1, 1, 3, 1, 2) + sizes[0] + geometry + sizes[1] + bytes([90]) * (rows * cols)
    # Without its checksum, which Python takes long for.
    message = struct.pack(">H12s20sQQQ", 1, b"IMAGE", b"Image", 0, len(body), 0) + body
    port = free_port()
    with sending(port, [message]), closing(OpenIGTLinkSource(f"igtl://127.0.0.1:{port}")) as source:
        assert next(source.frames()).pixels.shape == (rows, cols)


def test_compressed_video_is_named(free_port: FreePort) -> None:
    video = struct.pack(">H12s20sQQQ", 1, b"VIDEO", b"Image", 0, 10, 0) + bytes(10)
    port = free_port()
    with sending(port, [video]), pytest.raises(SourceError, match="compressed video"):
        OpenIGTLinkSource(f"igtl://127.0.0.1:{port}")


def test_a_message_of_any_size_is_not_read(free_port: FreePort) -> None:
    endless = struct.pack(">H12s20sQQQ", 1, b"IMAGE", b"Image", 0, 1 << 40, 0)
    assert shown(free_port(), [image(100)] * 5 + [endless], count=2)[0] == {100}


def test_a_server_that_ends_after_pictures_is_a_lost_signal_and_no_wrong_name() -> None:
    """It had sent another device's pictures too, as our own sender sends its masks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def send() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(image(100) + image(7, name="IUS_Mask"))

        sender = threading.Thread(target=send)
        sender.start()
        with closing(_Client("127.0.0.1", listener.getsockname()[1], None, "", tell_absent=True)) as client:
            first = client.read()
            assert first is not None
            assert client.read() is None
        sender.join()


def test_a_volume_of_another_device_is_passed_over_on_the_same_connection() -> None:
    volume = struct.pack(">H12s20sQQQ", 1, b"IMAGE", b"Volume", 0, LARGEST + 5, 0)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def send() -> None:
            peer, _ = listener.accept()
            with peer, suppress(OSError):
                peer.sendall(image(100) + volume)
                for _ in range(LARGEST >> 20):
                    peer.sendall(bytes(1 << 20))
                peer.sendall(bytes(5) + image(120))

        sender = threading.Thread(target=send)
        sender.start()
        tracemalloc.start()
        with closing(_Client("127.0.0.1", listener.getsockname()[1], None, "", tell_absent=False)) as client:
            pictures = [client.read(), client.read()]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        sender.join()
    assert [None if picture is None else int(picture.pixels.max()) for picture in pictures] == [100, 120]
    assert peak < LARGEST / 8


def test_a_message_beyond_the_limit_is_hung_up_on_unread() -> None:
    too_large, piece, taken = LARGEST + 1, bytes(1 << 20), 0
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def send() -> None:
            nonlocal taken
            peer, _ = listener.accept()
            with peer, suppress(OSError):  # the client hangs up
                peer.sendall(struct.pack(">H12s20sQQQ", 1, b"IMAGE", b"Image", 0, too_large, 0))
                while taken < too_large:
                    peer.sendall(piece)
                    taken += len(piece)

        sender = threading.Thread(target=send)
        sender.start()
        with closing(_Client("127.0.0.1", listener.getsockname()[1], None, "", tell_absent=False)) as client:
            assert client.read() is None
        sender.join()
    assert taken < too_large / 2
