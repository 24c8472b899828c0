"""The small live picture while the view is frozen, so that nobody takes the frozen picture for it."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from inference.display import grey
from inference.frame import Frame
from inference.readout.screen_state import LiveInset
from inference.source_info import SourceInfo
from inference.view_notes import Flip
from viewer.style import theme
from viewer.style.theme import Sizes

HEIGHT = 0.8
"""Share of its width, with the strip of words."""
STRIP = 26


class Inset(QWidget):
    """Shows a frame without contour or number; dims the picture while none arrives."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._sizes = Sizes()
        self._frame: Frame | None = None
        self._image, self._flip = QImage(), Flip()
        self._words, self._ink = "LIVE", theme.GREEN
        self.setAccessibleName("Live picture")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        self.update()

    def fit(self, width: int) -> None:
        """Be this wide, view pixels, and as high as most pictures are at that width."""
        self.setFixedSize(width, round(width * HEIGHT))

    def draw(self, inset: LiveInset | None, info: SourceInfo | None) -> None:
        """Show the live picture, or nothing if the view is not frozen."""
        if inset is None or info is None:
            if not self.isHidden():
                self.clear()
            return
        if inset.frame is not None:
            self._take_frame(inset.frame, info.levels)
        self._show_state(inset.words, theme.INKS[inset.ink])
        if self.isHidden():
            self.show()
            self.raise_()

    def _take_frame(self, frame: Frame, levels: tuple[float, float]) -> None:
        self._frame = frame
        pixels = grey(frame.pixels, levels)
        rows, cols = pixels.shape
        self._image = QImage(pixels.tobytes(), cols, rows, cols, QImage.Format.Format_Grayscale8).copy()
        self.update()

    def set_flip(self, flip: Flip) -> None:
        """Flip the picture as the large one is flipped."""
        if flip != self._flip:
            self._flip = flip
            self.update()

    def _show_state(self, words: str, ink: str) -> None:
        """Show LIVE, or what is wrong with the signal."""
        if (words, ink) != (self._words, self._ink):
            self._words, self._ink = words, ink
            self.update()

    def clear(self) -> None:
        """Show nothing, after a change of source or when the view runs again."""
        self._frame, self._image = None, QImage()
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw picture, frame and state."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.BLACK))
        strip = self._sizes.px(STRIP)
        room = QRectF(self.rect()).adjusted(2, strip, -2, -2)
        if self._frame is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setOpacity(1.0 if self._ink == theme.GREEN else 0.35)
            box = self._fitted(room)
            painter.save()
            painter.translate(box.center())
            painter.scale(-1 if self._flip.left_right else 1, -1 if self._flip.up_down else 1)
            painter.drawImage(box.translated(-box.center()), self._image)
            painter.restore()
            painter.setOpacity(1.0)
        painter.setPen(QPen(QColor(self._ink), 2))
        painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        painter.setFont(self._sizes.font(14, QFont.Weight.Bold))
        painter.drawText(QRectF(0, 0, self.width(), strip), Qt.AlignmentFlag.AlignCenter, self._words)

    def _fitted(self, room: QRectF) -> QRectF:
        """Where the picture fits in its own proportions, in millimetres if they are known."""
        frame = self._frame
        if frame is None:
            return QRectF()
        spacing = frame.spacing
        width, height = float(frame.cols), float(frame.rows)
        if spacing is not None:
            width, height = width * spacing.col_mm, height * spacing.row_mm
        scale = min(room.width() / width, room.height() / height)
        box = QRectF(0, 0, width * scale, height * scale)
        box.moveCenter(room.center())
        return box
