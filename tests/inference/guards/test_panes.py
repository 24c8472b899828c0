"""Two panes: alike or of two depths; the parts of one sector that a shadow splits are none."""

import numpy as np
import pytest

from inference.frame import Frame, Origin, Pixels, View
from inference.guards.panes import panes
from inference.guards.thumbnail import Thumbnail

CURVED = (30.0, 0.35)
"""Half the opening in degrees, and the probe's share of the radius."""


def speckle(shape: tuple[int, int]) -> Pixels:
    return np.clip(np.random.default_rng(5).rayleigh(60, shape), 20, 255).astype(np.uint8)


def sector(rows: int, half: float, face: float, shadow: tuple[float, float] = (90.0, 90.0)) -> Pixels:
    """What a curved probe draws, with a shadow between two directions in degrees."""
    radius = rows / (1 - face * np.cos(np.radians(half)))
    cols = int(2 * radius * np.sin(np.radians(half))) + 8
    y, x = np.mgrid[:rows, :cols].astype(float)
    y, x = y + radius * face * np.cos(np.radians(half)), x - cols / 2
    away, towards = np.hypot(x, y), np.degrees(np.arctan2(x, y))
    lit = (away > radius * face) & (away < radius) & (np.abs(towards) < half)
    lit &= (towards < shadow[0]) | (towards > shadow[1])
    return speckle((rows, cols)) * lit.astype(np.uint8)


def screen(*pictures: Pixels) -> Pixels:
    """These pictures side by side on one screen."""
    parts = [np.pad(one, ((40, 520 - len(one)), (15, 15))) for one in pictures]
    return np.hstack(parts)


def seen(pixels: Pixels) -> bool:
    return panes(Thumbnail.of(Frame(0, pixels, None, 1.0, Origin("scanner", View.NATIVE, live=True))))


@pytest.mark.parametrize(
    "other",
    [(400, *CURVED), (400, 23.0, 0.26), (400, 14.0, 0.13), (300, *CURVED), (400, 22.0, 0.05)],
    ids=["the same", "9 cm beside 6", "far deeper", "three quarters of the size", "another probe"],
)
def test_two_sectors_beside_each_other_are_two_panes_whatever_their_depths(other: tuple[int, float, float]) -> None:
    """By one scale for both, an area in a pane of 9 cm beside one of 6 cm would be wrong by more than twice."""
    one = sector(400, *CURVED)
    assert not seen(screen(one))
    assert seen(screen(one, sector(*other)))
    assert seen(screen(sector(*other), one))


@pytest.mark.parametrize("half", [12.0, 20.0, 30.0, 45.0])
@pytest.mark.parametrize("face", [0.05, 0.35, 0.5])
def test_a_shadow_from_the_face_to_the_bottom_makes_no_two_panes(half: float, face: float) -> None:
    for middle in np.linspace(0.02, 0.55, 6) * half:
        assert not seen(screen(sector(400, half, face, (middle - 3, middle + 3))))


@pytest.mark.parametrize("lean", [0.0, 0.05, 0.1, 0.15, 0.3])
@pytest.mark.parametrize("at", [0.35, 0.4, 0.62])
def test_nor_does_one_in_the_steered_sector_of_a_linear_probe(lean: float, at: float) -> None:
    rows, cols = 400, 420
    y, x = np.mgrid[:rows, : int(cols * (1 + lean))].astype(float)
    x = x - y * cols * lean / rows
    lit = (x > 0) & (x < cols) & (np.abs(x - at * cols) > 12)
    assert not seen(screen(speckle(lit.shape) * lit.astype(np.uint8)))


def test_nor_does_dark_between_what_is_near_and_what_is_deep() -> None:
    picture = sector(400, *CURVED)
    picture[150:260] = 0
    assert not seen(screen(picture))
