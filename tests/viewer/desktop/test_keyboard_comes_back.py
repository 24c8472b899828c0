"""After everything that is typed, and every dialog: each shortcut is heard, and no hidden widget has the focus."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hand import Hand
from outcomes import five, record
from painted import spot_of
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from viewer.control.actions import ACTIONS
from viewer.main_window import MainWindow
from viewer.panels.base import Panel

Show = Callable[..., MainWindow]
Walk = Callable[[MainWindow, Hand, QtBot], None]
X_NAMES = {"Esc": "Escape", "?": "question", "+": "plus", "=": "equal", "-": "minus", "Space": "space"}


def x_name(key: str) -> str:
    """A key as xdotool spells it: in lower case where it is one letter, since a capital would press shift."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    return "+".join(
        (*(name.lower() for name in modifiers), X_NAMES.get(last, last.lower() if len(last) == 1 else last))
    )


def press(window: MainWindow, text: str) -> QPushButton:
    """The visible button with this text."""
    return next(b for b in window.findChildren(QPushButton) if b.isVisible() and b.text() == text)


def opened(panel: Panel, qtbot: QtBot) -> None:
    qtbot.waitUntil(panel.isVisible)


def closed(panel: Panel, qtbot: QtBot) -> None:
    qtbot.waitUntil(panel.isHidden)


def an_address_is_opened(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    """Typed at once, as one does after Ctrl O: the cursor is there, and no letter of it is a shortcut."""
    hand.key("ctrl+o")
    opened(window.view.source, qtbot)
    hand.write("simulated:&rc80")
    qtbot.waitUntil(lambda: window.view.source.address.text() == "simulated:&rc80")
    hand.key("Return")
    closed(window.view.source, qtbot)


def an_address_is_left_half_typed(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    hand.key("ctrl+o")
    opened(window.view.source, qtbot)
    hand.click(window.view.source.address)
    hand.write("igtl")
    qtbot.waitUntil(lambda: window.view.source.address.text() == "igtl")
    hand.key("Escape")
    closed(window.view.source, qtbot)


def a_path_is_typed_in_the_file_dialog(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    hand.key("ctrl+o")
    opened(window.view.source, qtbot)
    hand.click(window.view.source.address)
    hand.click(press(window, "File…"))
    qtbot.waitUntil(lambda: isinstance(QApplication.activeWindow(), QFileDialog))  # and not only there: it has the keys
    hand.write(str(Path(__file__)))
    hand.key("Return")
    closed(window.view.source, qtbot)


def the_file_dialog_is_cancelled(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    hand.key("ctrl+o")
    opened(window.view.source, qtbot)
    hand.click(window.view.source.address)
    hand.click(press(window, "File…"))
    qtbot.waitUntil(lambda: isinstance(QApplication.activeWindow(), QFileDialog))  # and not only there: it has the keys
    hand.key("Escape")
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None and window.isActiveWindow())


def the_dialog_of_models_is_cancelled(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    hand.key("m")
    opened(window.view.model_card, qtbot)
    hand.click(press(window, "Other model…"))
    qtbot.waitUntil(lambda: isinstance(QApplication.activeWindow(), QFileDialog))  # and not only there: it has the keys
    hand.key("Escape")
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None and window.isActiveWindow())


def a_length_is_typed(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    hand.key("c")
    opened(window.view.calibration, qtbot)
    for point in ((250.0, 90.0), (262.0, 420.0)):
        hand.click(window.view.front.viewport(), spot_of(window.view.front, *point))
    qtbot.waitUntil(window.view.calibration.length.hasFocus)
    hand.write("50")
    hand.key("Return")
    closed(window.view.calibration, qtbot)


def millimetres_are_typed(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    hand.key("c")
    opened(window.view.calibration, qtbot)
    hand.click(press(window, "Type scale"))
    for field in (window.view.calibration.row, window.view.calibration.column):
        hand.click(field)
        hand.write("0.2")
    hand.click(press(window, "Use"))
    closed(window.view.calibration, qtbot)


def a_pedal_is_taught(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    hand.key("F1")
    opened(window.view.keys, qtbot)
    hand.click(press(window, "Teach a foot pedal…"))
    row = next(row for row in window.view.keys._rows if row.action.name == "snapshot")
    window.view.keys._scroll.ensureWidgetVisible(row)
    hand.click(row)
    hand.key("Prior")
    qtbot.waitUntil(lambda: window.state.settings.keys == {"snapshot": "PgUp"})
    hand.click(window.view.keys._close)
    closed(window.view.keys, qtbot)


def a_phase_is_chosen(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    hand.key("p")
    opened(window.view.phase, qtbot)
    hand.key("Down", "Return")
    closed(window.view.phase, qtbot)
    assert window.phase is Phase.BEFORE_DURA


def the_welcome_is_closed(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    window.introduce()
    hand.key("Return")
    closed(window.view.welcome, qtbot)


def a_record_is_selected_and_kept(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    """Written here, since the list is empty otherwise; Enter on the question keeps the record."""
    window.records._folder.mkdir(parents=True, exist_ok=True)
    record(window.records._folder / "iUS-20260301-101500.mcap", five())
    hand.key("ctrl+r")
    opened(window.view.records, qtbot)
    qtbot.waitUntil(lambda: len(window.view.records.rows) == 1, timeout=5000)
    hand.click(window.view.records.rows[0])
    hand.click(press(window, "Delete…"))
    qtbot.waitUntil(window.view.records.keep.hasFocus)
    hand.key("Return", "Escape")
    closed(window.view.records, qtbot)
    assert (window.records._folder / "iUS-20260301-101500.mcap").exists()


WALKS: tuple[Walk, ...] = (
    an_address_is_opened,
    an_address_is_left_half_typed,
    a_path_is_typed_in_the_file_dialog,
    the_file_dialog_is_cancelled,
    the_dialog_of_models_is_cancelled,
    a_length_is_typed,
    millimetres_are_typed,
    a_pedal_is_taught,
    a_phase_is_chosen,
    the_welcome_is_closed,
    a_record_is_selected_and_kept,
)


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)
def test_every_key_is_heard_after(
    walk: Walk,
    show: Show,
    hand: Hand,
    qtbot: QtBot,
    records: Path,  # noqa: ARG001 - what R and S write goes there
) -> None:
    window = show(PhantomSource(count=60))
    qtbot.waitUntil(window.isActiveWindow)
    walk(window, hand, qtbot)
    heard: set[str] = set()
    for shortcut in window.findChildren(QShortcut):
        shortcut.activated.connect(partial(heard.add, shortcut.key().toString()))
    keys = [key for action in ACTIONS for key in action.keys]
    last = ("Ctrl+O", "Esc", "Shift+R", "Esc")  # the one opens a field, the other closes it
    hand.key(*(x_name(key) for key in keys if key not in last), "r", *map(x_name, last))
    with suppress(qtbot.TimeoutError):  # the assertion says which
        qtbot.waitUntil(lambda: set(keys) <= heard, timeout=20_000)
    assert set(keys) - heard == set()
    holder = window.focusWidget()
    assert holder is None or holder.isVisible()


def test_a_field_leaves_to_the_shortcuts_what_cannot_be_typed_in_it(show: Show, hand: Hand, qtbot: QtBot) -> None:
    """A pedal that sends space freezes the view while a length is being typed, and never stands in the field."""
    window = show(PhantomSource(count=60))
    qtbot.waitUntil(window.isActiveWindow)
    playback = window.session.playback
    assert playback is not None
    hand.key("c")
    opened(window.view.calibration, qtbot)
    hand.click(window.view.calibration.length)
    hand.write("4.5")
    hand.key("space", "b")
    qtbot.waitUntil(lambda: not playback.playing and window.session.band)
    assert window.view.calibration.length.text() == "4.5"


def test_an_address_typed_at_once_runs_no_shortcut(show: Show, hand: Hand, qtbot: QtBot, records: Path) -> None:
    """Every letter of these is one: R would record, K keep half a minute, S write a picture, M open the model card."""
    window = show(PhantomSource(count=60))
    qtbot.waitUntil(window.isActiveWindow)
    heard: list[str] = []
    for shortcut in window.findChildren(QShortcut):
        shortcut.activated.connect(partial(heard.append, shortcut.key().toString()))
    hand.key("ctrl+o")
    opened(window.view.source, qtbot)
    address = window.view.source.address
    for text in ("rtsp://mask:1", "udp://0.0.0.0:9000"):
        hand.write(text)
        qtbot.waitUntil(lambda text=text: address.text() == text)  # type: ignore[misc]
        hand.key("ctrl+o", "ctrl+o")  # closed and opened again: what was typed is marked, and typed over
        qtbot.waitUntil(lambda: address.hasFocus() and bool(address.selectedText()))
    assert set(heard) == {"Ctrl+O"}
    assert not window.state.recording.running
    assert not list(records.rglob("*"))


def test_a_button_that_vanishes_with_its_panel_hands_its_enter_to_nobody(show: Show, hand: Hand, qtbot: QtBot) -> None:
    window = show(PhantomSource(count=60))
    qtbot.waitUntil(window.isActiveWindow)
    window.introduce()
    hand.key("Return", "Return", "Return")
    closed(window.view.welcome, qtbot)
    qtbot.wait(200)
    assert window.focusWidget() is window.view
    assert all(panel.isHidden() for panel in window.findChildren(Panel))
