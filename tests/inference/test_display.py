"""Grey values on the screen."""

import numpy as np

from inference.display import grey


def test_the_display_map_is_fixed_by_its_levels() -> None:
    pixels = np.array([[0, 50, 100, 300]], np.uint16)
    assert grey(pixels, (0.0, 100.0)).tolist() == [[0, 127, 255, 255]]
    shown = np.array([[0, 128, 255]], np.uint8)
    assert grey(shown, (0.0, 255.0)) is shown
