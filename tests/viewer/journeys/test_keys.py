"""What the window's keys do, and that every action has one and is in reach of a finger."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.outcome import Outcome
from inference.view_notes import Phase
from viewer import settings
from viewer.control import action_handlers
from viewer.control.actions import ACTIONS
from viewer.main_window import MainWindow
from viewer.style.theme import Sizes

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]


def test_space_pauses_and_plays_and_arrows_step(show: Show, at: At, qtbot: QtBot) -> None:
    window = show()
    playback = window.session.playback
    assert playback is not None
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert not playback.playing
    at(window, 20)
    qtbot.keyClick(window, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.frame.index == 21)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.frame.index == 19)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert playback.playing


def test_p_asks_for_the_phase_by_name_and_the_picture_says_it(show: Show, qtbot: QtBot) -> None:
    window = show()
    for phase in (Phase.BEFORE_DURA, Phase.DURA_OPEN, Phase.RESECTION, Phase.UNSET):
        qtbot.keyClick(window, Qt.Key.Key_P)
        assert window.view.phase.isVisible()
        qtbot.mouseClick(window.view.phase.buttons[phase], Qt.MouseButton.LeftButton)
        assert window.phase is phase
        qtbot.waitUntil(lambda: window.view.canvas._annotations.phase == window.phase.words)
        assert window.view.top.phase.text() == phase.words


@pytest.mark.parametrize(
    ("key", "panel"),
    [
        (Qt.Key.Key_C, "calibration"),
        (Qt.Key.Key_P, "phase"),
        (Qt.Key.Key_M, "model_card"),
        (Qt.Key.Key_T, "timing"),
        (Qt.Key.Key_F1, "keys"),
    ],
)
def test_a_key_opens_its_panel_beside_the_picture_and_escape_closes_it(
    show: Show, qtbot: QtBot, key: Qt.Key, panel: str
) -> None:
    window = show()
    panel = getattr(window.view, panel)
    qtbot.keyClick(window, key)
    assert panel.isVisible()
    assert window.view.canvas.placement is not None
    if panel.aside:
        assert window.view.canvas.placement.seen.right() <= panel.x()
    assert window.view.picture_area.rect().contains(panel.geometry())
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not panel.isVisible()


def test_o_takes_the_contour_off_for_three_seconds_and_no_longer(
    show: Show, at: At, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert action_handlers.OVERLAY_OFF_S == 3.0
    monkeypatch.setattr(action_handlers, "OVERLAY_OFF_S", 0.3)
    window = show()
    at(window, 20)
    qtbot.keyClick(window, Qt.Key.Key_O)
    qtbot.waitUntil(lambda: window.view.canvas.contour.hidden)
    qtbot.waitUntil(lambda: not window.view.canvas.contour.hidden)
    assert window.meter.mismatched == 0


def test_plus_and_minus_change_the_line_and_are_remembered(show: Show, qtbot: QtBot) -> None:
    window = show()
    before = window.view.canvas.contour.width
    qtbot.keyClick(window, Qt.Key.Key_Plus)
    qtbot.keyClick(window, Qt.Key.Key_Plus)
    qtbot.keyClick(window, Qt.Key.Key_Minus)
    assert window.view.canvas.contour.width == before + 0.5
    assert settings.load().line_width == window.state.settings.line_width == 3.0


def test_f_fills_the_screen_and_comes_back(show: Show, qtbot: QtBot) -> None:
    window = show()
    qtbot.keyClick(window, Qt.Key.Key_F)
    qtbot.waitUntil(window.isFullScreen)
    qtbot.keyClick(window, Qt.Key.Key_F)
    qtbot.waitUntil(lambda: not window.isFullScreen())


def test_every_action_does_something_and_has_its_own_key(show: Show) -> None:
    window = show()
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
    for action in ACTIONS:
        window.act(action.name)
    window.act("fullscreen")


def test_every_action_is_in_reach_of_a_finger(show: Show) -> None:
    window = show()
    window.act("help")
    touch = Sizes.for_window(window.width(), window.height()).touch
    assert len(window.view.keys._rows) == len(ACTIONS)
    assert all(row.height() >= touch for row in window.view.keys._rows)
    assert all(made.height() >= touch for made in window.view.top._buttons)
