"""Zoom, place and tones: within limits, said in words, and never leaving the sector."""

import numpy as np
import pytest

from inference.crop import Rect
from inference.readout.look import AS_IT_CAME, MOST, Look

BOX = Rect(100, 200, 300, 400)
MIDDLE = (399.5, 249.5)


def test_zooming_keeps_what_is_under_the_pointer_in_its_place() -> None:
    at = (500.0, 300.0)
    look = AS_IT_CAME.zoomed(2.0, at, MIDDLE)
    assert look.centre is not None
    for before, after, point in zip(MIDDLE, look.centre, at, strict=True):
        assert (point - after) * look.zoom == pytest.approx(point - before)


def test_zoom_has_limits_and_comes_back_to_the_whole_sector() -> None:
    close = AS_IT_CAME.zoomed(100.0, MIDDLE, MIDDLE)
    assert close.zoom == MOST
    assert close.zoomed(0.001, (250.0, 120.0), MIDDLE) == AS_IT_CAME


@pytest.mark.parametrize("zoom", [1.0, 2.0, 8.0])
def test_the_view_never_leaves_the_sector(zoom: float) -> None:
    x, y = Look(zoom=zoom, centre=(-9000.0, 9000.0)).middle(BOX)
    assert x == pytest.approx(199.5 + 200 / zoom)
    assert y == pytest.approx(399.5 - 150 / zoom)


def test_a_sector_that_fits_as_a_whole_is_not_moved() -> None:
    assert AS_IT_CAME.moved(50, 50, MIDDLE) == AS_IT_CAME
    assert Look(zoom=2.0).moved(5, -7, MIDDLE).centre == (404.5, 242.5)


def test_tones_are_monotonous_limited_and_absent_while_neutral() -> None:
    assert AS_IT_CAME.tones is None
    assert AS_IT_CAME.lighter(10).lighter(-10).tones is None
    assert AS_IT_CAME.sharper(1.15).sharper(1 / 1.15).tones is None
    for look in (AS_IT_CAME.lighter(999), AS_IT_CAME.lighter(-999), AS_IT_CAME.sharper(99), AS_IT_CAME.sharper(0.01)):
        tones = look.tones
        assert tones is not None
        assert (np.diff(tones.astype(int)) >= 0).all()
        assert np.unique(tones).size > 1


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (AS_IT_CAME, ()),
        (Look(zoom=2.0), ("zoom 2.0×", "N: as it came")),
        (Look(brightness=-20), ("brightness −20: on screen only", "N: as it came")),
        (
            Look(zoom=1.5, brightness=10, contrast=1.3),
            ("zoom 1.5×", "brightness +10, contrast 1.3×: on screen only", "N: as it came"),
        ),
    ],
)
def test_whatever_is_not_neutral_is_said(look: Look, words: tuple[str, ...]) -> None:
    assert look.words == words
