"""Choice of what to look at: a file, folder, stream, the demonstration clip, the phantom, or a recent source."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from inference.live.requests import DEMO, SourceRequest
from viewer.panels.base import Panel
from viewer.panels.keypad import BACK, DIGITS, Keypad
from viewer.panels.source_list import SourceList
from viewer.style.theme import Sizes
from viewer.style.widgets import Button, Field, breakable, button, rule, set_text, size_button

PHANTOM = "simulated:"
KEYS = ("igtl://", "rtsp://", "udp://", ".", ":", "/", BACK)
"""Enough for any computer's number; a name needs a keyboard."""
WIDTH, COLUMNS = 410, 3
"""Of the panel, px at 1280×800, and the buttons in a row of it."""
AXES, USUAL = ("i", "j", "k"), "k"
ADDRESS = r"[^\s]*"


class SourcePanel(Panel):
    """Asks for a source; emits `chosen` with the request."""

    chosen = Signal(object)
    """Emitted with a `SourceRequest` to open."""
    preview_wanted = Signal(object)
    """Emitted with a `SourceRequest` to preview without opening it."""
    records_wanted = Signal()
    """Emitted to show the list of records instead."""
    browse_wanted = Signal()
    """Emitted to go through folders in this window instead of a dialogue of the system."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Open", WIDTH, parent)
        self._axis = USUAL
        self._region: int | None = None
        self.current = ""
        """The last request; it is repeated when another region of it is chosen."""
        self._swept: SourceRequest | None = None
        """The open volume; it is opened again along the axis that is chosen."""
        self._error = self.note("red")
        self._buttons: list[Button] = []
        files, axes = QGridLayout(), QHBoxLayout()
        for place, (text, does) in enumerate(
            (
                ("File…", self._ask_file),
                ("Folder…", self._ask_folder),
                ("Browse…", self.browse_wanted.emit),
                ("Records…", self.records_wanted.emit),
                ("Demo clip", lambda: self._choose(DEMO)),
                ("Phantom", lambda: self._choose(PHANTOM)),
            )
        ):
            files.addWidget(self._button(text, does), *divmod(place, COLUMNS))
        for made in self._buttons[:2]:
            made.setProperty("by_hand", True)  # a dialogue of the system hears no pedal
        self._axis_buttons = {axis: self._axis_button(axis, axes) for axis in AXES}
        self._trying = self.note()
        self._region_box, self._region_note = QWidget(), self.note()
        self._region_rows = QVBoxLayout(self._region_box)
        self._region_rows.setContentsMargins(0, 0, 0, 0)
        self._region_rows.addWidget(self._region_note)
        self._region_note.setText("This picture shows several regions. Analyse:")
        self._regions: dict[int, Button] = {}
        self._axis_note = self.note("muted", 13)
        self._axis_note.setText("The volume is swept along this axis:")
        self._rule, self.list = rule(), SourceList()
        self.list.opened.connect(self._choose)
        self.list.selected.connect(lambda text: self.preview_wanted.emit(self.request(text)))
        self.address = Field("Address of a live stream", "igtl://…, rtsp://…, udp://…", ADDRESS)
        self.address.returnPressed.connect(self._connect_stream)
        self.keypad = Keypad([self.address], DIGITS, KEYS)
        self.keypad.came.connect(self.refit)
        self.closed.connect(self.keypad.hide)
        self._lay_out(files, axes)

    def _lay_out(self, files: QGridLayout, axes: QHBoxLayout) -> None:
        stream = QHBoxLayout()
        stream.addWidget(self.address, 1)
        stream.addWidget(self._button("Connect", self._connect_stream))
        axes.insertWidget(0, self._axis_note, 1)
        self.body.addWidget(self._trying)
        self.body.addWidget(self._error)
        self.body.addWidget(self._region_box)
        self.body.addLayout(files)
        self.body.addLayout(stream)
        self.body.addWidget(self.keypad)
        self.body.addLayout(axes)
        self.body.addWidget(self._rule)
        self.body.addWidget(self.list)
        self._trying.hide()
        self._error.hide()
        self._region_box.hide()
        self.show_axes(None)

    def _button(self, text: str, does: Callable[[], None]) -> Button:
        made = button(text)
        made.clicked.connect(lambda _=False: does())
        self._buttons.append(made)
        return made

    def _axis_button(self, axis: str, row: QHBoxLayout) -> Button:
        made = self._button(axis, lambda: self._choose_axis(axis))
        made.setCheckable(True)
        made.setChecked(axis == self._axis)
        row.addWidget(made)
        return made

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        for made in (*self._buttons, *self._regions.values()):
            size_button(made, sizes)
        for made in self._axis_buttons.values():
            made.setFixedWidth(sizes.touch)
        self._axis_note.setFont(sizes.font(13))
        self._region_note.setFont(sizes.font(14))
        self.list.apply(sizes)
        self.keypad.apply(sizes)
        self._trying.setFont(sizes.font(14))
        self._error.setFont(sizes.font(14))
        self.address.setFont(sizes.font(14))
        self.address.setFixedHeight(sizes.touch)

    def take_keyboard(self) -> None:
        """Put the cursor into the address: what is typed next must not run shortcuts by its letters."""
        self.address.setFocus()
        self.address.selectAll()

    def complain(self, sentence: str) -> None:
        """Say why the last choice was refused; an empty sentence removes the message."""
        set_text(self._error, sentence)
        self._error.setVisible(bool(sentence))

    def tell(self, words: str) -> None:
        """Say what is being tried; empty words remove that."""
        if words and self._trying.isHidden():
            self.complain("")
        set_text(self._trying, breakable(words))
        if self._trying.isHidden() is bool(words):
            self._trying.setVisible(bool(words))
            self.refit()

    def request(self, text: str) -> SourceRequest:
        """The request for `text` with the axis and region chosen here, each of the source for which it was."""
        if text != self.current:
            self._region = None
        return SourceRequest(text, axis=self._axis if self._of_swept(text) else USUAL, region=self._region)

    def _connect_stream(self) -> None:
        """Open the typed address; if it is not one, the sources refuse it with a sentence of their own."""
        if text := self.address.text().strip():
            self._choose(text)

    def _choose(self, text: str) -> None:
        self.chosen.emit(self.request(text))

    def _of_swept(self, text: str) -> bool:
        """Whether this is the volume whose axes are offered."""
        return self._swept is not None and text == self._swept.text

    def _choose_axis(self, axis: str) -> None:
        self._mark_axis(axis)
        if self._swept is not None:  # its true masks are swept with it; a typed scale is that of the other plane
            self.chosen.emit(replace(self._swept, axis=axis, spacing=None))

    def _mark_axis(self, axis: str) -> None:
        self._axis = axis
        for name, made in self._axis_buttons.items():
            made.setChecked(name == axis)

    def place(self, room: QWidget) -> None:
        """Beside the picture; in a low window the list gives way to what is asked, and regions to keys."""
        self.list.show()
        self._region_box.setVisible(bool(self._regions))
        for part in (self.list, self._region_box):
            part.setVisible(part.isVisible() and self._least <= room.height() - 2 * self.sizes.px(14))
        self._rule.setVisible(self.list.isVisible())
        super().place(room)

    @property
    def _least(self) -> int:
        """The least height of all that is shown, px."""
        self._column.activate()
        return max(self._column.minimumHeightForWidth(self.sizes.px(WIDTH)), self._column.minimumSize().height())

    def show_axes(self, volume: SourceRequest | None) -> None:
        """Offer the axes along which the open volume can be swept, its present one marked; none for anything else."""
        if volume is not None:
            self._swept = volume
            self._mark_axis(volume.axis)
        for part in (self._axis_note, *self._axis_buttons.values()):
            part.setVisible(volume is not None)

    def show_regions(self, regions: tuple[tuple[int, str], ...], chosen: int | None) -> None:
        """Offer the regions of the last source by their words, the chosen one marked; none if there is no choice."""
        for made in self._regions.values():
            made.hide()
            made.deleteLater()
        self._regions = {number: self._region_row(number, words) for number, words in regions}
        for number, made in self._regions.items():
            made.setChecked(number == chosen)
            size_button(made, self.sizes)
        self._region_box.setVisible(bool(regions))
        if regions:
            self.show_axes(None)  # what has regions is no volume

    def _region_row(self, number: int, words: str) -> Button:
        made = button(words, kind="choice")
        made.setCheckable(True)
        made.clicked.connect(lambda _=False: self._choose_region(number))
        self._region_rows.addWidget(made)
        made.show()  # at once, since the panel's height depends on it
        return made

    def _choose_region(self, number: int) -> None:
        self._region = number
        if self.current:
            self._choose(self.current)

    def _ask_file(self) -> None:
        self._ask(QFileDialog.FileMode.ExistingFile)

    def _ask_folder(self) -> None:
        self._ask(QFileDialog.FileMode.Directory)

    def _ask(self, mode: QFileDialog.FileMode) -> None:
        """Ask without blocking the window: the picture goes on behind the dialogue."""
        dialogue = QFileDialog(self.window(), "Open")
        dialogue.setFileMode(mode)
        self.ask_file(dialogue, self._choose)
