"""What a key writes tells whether a keyboard has Latin letters; how keys are heard is in `desktop/test_layouts`."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

from viewer.key_places import latin


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *(dict.fromkeys("aZßéłıưµº", True).items()),
        *(dict.fromkeys("кΦقﻻِשខ", False).items()),
        *(dict.fromkeys(";[1 \u0303\u2126", None).items()),
    ],
)
def test_a_sign_on_a_latin_keyboard_is_no_sign_of_another_one(written: str, expected: bool | None) -> None:
    down = QKeyEvent(QEvent.Type.KeyPress, ord(written.upper()[0]), Qt.KeyboardModifier.NoModifier, written)
    assert latin(down) is expected


def test_with_ctrl_a_key_writes_nothing_and_its_code_tells(qapp: object) -> None:  # noqa: ARG001
    ctrl = Qt.KeyboardModifier.ControlModifier
    assert latin(QKeyEvent(QEvent.Type.KeyPress, ord("Я"), ctrl, "")) is False
    assert latin(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Z, ctrl, "\x1a")) is True
    assert latin(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_F8, Qt.KeyboardModifier.NoModifier, "")) is None
