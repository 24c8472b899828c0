"""The scanner's depth text and ruler, seen through real codecs, with living speckle beside them."""

import subprocess
from dataclasses import replace

import cv2
import numpy as np
import pytest

from inference.alarms import Alarm
from inference.crop import Rect
from inference.errors import SpacingError
from inference.sources.depth_watch import CHANGED, DepthGuard, may_measure
from inference.sources.simulated import PhantomSource

ROWS, COLS = 480, 640
REGION = Rect(10, 548, 450, 90)
CODECS = {
    "good": ("libx264", "-preset", "veryfast", "-tune", "zerolatency", "-crf", "23", "-pix_fmt", "yuv420p"),
    "poor": ("libx264", "-preset", "veryfast", "-tune", "zerolatency", "-crf", "30", "-pix_fmt", "yuv420p"),
    "jpeg": ("mjpeg", "-q:v", "15", "-pix_fmt", "yuvj420p"),
}


def screen(random, text="8.0 cm", step=40, size=0.5):
    """A scanner's screen: other speckle each time, a ruler and a depth text beside it."""
    y, x = np.mgrid[:ROWS, :COLS]
    radius = np.hypot(x - 320, y + 40)
    fan = (radius < 480) & (radius > 90) & (np.abs(x - 320) < (y + 40) * 0.7) & (x < 545)
    picture = np.where(fan, np.clip(random.rayleigh(50, fan.shape), 0, 255), 0).astype(np.uint8)
    for row in range(40, 460, step):
        cv2.line(picture, (560, row), (570, row), 200, 1)
    cv2.putText(picture, text, (560, 30), cv2.FONT_HERSHEY_SIMPLEX, size, 230, 1, cv2.LINE_AA)
    return picture


def through(codec, pictures):
    """The pictures as they come out of the codec."""
    grey = ("-f", "rawvideo", "-pix_fmt", "gray")
    encode = ("ffmpeg", "-v", "error", *grey, "-s", f"{COLS}x{ROWS}", "-r", "25", "-i", "-", "-c:v", *CODECS[codec])
    coded = subprocess.run(
        (*encode, "-f", "matroska", "-"),
        input=b"".join(picture.tobytes() for picture in pictures),
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    decode = ("ffmpeg", "-v", "error", "-f", "matroska", "-i", "-", "-pix_fmt", "gray", "-f", "rawvideo", "-")
    raw = subprocess.run(decode, input=coded, capture_output=True, check=True, timeout=60).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, ROWS, COLS)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [0.35, 0.5])
@pytest.mark.parametrize("changed", [{"text": "8.5 cm"}, {"text": "6.0 cm"}, {"step": 41}])
def test_it_fires_on_the_very_frame_that_differs_and_on_none_before(codec, size, changed):
    random = np.random.default_rng(0)
    still = [screen(random, size=size) for _ in range(30)]
    pictures = through(codec, [*still, screen(random, size=size, **changed)])
    guard = DepthGuard(pictures[0], REGION)
    assert [guard.compare(picture, 0.0) for picture in pictures[:30]] == [None] * 30
    found = guard.compare(pictures[30], 7.5)
    assert found is not None
    assert (found.alarm, found.since) == (Alarm.DEPTH, 7.5)


def test_text_and_ruler_are_each_watched_and_what_stands_between_them_is_not():
    before = screen(np.random.default_rng(3))
    guard = DepthGuard(before, Rect(10, 548, 30, 90), Rect(70, 552, 380, 24))
    for changed in ({"text": "8.5 cm"}, {"step": 41}):
        assert guard.change(screen(np.random.default_rng(4), **changed)) > CHANGED
    between = before.copy()
    between[45:65, 548:638] = 255
    assert guard.change(between) == 0
    assert guard.renewed(screen(np.random.default_rng(5), step=41)).change(before) > CHANGED
    with pytest.raises(SpacingError, match="Nothing is marked"):
        DepthGuard(before)
    with pytest.raises(SpacingError, match="neither text nor ruler"):
        DepthGuard(before, REGION, Rect(10, 600, 2, 20))


def test_it_stays_fired_though_the_old_depth_comes_back():
    random = np.random.default_rng(1)
    before, other = screen(random), screen(random, "6.0 cm")
    guard = DepthGuard(before, REGION)
    first = guard.compare(other, 3.0)
    assert first is not None
    assert guard.compare(before, 4.0) == first


def test_a_frame_is_compared_as_its_pixels_and_another_size_is_a_change():
    frame = PhantomSource(count=2).read(0)
    guard = DepthGuard(frame.pixels, Rect(0, 0, frame.rows, frame.cols))
    assert guard.look(frame) is None
    assert guard.look(replace(frame, pixels=np.ascontiguousarray(frame.pixels[:-1]))) is not None


def test_deep_pixels_are_judged_by_their_own_white():
    picture = screen(np.random.default_rng(2)).astype(np.uint16) * 200
    other = screen(np.random.default_rng(2), "6.0 cm").astype(np.uint16) * 200
    guard = DepthGuard(picture, REGION)
    assert guard.change(picture) == 0
    assert guard.change(other) > CHANGED


def test_a_region_that_shows_nothing_cannot_guard_anything():
    black = np.zeros((ROWS, COLS), np.uint8)
    with pytest.raises(SpacingError, match="neither text nor ruler"):
        DepthGuard(black, REGION)
    with pytest.raises(SpacingError, match="outside the picture"):
        DepthGuard(black, Rect(400, 600, 100, 100))


@pytest.mark.parametrize(
    ("captured", "own_scale", "watched", "allowed"),
    [
        (False, False, False, True),
        (True, False, False, False),
        (True, False, True, True),
        (True, True, False, True),
    ],
)
def test_a_captured_picture_has_no_mm2_until_it_is_watched(captured, own_scale, watched, allowed):
    assert may_measure(captured=captured, own_scale=own_scale, watched=watched) is allowed
