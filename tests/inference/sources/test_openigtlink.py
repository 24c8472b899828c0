"""What senders of OpenIGTLink do besides sending grey pictures: real sockets and real messages on loopback."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyigtl.messages import ImageMessage, MessageBase, StringMessage, TransformMessage

from inference.errors import ChoiceError, FormatError, SourceError
from inference.sources import open_live
from inference.sources.openigtlink import picture_of
from inference.spacing import PixelSpacing, Provenance

SCALED = np.diag([0.2, 0.3, 1.0, 1.0])
GREY = np.arange(1, 193, dtype=np.uint8).reshape(1, 12, 16)


def image(pixels: NDArray[Any] = GREY, matrix: NDArray[Any] = SCALED, name: str = "Image") -> bytes:
    return bytes(ImageMessage(pixels, ijk_to_world_matrix=matrix, device_name=name).pack())


def received(pixels: NDArray[Any], matrix: NDArray[Any] = SCALED) -> ImageMessage:
    """The message as a peer unpacks it."""
    data = image(pixels, matrix)
    message, size = ImageMessage(), MessageBase.IGTL_HEADER_SIZE
    message.unpack(MessageBase.parse_header(data[:size]), data[size:])
    return message


def odd_text() -> bytes:
    """A STRING in Latin-1 (IANA 4), which pyigtl cannot decode and answers with a TypeError."""
    data = bytearray(StringMessage("abc", device_name="Note").pack())
    data[58:60] = struct.pack(">H", 4)
    return bytes(data)


@contextmanager
def sending(messages: Callable[[int], Sequence[bytes]]) -> Iterator[int]:
    """A server that sends messages(k), k = 0, 1, … to whoever connects; gives its port."""
    stop = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)

    def talk(peer: socket.socket) -> None:
        count = 0
        while not stop.wait(0.01):
            for data in messages(count):
                peer.sendall(data)
            count += 1

    def serve() -> None:
        while not stop.is_set():
            try:
                peer, _ = server.accept()
            except TimeoutError:
                continue
            with peer:
                try:
                    talk(peer)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        stop.set()
        thread.join(5.0)
        server.close()
        assert not thread.is_alive()


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "live-reader"]


def test_one_device_of_several_is_followed_through_transforms_and_texts() -> None:
    turn = bytes(TransformMessage(np.eye(4), device_name="ProbeToTracker").pack())

    def messages(_: int) -> list[bytes]:
        return [turn, odd_text(), image(GREY[:, ::-1], name="Other"), image(name="B Mode")]

    with sending(messages) as port, open_live(f"igtl://127.0.0.1:{port}/B%20Mode") as source:
        frames = source.frames()
        for frame in (next(frames), next(frames), next(frames)):
            assert np.array_equal(frame.pixels, GREY[0])


def test_of_two_devices_without_a_choice_one_is_shown_and_the_other_named() -> None:
    def messages(_: int) -> list[bytes]:
        return [image(name="Left"), image(name="Right")]

    with sending(messages) as port, open_live(f"igtl://127.0.0.1:{port}") as source:
        frames = source.frames()
        assert all(next(frames).pixels.size for _ in range(3))
        assert "(Right): add a name" in source.info.notice


@pytest.mark.parametrize("name", ["Left", ""])
def test_after_an_interruption_the_device_that_was_opened_is_followed_whichever_comes_first(name: str) -> None:
    connections = iter(range(1, 1000))
    other = image(GREY[:, ::-1], np.diag([0.1, 0.1, 1.0, 1.0]), "Right")
    ours, number = image(name=name), 0

    def messages(count: int) -> list[bytes]:
        nonlocal number
        number = next(connections) if count == 0 else number
        if count == 3:
            raise OSError("the connection breaks")
        return [ours, other] if number == 1 else [other, ours]

    with sending(messages) as port, open_live(f"igtl://127.0.0.1:{port}") as source:
        for frame in source.frames():
            assert np.array_equal(frame.pixels, GREY[0])
            assert frame.spacing is not None
            assert frame.spacing.row_mm == pytest.approx(0.3)
            if number > 2:
                break


def test_what_a_server_had_in_its_queue_is_not_shown_as_live() -> None:
    stalled_at, made, late_s, shown = 0.0, 0, 0.0, list[int]()

    def messages(count: int) -> list[bytes]:
        nonlocal stalled_at, made, late_s
        made = made + 1 if count or not stalled_at else 10_000  # whoever connects anew has an empty queue
        if made == 20:
            stalled_at = time()
            threading.Event().wait(1.2)  # meanwhile pictures are made, fifty a second, and wait to be sent
        late_s = max(0.0, time() - stalled_at - 0.02 * (made - 20)) if stalled_at else 0.0
        grey = 10 if not stalled_at else 99 if late_s > 0.75 else 2
        pixels = np.full((1, 12, 16), grey + made % 2, np.uint8)
        return [bytes(ImageMessage(pixels, SCALED, timestamp=time() - late_s, device_name="Image").pack())]

    with sending(messages) as port, open_live(f"igtl://127.0.0.1:{port}") as source:
        for frame in source.frames():
            shown.append(int(frame.pixels.max()))
            if shown[-1] in (2, 3):
                break
    assert set(shown) <= {2, 3, 10, 11}


def test_a_sender_that_names_one_device_after_another_fills_no_memory() -> None:
    def messages(number: int) -> list[bytes]:
        others = [bytes(StringMessage("x", device_name=f"T{number}").pack())]
        return [image(name="Left"), *(image(name=f"B\n{number}-{place}") for place in range(20)), *others]

    with sending(messages) as port, open_live(f"igtl://127.0.0.1:{port}") as source:
        frames = source.frames()
        assert all(next(frames).pixels.size for _ in range(12))
        assert source.info.notice.count(",") < 12
        assert source.info.notice.isprintable()


def test_a_device_that_is_not_there_is_refused_with_the_names_that_are() -> None:
    with sending(lambda _: [image(name="Left")]) as port:
        with pytest.raises(SourceError, match="no picture named Probe but Left"):
            open_live(f"igtl://127.0.0.1:{port}/Probe")
        assert not readers()


def test_a_server_of_transforms_alone_is_given_up_and_leaves_no_thread() -> None:
    turn = bytes(TransformMessage(np.eye(4), device_name="ProbeToTracker").pack())
    with sending(lambda _: [turn]) as port:
        with pytest.raises(SourceError, match="sends no picture"):
            open_live(f"igtl://127.0.0.1:{port}")
        assert not readers()


def test_closing_frees_a_reader_that_waits_for_the_rest_of_a_picture() -> None:
    with sending(lambda count: [image() if count == 0 else image()[:100] if count == 1 else b""]) as port:
        source = open_live(f"igtl://127.0.0.1:{port}")
        next(source.frames())
        begun = monotonic()
        source.close()
        assert monotonic() - begun < 0.5
        assert not readers()


def test_a_tracked_probe_that_turns_keeps_the_scale_given_by_hand() -> None:
    typed = PixelSpacing(0.5, 0.5, Provenance.TYPED)

    def messages(count: int) -> list[bytes]:
        angle = 0.37 * count
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        return [image(matrix=turn @ SCALED)]

    with sending(messages) as port, open_live(f"igtl://127.0.0.1:{port}", spacing=typed) as source:
        for frame in source.frames():
            assert frame.spacing == typed
            if frame.index > 30:
                break


def test_rubbish_is_survived_and_the_server_asked_again() -> None:
    broken = bytearray(image())
    broken[58 + 3] = 99  # a scalar type that does not exist

    def messages(count: int) -> list[bytes]:
        return [image(), image(), bytes(broken)] if count == 0 else [image()]

    with sending(messages) as port, open_live(f"igtl://127.0.0.1:{port}") as source:
        for frame in source.frames():
            if frame.index >= 5:
                break


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_depth_and_colour_ends_as_one_grey_picture(dtype: type, channels: int) -> None:
    grey = (np.arange(6 * 8) * 5).reshape(1, 6, 8).astype(dtype)
    pixels = picture_of(received(np.repeat(grey[..., None], channels, -1) if channels > 1 else grey)).pixels
    kept = dtype in (np.uint8, np.uint16)
    assert pixels.dtype == (dtype if kept else np.float32)
    assert np.allclose(pixels, grey[0], rtol=1e-6)


def test_the_high_bits_of_a_big_endian_picture_are_kept() -> None:
    data = bytearray(image(np.array([[[1, 256], [40_000, 65_535]]], np.uint16).byteswap()))
    data[58 + 4] = 1  # big endian, which pyigtl cannot pack
    message = ImageMessage()
    message.unpack(MessageBase.parse_header(bytes(data[:58])), bytes(data[58:]))
    pixels = picture_of(message).pixels
    assert pixels.dtype == np.uint16
    assert pixels.tolist() == [[1, 256], [40_000, 65_535]]


@pytest.mark.parametrize(
    ("pixels", "sentence"),
    [
        (np.zeros((3, 4, 5), np.uint8), "volumes"),
        (np.zeros((1, 4, 5, 2), np.uint8), "2 components"),
        (np.zeros((1, 0, 5), np.uint8), "empty"),
    ],
)
def test_what_is_no_picture_is_refused(pixels: NDArray[Any], sentence: str) -> None:
    with pytest.raises(FormatError, match=sentence):
        picture_of(received(pixels))


def test_an_address_without_computer_or_with_a_wrong_port_is_refused() -> None:
    for address in ("igtl://", "igtl:///Image", "igtl://host:99999"):
        with pytest.raises(ChoiceError, match="igtl://host:port"):
            open_live(address)


def test_a_real_server_is_followed_by_its_device_name(igtl: Any, free_port: Any) -> None:
    port = free_port()
    with igtl(port), open_live(f"igtl://127.0.0.1:{port}/Image") as source:
        assert next(source.frames()).spacing is not None
