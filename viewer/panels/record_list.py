"""The records of earlier sittings: open one; export or delete several, after a question."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from inference.jobs.record_export import Form
from inference.jobs.record_list import ListedRecord
from inference.readout.formatting import counted
from viewer.panels.base import Panel
from viewer.style import theme
from viewer.style.theme import Sizes
from viewer.style.widgets import Button, ElidedLabel, button, draw_fitted, label, rule, set_text, size_button

WIDTH, ROW, PICTURE = 410, 76, 64
"""Width of the panel, height of a row and width of its thumbnail, px at 1280×800."""
COLUMNS = 2
"""Buttons in a row."""
SHOWN = 6
"""The list is as high as so many rows; more are scrolled to."""
LOOKING = "Looking into {}…"
HOW = "A press selects; several can be exported or deleted at once."
NONE_YET = "No record yet: R records what is shown."
GONE = "{what} will be gone for good, with every frame and contour. Exports of them stay."


class Thumbnail(QWidget):
    """The middle picture of a record, in its own proportions."""

    def __init__(self, record: ListedRecord) -> None:
        super().__init__()
        self._shape, self._image = record.shape, QImage()
        if (pixels := record.thumbnail) is not None:
            rows, cols = pixels.shape
            self._image = QImage(pixels.tobytes(), cols, rows, cols, QImage.Format.Format_Grayscale8).copy()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the picture on black."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.BLACK))
        if self._image.isNull():
            return
        draw_fitted(painter, self.rect(), self._image, self._shape)


class RecordRow(Button):
    """One record; a press selects it, another one takes it out of the selection."""

    moved = Signal(int)
    """Emitted with -1 or 1 for the arrows up and down."""
    left = Signal(bool)
    """Emitted for Tab (True) and Shift Tab: the list is one stop among the buttons, however long it is."""

    def __init__(self, record: ListedRecord) -> None:
        super().__init__()
        self.record = record
        self.setCheckable(True)
        self.setProperty("kind", "row")
        code = record.case_code or ("no code" if record.opens else "")
        self.setAccessibleName(f"{record.begun:%Y-%m-%d %H:%M}, {code}")
        self._picture, self._tick = Thumbnail(record), label("blue")
        self._begun, self._code = label(), ElidedLabel("soft")
        # Why a record cannot be opened is read here or nowhere, so it takes the place of picture and model.
        self._words = ElidedLabel("soft") if record.opens else label("soft", wrap=True)
        self._model = ElidedLabel("muted")
        if not record.opens:
            self._picture.hide()
            self._model.hide()
        set_text(self._begun, f"{record.begun:%Y-%m-%d  %H:%M}")
        set_text(self._code, code)
        set_text(self._words, record.words)
        set_text(self._model, record.model or ("no model" if record.opens else ""))
        self._head_row, self._texts, self._row = QHBoxLayout(), QVBoxLayout(), QHBoxLayout(self)
        self._head_row.addWidget(self._begun)
        self._head_row.addWidget(self._code, 1)
        self._texts.addLayout(self._head_row)
        self._texts.addWidget(self._words)
        self._texts.addWidget(self._model)
        self._row.addWidget(self._picture)
        self._row.addLayout(self._texts, 1)
        self._row.addWidget(self._tick)
        for part in (self._begun, self._code, self._words, self._model, self._tick):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.toggled.connect(lambda on: set_text(self._tick, "✓" if on else ""))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let the arrows go through the list."""
        ways = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if (way := ways.get(Qt.Key(event.key()))) is not None:
            self.moved.emit(way)
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, following: bool) -> bool:
        """Leave the list."""
        self.left.emit(following)
        return True

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self.setFixedHeight(sizes.px(ROW))
        self._row.setContentsMargins(sizes.px(6), sizes.px(5), sizes.px(10), sizes.px(5))
        self._row.setSpacing(sizes.px(12))
        self._texts.setSpacing(0)
        self._head_row.setSpacing(sizes.px(14))
        self._picture.setFixedSize(sizes.px(PICTURE), sizes.px(ROW - 10))
        self._begun.setFont(sizes.font(15, QFont.Weight.DemiBold))
        self._code.setFont(sizes.font(15))
        self._words.setFont(sizes.font(13))
        self._model.setFont(sizes.font(13))
        self._tick.setFont(sizes.font(18, QFont.Weight.Bold))
        self._tick.setFixedWidth(sizes.px(22))


class RecordListPanel(Panel):
    """Lists records and says what is to be done with the selected ones."""

    opened = Signal(object)
    """Emitted with the path of the record to open."""
    export_wanted = Signal(object, object)
    """Emitted with the `ListedRecord`s to export, and the `Form`."""
    delete_agreed = Signal(object)
    """Emitted with the paths to delete, after the question."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Records", WIDTH, parent)
        self._room = parent
        self.rows: list[RecordRow] = []
        self._count = 0
        self._note = self.note("muted", 13)
        self._list, inner, self._scroll = QVBoxLayout(), QWidget(), QScrollArea()
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(2)
        self._list.addStretch(1)
        inner.setLayout(self._list)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(inner)
        self.open, self.export = button("Open", kind="accent"), button("Export")
        self.deidentify, self.video, self.delete = button("Export de-identified"), button("Video"), button("Delete…")
        self.dicom = button("DICOM")
        self.dicom.setToolTip("One multi-frame DICOM with its segmentation, de-identified")
        self._forms = (self.export, self.deidentify, self.video, self.dicom)
        self.video.setToolTip("An MP4 with contour and words, de-identified")
        self.keep, self.agree = button("Keep", kind="accent"), button("")
        self._question = self.note("amber", 14)
        self.open.clicked.connect(self._open)
        self.export.clicked.connect(lambda: self._export(Form.FULL))
        self.deidentify.clicked.connect(lambda: self._export(Form.DEIDENTIFIED))
        self.video.clicked.connect(lambda: self._export(Form.VIDEO))
        self.dicom.clicked.connect(lambda: self._export(Form.DICOM))
        self.delete.clicked.connect(self._ask)
        self.keep.clicked.connect(self._ask_no_more)
        self.agree.clicked.connect(self._delete)
        choices = (self.open, self.export, self.deidentify, self.video, self.dicom, self.delete)
        self._actions, self._answers = QWidget(), QWidget()
        _bar(self._actions, choices)
        _bar(self._answers, (self.keep, self.agree))
        for part in (self._note, self._scroll, rule(), self._question, self._actions, self._answers):
            self.body.addWidget(part)
        self._ask_no_more()

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        self._note.setFont(sizes.font(13))
        self._question.setFont(sizes.font(14))
        for made in (*self._forms, self.open, self.delete, self.keep, self.agree):
            size_button(made, sizes)
        for row in self.rows:
            row.apply(sizes)

    def place(self, room: QWidget) -> None:
        """As high as its rows, up to `SHOWN`, and no higher than the room."""
        margin = self.sizes.px(14)
        self.setFixedWidth(min(self.sizes.px(WIDTH), room.width() - 2 * margin))
        note = self._note.heightForWidth(self.width() - self.sizes.px(48))
        others = self._head.sizeHint().height() + self._actions.sizeHint().height() + note
        question = 0 if self._question.isHidden() else self._question.heightForWidth(self.width() - self.sizes.px(48))
        rows = min(max(self._count, 1), SHOWN) * (self.sizes.px(ROW) + 2)
        wanted = rows + others + question + self.sizes.px(80)
        self.setFixedHeight(min(wanted, room.height() - 2 * margin))
        self.move(room.width() - self.width() - margin, margin)

    def begin(self, folder: Path, count: int | None) -> None:
        """Empty the list before the records of a folder come, newest first; None while their number is not known."""
        for row in self.rows:
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows, self._count = [], count or 0
        words = f"{counted(self._count, 'record')} in {folder.name}. {HOW}" if count else NONE_YET
        set_text(self._note, LOOKING.format(folder.name) if count is None else words)
        self._note.setToolTip(str(folder))
        self._ask_no_more()

    def add(self, record: ListedRecord) -> None:
        """Add a record below those that are listed."""
        row = RecordRow(record)
        row.toggled.connect(lambda _: self._ask_no_more())
        row.moved.connect(lambda way: self._move(row, way))
        row.left.connect(self._leave_list)
        row.apply(self.sizes)
        self._list.insertWidget(len(self.rows), row)
        self.rows.append(row)
        if len(self.rows) == 1 and self.isVisible() and self.hasFocus():
            row.setFocus()

    @property
    def selected(self) -> list[ListedRecord]:
        """The selected records, from the top."""
        return [row.record for row in self.rows if row.isChecked()]

    def take_keyboard(self) -> None:
        """Take the focus onto the first record: arrows go through them, Enter selects."""
        (self.rows[0] if self.rows else self).setFocus()

    def _move(self, row: RecordRow, way: int) -> None:
        """Focus the record above or below, and scroll to it."""
        place = min(max(self.rows.index(row) + way, 0), len(self.rows) - 1)
        self.rows[place].setFocus()
        self._scroll.ensureWidgetVisible(self.rows[place])

    def _leave_list(self, following: bool) -> None:
        """Focus the first button that can be pressed, or the one that closes the panel."""
        after = [made for made in (self.open, self.export, self.delete, self._close) if made.isEnabled()]
        (after[0] if following else self._close).setFocus()

    def dismiss(self) -> None:
        """Close, and forget an unanswered question."""
        self._ask_no_more()
        super().dismiss()

    def _open(self) -> None:
        chosen = self.selected
        self.dismiss()
        self.opened.emit(chosen[0].path)

    def _export(self, form: Form) -> None:
        chosen = self.selected
        self.dismiss()  # what is said of the export stands where the panel was
        self.export_wanted.emit(chosen, form)

    def _ask(self) -> None:
        """Ask before anything is deleted; Enter keeps it."""
        what = counted(len(self.selected), "record")
        set_text(self._question, GONE.format(what=what))
        set_text(self.agree, f"Delete {what}")
        self._show_question(asking=True)
        self.keep.setFocus()

    def _ask_no_more(self) -> None:
        """Show what can be done with the selection; a changed selection takes the question back."""
        chosen = self.selected
        self.open.setEnabled(len(chosen) == 1 and chosen[0].opens)
        for made in self._forms:
            made.setEnabled(bool(chosen) and all(record.opens for record in chosen))
        self.delete.setEnabled(bool(chosen))
        asked = self.keep.hasFocus() or self.agree.hasFocus()
        self._show_question(asking=False)
        if asked and self.isVisible():
            self.take_keyboard()

    def _show_question(self, *, asking: bool) -> None:
        for part in (self._question, self._answers):
            part.setVisible(asking)
        self._actions.setVisible(not asking)
        if self.isVisible():
            self.place(self._room)

    def _delete(self) -> None:
        paths: Sequence[Path] = [record.path for record in self.selected]
        self._ask_no_more()
        self.delete_agreed.emit(paths)


def _bar(parent: QWidget, buttons: Sequence[Button]) -> None:
    """Buttons in rows of `COLUMNS`."""
    grid = QGridLayout(parent)
    grid.setContentsMargins(0, 0, 0, 0)
    for at, made in enumerate(buttons):
        grid.addWidget(made, *divmod(at, COLUMNS))
