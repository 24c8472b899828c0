"""The phase of surgery: chosen by name, never moved by a stray key, and what it forbids is the headline."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inference import safety
from inference.outcome import Outcome
from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
LARGE = 20


def headline(window: MainWindow) -> str:
    assert window.readout_state is not None
    return window.readout_state.card.title


def test_keys_that_strayed_onto_p_change_no_phase(show: Show, qtbot: QtBot) -> None:
    window = show(phase=Phase.DURA_OPEN)
    for key in (Qt.Key.Key_P, Qt.Key.Key_P, Qt.Key.Key_P, Qt.Key.Key_Escape):
        qtbot.keyClick(window, key)
    assert window.phase is Phase.DURA_OPEN
    assert window.view.phase.isHidden()


def test_arrows_and_enter_choose_and_the_focus_goes_home(show: Show, qtbot: QtBot) -> None:
    window = show(phase=Phase.BEFORE_DURA)
    qtbot.waitUntil(lambda: window.view.phase.buttons[Phase.BEFORE_DURA].isChecked())
    qtbot.keyClick(window, Qt.Key.Key_P)
    panel = window.view.phase
    assert panel.buttons[Phase.BEFORE_DURA].hasFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return):
        holder = QApplication.focusWidget()
        assert holder is not None
        qtbot.keyClick(holder, key)
    assert window.phase is Phase.DURA_OPEN
    assert panel.isHidden()
    assert window.focusWidget() is window.view


def test_what_the_phase_forbids_is_the_headline_at_once(show: Show, at: At, qtbot: QtBot) -> None:
    window = show(PhantomSource(count=60), phase=Phase.BEFORE_DURA)
    at(window, LARGE)
    for phase, said in (
        (Phase.RESECTION, safety.NOT_EVALUATED),
        (Phase.UNSET, safety.PHASE_UNSET),
        (Phase.BEFORE_DURA, safety.NO_SIZE_WARNING),
    ):
        window.act("phase")
        qtbot.mouseClick(window.view.phase.buttons[phase], Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda wanted=said: headline(window) == wanted, timeout=2000)  # type: ignore[misc]


def test_pressing_the_present_phase_again_leaves_it_marked(show: Show, qtbot: QtBot) -> None:
    window = show(phase=Phase.DURA_OPEN)
    window.act("phase")
    qtbot.mouseClick(window.view.phase.buttons[Phase.DURA_OPEN], Qt.MouseButton.LeftButton)
    window.act("phase")
    qtbot.waitUntil(lambda: [p for p, b in window.view.phase.buttons.items() if b.isChecked()] == [Phase.DURA_OPEN])
