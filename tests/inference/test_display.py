"""Grey values on the screen."""

import numpy as np

from inference.display import grey, toned


def test_the_display_map_is_fixed_by_its_levels() -> None:
    pixels = np.array([[0, 50, 100, 300]], np.uint16)
    assert grey(pixels, (0.0, 100.0)).tolist() == [[0, 127, 255, 255]]
    shown = np.array([[0, 128, 255]], np.uint8)
    assert grey(shown, (0.0, 255.0)) is shown


def test_tones_give_every_grey_level_its_own_and_none_changes_nothing() -> None:
    shown, tones = np.arange(256, dtype=np.uint8).reshape(16, 16), np.arange(255, -1, -1).astype(np.uint8)
    assert np.array_equal(toned(shown, tones), 255 - shown)
    assert toned(shown, None) is shown
