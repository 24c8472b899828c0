"""Network video from a real sender on loopback: what is late, what is rare, what gets stuck."""

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from time import monotonic

import numpy as np
import pytest
from senders import ffmpeg

from inference.errors import SourceError
from inference.frame import Frame
from inference.sources.network import NetworkSource
from inference.spacing import PixelSpacing, Provenance

FreePort = Callable[..., int]
ROWS, COLS, FPS, BITS = 240, 320, 25, 10


def numbered(number: int) -> bytes:
    """A bright picture with its number in it, as big black or white squares."""
    picture = np.full((ROWS, COLS), 90, np.uint8)
    for bit in range(BITS):
        picture[100:132, 8 + bit * 30 : 34 + bit * 30] = 235 if number >> bit & 1 else 20
    return picture.tobytes()


def number_of(frame: Frame) -> int:
    squares = (frame.pixels[108:124, 14 + bit * 30 : 28 + bit * 30].mean() for bit in range(BITS))
    return sum(int(mean > 125) << bit for bit, mean in enumerate(squares))


class Sender:
    """A real ffmpeg, fed at 25 pictures a second; knows when each one was made."""

    def __init__(self, port: int, key_frames: int = 10) -> None:
        raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{COLS}x{ROWS}", "-r", str(FPS), "-i", "-")
        command = [
            *(ffmpeg(), "-loglevel", "error", "-fflags", "nobuffer", "-probesize", "32", *raw, "-pix_fmt", "yuv420p"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(key_frames)),
            *("-flush_packets", "1", "-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"),
        ]
        self.made: dict[int, float] = {}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed)
        self._thread.start()

    def _feed(self) -> None:
        pipe, begun = self._process.stdin, monotonic()
        assert pipe is not None
        number = 0
        while not self._stop.wait(max(0.0, begun + number / FPS - monotonic())) and number < 60 * FPS:
            self.made[number % (1 << BITS)] = monotonic()
            try:
                pipe.write(numbered(number % (1 << BITS)))
                pipe.flush()
            except BrokenPipeError:
                return
            number += 1

    def kill(self) -> None:
        self._process.kill()
        self._stop.set()
        self._thread.join()
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()


@contextmanager
def sending(port: int, key_frames: int = 10) -> Iterator[Sender]:
    sender = Sender(port, key_frames)
    try:
        yield sender
    finally:
        sender.kill()


def address(port: int) -> str:
    return f"udp://127.0.0.1:{port}?localaddr=127.0.0.1"


def test_the_first_picture_is_a_new_one_and_later_ones_stay_so(free_port: FreePort) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with sending(port, key_frames=25) as sender, closing(NetworkSource(address(port))) as source:
        ages = []
        for frame in source.frames():
            ages.append(frame.captured_at - sender.made[number_of(frame)])
            if len(ages) == 60:
                break
    # Pictures from the time of probing are almost a second old. The encoder and two packets take a tenth of it.
    assert max(ages) < 0.5, [round(age, 2) for age in ages]
    assert np.median(ages) < 0.3


def test_a_sender_with_rare_key_frames_is_followed(free_port: FreePort) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with sending(port, key_frames=100), closing(NetworkSource(address(port))) as source:
        numbers = [number_of(frame) for frame, _ in zip(source.frames(), range(40), strict=False)]
    assert numbers == sorted(set(numbers))


def test_the_environment_is_left_as_it_was(free_port: FreePort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_LOGLEVEL", "-8")
    before = dict(os.environ)
    port = free_port(socket.SOCK_DGRAM)
    with sending(port), closing(NetworkSource(address(port))) as source:
        assert dict(os.environ) == before
        assert next(source.frames()).spacing is None
    assert dict(os.environ) == before


def test_a_typed_scale_goes_with_every_picture(free_port: FreePort) -> None:
    port = free_port(socket.SOCK_DGRAM)
    typed = PixelSpacing(0.2, 0.1, Provenance.TYPED)
    with sending(port), closing(NetworkSource(address(port), typed=typed)) as source:
        assert source.info.spacing == typed
        assert next(source.frames()).spacing == typed
        assert source.info.origin.live


def test_closing_frees_a_stuck_read(free_port: FreePort) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with sending(port):
        source = NetworkSource(address(port))
        frames = source.frames()
        next(frames)
    waiting = threading.Thread(target=lambda: [None for _ in frames])
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()  # nobody sends any more
    begun = monotonic()
    source.close()
    waiting.join(5.0)
    assert monotonic() - begun < 1.5
    assert not waiting.is_alive()


def test_nobody_sending_is_refused_without_the_password(free_port: FreePort) -> None:
    with pytest.raises(SourceError, match="check the sender") as refused:
        NetworkSource(f"rtsp://surgeon:secret@127.0.0.1:{free_port()}/live")
    assert "secret" not in str(refused.value)
