"""The capture devices, the recent sources, and the first picture of the selected one."""

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from inference.display import grey
from inference.jobs.preview import Preview
from inference.live.requests import named
from viewer.settings import Settings
from viewer.style import theme
from viewer.style.theme import Sizes
from viewer.style.widgets import Button, breakable, button, draw_fitted, label, set_text, size_button

ROW = 320
"""Width of a name in the list, px at 1280×800: a longer name is elided in the middle; its tool tip has it all."""
HERE = ("PLUS or 3D Slicer", "igtl://localhost:18944")
"""Where they listen on this computer, unless they are told otherwise."""
NAMES, LEAST = 216, 84
"""Height of the names, px at 1280×800, and the least in a low window: two of them."""
PICTURE = 110
"""Width of the first picture, px at 1280×800."""


class Thumbnail(QWidget):
    """A picture in its own proportions."""

    def __init__(self) -> None:
        super().__init__()
        self._image, self._shape = QImage(), (1.0, 1.0)
        self.setAccessibleName("First picture of the selected source")

    def show_preview(self, preview: Preview | None) -> None:
        """Show a source's first picture; black where there is none."""
        self._image = QImage()
        if preview is not None and preview.frame is not None:
            frame, pixels = preview.frame, grey(preview.frame.pixels, preview.levels)
            self._image = QImage(pixels.tobytes(), frame.cols, frame.rows, frame.cols, QImage.Format.Format_Grayscale8)
            self._image = self._image.copy()
            spacing = frame.spacing
            tall, wide = (spacing.row_mm, spacing.col_mm) if spacing else (1.0, 1.0)
            self._shape = (frame.cols * wide, frame.rows * tall)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the picture on black."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.BLACK))
        if not self._image.isNull():
            draw_fitted(painter, self.rect(), self._image, self._shape)


class Names(QScrollArea):
    """What can be chosen, scrolled: all the height that it may have, wherever there is room."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)

    def sizeHint(self) -> QSize:
        """Its greatest height."""
        return QSize(super().sizeHint().width(), self.maximumHeight())


class SourceList(QWidget):
    """Names, and below them the first picture of the selected one."""

    selected = Signal(str)
    """Emitted with the source to preview."""
    keep_wanted = Signal(bool)
    """Emitted with whether the recent sources are to be kept for the next start."""
    cleared = Signal()
    """Emitted to forget the recent sources now."""
    opened = Signal(str)
    """Emitted with the selected source, to open it."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes = Sizes()
        self.current = ""
        self._rows: list[Button] = []
        self._captions: list[QLabel] = []
        self._names = QVBoxLayout()
        self._names.setContentsMargins(0, 0, 0, 0)
        self._room = QWidget()
        self._room.setLayout(self._names)
        self._scroll = Names(self._room)
        self._picture, self._words = Thumbnail(), label("soft", wrap=True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.keep = button(
            "Keep list", "Keep what was opened last, models too, for the next start: names of files may be patients'"
        )
        self.keep.setCheckable(True)
        self.keep.clicked.connect(lambda _=False: self.keep_wanted.emit(self.keep.isChecked()))
        self.clear = button("Clear list", "Forget what was opened last, models too, here and in the settings")
        self.clear.clicked.connect(lambda _=False: self.cleared.emit())
        self._open = button("Open", kind="accent")
        self._open.clicked.connect(lambda: self.opened.emit(self.current))
        column, first, choices = QVBoxLayout(self), QHBoxLayout(), QHBoxLayout()
        first.addWidget(self._picture)
        first.addWidget(self._words, 1)
        choices.addWidget(self.keep)
        choices.addWidget(self.clear)
        choices.addWidget(self._open, 1)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._scroll, 1)
        column.addLayout(first)
        column.addLayout(choices)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        self._scroll.setMinimumHeight(sizes.px(LEAST))
        self._scroll.setMaximumHeight(sizes.px(NAMES))
        self._words.setFont(sizes.font(13))
        self._words.setFixedHeight(4 * self._words.fontMetrics().lineSpacing() + sizes.px(2))
        self._picture.setFixedSize(sizes.px(PICTURE), self._words.height())
        for made in (self.keep, self.clear, self._open):
            size_button(made, sizes)
        for made in self._rows:
            size_button(made, sizes)
            name, room = str(made.property("name")), sizes.px(ROW)
            elided = made.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, room)
            made.setText(elided.replace("&", "&&"))  # a button takes a single one for the mark of a shortcut
        for caption in self._captions:
            caption.setFont(sizes.font(13, QFont.Weight.Medium))

    def show_sources(self, devices: list[str], settings: Settings) -> None:
        """List the capture devices, each as `device:NAME`, and the recent sources.

        Args:
            devices: as `open_live` takes them.
            settings: what was opened last, and whether it is kept for the next start.
        """
        self.keep.setChecked(settings.keep_recent)
        self.clear.setEnabled(bool(settings.recent or settings.models))
        while (item := self._names.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._rows, self._captions, self.current = [], [], ""
        self._add("Capture devices", [(named(text), text) for text in devices], "none found")
        self._add("On this computer", [HERE], "")
        self._add("Opened last", [(_name(text), text) for text in settings.recent], "nothing yet")
        self._names.addStretch(1)
        self.show_preview(None)
        self.apply(self._sizes)

    def _add(self, caption: str, named: list[tuple[str, str]], none: str) -> None:
        head = label("muted")
        head.setText(caption if named else f"{caption}: {none}")
        self._captions.append(head)
        self._names.addWidget(head)
        for name, text in named:
            made = button(name, text, "row")
            made.setCheckable(True)
            made.clicked.connect(lambda _=False, chosen=text: self._press(chosen))
            made.setProperty("source", text)
            made.setProperty("name", name)
            self._names.addWidget(made)
            self._rows.append(made)

    def _press(self, text: str) -> None:
        """Select a source; a second press opens it."""
        if text == self.current:
            self.opened.emit(text)
            return
        self.current = text
        for made in self._rows:
            made.setChecked(made.property("source") == text)
        self.show_preview(None)
        self.selected.emit(text)

    def show_preview(self, preview: Preview | None) -> None:
        """Show what the selected source looks like; None while that is not known."""
        if preview is not None and preview.text != self.current:
            return
        waiting = "Looking…" if self.current else "Select a source to see its first picture."
        self._picture.show_preview(preview)
        set_text(self._words, waiting if preview is None else breakable(preview.words))
        self._open.setEnabled(bool(self.current))


def _name(text: str) -> str:
    """The whole address of a stream, the last part of a path."""
    if "://" in text:
        return text
    name = named(text)
    return Path(text).name or text if name == text else name
