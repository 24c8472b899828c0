"""A stream whose picture changes its size ends as another signal: it is never scaled to the size it had."""

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import cv2
import pytest
from datagrams import sent
from senders import ffmpeg

from inference.errors import SourceError
from inference.sources.network import NetworkSource
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance

FreePort = Callable[..., int]
TYPED = PixelSpacing(0.2, 0.2, Provenance.TYPED)


@contextmanager
def served(port: int, *command: str) -> Iterator[None]:
    """A real ffmpeg, served over TCP: it loses nothing, and bare video needs that."""
    listener = socket.create_server(("127.0.0.1", port))
    sender = subprocess.Popen((ffmpeg(), "-loglevel", "error", *command, "-"), stdout=subprocess.PIPE)

    def serve() -> None:
        with suppress(OSError):
            client, _ = listener.accept()
            with client:
                while (some := sender.stdout.read1()) if sender.stdout else b"":
                    client.sendall(some)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        sender.kill()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()
        sender.communicate()


def made(folder: Path, encoder: tuple[str, ...], *sizes: str) -> Path:
    """A transport stream of which each part has another size, in the order given."""
    path = folder / "two.ts"
    with path.open("wb") as whole:
        for number, size in enumerate(sizes):
            source = ("-f", "lavfi", "-i", f"testsrc=size={size}:rate=25", "-t", "2")
            form = ("-pix_fmt", "yuv420p", "-output_ts_offset", str(2 * number), "-f", "mpegts", "-")
            command = (ffmpeg(), "-loglevel", "error", *source, *encoder, *form)
            whole.write(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    return path


def seen(source: NetworkSource) -> tuple[set[tuple[int, ...]], str]:
    """The sizes of the pictures that came, and why no more do."""
    frames = source.frames()
    sizes: set[tuple[int, ...]] = set()
    try:
        for frame in frames:
            sizes.add(frame.pixels.shape)
            assert frame.spacing in (TYPED, None)  # none after a pause, which a busy computer makes
    except SourceError as error:
        return sizes, str(error)
    raise AssertionError("it goes on")


def test_the_real_case_ends_with_the_change(free_port: FreePort, shared_data: Path) -> None:
    clip, port = shared_data / "field/stream_size_change/c12.h264", free_port()
    send = ("-re", "-i", str(clip), "-c", "copy", "-f", "h264")
    with served(port, *send), closing(NetworkSource(f"tcp://127.0.0.1:{port}", typed=TYPED)) as source:
        sizes, sentence = seen(source)
    assert sizes == {(240, 320)}
    assert "The picture changed from 320 × 240 to 640 × 240 pixels" in sentence


CODECS = {
    "h264": ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10"),
    "mpeg4": ("-c:v", "mpeg4", "-g", "10"),
    "mpeg2": ("-c:v", "mpeg2video", "-g", "10"),
}


SIZES = [("320x240", "480x240"), ("480x240", "320x240"), ("320x240", "240x320")]


@pytest.mark.parametrize(
    ("codec", "sizes"), [*((codec, sizes) for codec in ("h264", "mpeg2") for sizes in SIZES), ("mpeg4", SIZES[0])]
)
def test_whatever_the_codec_and_the_direction(
    free_port: FreePort, tmp_path: Path, codec: str, sizes: tuple[str, str]
) -> None:
    clip, port = made(tmp_path, CODECS[codec], *sizes), free_port(socket.SOCK_DGRAM)
    # Again and again, since a busy computer may connect when the second size is already on its way.
    with sent(clip, port, 4.0), closing(NetworkSource(f"udp://127.0.0.1:{port}", typed=TYPED)) as source:
        came, sentence = seen(source)
    (first,) = ((cols, rows) for rows, cols in came)  # pictures of one size, then none
    both = {tuple(int(side) for side in size.split("x")) for size in sizes}
    (second,) = both - {first}
    assert f"from {first[0]} × {first[1]} to {second[0]} × {second[1]} pixels" in sentence


@pytest.mark.parametrize("codec", ["h264", "mpeg2"])
def test_pixels_that_are_not_square_are_said_and_another_shape_ends_it(
    free_port: FreePort, tmp_path: Path, codec: str
) -> None:
    clip, port = made(tmp_path, CODECS[codec], "320x240:sar=4/3", "320x240"), free_port(socket.SOCK_DGRAM)
    with sent(clip, port, 4.0), closing(NetworkSource(f"udp://127.0.0.1:{port}", typed=TYPED)) as source:
        aspect, notice = source.info.pixel_aspect, source.info.notice
        _, sentence = seen(source)
    shown = "1.33" if aspect > 1 else "1"
    assert aspect == pytest.approx(4 / 3 if aspect > 1 else 1)
    assert ("are 1.33 times as wide as high." in notice) == (aspect > 1)
    assert f"pixels changed, from {shown} to" in sentence


@contextmanager
def jpegs(port: int) -> Iterator[str]:
    """A server of motion JPEG whose pictures become wider after forty."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", port))
    listener.settimeout(10.0)

    def serve() -> None:
        phantoms = [PhantomSource(rows=96, cols=cols, count=40) for cols in (128, 160)]
        client, _ = listener.accept()
        with client, suppress(OSError):
            client.recv(4096)
            client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n")
            number = 0
            while not stop.wait(0.05):
                jpeg = cv2.imencode(".jpg", phantoms[number > 40].read(number % 40).pixels)[1].tobytes()
                head = f"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
                client.sendall(head + jpeg + b"\r\n")
                number += 1

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/live.mjpg"
    finally:
        stop.set()
        thread.join()
        listener.close()


def test_motion_jpeg_too(free_port: FreePort) -> None:
    with jpegs(free_port()) as url, closing(NetworkSource(url, typed=TYPED)) as source:
        sizes, sentence = seen(source)
    assert sizes == {(96, 128)}
    assert "from 128 × 96 to 160 × 96 pixels" in sentence
