"""Where a picture is coloured, and that its source says so: a tint is none, a vessel is."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.assets import demo_clip_path
from inference.crop import Rect, crop
from inference.guards.coloured import SHARE, coloured_share
from inference.guards.thumbnail import Thumbnail
from inference.live.ring import Ring
from inference.outcome import NotAnalysed, Reason
from inference.sources import open_here as open_source
from inference.sources.colour import CELL, colour_map

VESSEL = (slice(240, 280), slice(230, 300))
"""In the middle of the demonstration clip's pictures."""


@pytest.fixture(scope="module")
def tissue() -> NDArray[np.uint8]:
    """(512, 512): a picture of the demonstration clip, its gain turned up."""
    with open_source(str(demo_clip_path())) as source:
        return np.clip(source.read(0).pixels * 2.0, 0, 255).astype(np.uint8)


def rgb(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(grey[..., None], 3, axis=2)


@settings(deadline=None)
@given(tint=st.tuples(*[st.floats(0.4, 1.0)] * 3), gamma=st.floats(0.6, 1.6))
def test_a_tint_of_any_strength_is_no_colour(tint: tuple[float, float, float], gamma: float) -> None:
    ramp = np.tile(np.linspace(0, 255, 256).astype(np.uint8), (64, 1))
    tinted = (255 * (rgb(ramp) / 255) ** gamma * np.array(tint)).astype(np.uint8)
    assert colour_map(tinted) is None


@pytest.mark.parametrize("colour", [(200, 30, 20), (20, 60, 210), (230, 150, 20), (40, 180, 60)])
@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (1.0, 0.8, 0.55)])
def test_a_vessel_is_found_where_it_is_over_grey_and_over_tinted_tissue(
    tissue: NDArray[np.uint8], colour: tuple[int, int, int], tint: tuple[float, float, float]
) -> None:
    picture = (rgb(tissue) * np.array(tint)).astype(np.uint8)
    assert colour_map(picture) is None
    picture[VESSEL] = colour
    found = colour_map(picture)
    assert found is not None
    expected = np.zeros((512 // CELL, 512 // CELL), bool)
    expected[tuple(slice(where.start // CELL, where.stop // CELL) for where in VESSEL)] = True
    assert np.count_nonzero((found > 0) & expected) > 0.8 * np.count_nonzero(expected)
    assert np.count_nonzero((found > 0) & ~expected) <= 0.1 * np.count_nonzero(expected)


def test_grey_pictures_and_what_is_no_picture_have_none() -> None:
    grey = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    assert colour_map(grey) is None
    assert colour_map(grey[..., None]) is None
    assert colour_map(rgb(grey)) is None
    assert colour_map(rgb(grey).astype(np.float32)) is None


def test_sixteen_bits_and_both_orders_are_read(tissue: NDArray[np.uint8]) -> None:
    picture = rgb(tissue)
    picture[VESSEL] = (200, 30, 20)
    found = colour_map(picture)
    deep = colour_map(picture.astype(np.uint16) * 257)
    turned = colour_map(picture[..., ::-1], order="BGR")
    assert found is not None
    assert deep is not None
    assert turned is not None
    assert np.array_equal(found, deep)
    assert np.array_equal(found, turned)


@pytest.mark.parametrize("kind", ["picture", "folder", "video"])
def test_files_tell_the_guard_and_a_crop_takes_the_colour_out(
    tissue: NDArray[np.uint8], tmp_path: Path, kind: str
) -> None:
    plain, coloured = rgb(tissue), rgb(tissue)
    coloured[VESSEL] = (20, 30, 200)
    shares = []
    for name, picture in (("plain", plain), ("coloured", coloured)):
        path = written(tmp_path / name, picture, kind)
        with open_source(str(path)) as source:
            frame = source.read(0)
            shares.append(coloured_share(Thumbnail.of(frame)))
    assert shares[0] == 0
    assert shares[1] > SHARE
    assert coloured_share(Thumbnail.of(crop(frame, Rect(0, 0, 230, 512)))) == 0


def written(folder: Path, picture: NDArray[np.uint8], kind: str) -> Path:
    """The picture (BGR) as a file of this kind."""
    folder.mkdir()
    cv2.imwrite(str(folder / "frame.png"), picture)
    if kind == "picture":
        return folder / "frame.png"
    if kind == "folder":
        return folder
    encode = ("-loop", "1", "-i", str(folder / "frame.png"), "-frames:v", "5", "-c:v", "libx264", "-crf", "25")
    path = folder / "clip.mp4"
    subprocess.run(("ffmpeg", "-v", "error", *encode, "-pix_fmt", "yuv420p", str(path)), check=True, timeout=60)
    return path


def test_real_doppler_is_told_by_its_file_and_a_grey_clip_in_jpeg_is_not(real_dicom: Callable[[str], str]) -> None:
    doppler = open_source(real_dicom("US1_UNCR.dcm")).read(0)
    assert coloured_share(Thumbnail.of(doppler)) > 10 * SHARE
    with open_source(real_dicom("color3d_jpeg_baseline.dcm")) as clip:
        assert all(coloured_share(Thumbnail.of(clip.read(index))) < SHARE for index in range(0, 120, 10))


def test_the_last_half_minute_does_not_hold_the_maps(tissue: NDArray[np.uint8], tmp_path: Path) -> None:
    picture = rgb(tissue)
    picture[VESSEL] = (20, 30, 200)
    frame = open_source(str(written(tmp_path / "one", picture, "picture"))).read(0)
    assert frame.colour is not None
    ring = Ring()
    ring.add(NotAnalysed(frame, Reason.OFF, "off"))
    assert ring.held().outcome(0).frame.colour is None
