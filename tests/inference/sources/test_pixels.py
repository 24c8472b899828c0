"""Whatever a signal brings ends as one grey picture, or as one sentence."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.errors import FormatError
from inference.frame import Pixels
from inference.sources.interlace import Weave, first_field
from inference.sources.pixels import as_pixels, grey
from inference.sources.simulated import PhantomSource

GENERATOR = np.random.default_rng(4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(33, 47), (480, 641)])
def test_grey_stays_exactly_as_it_is(shape: tuple[int, int], dtype: Any) -> None:
    picture = GENERATOR.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    as_channels = np.dstack([picture] * 3)
    for same in (picture, picture[..., None], as_channels, np.dstack([as_channels, picture // 2])):
        assert np.array_equal(grey(same), picture)
        assert grey(same).dtype == dtype


def test_colour_is_its_luma_in_the_order_of_its_channels() -> None:
    blue = np.zeros((20, 21, 3), np.uint8)
    blue[..., 0] = 200
    assert set(grey(blue).ravel().tolist()) == {23}  # 0.114 of it
    assert set(grey(blue, order="RGB").ravel().tolist()) == {60}  # 0.299 of it


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((480, 640, 2), np.uint8),  # packed YUV that nobody unpacked
        np.zeros((480, 640), np.float32),
        np.zeros((480, 640), np.int16),
        np.zeros((1, 460800), np.uint8),  # a compressed picture in one line
        np.zeros((0, 0), np.uint8),
        np.zeros((5, 480, 640, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(picture: NDArray[Any]) -> None:
    with pytest.raises(FormatError, match="choose"):
        grey(picture)


def phantom(speckle: float) -> list[Pixels]:
    """Moving tissue, 50 pictures a second."""
    source = PhantomSource(rows=241, cols=320, count=60, speckle=speckle)
    return [source.read(index).pixels for index in range(60)]


def woven(pictures: list[Pixels]) -> list[Pixels]:
    """25 interlaced pictures a second of 50 whole ones."""
    result = []
    for first, second in zip(pictures[::2], pictures[1::2], strict=True):
        both = first.copy()
        both[1::2] = second[1::2]
        result.append(both)
    return result


def scrolling(step: int) -> list[Pixels]:
    """Fine speckle, correlated over a few pixels as a scanner's is, that moves sideways."""
    noise = GENERATOR.normal(size=(240, 1000))
    kernel = np.hanning(7)[1:-1]
    for axis in (0, 1):
        noise = np.apply_along_axis(np.convolve, axis, noise, kernel, "same")
    speckle: Pixels = np.clip(110 + 35 * noise / noise.std(), 0, 255).astype(np.uint8)
    parts: list[Pixels] = [speckle[:, step * index :][:, :320].copy() for index in range(40)]
    return parts


def test_an_interlaced_signal_becomes_pictures_of_one_moment() -> None:
    pictures = scrolling(step=6)
    weave = Weave()
    shown = [weave.apply(picture) for picture in woven(pictures)]
    assert weave.found
    for whole, single in zip(pictures[::2][10:], shown[10:], strict=True):
        assert np.array_equal(single[::2], whole[::2])
        assert np.abs(single.astype(int) - whole).mean() < 8  # woven: see the next line
    assert np.abs(woven(pictures)[12].astype(int) - pictures[24]).mean() > 12


@pytest.mark.parametrize("speckle", [0.0, 0.3])
def test_whole_pictures_of_moving_tissue_are_left_alone(speckle: float) -> None:
    weave = Weave()
    for picture in phantom(speckle):
        assert weave.apply(picture) is picture
    assert not weave.found


def test_whole_pictures_that_scroll_or_are_noise_are_left_alone() -> None:
    noise: list[Pixels] = list(GENERATOR.integers(0, 256, (20, 240, 320)).astype(np.uint8))
    for pictures in (scrolling(step=6), scrolling(step=1), noise):
        weave = Weave()
        assert all(weave.apply(picture) is picture for picture in pictures)


@pytest.mark.parametrize("rows", [16, 17])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_one_field_of_a_slope_is_the_slope(rows: int, dtype: Any) -> None:
    slope: Pixels = np.repeat(np.arange(rows, dtype=dtype)[:, None] * 10, 20, axis=1)
    single = first_field(slope)
    assert single.dtype == dtype
    assert np.array_equal(single[: rows - 1], slope[: rows - 1])
    assert np.array_equal(single[-1], slope[-1] if rows % 2 else slope[-2])


@pytest.mark.parametrize("order", ["<", ">"])
def test_whole_numbers_stay_whole_in_either_byte_order(order: str) -> None:
    values = np.arange(65_536, dtype=f"{order}u2").reshape(256, 256)
    assert as_pixels(values).dtype == np.uint16
    np.testing.assert_array_equal(as_pixels(values), values)
