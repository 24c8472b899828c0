"""The tools beside the picture: large labelled buttons that work by mouse, by keyboard and by pedal."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from inference.readout.tools import Tool
from viewer.style import theme
from viewer.style.icons import Symbol
from viewer.style.theme import Sizes
from viewer.style.widgets import Button, label, set_ink, set_text

WIDTH, HEIGHT = 92, 62
"""Width of the column and height of a button, px at 1280×800: 1.35 times as much at 1920×1080, over 15 mm on 24"."""
HELD = "overlay"
"""The tool that works for as long as it is held."""


class ToolButton(Button):
    """A symbol over its words; while disabled, its tool tip says why."""

    entered = Signal()
    """Enter was pressed on it."""

    def __init__(self) -> None:
        super().__init__()
        self.tool: Tool | None = None
        self._symbol, self._words, self._note = Symbol(), label(), label("soft")
        self.setProperty("kind", "tool")
        column = self._column = QVBoxLayout(self)
        column.setSpacing(0)
        column.addStretch(1)
        column.addWidget(self._symbol, 0, Qt.AlignmentFlag.AlignHCenter)
        for text in (self._words, self._note):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(text)
        column.addStretch(1)
        for part in (self._symbol, self._words, self._note):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self.setFixedSize(sizes.px(WIDTH - 12), sizes.px(HEIGHT))
        self._column.setContentsMargins(2, sizes.px(3), 2, sizes.px(3))
        self._symbol.setFixedSize(sizes.px(20), sizes.px(20))
        self._words.setFont(sizes.font(13, QFont.Weight.Medium))
        self._note.setFont(sizes.font(11.5))

    def draw(self, tool: Tool) -> None:
        """Show the tool as it is now; a button that has not changed is left alone."""
        if tool == self.tool:
            return
        self.tool = tool
        set_text(self._words, tool.words)
        set_text(self._note, tool.note)
        self._note.setVisible(bool(tool.note))
        self.setAccessibleName(tool.words)
        self.setToolTip(tool.refusal or tool.hint)
        self.setEnabled(not tool.refusal)
        red = tool.action == "record"
        self._symbol.show_symbol(tool.symbol, theme.FAINT if tool.refusal else theme.RED if red else theme.TEXT)
        set_ink(self._note, "red" if red else "soft")
        if self.property("on") is not tool.on:
            self.setProperty("on", tool.on)
            self.style().polish(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Tell Enter from a click: what a click does for as long as it is held, Enter does for a while."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        else:
            super().keyPressEvent(event)


class ToolColumn(QWidget):
    """Draws the tools; it decides nothing itself.

    Args:
        act: runs an action by its name.
    """

    def __init__(self, act: Callable[[str], None]) -> None:
        super().__init__()
        self.setObjectName("tools")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._act, self._sizes = act, Sizes()
        self.buttons: dict[str, ToolButton] = {}
        self._column = QVBoxLayout(self)
        self._column.addStretch(1)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        self.setFixedWidth(sizes.px(WIDTH))
        edge = sizes.px(6)
        self._column.setContentsMargins(edge, sizes.px(14), edge, edge)
        self._column.setSpacing(sizes.px(6))
        for made in self.buttons.values():
            made.apply(sizes)

    def draw(self, tools: tuple[Tool, ...]) -> None:
        """Show the tools as they are now."""
        for tool in tools:
            if tool.action not in self.buttons:
                self._add(tool.action)
            self.buttons[tool.action].draw(tool)

    @property
    def hiding_contour(self) -> bool:
        """Whether the contour's button is being held."""
        return HELD in self.buttons and self.buttons[HELD].isDown()

    def _add(self, action: str) -> None:
        made = self.buttons[action] = ToolButton()
        made.apply(self._sizes)
        made.entered.connect(lambda: self._act(action))
        if action != HELD:
            made.clicked.connect(lambda _=False: self._act(action))
        self._column.insertWidget(len(self.buttons) - 1, made)
