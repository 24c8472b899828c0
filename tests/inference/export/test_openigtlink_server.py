"""OpenIGTLink out against real peers on loopback: pyigtl's client, our own source, and peers that misbehave."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic, time
from typing import Any

import numpy as np
import pyigtl
import pytest
from pyigtl.messages import ImageMessage, MessageBase, StringMessage

from inference.errors import OutputError
from inference.export.openigtlink_server import FRAME, MASK, RESULT, Broadcast
from inference.frame import Frame, Origin, View
from inference.outcome import (
    Analysis,
    Failed,
    NotAnalysed,
    NothingFound,
    Outcome,
    Reason,
    Region,
    SizeState,
    Tumour,
    UnknownSpacing,
)
from inference.sources import open_live
from inference.spacing import PixelSpacing, Provenance

FreePort = Callable[..., int]
SPACING = PixelSpacing(0.3, 0.2, Provenance.RULER)
ANALYSIS = Analysis("demo", "ab" * 32, "CPUExecutionProvider", 20.0, 15.0, demonstration=True)
NAME = "Doe_Jane_0815.mp4"


def a_frame(spacing: PixelSpacing | None = SPACING, shape: tuple[int, int] = (40, 60), index: int = 7) -> Frame:
    pixels = np.random.default_rng(index).integers(1, 65_535, shape, np.uint16)
    reason = "" if spacing else "Nobody knows: calibrate."
    return Frame(index, pixels, spacing, monotonic(), Origin(NAME, View.NATIVE, live=True), None, reason)


def a_tumour(frame: Frame) -> Tumour:
    mask = np.zeros(frame.pixels.shape, np.uint8)
    mask[10:20, 15:40] = 1
    area = None if frame.spacing is None else 250 * frame.spacing.pixel_mm2
    size = None if frame.spacing is None else SizeState.AT_MOST_35
    outline = np.array([[15, 10], [39, 10], [39, 19], [15, 19]], np.float32)
    return Tumour(frame, ANALYSIS, mask, (Region(250, area, (outline,), None, None, False, size),))


class Peer:
    """A peer of plain sockets and pyigtl's own unpacking: every message, in order."""

    def __init__(self, server: Broadcast) -> None:
        self._socket = socket.create_connection(server.address, timeout=5.0)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            got = self._socket.recv(size - len(data))
            if not got:
                raise EOFError
            data += got
        return data

    def message(self) -> Any:
        header = MessageBase.parse_header(self._exactly(MessageBase.IGTL_HEADER_SIZE))
        message = MessageBase.create_message(header["message_type"])
        message.unpack(header, self._exactly(header["body_size"]))
        return message

    def bundle(self) -> dict[str, Any]:
        """Messages up to and with the next result."""
        seen: dict[str, Any] = {}
        while RESULT not in seen:
            message = self.message()
            seen[message.device_name] = message
        return seen

    def close(self) -> None:
        self._socket.close()


@contextmanager
def connected(peers: int = 1) -> Iterator[tuple[Broadcast, list[Peer]]]:
    with Broadcast(0) as server:
        joined = [Peer(server) for _ in range(peers)]
        try:
            wait(lambda: server.peers == peers)
            yield server, joined
        finally:
            for peer in joined:
                peer.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("ius-igtl")]


def wait(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    end, tick = monotonic() + within_s, threading.Event()
    while not condition():
        assert monotonic() < end, "did not happen in time"
        tick.wait(0.005)


def told(bundle: dict[str, Any]) -> dict[str, Any]:
    assert isinstance(bundle[RESULT], StringMessage)
    return dict(json.loads(bundle[RESULT].string))


def test_frame_mask_and_result_arrive_together_with_the_scale_of_each_axis() -> None:
    tumour = a_tumour(a_frame())
    with connected() as (server, (peer,)):
        server.send(tumour)
        bundle = peer.bundle()
    frame, mask = bundle[FRAME], bundle[MASK]
    assert np.array_equal(frame.image[0], tumour.frame.pixels)
    assert frame.image.dtype == np.uint16
    assert np.array_equal(mask.image[0], tumour.mask)
    for message in (frame, mask):
        # float32 centre minus half the extent: the origin is 0 to the rounding.
        assert np.allclose(message.ijk_to_world_matrix, np.diag([0.2, 0.3, 1, 1]), atol=1e-5)
        assert message.world_coordinate_system == "lps"
    assert len({message.timestamp for message in bundle.values()}) == 1
    assert abs(frame.timestamp - time()) < 5.0
    result = told(bundle)
    assert result["outcome"] == "tumour"
    assert result["area_mm2"] == pytest.approx(250 * 0.06)
    assert result["size_state"] == "at_most_35"
    assert result["touches_edge"] is False
    assert (result["scale"], result["scale_from"]) == ("known", "two-point ruler")
    assert (result["spacing_row_mm"], result["spacing_col_mm"]) == (0.3, 0.2)
    assert result["spacing_provenance"] == "ruler"
    assert result["demonstration"] is True
    assert (result["mode"], result["unlike_training"]) == ("fast", None)
    assert "Research" in result["intended_use"] or "research" in result["intended_use"]
    assert NAME not in bundle[RESULT].string


def test_our_own_source_reads_back_picture_and_scale() -> None:
    frame = a_frame()
    with Broadcast(0) as server:
        stop = threading.Event()

        def send() -> None:
            while not stop.wait(0.02):
                server.send(a_tumour(frame))

        sender = threading.Thread(target=send)
        sender.start()
        try:
            host, port = server.address
            with open_live(f"igtl://{host}:{port}/{FRAME}") as source:
                got = next(source.frames())
        finally:
            stop.set()
            sender.join()
    assert np.array_equal(got.pixels, frame.pixels)
    assert got.spacing is not None
    assert (got.spacing.row_mm, got.spacing.col_mm) == pytest.approx((0.3, 0.2))
    assert got.spacing.provenance is Provenance.MATRIX


def test_pyigtls_own_client_gets_frame_mask_and_result() -> None:
    with Broadcast(0) as server:
        client = pyigtl.OpenIGTLinkClient(*server.address)
        try:
            wait(lambda: server.peers == 1)
            server.send(a_tumour(a_frame()))
            messages = [client.wait_for_message(name, timeout=5) for name in (FRAME, MASK, RESULT)]
        finally:
            client.stop()
    assert [type(message) for message in messages] == [ImageMessage, ImageMessage, StringMessage]


@pytest.mark.parametrize("without_scale", ["unknown", "analysed_without"])
def test_a_frame_without_scale_is_never_sent_as_a_picture(without_scale: str) -> None:
    frame = a_frame(None)
    outcome: Outcome = UnknownSpacing(frame, "Nobody knows.") if without_scale == "unknown" else a_tumour(frame)
    with connected() as (server, (peer,)):
        server.send(outcome)
        bundle = peer.bundle()
    assert set(bundle) == {RESULT}
    result = told(bundle)
    assert result["scale"] == "unknown"
    assert result["scale_from"] is None
    assert result["spacing_row_mm"] is None
    assert result["no_scale_reason"] == "Nobody knows: calibrate."
    assert result.get("area_mm2") is None
    assert result.get("size_state") is None


def test_losing_the_scale_blanks_picture_and_contour_on_the_peers_screen() -> None:
    with connected() as (server, (peer,)):
        server.send(a_tumour(a_frame()))
        assert peer.bundle()[MASK].image.any()
        server.send(a_tumour(a_frame(None, shape=(80, 90))))
        bundle = peer.bundle()
    assert bundle[FRAME].image.shape == (1, 40, 60)
    assert not bundle[FRAME].image.any()
    assert not bundle[MASK].image.any()
    assert np.allclose(np.diag(bundle[MASK].ijk_to_world_matrix), (0.2, 0.3, 1, 1))


def outcomes_without_contour() -> list[tuple[Outcome, str]]:
    return [
        (NothingFound(a_frame(), ANALYSIS), "none"),
        (Failed(a_frame(), "It broke."), "failed"),
        (NotAnalysed(a_frame(), Reason.OFF, "Analysis is off."), "not_analysed"),
    ]


@pytest.mark.parametrize(("outcome", "word"), outcomes_without_contour())
def test_an_old_contour_goes_with_the_next_outcome(outcome: Outcome, word: str) -> None:
    with connected() as (server, (peer,)):
        server.send(a_tumour(a_frame()))
        peer.bundle()
        server.send(outcome)
        bundle = peer.bundle()
    assert np.array_equal(bundle[FRAME].image[0], outcome.frame.pixels)
    assert not bundle[MASK].image.any()
    assert told(bundle)["outcome"] == word


def test_withdrawing_and_closing_say_so_and_blank() -> None:
    with connected() as (server, (peer,)):
        server.send(a_tumour(a_frame()))
        peer.bundle()
        server.withdraw("SIGNAL LOST")
        for sentence in ("SIGNAL LOST", "The sender was closed."):
            bundle = peer.bundle()
            assert not bundle[FRAME].image.any()
            assert not bundle[MASK].image.any()
            assert told(bundle)["outcome"] == "withdrawn"
            assert told(bundle)["reason"] == sentence
            server.close()
        with pytest.raises(EOFError):
            peer.message()


def test_a_peer_that_reads_nothing_blocks_neither_sender_nor_other_peers() -> None:
    large = a_tumour(a_frame(shape=(720, 1280)))
    with connected(peers=2) as (server, (_stuck, peer)):
        slowest = 0.0
        for index in range(30):
            begun = monotonic()
            server.send(replace(large, frame=replace(large.frame, index=index)))
            slowest = max(slowest, monotonic() - begun)
            assert told(peer.bundle())["frame"] == index
        # Only a lock and a notify: a blocked send would take seconds.
        assert slowest < 0.2
        begun = monotonic()
        server.close()
        assert monotonic() - begun < 4.0


def test_peers_come_go_and_talk_without_harm() -> None:
    with connected(peers=2) as (server, (first, second)):
        first._socket.sendall(StringMessage("hello", device_name="Peer").pack() * 100)
        second.close()
        for index in range(3):
            server.send(a_tumour(a_frame(index=index)))
            assert told(first.bundle())["frame"] == index
        wait(lambda: server.peers == 1)
        third = Peer(server)
        wait(lambda: server.peers == 2)
        server.send(a_tumour(a_frame(index=9)))
        assert told(third.bundle())["frame"] == 9
        third.close()


def test_it_listens_on_loopback_alone_unless_told_otherwise() -> None:
    with Broadcast(0) as server:
        host, port = server.address
        assert host == "127.0.0.1"
        # Another loopback address stands for another network: only a wildcard would answer there.
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", port), timeout=2.0)
    with Broadcast(0, "127.0.0.2") as server:
        assert server.address[0] == "127.0.0.2"


def test_a_busy_port_a_wrong_port_and_a_foreign_address_are_refused_with_one_sentence(free_port: FreePort) -> None:
    with Broadcast(0) as server, pytest.raises(OutputError, match=f"Port {server.address[1]} of 127.0.0.1 is taken"):
        Broadcast(server.address[1])
    with pytest.raises(OutputError, match="is no port"):
        Broadcast(70_000)
    for host in ("192.0.2.1", "no.such.host.invalid"):
        with pytest.raises(OutputError, match="give an address of this computer"):
            Broadcast(free_port(), host)
