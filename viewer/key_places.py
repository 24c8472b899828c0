"""Which Latin letter a key stands for on a keyboard whose letters are others: the one in its place on a PC keyboard.

Where another layout with Latin letters is set up beside, Qt looks there by itself; with a Russian, Greek or Arabic one
alone it hears Cyrillic, Greek or Arabic letters only, and no shortcut of a letter would be heard.
"""

import sys
import unicodedata

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent

ROWS = {16: "QWERTYUIOP", 30: "ASDFGHJKL", 44: "ZXCVBNM"}
"""The letters of a row, by the scan code of its first key (set 1 of the IBM PC, which Linux and Windows keep)."""
PLACES = {first + at: letter for first, row in ROWS.items() for at, letter in enumerate(row)}
BEFORE = {"xcb": 8, "wayland": 8, "windows": 0}
"""What a platform adds to the scan code; macOS gives none, and its keys are taken for what is written on them."""
NO_SCRIPT = (("\u0300", "\u036f"), ("\u2100", "\u214f"))
"""Accents of any script, and signs that look like letters: Vietnamese and German keyboards have such."""
LAST_LATIN = "\u024f"
"""The last sign of Unicode's first Latin blocks; µ and º are in them, and on keyboards with Latin letters."""
ASKS = "؟"
"""The question mark of Arabic and Persian keyboards, by which help is asked for as by any other."""


def meant(event: QKeyEvent, *, foreign: bool = False) -> QKeyCombination | None:
    """What a key means on a keyboard without Latin letters; None if it means what is written on it.

    Args:
        event: a key going down.
        foreign: whether the letters of this keyboard are known not to be Latin: some keys of letters then bear signs.
    """
    if _sign(event) == ASKS:
        return QKeyCombination(Qt.Key.Key_Question)
    letter = _place(event)
    written = latin(event)
    if letter is None or written or (written is None and not foreign) or _is_letter(event.key()):
        return None
    return QKeyCombination(event.modifiers(), Qt.Key(ord(letter)))


def latin(event: QKeyEvent) -> bool | None:
    """Whether this key writes in Latin letters; None if what it writes belongs to no script, as signs and accents."""
    sign = _sign(event)
    if not unicodedata.category(sign).startswith(("L", "M")):  # marks too: Arabic vowels stand on keys of letters
        return None
    if any(first <= sign <= last for first, last in NO_SCRIPT):
        return None
    return sign <= LAST_LATIN or unicodedata.name(sign, "").startswith("LATIN")


def _sign(event: QKeyEvent) -> str:
    """What the key writes; with Ctrl it writes nothing, and the code that Qt gives it stands for the letter."""
    if event.text()[:1].isprintable() and event.text():
        return event.text()[0]
    return chr(event.key()) if event.key() <= sys.maxunicode else "\0"


def _is_letter(key: int) -> bool:
    return Qt.Key.Key_A <= key <= Qt.Key.Key_Z


def _place(event: QKeyEvent) -> str | None:
    before = BEFORE.get(QGuiApplication.platformName())
    return None if before is None else PLACES.get(event.nativeScanCode() - before)
