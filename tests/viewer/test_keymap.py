"""Foot pedals: a key that a pedal sends does an action, conflicts are one sentence, and it is kept across starts."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLineEdit, QPushButton, QSlider
from pytestqt.qtbot import QtBot

from viewer import keymap, settings
from viewer.control.actions import ACTIONS
from viewer.keymap import KeyConflictError, Keymap
from viewer.main_window import MainWindow
from viewer.style.theme import Sizes

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]
names = st.sampled_from([action.name for action in ACTIONS])
keys = st.sampled_from(["F13", "F14", "PgUp", "PgDown", "Media Play", "Ctrl+Shift+1", "Space", "S", "b", "?"])


@given(st.lists(st.tuples(names, keys), max_size=12))
def test_no_key_ever_does_two_things(lessons: list[tuple[str, str]]) -> None:
    taught = Keymap(ACTIONS)
    for name, key in lessons:
        try:
            taught = taught.give(name, key)
        except KeyConflictError:
            owner = taught.owner(key)
            refused = owner is not None and owner.name != name
            assert refused
    spelled = [QKeySequence(key).toString() for action in ACTIONS for key in taught.keys(action)]
    assert len(spelled) == len(set(spelled))
    again, complaint = keymap.read(ACTIONS, {name: ", ".join(given) for name, given in taught.given.items()})
    assert (again.given, complaint) == (taught.given, "")


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ({"snapshot": "Space"}, "Space is already “Play, pause, freeze”"),
        ({"jump": "F13"}, "no action jump"),
        ({"snapshot": "Nonsense"}, "no key"),
        ({"snapshot": "Return"}, "Return presses what has the focus"),
        ({"snapshot": "Shift+Backtab"}, "goes back from what has the focus"),
        ({"snapshot": ""}, "no key"),
        ({"snapshot": "F13", "phase": "F13"}, "F13 is already “Write a snapshot”"),
    ],
)
def test_a_line_that_cannot_hold_is_one_sentence(kept: dict[str, str], said: str) -> None:
    found, complaint = keymap.read(ACTIONS, kept)
    assert said in complaint
    assert "\n" not in complaint
    assert found.keys(ACTIONS[0]) == ACTIONS[0].keys


def test_a_pedal_is_taught_works_and_is_kept(show: Show, qtbot: QtBot, shoot: Shoot) -> None:
    window = show()
    window.act("help")
    panel = window.view.keys
    qtbot.mouseClick(panel._teach, Qt.MouseButton.LeftButton)
    row = next(row for row in panel._rows if row.action.name == "band")
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    assert not window.session.band, "while it is taught it does nothing"
    shoot(window, "teaching-a-pedal")
    qtbot.keyClick(panel, Qt.Key.Key_F13)
    assert panel._rows[0].action.name == "play"
    window.act("dismiss")
    qtbot.keyClick(window, Qt.Key.Key_F13)
    assert window.session.band
    qtbot.keyClick(window, Qt.Key.Key_B)
    assert not window.session.band
    assert settings.load().keys == {"band": "F13"}
    window.act("help")
    qtbot.mouseClick(panel._teach, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(next(r for r in panel._rows if r.action.name == "phase"), Qt.MouseButton.LeftButton)
    qtbot.keyClick(panel, Qt.Key.Key_F13)
    assert panel._note.text() == "F13 is already “Uncertainty band”: choose another key for “Phase of surgery”."
    qtbot.mouseClick(panel._teach, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert settings.load().keys == {}
    window.act("dismiss")
    qtbot.keyClick(window, Qt.Key.Key_F13)
    assert not window.session.band


@pytest.mark.parametrize("size", [(1280, 800), (1366, 768), (1920, 1080)])
def test_everything_that_is_pressed_is_a_fingers_size(show: Show, qtbot: QtBot, size: tuple[int, int]) -> None:
    """`Theme.touch` is 15 mm on a 24 inch screen that the window fills (test_look); a laptop's screen has no room."""
    window = show(size=size)
    touch = Sizes.for_window(*size).touch
    for panel in ("", "open", "calibrate", "model", "help", "performance", "phase"):
        if panel:
            window.act(panel)
            qtbot.wait(20)
        for kind in (QPushButton, QLineEdit, QSlider):
            small = [
                made.objectName() or made.accessibleName()
                for made in window.findChildren(kind)
                if made.isVisible() and min(made.height(), made.width()) < touch
            ]
            assert not small, (panel, small)
