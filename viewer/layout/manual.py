"""The manual in a window of its own: the pages of the site, from this computer's disk."""

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QColor, QImage, QKeyEvent, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QTextBrowser, QVBoxLayout, QWidget

from viewer.style import theme
from viewer.style.theme import Sizes
from viewer.style.widgets import button, label, set_text, size_button

TITLE = "ius-viewer: manual"
FIRST = "guide/surgeon.md"
ELSEWHERE = "That page is on the network: the program opens none."
NOT_HERE = "This installation has no such page."
SIZE, LEAST, MARGIN = (900, 720), (480, 360), 40


class Pages(QTextBrowser):
    """Pages whose pictures are no wider than the page, and whose links can be read on the dark."""

    def __init__(self) -> None:
        super().__init__()
        self.sourceChanged.connect(self._tint_links)

    def _tint_links(self) -> None:
        """Qt gives links in Markdown the desktop's own blue, which nobody reads on black."""
        tint, block = QTextCharFormat(), self.document().begin()
        tint.setForeground(QColor(theme.BLUE))
        links = []
        while block.isValid():
            part = block.begin()
            while not part.atEnd():
                fragment = part.fragment()
                if fragment.charFormat().isAnchor():
                    links.append((fragment.position(), fragment.position() + fragment.length()))
                part += 1
            block = block.next()
        cursor = QTextCursor(self.document())
        for begin, end in links:
            cursor.setPosition(begin)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(tint)

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """A picture that fits, or whatever else a page asks for."""
        found = super().loadResource(kind, name)
        if kind != QTextDocument.ResourceType.ImageResource.value or not found:
            return found
        image, wide = QImage.fromData(found), self.viewport().width() - MARGIN
        return image if image.width() <= wide else image.scaledToWidth(wide, Qt.TransformationMode.SmoothTransformation)


class ManualWindow(QWidget):
    """Shows Markdown pages, and follows links among them and nowhere else.

    Args:
        folder: the pages.
        parent: the window that it closes with.
    """

    def __init__(self, folder: Path, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(TITLE)
        self.setObjectName("ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumSize(*LEAST)
        self.resize(*SIZE)
        self._folder = folder
        self.page, self._said = Pages(), label("gold")
        self.page.setOpenLinks(False)
        self.page.anchorClicked.connect(self._follow)
        self._back, self._contents = button("Back"), button("Contents")
        self._back.clicked.connect(self.page.backward)
        self._contents.clicked.connect(lambda: self.open("index.md"))
        self.page.backwardAvailable.connect(self._back.setEnabled)
        self._back.setEnabled(False)
        bar, column = QHBoxLayout(), QVBoxLayout(self)
        for part in (self._back, self._contents):
            bar.addWidget(part)
        bar.addWidget(self._said, 1)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        column.addLayout(bar)
        column.addWidget(self.page, 1)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        for made in (self._back, self._contents):
            size_button(made, sizes)
        self._said.setFont(sizes.font(14))
        self.page.document().setDefaultFont(sizes.font(15))

    def open(self, name: str = FIRST) -> None:
        """Show a page, and bring the window to the front."""
        self._show(QUrl.fromLocalFile(str(self._folder / name)))
        self.show()
        self.activateWindow()
        self.page.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes it, and gives the keys back to the operator's window."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def _follow(self, link: QUrl) -> None:
        if link.isRelative() and link.path():
            self._show(self.page.source().resolved(link))
        elif not link.isRelative():
            set_text(self._said, ELSEWHERE)

    def _show(self, page: QUrl) -> None:
        path = Path(page.toLocalFile()).resolve()
        here = path.suffix == ".md" and path.is_file() and path.is_relative_to(self._folder.resolve())
        set_text(self._said, "" if here else NOT_HERE)
        if here:
            self.page.setSource(QUrl.fromLocalFile(str(path)))
