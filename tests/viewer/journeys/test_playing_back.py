"""The half minute of a frozen view plays with its contours, is never called live, and goes back by one press."""

from collections.abc import Callable
from typing import Any

import pytest
from frozen_view import LIVE, frozen
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.live.health import Health
from inference.outcome import Tumour
from inference.sources import open_live
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]


def mode(window: MainWindow) -> str:
    return window.view.top._mode.text()


def test_space_plays_the_held_frames_each_with_its_own_contour(show: Show, qtbot: QtBot, shoot: Shoot) -> None:
    window = show(open_live(LIVE))
    frozen(window, qtbot)
    window.refresh.tick()
    assert mode(window).startswith("VIEW FROZEN")
    qtbot.keyClick(window, Qt.Key.Key_Space)
    window.refresh.tick()
    review = window.review
    assert review is not None
    assert review.playing
    seen: dict[int, bool] = {}
    said: set[str] = set()

    def watched() -> bool:
        shown, contour = window.view.canvas.picture.painted, window.view.canvas.contour.painted
        if shown is not None and review.playing:
            seen[shown.index] = contour is shown
            said.add(mode(window).split()[0])
        return len(seen) > 12

    qtbot.waitUntil(watched, timeout=8000)
    assert all(seen.values()), "picture and contour of one frame"
    assert "LIVE" not in said
    assert "REPLAY" in said
    assert window.view.canvas._annotations.framed
    shoot(window, "last-half-minute-plays")
    qtbot.waitUntil(lambda: not review.playing, timeout=10_000)
    assert review.position == len(review) - 1, "it stands at its newest picture"
    window.refresh.tick()
    assert window.state.condition.health is Health.VIEW_FROZEN
    assert mode(window).startswith("VIEW FROZEN")


@pytest.mark.parametrize("by", ["key", "button"])
def test_one_press_goes_back_to_live_even_while_it_plays(show: Show, qtbot: QtBot, by: str) -> None:
    window = show(open_live(LIVE))
    assert window.view.back.isHidden()
    frozen(window, qtbot, 10)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    window.refresh.tick()
    back = window.view.back
    assert back.isVisible()
    if by == "key":
        qtbot.keyClick(window, Qt.Key.Key_L)
    else:
        qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    assert window.review is None
    qtbot.waitUntil(lambda: mode(window) == "LIVE" and back.isHidden(), timeout=5000)
    assert isinstance(window.shown, Tumour)
    assert window.shown is window.session.newest


def test_a_still_picture_is_analysed_thoroughly_and_a_playing_one_is_not(show: Show, qtbot: QtBot) -> None:
    window = show(open_live(LIVE))
    frozen(window, qtbot, 10)
    assert window.session.standing(window.shown) is window.shown
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert window.session.standing(window.shown) is None
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert window.session.standing(window.shown) is window.shown


def test_the_play_button_shows_what_it_does(show: Show, qtbot: QtBot) -> None:
    window = show(open_live(LIVE))
    frozen(window, qtbot, 10)
    window.view.transport.update_place()
    assert not window.view.transport._playing
    qtbot.mouseClick(window.view.transport._play, Qt.MouseButton.LeftButton)
    window.view.transport.update_place()
    assert window.view.transport._playing
