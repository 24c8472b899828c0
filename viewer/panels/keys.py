"""Every action with its key; each row is a button, for those who have no keyboard."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QWidget

from viewer.actions import ACTIONS, Action
from viewer.panels.sheet import Sheet
from viewer.theme import Theme
from viewer.widgets import label


class ActionRow(QPushButton):
    """A key and what it does."""

    def __init__(self, action: Action) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setProperty("kind", "row")
        self.setAccessibleName(action.words)
        self._key, self._words = label("blue"), label()
        self._key.setText(action.shown)
        self._words.setText(action.words)
        line = QHBoxLayout(self)
        line.setContentsMargins(8, 0, 8, 0)
        line.addWidget(self._key)
        line.addWidget(self._words, 1)
        for part in (self._key, self._words):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def apply(self, look: Theme) -> None:
        """Use these sizes."""
        self.setFixedHeight(look.touch)
        self._key.setFont(look.font(14, QFont.Weight.DemiBold))
        self._key.setFixedWidth(look.px(58))
        self._words.setFont(look.font(14))


class KeysPanel(Sheet):
    """Help.

    Args:
        act: carries out an action by its name.
    """

    aside = False

    def __init__(self, act: Callable[[str], None], parent: QWidget) -> None:
        super().__init__("Keys and actions", 560, parent)
        self._rows = [ActionRow(action) for action in ACTIONS]
        grid = QGridLayout()
        grid.setSpacing(2)
        half = (len(ACTIONS) + 1) // 2
        for index, (action, row) in enumerate(zip(ACTIONS, self._rows, strict=True)):
            row.clicked.connect(lambda _=False, name=action.name: act(name))
            grid.addWidget(row, index % half, index // half)
        self.body.addLayout(grid)
        self._age = self.note("muted", 13)
        self._age.setText(
            "Age since capture counts from the moment a frame reached this computer: "
            "the delay of the scanner and of a video grabber is not in it."
        )
        self.body.addWidget(self._age)

    def apply(self, look: Theme) -> None:
        """Use these sizes."""
        super().apply(look)
        self._age.setFont(look.font(13))
        for row in self._rows:
            row.apply(look)
