"""Network video from real senders on loopback: what is late, what is rare, what gets stuck."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
import pytest

from inference.errors import SourceError
from inference.frame import Frame
from inference.latest import Latest
from inference.sources.network import LATE_S, Lateness, NetworkSource
from inference.sources.simulated import PhantomSource
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
        ffmpeg = shutil.which("ffmpeg")
        assert ffmpeg, "ffmpeg is missing: packaging/test-tools installs it"
        raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{COLS}x{ROWS}", "-r", str(FPS), "-i", "-")
        command = [
            *(ffmpeg, "-loglevel", "error", "-fflags", "nobuffer", "-probesize", "32", *raw, "-pix_fmt", "yuv420p"),
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


@contextmanager
def opened(url: str, typed: PixelSpacing | None = None) -> Iterator[NetworkSource]:
    source = NetworkSource(url, typed=typed)
    try:
        yield source
    finally:
        source.close()


def address(port: int) -> str:
    return f"udp://127.0.0.1:{port}?localaddr=127.0.0.1"


def test_the_first_picture_is_a_new_one_and_later_ones_stay_so(free_port: FreePort) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with sending(port, key_frames=25) as sender, opened(address(port)) as source:
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
    with sending(port, key_frames=100), opened(address(port)) as source:
        numbers = [number_of(frame) for frame, _ in zip(source.frames(), range(40), strict=False)]
    assert numbers == sorted(set(numbers))


def test_the_environment_is_left_as_it_was(free_port: FreePort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_LOGLEVEL", "-8")
    before = dict(os.environ)
    port = free_port(socket.SOCK_DGRAM)
    with sending(port), opened(address(port)) as source:
        assert dict(os.environ) == before
        assert next(source.frames()).spacing is None
    assert dict(os.environ) == before


def test_a_typed_scale_goes_with_every_picture(free_port: FreePort) -> None:
    port = free_port(socket.SOCK_DGRAM)
    typed = PixelSpacing(0.2, 0.1, Provenance.TYPED)
    with sending(port), opened(address(port), typed) as source:
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


def arrivals(offsets: list[float], begin: float = 0.0) -> list[tuple[float, float]]:
    """(stream, arrival) times of a 25 fps stream whose pictures arrive that much later."""
    return [(begin + number / FPS, 100.0 + number / FPS + offset) for number, offset in enumerate(offsets)]


def told(pictures: list[tuple[float, float]], *, clocked: bool = True) -> list[bool]:
    lateness = Lateness(clocked=clocked)
    return [lateness.late(stream, now) for stream, now in pictures]


def test_a_stall_that_is_caught_up_shows_no_old_picture() -> None:
    # One second without pictures, then all of them at once.
    offsets = [0.1] * 50 + [1.1 - number / FPS for number in range(25)] + [0.1] * 50
    late = told(arrivals(offsets))
    assert late == [number == 0 or offset > LATE_S + 0.1 for number, offset in enumerate(offsets)]


def test_a_decoder_that_falls_behind_is_noticed() -> None:
    late = told([(number / FPS, 100.0 + number * 1.05 / FPS) for number in range(60 * FPS)])
    assert not any(late[1 : 9 * FPS])
    assert all(late[11 * FPS :])


@pytest.mark.parametrize("drift", [-2e-4, 2e-4])
def test_clocks_that_drift_apart_for_hours_are_not_lateness(drift: float) -> None:
    pictures = [(number * 0.2, 100.0 + number * 0.2 * (1 + drift)) for number in range(4 * 3600 * 5)]
    assert not any(told(pictures)[1:])


def test_a_sender_that_sets_its_clock_anew_is_believed() -> None:
    before = arrivals([0.1] * 100)
    after = [(1000.0 + stream, now + 4.0) for stream, now in before]
    back = [(stream, now + 8.0) for stream, now in before]
    assert not any(told(before + after + back)[1:])


def test_an_invented_clock_is_not_trusted() -> None:
    # Plain MJPEG at 10 a second, which ffmpeg counts as 25.
    assert not any(told([(number * 0.04, number * 0.1) for number in range(1000)], clocked=False)[1:])


def test_motion_jpeg_over_http_is_followed(free_port: FreePort) -> None:
    with mjpeg(free_port()) as url, opened(url) as source:
        frames = [frame for frame, _ in zip(source.frames(), range(10), strict=False)]
    assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})
    assert frames[0].pixels.shape == (96, 128)


@contextmanager
def mjpeg(port: int) -> Iterator[str]:
    """A server that sends the phantom as motion JPEG to whoever connects."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", port))
    listener.settimeout(10.0)

    def serve() -> None:
        phantom, number = PhantomSource(rows=96, cols=128, count=40), 0
        client, _ = listener.accept()
        with client:
            client.recv(4096)
            client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n")
            while not stop.wait(0.05):
                jpeg = cv2.imencode(".jpg", phantom.read(number % 40).pixels)[1].tobytes()
                head = f"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
                try:
                    client.sendall(head + jpeg + b"\r\n")
                except OSError:
                    return
                number += 1

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/live.mjpg"
    finally:
        stop.set()
        thread.join()
        listener.close()


RTSP_SERVER = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer(address="127.0.0.1", service=sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory(shared=True)
picture = "video/x-raw,format=I420,width=320,height=240,framerate=25/1"
factory.set_launch(f"( videotestsrc is-live=true pattern=ball ! {picture} ! jpegenc ! rtpjpegpay name=pay0 )")
server.get_mount_points().add_factory("/live", factory)
if not server.attach(None):
    sys.exit("the port is taken")
print("ready", flush=True)
GLib.timeout_add_seconds(60, sys.exit)
GLib.MainLoop().run()
"""
SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's own: GStreamer's binding is not on PyPI without a compiler."""


@pytest.fixture(scope="module")
def gst_rtsp() -> None:
    """Leaves out what needs gst-rtsp-server where it is not."""
    check = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    usable = Path(SYSTEM_PYTHON).exists()
    usable = usable and subprocess.run([SYSTEM_PYTHON, "-c", check], capture_output=True, check=False).returncode == 0
    if not usable:
        pytest.skip("gst-rtsp-server is not here: apt install python3-gi gir1.2-gst-rtsp-server-1.0")


@contextmanager
def rtsp_server(port: int) -> Iterator[None]:
    """A real gst-rtsp-server; leaving kills it, as pulling the cable does."""
    process = subprocess.Popen([SYSTEM_PYTHON, "-c", RTSP_SERVER, str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.mark.usefixtures("gst_rtsp")
def test_an_rtsp_stream_is_followed_lost_and_found_again(free_port: FreePort) -> None:
    port = free_port()
    newest: Latest[Frame] = Latest()
    with rtsp_server(port):
        source = NetworkSource(f"rtsp://127.0.0.1:{port}/live")
        thread = threading.Thread(target=lambda: take(source, newest))
        thread.start()
        frame = wait_for(newest)
        assert frame.pixels.shape == (240, 320)
        assert frame.spacing is None
        begun, number = monotonic(), frame.index
        while frame.index < number + 50:
            frame = wait_for(newest)
        assert monotonic() - begun < 4.0  # two seconds of the sender's
    try:
        wait_for_silence(newest)
        with rtsp_server(port):
            assert wait_for(newest).index > frame.index
    finally:
        begun = monotonic()
        source.close()
        thread.join(5.0)
        assert monotonic() - begun < 1.5
        assert not thread.is_alive()


def take(source: NetworkSource, newest: Latest[Frame]) -> None:
    for frame in source.frames():
        newest.put(frame)


def wait_for(newest: Latest[Frame], within_s: float = 15.0) -> Frame:
    end, tick = monotonic() + within_s, threading.Event()
    while monotonic() < end:
        if (frame := newest.poll()) is not None:
            return frame
        tick.wait(0.005)
    raise AssertionError(f"no frame within {within_s} s")


def wait_for_silence(newest: Latest[Frame], for_s: float = 1.0) -> None:
    since, end, tick = monotonic(), monotonic() + 10.0, threading.Event()
    while monotonic() - since < for_s:
        assert monotonic() < end, "frames keep coming"
        if newest.poll() is not None:
            since = monotonic()
        tick.wait(0.005)
