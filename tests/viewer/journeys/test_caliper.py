"""The caliper: on a picture that stands, in mm where the scale is known, never on another frame."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from frozen_view import LIVE, frozen
from painted import spot_of
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.outcome import Tumour
from inference.readout.readout_state import Offer
from inference.sources import open_live
from inference.sources.simulated import PhantomSource
from viewer.control.action_handlers import ActionHandlers
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]


def click(qtbot: QtBot, window: MainWindow, x: float, y: float) -> None:
    spot = spot_of(window.view.canvas, x, y)
    qtbot.mouseClick(window.view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    window.refresh.tick()


@pytest.mark.parametrize(("spacing", "flipped"), [(0.15, False), (0.15, True), (None, False)])
def test_two_clicks_measure_what_lies_between_them(
    show: Show, qtbot: QtBot, shoot: Shoot, spacing: float | None, flipped: bool
) -> None:
    window = show(PhantomSource(spacing_mm=spacing and (spacing, spacing), count=60), wait=False)
    qtbot.waitUntil(lambda: window.shown is not None and window.session.ready, timeout=5000)
    playback = window.session.playback
    assert playback is not None
    qtbot.keyClick(window, Qt.Key.Key_D)
    assert not playback.playing
    playback.seek(30)
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.frame.index == 30, timeout=5000)
    if flipped:
        window.act("mirror")
    click(qtbot, window, 150, 200)
    click(qtbot, window, 310, 320)
    shoot(window, f"caliper-{'mm' if spacing else 'px'}{'-flipped' if flipped else ''}")
    words = window.view.canvas._annotations.distance
    if spacing is None:
        assert words.endswith("px, scale unknown")
        assert float(words.split()[0]) == pytest.approx(200, abs=3)
    else:
        assert float(words.removesuffix(" mm")) == pytest.approx(200 * spacing, abs=0.4)
    window.act("forward")
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.frame.index == 31, timeout=5000)
    window.refresh.tick()
    assert (window.view.canvas._annotations.distance, window.view.canvas._annotations.caliper) == ("", ())
    qtbot.keyClick(window, Qt.Key.Key_D)
    click(qtbot, window, 150, 200)
    assert window.view.canvas._annotations.caliper == ()


def test_on_a_live_source_it_freezes_the_view(
    show: Show, qtbot: QtBot, igtl: Callable[..., AbstractContextManager[Any]], free_port: Callable[..., int]
) -> None:
    port = free_port()
    with igtl(port):
        window = show(open_live(f"igtl://127.0.0.1:{port}"))
        qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
        qtbot.keyClick(window, Qt.Key.Key_D)
        assert window.review is not None
        qtbot.keyClick(window, Qt.Key.Key_Space)
        assert window.state.caliper is None, "nobody measures on a moving picture"
        qtbot.keyClick(window, Qt.Key.Key_D)
        qtbot.keyClick(window, Qt.Key.Key_Space)
        assert window.review is None
        assert window.state.caliper is None, "nobody measures on a moving picture"
        window.close()


@pytest.mark.parametrize("goes_on", [lambda do: do.accept(Offer.WITHOUT_SCALE), lambda do: do.open_model(None)])
def test_whatever_sets_a_frozen_picture_going_puts_it_away(
    show: Show, qtbot: QtBot, goes_on: Callable[[ActionHandlers], None]
) -> None:
    """A card and a new model end a frozen view too: points were then set on pictures that moved."""
    window = show(open_live(LIVE))
    frozen(window, qtbot)
    qtbot.keyClick(window, Qt.Key.Key_D)
    assert window.state.caliper is not None
    goes_on(window.handlers)
    qtbot.waitUntil(lambda: window.review is None, timeout=5000)
    window.refresh.tick()
    assert window.state.caliper is None


def test_a_caliper_does_not_wait_for_a_point_on_the_next_source(show: Show, qtbot: QtBot) -> None:
    window = show()
    qtbot.keyClick(window, Qt.Key.Key_D)
    assert window.state.caliper is not None
    window.handlers.open_source(window.view.source.request("another"))
    qtbot.waitUntil(lambda: window.state.caliper is None, timeout=5000)
