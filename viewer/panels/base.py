"""A panel over the side of the picture: title, content, close button. It never stops the picture."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from viewer.style.theme import Sizes
from viewer.style.widgets import button, label, size_button


class Panel(QFrame):
    """Base class of every panel.

    Args:
        title: its heading.
        width: px at 1280×800.
    """

    closed = Signal()
    aside = True
    """Whether the picture makes room for the panel."""
    marks = False
    """Whether something is marked on the picture meanwhile, which then stands alone, as large as it can."""

    def __init__(self, title: str, width: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._base_width = width
        self.sizes = Sizes()
        self._title, self._close = label(), button("✕", "Close (Esc)", "icon")
        self._title.setText(title)
        self._close.setProperty("last", True)
        self._close.clicked.connect(self.dismiss)
        self._head = QHBoxLayout()
        self._head.addWidget(self._title, 1)
        self._head.addWidget(self._close)
        self.body = QVBoxLayout()
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._head)
        self._column.addLayout(self.body, 1)
        self.hide()

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self.sizes = sizes
        self.setFixedWidth(sizes.px(self._base_width))
        pad = sizes.px(20)
        self._column.setContentsMargins(pad, sizes.px(12), sizes.px(12), pad)
        self._column.setSpacing(sizes.px(10))
        self.body.setContentsMargins(0, 0, sizes.px(8), 0)
        self.body.setSpacing(sizes.px(8))
        self._title.setFont(sizes.font(18, QFont.Weight.DemiBold))
        size_button(self._close, sizes, square=True)

    def place(self, room: QWidget) -> None:
        """Place the panel at the right of the picture, as high as its content but no higher than the room."""
        margin = self.sizes.px(14)
        self.setFixedWidth(min(self.sizes.px(self._base_width), room.width() - 2 * margin))
        self.setFixedHeight(min(self._wanted, room.height() - 2 * margin))
        self.move(room.width() - self.width() - margin, margin)

    @property
    def _wanted(self) -> int:
        """The height of the whole content at the panel's width, px."""
        self._column.activate()
        height = self.sizeHint().height()
        if self._column.hasHeightForWidth():
            height = self._column.heightForWidth(self.width())
        # Wrapped labels need a pixel or two more than their layout computes.
        return height + self.sizes.px(8)

    def refit(self) -> None:
        """Fit the panel again, after its content has changed."""
        room = self.parentWidget()
        if room is not None and not self.isHidden():
            self.place(room)

    def dismiss(self) -> None:
        """Close the panel."""
        if not self.isHidden():
            self.hide()
            self.closed.emit()

    def take_keyboard(self) -> None:
        """Take the focus as the panel opens: Tab goes on from here; every other key remains a shortcut."""
        self.setFocus()

    def ask_file(self, dialogue: QFileDialog, chosen: Callable[[str], None]) -> None:
        """Ask for a file without blocking the window; the focus then returns to the panel, not to a field in it."""
        dialogue.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialogue.fileSelected.connect(chosen)
        dialogue.finished.connect(lambda _: self.setFocus())
        dialogue.open()

    @property
    def footprint(self) -> int:
        """Width that the picture leaves to the panel, px."""
        return 0 if self.isHidden() or not self.aside else self.width() + self.sizes.px(14)

    def note(self, ink: str = "soft", size: float = 14) -> QLabel:
        """A wrapped label in the body's font."""
        made = label(ink, wrap=True)
        made.setFont(self.sizes.font(size))
        return made
