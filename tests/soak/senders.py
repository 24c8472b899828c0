"""Real senders of live pictures, each a process of its own that can be killed, as a pulled cable or a crash does."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.assets import demo_clip_path
from inference.crop import Rect
from inference.sources import open_source

HERE = Path(__file__).resolve().parent
FPS = 25
TEXT = Rect(40, 1050, 640, 160)
"""Depth text and ruler on a 1280×720 screen."""
SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's own: GStreamer's binding is not on PyPI without a compiler."""
Sending: TypeAlias = "subprocess.Popen[str]"


@dataclass(frozen=True, slots=True)
class Clip:
    """The bundled clip, ready to be sent.

    Attributes:
        video: H.264 without B-frames, to be sent as it is: encoding would take the viewer's cores.
        stills: folder of 00000.jpg and so on.
        spacing_mm: of its square pixels.
        text: where depth text and ruler are.
        shape: rows and columns.
    """

    video: Path
    stills: Path
    spacing_mm: float
    text: Rect
    shape: tuple[int, int]


def pictures(rows: int, cols: int) -> tuple[list[NDArray[np.uint8]], float]:
    """The bundled clip's frames in the middle of a scanner's screen, and their mm a pixel."""
    with open_source(str(demo_clip_path())) as source:
        side = min(rows, cols)
        spacing = source.info.spacing
        assert spacing is not None
        screens, place = [], text_place(rows)
        text = cv2.resize(depth_text(), (place.cols, place.rows), interpolation=cv2.INTER_AREA)
        for index in range(len(source)):
            screen = np.zeros((rows, cols), np.uint8)
            sector = cv2.resize(source.read(index).pixels, (side, side), interpolation=cv2.INTER_LINEAR)
            top, left = (rows - side) // 2, (cols - side) // 2
            screen[top : top + side, left : left + side] = sector
            if place.fits(rows, cols):
                screen[place.where] = text
            screens.append(screen)
        return screens, spacing.row_mm * source.info.rows / side


def text_place(rows: int) -> Rect:
    """Beside the sector of a 16:9 screen of this height."""
    return Rect(*(value * rows // 720 for value in (TEXT.top, TEXT.left, TEXT.rows, TEXT.cols)))


def depth_text() -> NDArray[np.uint8]:
    """What a scanner writes beside its sector: the depth, and a ruler."""
    text = np.zeros((TEXT.rows, TEXT.cols), np.uint8)
    cv2.putText(text, "8.6 cm", (16, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 230, 2)
    for row in range(100, TEXT.rows, 60):
        text[row : row + 3, 20:60] = 200
    return text


def write_clip(folder: Path, rows: int = 720, cols: int = 1280) -> Clip:
    """Write the bundled clip in the forms in which it is sent."""
    screens, spacing_mm = pictures(rows, cols)
    raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{cols}x{rows}", "-r", str(FPS), "-i", "-")
    x264 = ("-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-crf", "18", "-g", str(FPS))
    clip = Clip(folder / "clip.mkv", folder / "stills", spacing_mm, text_place(rows), (rows, cols))
    clip.stills.mkdir()
    # RTP carries JPEG without its Huffman tables: the standard ones are assumed.
    jpeg = ("-pix_fmt", "yuvj420p", "-q:v", "3", "-huffman", "default", "-start_number", "0")
    command = [
        ffmpeg(),
        "-loglevel",
        "error",
        *raw,
        "-pix_fmt",
        "yuv420p",
        *x264,
        str(clip.video),
        *jpeg,
        str(clip.stills / "%05d.jpg"),
    ]
    subprocess.run(command, input=b"".join(screen.tobytes() for screen in screens), check=True)
    return clip


def ffmpeg() -> str:
    """The program."""
    found = shutil.which("ffmpeg")
    assert found, "ffmpeg is missing: packaging/test-tools installs it"
    return found


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], *, says_ready: bool = False) -> Iterator[Sending]:
    """A process that is killed at the end, or before it by the user."""
    output = subprocess.PIPE if says_ready else subprocess.DEVNULL
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, text=True, env=environment)
    try:
        if process.stdout is not None:
            assert process.stdout.readline() == "ready\n", f"{command[1]} did not start"
        yield process
    finally:
        process.kill()
        process.communicate()


def udp(clip: Clip, port: int, fps: float = FPS) -> list[str]:
    """The command by which ffmpeg sends the clip for ever as MPEG-TS."""
    loop = ("-readrate", str(fps / FPS), "-stream_loop", "-1", "-i", str(clip.video), "-c", "copy")
    to = ("-flush_packets", "1", "-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316")
    return [ffmpeg(), "-loglevel", "error", *loop, *to]


def rtsp(clip: Clip, port: int) -> list[str]:
    """The command by which gst-rtsp-server offers the clip for ever as Motion JPEG."""
    return [SYSTEM_PYTHON, str(HERE / "gst_sender.py"), str(port), str(clip.stills), str(FPS), *map(str, clip.shape)]


def igtl(_: Clip, port: int) -> list[str]:
    """The command by which a pyigtl server sends the clip for ever, with its scale."""
    return [sys.executable, str(HERE / "igtl_sender.py"), str(port)]


def has_rtsp() -> bool:
    """Whether gst-rtsp-server is here: apt install python3-gi gir1.2-gst-rtsp-server-1.0."""
    check = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    command = [SYSTEM_PYTHON, "-c", check]
    return Path(SYSTEM_PYTHON).exists() and subprocess.run(command, capture_output=True, check=False).returncode == 0


@dataclass(frozen=True, slots=True)
class Transport:
    """One way on which pictures come.

    Attributes:
        name: for figures.
        command: makes the sender's command.
        address: makes the viewer's source.
        port: kind of the port.
        says_ready: whether the sender says when it can be connected to.
        scaled: whether the signal carries its own scale; else it is given by hand.
    """

    name: str
    command: Callable[[Clip, int], list[str]]
    address: str
    port: socket.SocketKind
    says_ready: bool
    scaled: bool


TRANSPORTS = {
    transport.name: transport
    for transport in (
        Transport("udp", udp, "udp://127.0.0.1:{}?localaddr=127.0.0.1", socket.SOCK_DGRAM, False, False),
        Transport("rtsp", rtsp, "rtsp://127.0.0.1:{}/live", socket.SOCK_STREAM, True, False),
        Transport("igtl", igtl, "igtl://127.0.0.1:{}/Image", socket.SOCK_STREAM, True, True),
    )
}
