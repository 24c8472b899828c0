"""Keys and actions: over a picture that stands, beside one that is live."""

from collections.abc import Callable

import pytest
from legible import cut_off
from phantoms import STREAM
from pytestqt.qtbot import QtBot

from inference.sources import open_live
from viewer.main_window import MainWindow


@pytest.mark.parametrize("size", [(1120, 700), (3840, 2160)])
def test_the_help_leaves_a_live_picture_in_sight(
    show: Callable[..., MainWindow], qtbot: QtBot, size: tuple[int, int]
) -> None:
    window = show(open_live(STREAM), size=size, wait=False)
    qtbot.waitUntil(lambda: window.session.live is not None)
    window.act("help")
    panel, canvas = window.view.keys, window.view.canvas
    assert not panel.geometry().intersects(canvas.geometry())
    assert canvas.width() > 0.45 * window.view.picture_area.width()
    qtbot.waitUntil(lambda: not cut_off(window), timeout=5000)
