"""A folder as a list of buttons: whoever has a pedal alone cannot use the system's own dialogue."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStorageInfo, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from inference.errors import NotFoundError, SourceError
from inference.patience import SILENT, in_time
from inference.sources.listing import Listing, listing
from viewer.panels.base import Panel
from viewer.style.theme import Sizes
from viewer.style.widgets import Button, breakable, button, set_text, size_button

REMOVABLE = ("/media/", "/run/media/", "/mnt/", "/Volumes/")
"""Where sticks and network drives are mounted; on Windows every drive has a letter of its own."""
HOME = "Home"
ANSWER_S = 1.0
"""How long a folder, or what is plugged in, may take to answer: the window waits for it."""
WIDTH, ROW = 410, 320
"""Width of the panel and of a name, px at 1280×800: a longer one is elided in the middle; its tool tip has it all."""
ABREAST, BORDERS = 3, 16
"""Places in a row, and what the borders of one take of its width, px at 1280×800."""


class FolderPanel(Panel):
    """Goes through folders, and hands over the file or folder that is chosen."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Browse", WIDTH, parent)
        self.folder = Path.home()
        self.rows: list[Button] = []
        self._places: list[Button] = []
        self._known_places: dict[Path, str] = {}
        self._wanted_file: Callable[[Path], bool] = Path.is_file
        self._chosen: Callable[[str], object] = lambda _: None
        self._path, self._note, self._error = self.note(), self.note("muted", 13), self.note("red")
        self._take = button("Open this folder", "Open all pictures of this folder, or its DICOM study", "accent")
        self._take.clicked.connect(lambda: self._choose(self.folder))
        self._shortcuts, self._names = QGridLayout(), QVBoxLayout()
        self._names.setContentsMargins(0, 0, 0, 0)
        names = QWidget()
        names.setLayout(self._names)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(names)
        self.body.addLayout(self._shortcuts)
        self.body.addWidget(self._path)
        self.body.addWidget(self._error)
        self.body.addWidget(self._scroll, 1)
        self.body.addWidget(self._note)
        self.body.addWidget(self._take)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        self._path.setFont(sizes.font(14))
        self._note.setFont(sizes.font(13))
        self._error.setFont(sizes.font(14))
        size_button(self._take, sizes)
        for made in (*self._places, *self.rows):
            self._size(made)

    def place(self, room: QWidget) -> None:
        """Use all the height of the room: folders are long."""
        super().place(room)
        self.setFixedHeight(room.height() - 2 * self.sizes.px(14))

    def begin(
        self, title: str, start: Path, wanted: Callable[[Path], bool], chosen: Callable[[str], object], *, folders: bool
    ) -> None:
        """Show a folder, to choose one file.

        Args:
            title: what is asked for.
            start: the folder shown first; the user's own where it does not exist.
            wanted: says of a file whether it can be chosen.
            chosen: called with the path.
            folders: whether a whole folder can be chosen too.
        """
        set_text(self._title, title)
        self._wanted_file, self._chosen = wanted, chosen
        self._take.setVisible(folders)
        self._offer_places(start)
        self.go_to(start if start in self._known_places else Path.home())

    def go_to(self, folder: Path) -> None:
        """Show what this folder offers; if it cannot be read, say so and stay."""
        try:
            found = in_time(lambda: listing(folder, self._wanted_file), ANSWER_S, SILENT.format(folder))
        except (NotFoundError, SourceError) as error:
            set_text(self._error, str(error))
            self._error.show()
            return
        self._error.hide()
        self.folder = found.folder
        set_text(self._path, breakable(_words(found.folder)))
        self._path.setToolTip(str(found.folder))
        self._list(found)

    def take_keyboard(self) -> None:
        """Focus the first row: Enter or a pedal goes on from there."""
        if self.rows:
            self.rows[0].setFocus(Qt.FocusReason.TabFocusReason)
        else:
            super().take_keyboard()

    def _list(self, found: Listing) -> None:
        while (item := self._names.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.rows = []
        if found.folder.parent != found.folder:
            self._add("↑  " + (found.folder.parent.name or str(found.folder.parent)), found.folder.parent, self.go_to)
        for path in found.folders:
            self._add("▸  " + path.name, path, self.go_to)
        for path in found.files:
            self._add(path.name, path, self._choose)
        self._names.addStretch(1)
        nothing = "" if found.folders or found.files else "Nothing here can be opened."
        set_text(self._note, f"{found.left_out} more are not listed." if found.left_out else nothing)
        self._scroll.verticalScrollBar().setValue(0)
        if not self.isHidden():
            self.take_keyboard()

    def _add(self, name: str, path: Path, does: Callable[[Path], None]) -> None:
        made = button(name, str(path), "row")
        made.setProperty("name", name)
        made.clicked.connect(lambda _=False: does(path))
        self._size(made)
        self._names.addWidget(made)
        made.show()  # at once, since the first one takes the focus
        self.rows.append(made)

    def _offer_places(self, start: Path) -> None:
        """Offer where most would begin: the own folder, the one shown first, and whatever is plugged in."""
        for made in self._places:
            made.hide()
            made.deleteLater()
        try:
            self._known_places = in_time(lambda: _places(start), ANSWER_S, "")
        except SourceError:  # one of the drives is dead: those that are there are found from the own folder
            self._known_places = {Path.home(): HOME}
        self._places = []
        for at, (path, name) in enumerate(self._known_places.items()):
            made = self._place_button(path, name)
            self._shortcuts.addWidget(made, *divmod(at, ABREAST))
            made.show()
            self._places.append(made)

    def _place_button(self, path: Path, name: str) -> Button:
        made = button(name, str(path))
        made.setProperty("name", name)
        made.clicked.connect(lambda _=False: self.go_to(path))
        self._size(made)
        return made

    def _size(self, made: Button) -> None:
        size_button(made, self.sizes)
        room = self.sizes.px(ROW if made.property("kind") == "row" else ROW // ABREAST - BORDERS)
        elided = made.fontMetrics().elidedText(str(made.property("name")), Qt.TextElideMode.ElideMiddle, room)
        made.setText(elided.replace("&", "&&"))  # a button takes a single one for the mark of a shortcut

    def _choose(self, path: Path) -> None:
        self.dismiss()
        self._chosen(str(path))


def _words(folder: Path) -> str:
    """The path, from the user's own folder on where it lies in that: what is before it tells nobody anything."""
    home = Path.home()
    return str(HOME / folder.relative_to(home)) if folder.is_relative_to(home) else str(folder)


def _places(start: Path) -> dict[Path, str]:
    """Folders that are there, with their names: the own one, the one shown first, and whatever is plugged in."""
    roots = [Path(volume.rootPath()) for volume in QStorageInfo.mountedVolumes() if volume.isReady()]
    plugged = [root for root in roots if root.drive or f"{root}/".startswith(REMOVABLE)]
    places = {Path.home(): HOME, start: start.name} | {root: root.name or str(root) for root in plugged}
    return {path: name for path, name in places.items() if path.is_dir()}
