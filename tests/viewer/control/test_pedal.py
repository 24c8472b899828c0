"""A pedal of three keys: every button that can be pressed is a stop, and nothing else is."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QShortcut
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from viewer.main_window import MainWindow
from viewer.panels.keypad import Key
from viewer.picture.key_pointer import KeyPointer

Show = Callable[..., MainWindow]


def reached(window: MainWindow, qtbot: QtBot) -> list[object]:
    """What has the focus at each press of one round; on the picture, the pedal turns until it leaves."""
    seen: list[object] = []
    while (focus := QApplication.focusWidget()) not in seen:
        seen.append(focus)
        if isinstance(focus, KeyPointer):
            while focus.hasFocus():
                qtbot.keyClick(window, Qt.Key.Key_F6)
        else:
            qtbot.keyClick(window, Qt.Key.Key_F8)
    return seen


def test_every_button_of_the_window_and_of_each_panel_is_a_stop(show: Show, qtbot: QtBot) -> None:
    window = show()
    for action in (None, "open", "calibrate", "phase", "help", "code", "correct", "model"):
        if action is not None:
            window.act(action)
        panel = window.view.picture_area.open_panel
        qtbot.keyClick(window, Qt.Key.Key_F8)
        stops = reached(window, qtbot)
        place = window if panel is None else panel
        able = {
            made
            for made in place.findChildren(QPushButton)
            if made.isVisible() and made.isEnabled() and not isinstance(made, Key)
        }
        missed = {made.text() for made in able - set(stops)}
        assert missed <= {"File…", "Folder…", "Other model…", "Manual…"}, "their dialogues hear no pedal"
        window.view.picture_area.dismiss()


def test_after_a_panel_it_goes_on_where_it_was(show: Show, qtbot: QtBot) -> None:
    window = show()
    for _ in range(3):
        qtbot.keyClick(window, Qt.Key.Key_F8)
    before = QApplication.focusWidget()
    window.act("phase")
    qtbot.keyClick(window, Qt.Key.Key_F6)
    window.act("dismiss")
    qtbot.keyClick(window, Qt.Key.Key_F8)
    qtbot.keyClick(window, Qt.Key.Key_F6)
    assert QApplication.focusWidget() is before


def test_held_keys_step_on_but_begin_and_end_nothing_again(show: Show) -> None:
    repeats = {made.key().toString(): made.autoRepeat() for made in show(wait=False).findChildren(QShortcut)}
    assert [key for key in ("Right", "Left", "F8", "F6", "Z") if not repeats[key]] == []
    assert [key for key in ("Space", "R", "S", "K", "D", "A", "F7", "W", "U") if repeats[key]] == []


def test_a_held_key_that_a_busy_computer_takes_for_presses_does_nothing_again(show: Show) -> None:
    """The keyboard's ups and downs of a held key, which Qt has not marked as repeated, in the keyboard's own time."""
    window = show()
    (freeze,) = (made for made in window.findChildren(QShortcut) if made.key().toString() == "Space")
    playback = window.session.playback
    assert playback is not None

    def key(kind: QEvent.Type, at_ms: int) -> None:
        event = QKeyEvent(kind, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier)
        event.setTimestamp(at_ms)
        QApplication.sendEvent(window, event)
        if kind is QEvent.Type.ShortcutOverride:
            freeze.activated.emit()

    playing = playback.playing
    key(QEvent.Type.ShortcutOverride, 1000)
    assert playback.playing is not playing
    for at_ms in range(1500, 1800, 30):
        key(QEvent.Type.KeyRelease, at_ms)
        key(QEvent.Type.ShortcutOverride, at_ms)
        assert playback.playing is not playing
    key(QEvent.Type.KeyRelease, 1800)
    key(QEvent.Type.ShortcutOverride, 1950)
    assert playback.playing is playing


def test_beside_a_slow_model_keys_point_on_the_analysed_picture(show: Show, qtbot: QtBot) -> None:
    window = show()
    window.view.show_panes(two=True)
    window.act("caliper")
    qtbot.waitUntil(lambda: window.state.caliper is not None)
    qtbot.keyClick(window, Qt.Key.Key_I)
    keys = window.view.canvas.keys
    qtbot.waitUntil(keys.hasFocus)
    qtbot.keyClick(keys, Qt.Key.Key_Return)
    for _ in range(3):
        qtbot.keyClick(keys, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(keys, Qt.Key.Key_Return)
    assert window.state.caliper is not None
    assert window.state.caliper.words.endswith(" mm")
