"""Small widgets used in several places."""

import re

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QRegularExpression, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QRegularExpressionValidator,
)
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QPushButton, QSizePolicy, QWidget

from inference.readout.marks import Shape
from viewer.style.theme import Sizes


def label(ink: str = "", *, wrap: bool = False) -> QLabel:
    """A plain-text label in one of the style sheet's inks."""
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("ink", ink)
    made.setWordWrap(wrap)
    return made


def set_text(target: QLabel | QPushButton, text: str) -> None:
    """Set the text only if it has changed: a new text costs a layout."""
    if target.text() != text:
        target.setText(text)


def breakable(text: str) -> str:
    """The text with a place to break after each part of a path: an unbroken one would be cut in a narrow label."""
    return re.sub(r"(?<=\w)([/\\])(?=\w)", "\\1\u200b", text)


def set_ink(target: QLabel, ink: str) -> None:
    """Set a label's ink, if it has changed."""
    if target.property("ink") != ink:
        target.setProperty("ink", ink)
        target.style().polish(target)


class Button(QPushButton):
    """A button that Tab reaches and Enter presses. A click does not take the focus, and space remains a shortcut.

    Attributes:
        least: smallest width, px.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.least = 0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def sizeHint(self) -> QSize:
        """Room for the whole text, and at least a finger's width."""
        return super().sizeHint().expandedTo(QSize(self.least, 0))

    def minimumSizeHint(self) -> QSize:
        """The same as the size hint: no layout makes it narrower than its text."""
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter press the button."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class Field(QLineEdit):
    """A field that takes only characters allowed in it; every other key remains a shortcut, also for a pedal.

    Args:
        name: what the field asks for.
        example: shown while the field is empty.
        pattern: regular expression that the text must match at every step of typing.
    """

    tapped = Signal()
    """Emitted as it is pressed with a mouse or a finger."""

    def __init__(self, name: str, example: str, pattern: str) -> None:
        super().__init__()
        self.setPlaceholderText(example)
        self.setAccessibleName(name)
        self._pattern = QRegularExpression(QRegularExpression.anchoredPattern(pattern))
        self.setValidator(QRegularExpressionValidator(self._pattern, self))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Say that it was pressed."""
        super().mousePressEvent(event)
        self.tapped.emit()

    def event(self, event: QEvent) -> bool:
        """Leave keys that cannot be typed here to the shortcuts."""
        if event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress) and isinstance(event, QKeyEvent):
            typed = event.text()
            if typed.isprintable() and typed and not self._pattern.match(typed).hasMatch():
                event.ignore()
                return False
        return super().event(event)


def button(text: str, hint: str = "", kind: str = "") -> Button:
    """Create a button with a hint as its tool tip."""
    made = Button(text)
    made.setProperty("kind", kind)
    made.setToolTip(hint)
    made.setAccessibleName(hint or text)
    return made


def size_button(target: Button, sizes: Sizes, *, square: bool = False, size: float = 14) -> None:
    """Give a button a finger's height, and set its font."""
    target.setFont(sizes.font(size))
    target.setFixedHeight(sizes.touch)
    target.least = sizes.touch
    target.updateGeometry()
    if square:
        target.setFixedWidth(sizes.touch)
    target.setIconSize(QSize(sizes.px(18), sizes.px(18)))


def rule() -> QFrame:
    """A thin horizontal line."""
    made = QFrame()
    made.setObjectName("rule")
    return made


class ElidedLabel(QLabel):
    """One line, elided in the middle if there is no room; the tool tip has the complete text."""

    def __init__(self, ink: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("ink", ink)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return QSize(self.fontMetrics().horizontalAdvance("mmmm"), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the text, with the middle left out if it is too long."""
        painter = QPainter(self)
        metrics = self.fontMetrics()
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width())
        self.setToolTip(self.text() if shown != self.text() else "")
        side = self.alignment() & Qt.AlignmentFlag.AlignHorizontal_Mask
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | side, shown)


class Mark(QWidget):
    """The shape that marks a state besides its colour."""

    def __init__(self) -> None:
        super().__init__()
        self._shape, self._colour = Shape.DOT, "#ffffff"

    def show_shape(self, shape: Shape, colour: str) -> None:
        """Draw this shape in this colour."""
        if (shape, colour) != (self._shape, self._colour):
            self._shape, self._colour = shape, colour
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the shape in the largest square that fits."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = min(self.width(), self.height())
        box = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side).adjusted(1, 1, -1, -1)
        colour = QColor(self._colour)
        if self._shape is Shape.DIAMOND:
            painter.setPen(QPen(colour, max(1.5, side / 9)))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
        painter.drawPath(shape_path(self._shape, box))


def shape_path(shape: Shape, box: QRectF) -> QPainterPath:
    """The outline of a shape, inscribed in `box`."""
    path = QPainterPath()
    if shape is Shape.DOT:
        path.addEllipse(box.adjusted(box.width() / 8, box.height() / 8, -box.width() / 8, -box.height() / 8))
    elif shape is Shape.SQUARE:
        path.addRect(box.adjusted(box.width() / 8, box.height() / 8, -box.width() / 8, -box.height() / 8))
    elif shape is Shape.TRIANGLE:
        path.addPolygon([QPointF(box.center().x(), box.top()), box.bottomRight(), box.bottomLeft()])
        path.closeSubpath()
    else:
        x, y = box.center().x(), box.center().y()
        path.addPolygon(
            [QPointF(x, box.top()), QPointF(box.right(), y), QPointF(x, box.bottom()), QPointF(box.left(), y)]
        )
        path.closeSubpath()
    return path


def draw_fitted(painter: QPainter, place: QRect, image: QImage, shape: tuple[float, float]) -> None:
    """Paint a picture of this shape (width, height; any unit) as large as its place allows, in the middle."""
    scale = min(place.width() / shape[0], place.height() / shape[1])
    box = QRectF(0, 0, shape[0] * scale, shape[1] * scale)
    box.moveCenter(QRectF(place).center())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(box, image)
