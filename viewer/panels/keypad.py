"""Keys on the screen for a field, for whoever has a mouse, a finger or a pedal but no keyboard."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from viewer.style.theme import Sizes
from viewer.style.widgets import Button, Field, size_button

BACK = "⌫"
DIGITS = tuple("1234567890")


class Key(Button):
    """One key. A click gives the focus back to the field afterwards; a pedal, which presses by Enter, stays on it."""

    let_go = Signal()
    """Emitted after a click."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.setProperty("kind", "icon")
        self.setAccessibleName(hint)
        # Without any policy a click would move the focus to the panel, and the keys would go under the pointer.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Give the focus back."""
        super().mouseReleaseEvent(event)
        self.let_go.emit()


class Keypad(QWidget):
    """Comes when a field is clicked, or Enter or a pedal pressed in an empty one; goes when the panel hides it.

    Its keys are no stops of Tab: whoever has a Tab key has the others too.

    Args:
        fields: those that it serves.
        rows: what the keys of each row type; `BACK` takes the last character away.
    """

    came = Signal()
    """Emitted when it has come, and its panel needs another height."""

    def __init__(self, fields: Sequence[Field], *rows: Sequence[str]) -> None:
        super().__init__()
        self._field = fields[0]
        self.keys: dict[str, Key] = {}
        self._rows = [QHBoxLayout() for _ in rows]
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        for row, keys in zip(self._rows, rows, strict=True):
            self._column.addLayout(row)
            for key in keys:
                row.addWidget(self._key(key), 1)
        self.hide()
        for field in fields:
            field.tapped.connect(lambda made=field: self.serve(made))
            field.returnPressed.connect(lambda made=field: None if made.text() else self.serve(made))

    def _key(self, key: str) -> Key:
        made = self.keys[key] = Key(key, "Take the last character away" if key == BACK else f"Type {key}")
        made.clicked.connect(lambda _=False: self._type(key))
        made.let_go.connect(self._focus_field)
        return made

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        for layout in (self._column, *self._rows):
            layout.setSpacing(sizes.px(4))
        for made in self.keys.values():
            size_button(made, sizes, size=15)

    def serve(self, field: Field) -> None:
        """Come for this field, and stay: what went as a button is pressed would move it from under the pointer."""
        self._field = field
        self.show()
        self.came.emit()

    def _focus_field(self) -> None:
        self._field.setFocus()

    def _type(self, key: str) -> None:
        """Type into the field as a keyboard does: what cannot stand in it is not taken."""
        if key == BACK:
            self._field.backspace()
        else:
            self._field.insert(key)
