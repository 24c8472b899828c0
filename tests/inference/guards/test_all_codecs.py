"""The guards behind real codecs, as network video and cheap grabbers use them: the same alarms, and no others."""

import subprocess
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.alarms import Alarm
from inference.frame import Frame, Origin, View
from inference.guards.all import every_guard
from inference.sector import GrowingSector
from inference.sources.colour import colour_map
from inference.sources.disturbances import NAMED, disturb, drawn
from inference.sources.disturbed import screens
from inference.sources.pixels import grey

ROWS, COLS = 480, 640
CODECS = {
    "h264": ("libx264", "-preset", "veryfast", "-tune", "zerolatency", "-crf", "30", "-pix_fmt", "yuv420p"),
    "jpeg": ("mjpeg", "-q:v", "15", "-pix_fmt", "yuvj420p"),
}
EXPECTED = {
    "black": Alarm.BLACK,
    "no-signal": Alarm.BLACK,
    "lifted": Alarm.LIFTED,
    "doppler": Alarm.COLOUR,
    "elastography": Alarm.COLOUR,
    "panes": Alarm.PANES,
    "calipers": Alarm.GRAPHICS,
    "writing": Alarm.GRAPHICS,
    "tinted": None,
    "noisy": None,
    "partial": None,
    "saline": None,
    "clot": None,
}
EACH = 4


def through(codec: str, pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """(n, rows, cols, 3): the pictures as they come out of the codec."""
    raw = ("-f", "rawvideo", "-pix_fmt", "bgr24")
    encode = ("ffmpeg", "-v", "error", *raw, "-s", f"{COLS}x{ROWS}", "-r", "25", "-i", "-", "-c:v", *CODECS[codec])
    sent = b"".join(picture.tobytes() for picture in pictures)
    coded = subprocess.run((*encode, "-f", "matroska", "-"), input=sent, capture_output=True, check=True, timeout=60)
    decode = ("ffmpeg", "-v", "error", "-f", "matroska", "-i", "-", *raw[2:], "-f", "rawvideo", "-")
    back = subprocess.run(decode, input=coded.stdout, capture_output=True, check=True, timeout=60).stdout
    return np.frombuffer(back, np.uint8).reshape(-1, ROWS, COLS, 3)


def frames(pictures: NDArray[np.uint8]) -> Iterator[Frame]:
    """Each for itself, as of a recording."""
    sector, origin = GrowingSector(), Origin("coded", View.NATIVE)
    for index, picture in enumerate(pictures):
        colour = colour_map(picture, order="BGR")
        yield Frame(index, sector.apply(grey(picture)), None, index / 25, origin, colour=colour)


@pytest.mark.parametrize("codec", CODECS)
def test_a_poor_codec_neither_hides_nor_makes_an_alarm(codec: str) -> None:
    clean = screens(ROWS, COLS, count=6)
    sent = [drawn(clean[index % 6]) for index in range(EACH)]
    for name in EXPECTED:
        made = NAMED[name]()
        sent += [drawn(disturb(clean[index % 6], made)) for index in range(EACH)]
        sent += [drawn(clean[index % 6]) for index in range(EACH)]
    watch = every_guard()
    found = [next((finding.alarm for finding in watch.look(frame)), None) for frame in frames(through(codec, sent))]
    expected: list[Alarm | None] = [None] * EACH
    for alarm in EXPECTED.values():
        expected += [alarm] * EACH + [None] * EACH
    assert found == expected
