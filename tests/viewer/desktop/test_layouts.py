"""Keyboards of other countries: without Latin letters a key counts by its place, with them by the letter on its cap."""

from collections.abc import Iterator

import pytest
from hand import Hand
from pytestqt.qtbot import QtBot

from viewer.main_window import MainWindow

Q, R, P, A, F, Z, Y, B = "24", "27", "33", "38", "41", "52", "29", "56"
"""Keys by their numbers on X, called as they are on an American keyboard."""
FOREIGN = {"ru": "shift+16", "gr": "shift+61", "ara": "shift+61", "ru,us": "shift+16"}
"""Layouts without Latin letters, the last with one that has them beside it; and where each has its question mark."""
LATIN = {
    "de": ["closer", "invert", "correct", "confirm"],
    "fr": ["invert", "wrong", "confirm", "correct"],
    "us(dvorak)": ["fullscreen", "correct"],
    "us": ["invert", "closer", "correct", "confirm"],
}
"""What the keys that are Y, Z, A and Q on an American keyboard do on others: on Dvorak's, two bear no letter."""


@pytest.fixture
def typing(hand: Hand) -> Iterator[Hand]:
    """A hand on other keyboards."""
    yield hand
    hand.layout("us")


def test_a_key_counts_by_its_place_only_where_no_letter_is_latin(
    sitting: MainWindow, typing: Hand, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    acted: list[str] = []
    monkeypatch.setattr(sitting._shortcuts, "_act", acted.append)

    def pressed(*keys: str) -> list[str]:
        acted.clear()
        typing.key(*keys, "F1")
        qtbot.waitUntil(lambda: acted[-1:] == ["help"])
        return acted[:-1]

    for layout, asks in FOREIGN.items():
        typing.layout(layout)
        wanted = ["record", "phase", "code", "monitor", "undo", "band", "confirm", "back", "help"]
        assert pressed(R, P, f"shift+{R}", f"shift+{F}", f"ctrl+{Z}", B, Q, "Left", asks) == wanted, layout
    acted.clear()
    typing.hold(Z, 0.9)
    typing.hold(R, 0.9)
    qtbot.waitUntil(lambda: "record" in acted)
    assert (acted.count("record"), acted.count("closer") > 2) == (1, True), "held keys, as on any keyboard"
    for layout, wanted in LATIN.items():
        typing.layout(layout)
        assert pressed(Y, Z, A, Q) == wanted, layout


def test_fields_take_what_is_typed_in_them_on_a_russian_keyboard(
    sitting: MainWindow, typing: Hand, qtbot: QtBot
) -> None:
    view = sitting.view
    typing.layout("ru")
    typing.key(f"shift+{R}")
    code = view.record.code
    qtbot.waitUntil(code.hasFocus)
    typing.key(f"shift+{A}", B, "20", "10", "19")
    qtbot.waitUntil(lambda: code.text() == "Ab-10")
    typing.key(f"ctrl+{Z}")
    qtbot.waitUntil(lambda: code.text() != "Ab-10")
    assert view.record.isVisible()
    assert not sitting.state.recording.running

    typing.key("F1")
    qtbot.waitUntil(view.keys.isVisible)
    view.keys._teach.click()
    view.keys._rows[0].click()
    typing.key(A)
    qtbot.waitUntil(lambda: view.keys._note.text().startswith("A is already “Correct the contour”"))
