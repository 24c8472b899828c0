"""The uncertainty band: off by default, of the frame on the screen, and never called a margin."""

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.outcome import Outcome, Tumour
from inference.readout.screen_state import BAND_WORDS
from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]


def banded(window: MainWindow) -> bool:
    return isinstance(window.shown, Tumour) and window.shown.band is not None


def test_b_shows_the_band_of_the_frame_on_the_screen_and_takes_it_away(
    show: Show, at: At, qtbot: QtBot, shoot: Shoot
) -> None:
    window = show(PhantomSource(speckle=0.2, count=60), phase=Phase.BEFORE_DURA)
    shown = at(window, 30)
    assert not banded(window)
    contour = window.view.canvas.contour
    assert contour._band.isEmpty()
    qtbot.keyClick(window, Qt.Key.Key_B)
    qtbot.waitUntil(lambda: banded(window), timeout=5000)
    window.state.held_warning.reset()
    shoot(window, "band")
    assert isinstance(shown, Tumour)
    assert window.shown is not None
    assert contour.frame is window.shown.frame is window.view.canvas.picture.frame
    assert window.view.canvas._annotations.band == BAND_WORDS
    assert "not a margin" in BAND_WORDS
    outline = shown.largest.contours[0]
    around = contour._band.boundingRect()
    window.act("overlay")
    window.refresh.tick()
    assert window.view.canvas._annotations.band == "", "no legend while contour and band are hidden"
    assert around.left() < outline[:, 0].min() < outline[:, 0].max() < around.right()
    qtbot.keyClick(window, Qt.Key.Key_B)
    qtbot.waitUntil(lambda: not banded(window), timeout=5000)
    window.refresh.tick()
    assert contour._band.isEmpty()
    assert window.view.canvas._annotations.band == ""


def test_the_band_goes_with_the_contour(show: Show, at: At, qtbot: QtBot) -> None:
    window = show()
    window.act("band")
    at(window, 30)
    qtbot.waitUntil(lambda: banded(window), timeout=5000)
    window.act("play")
    window.handlers.open_model(None)
    window.refresh.tick()
    assert window.readout_state is not None
    if not window.readout_state.contour:
        assert window.view.canvas.contour._band.isEmpty()
    qtbot.waitUntil(
        lambda: banded(window) and window.readout_state is not None and window.readout_state.contour, timeout=5000
    )
    assert np.isfinite(window.view.canvas.contour._band.boundingRect().width())
    assert window.meter.mismatched == 0
