"""Setting the scale by hand: two points and the length between them, or typed millimetres per pixel."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from inference.crop import Rect
from inference.errors import SpacingError
from inference.ruler import Point, Segment, axes_spacing, implausible, number, per_pixel, ruler_spacing
from inference.spacing import PixelSpacing, Provenance
from viewer.panels.base import Panel
from viewer.panels.keypad import BACK, DIGITS, Keypad
from viewer.panels.scale_reading import ScaleReading
from viewer.style.theme import Sizes
from viewer.style.widgets import Field, button, rule, set_ink, set_text, size_button

if TYPE_CHECKING:
    from inference.screen.scale import ScaleProposal

STEPS = (
    "1  Click a mark of the scanner's depth scale (by keyboard: I).",
    "2  Click another one, as far away as you can.",
    "3  Type the length between them and press Enter.",
)
OTHER_STEPS = (
    "4  Across the first pair, click a point of known distance.",
    "5  Click the second point of this pair.",
    "6  Type the length between them and press Enter.",
)
NUMBER = r"[0-9]*[.,]?[0-9]*"
TYPE = "Type the millimetres per pixel, from row to row and from column to column."
RECORDING = "A recording: its depth text is not watched. Crop it where the sector was not found right."
WATCHED = "Depth text and ruler are watched: if they change, the scale is void at once."
VOUCH = (
    "Nobody watches the depth: turned on the scanner, it makes every mm² wrong. Mark depth text and ruler first, "
    "or, where the picture shows neither, answer for the scale yourself: the screen will say so."
)
WILL_WATCH = "Once it is used, what is framed is watched: if it changes, the scale is void at once."
NOT_WATCHED = "First mark the scanner's depth text and ruler: until they are watched there is no mm²."


class CalibrationPanel(Panel):
    """Takes two clicks on the picture and a length."""

    calibrated = Signal(object)
    """Emitted with the new `PixelSpacing`."""
    points_changed = Signal(object)
    """Emitted with the points so far, a tuple of (x, y)."""
    depth_wanted = Signal()
    """Emitted to mark depth text and ruler."""
    proposal_used = Signal(object)
    """Emitted with the `ScaleProposal` that the user confirms."""
    crop_wanted = Signal()
    """Emitted to adjust the crop."""
    fit = Signal()
    """Emitted when the words have changed and the panel needs another height."""
    delete_wanted = Signal()
    """Emitted to delete the scale kept for this device."""
    marks = True

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Calibrate", 360, parent)
        self.points: tuple[Point, ...] = ()
        self.aspect = 1.0
        """Width of a pixel over its height, as stated by the source."""
        self.measured: tuple[Point, Point] | None = None
        self._down: Segment | None = None
        self._typing = False
        self._unmarked = self._captured = self._watched = False
        self._doubted: tuple[PixelSpacing, tuple[Point, Point] | None] | None = None
        self.reading = ScaleReading()
        self._watch, self._square = self.note("soft", 13), self.note("muted", 13)
        self._step, self._error = self.note("", 15), self.note("red")
        self.length = Field("Length between the points, mm", "length, mm", NUMBER)
        self.row = Field("Millimetres from row to row", "row, mm", NUMBER)
        self.column = Field("Millimetres from column to column", "col, mm", NUMBER)
        self.keypad = Keypad([self.length, self.row, self.column], DIGITS[:6], (*DIGITS[6:], ".", BACK))
        self._use_ruler, self._use_typed = button("Use this length", kind="accent"), button("Use", kind="accent")
        self._other = button("2nd pair", "Not square: two more points, across the first pair")
        self._again, self.other_way = button("Points again"), button("Type scale")
        self._depth = button("Depth, ruler…", "Frame the scanner's depth text and its ruler, which are then watched")
        self._crop = button("Crop…", "Frame the part of the picture that is to be analysed")
        self._delete = button("Forget scale", "Delete the scale kept for this device, picture size and crop")
        self._confirm = button("Use it anyway")
        self._square.setText(
            "Pixels are taken as square unless you give a second pair. A 5 % error of scale is a 10 % error of area."
        )
        self._connect()
        self._lay_out()
        self.reset()

    def _connect(self) -> None:
        self.keypad.came.connect(self._make_room)
        self.closed.connect(self.keypad.hide)
        self.reading.used.connect(self.proposal_used)
        self.length.returnPressed.connect(self._apply_ruler)
        self.length.textChanged.connect(self._say_step)
        for field in (self.length, self.row, self.column):
            field.textChanged.connect(self._withdraw)
        for field in (self.row, self.column):
            field.returnPressed.connect(self._apply_typed)
        for made, does in (
            (self._confirm, self._use_anyway),
            (self._use_ruler, self._apply_ruler),
            (self._use_typed, self._apply_typed),
            (self._again, self.reset),
            (self._other, self._begin_other),
            (self.other_way, self._go_other_way),
            (self._depth, self.depth_wanted),
            (self._crop, self.crop_wanted),
            (self._delete, self.delete_wanted),
        ):
            made.clicked.connect(does)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for widget in (self.length, self._use_ruler, self.row, self.column, self._use_typed):
            row.addWidget(widget, 1)
        watched, ways = QHBoxLayout(), QHBoxLayout()
        for layout, widgets in (
            (watched, (self._depth, self._crop, self._delete)),
            (ways, (self._other, self._again, self.other_way)),
        ):
            for widget in widgets:
                layout.addWidget(widget, 1)
        self.body.addWidget(self.reading)
        self.body.addWidget(self._watch)
        self.body.addLayout(watched)
        self.body.addWidget(rule())
        self.body.addWidget(self._step)
        self.body.addLayout(row)
        self.body.addWidget(self._error)
        self.body.addWidget(self._confirm)
        self.body.addWidget(self.keypad)
        self.body.addLayout(ways)
        self.body.addWidget(self._square)
        self.body.addStretch(1)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        self.reading.apply(sizes)
        ways = self._other, self._again, self.other_way
        for made in (self._confirm, self._use_ruler, self._use_typed, *ways, self._depth, self._crop, self._delete):
            size_button(made, sizes)
        self.keypad.apply(sizes)
        for field in (self.length, self.row, self.column):
            field.setFont(sizes.font(15))
            field.setFixedHeight(sizes.touch)
        self._step.setFont(sizes.font(15))
        self._step.setFixedHeight(2 * self._step.fontMetrics().lineSpacing() + sizes.px(2))
        self._error.setFont(sizes.font(14))
        for text in (self._square, self._watch):
            text.setFont(sizes.font(13))

    def place(self, room: QWidget) -> None:
        """Place the panel; in a low window, what can be spared goes until the rest fits."""
        square, watch, reading = self._square, self._watch, self.reading
        for spared in ((), (square,), (square, watch), (square, reading), (square, watch, reading)):
            self._show_parts()
            for part in spared:
                part.hide()
            super().place(room)
            if self.height() >= self._wanted:
                return

    def reset(self) -> None:
        """Start again with the first point."""
        self._down, self._typing = None, False
        for field in (self.length, self.row, self.column):
            field.clear()
        self._set_points(())
        self._complain("")

    def propose(
        self, proposal: "ScaleProposal | None", reason: str = "", excerpt: NDArray[np.uint8] | None = None
    ) -> None:
        """Offer the scale that was read from the screen, or say why none was; see `ScaleReading.show_reading`."""
        self.reading.show_reading(proposal, reason, excerpt)
        self._say_watch()
        self._show_parts()

    @property
    def read(self) -> tuple[Rect, ...]:
        """Where the ruler and texts of the offered scale stand; nothing once points are clicked."""
        proposal = self.reading.proposal
        if proposal is None or self.points:
            return ()
        return proposal.ruler.rect, *(text.rect for text in proposal.texts)

    def use(self, proposal: "ScaleProposal") -> None:
        """Hand over the scale that was read; what it rests on is watched, or need not be."""
        self._hand_over(proposal.spacing, proposal.points)

    def show_watch(self, *, captured: bool, marked: bool, watched: bool, kept: bool) -> None:
        """Say whether a change of depth would be noticed, and offer to delete a kept scale.

        Args:
            captured: the picture comes from a scanner whose depth may be changed at any moment.
            marked: its depth text and ruler were marked; a new scale takes their present state as the reference.
            watched: its depth text and ruler are watched and unchanged.
            kept: a scale is kept for this device, picture size and crop.
        """
        self._unmarked, self._captured, self._watched = captured and not marked, captured, watched
        self._say_watch()
        self._say_step()
        self._depth.setEnabled(captured)
        self._delete.setVisible(kept)

    def _say_watch(self) -> None:
        """Say whether depth text and ruler are watched, or will be with the scale that is offered."""
        words, unwatched = RECORDING, False
        if self._captured:
            proposal = self.reading.proposal
            will = self._unmarked and proposal is not None and bool(proposal.regions)
            unwatched = not self._watched and not will
            words = WATCHED if self._watched else WILL_WATCH if will else NOT_WATCHED
        set_text(self._watch, words)
        set_ink(self._watch, "gold" if unwatched else "soft")

    @property
    def preview(self) -> tuple[tuple[Point, Point], PixelSpacing] | None:
        """Two points and the scale they give, or the ruler that was read with its scale; else None."""
        proposal = self.reading.proposal
        if proposal is not None and not self.points:
            return proposal.points, proposal.spacing
        if len(self.points) != 2:
            return None
        try:
            return (self.points[0], self.points[1]), self._measure()
        except SpacingError:
            return None

    def click(self, x: float, y: float) -> None:
        """Take a click on the picture, in picture pixels."""
        self._typing = False
        self._set_points((*self.points, (x, y)) if len(self.points) < 2 else ((x, y),))
        if len(self.points) == 2:
            self.keypad.serve(self.length)
            self.ask_length()

    def ask_length(self) -> None:
        """Let the user type the length between the two points."""
        self.length.setFocus()
        self.length.selectAll()

    def move_last(self, x: float, y: float) -> None:
        """Move the point clicked last, in picture pixels."""
        if self.points[-1] != (x, y):
            self._set_points((*self.points[:-1], (x, y)))

    def _withdraw(self) -> None:
        """Offer no doubtful scale of what was typed or clicked before."""
        if self._doubted is not None:
            self._complain("")

    def _set_points(self, points: tuple[Point, ...]) -> None:
        self.points = points
        self._withdraw()
        self._use_ruler.setEnabled(len(points) == 2)
        self._other.setEnabled(len(points) == 2 and self._down is None)
        self._again.setEnabled(bool(points) or self._down is not None)
        self._say_step()
        self._show_parts()
        self.points_changed.emit(points)

    def _say_step(self) -> None:
        """Say what to do next; once the points give a scale, what it is and that it is to be compared."""
        preview = self.preview if self.points else None
        if self._typing:
            words = TYPE
        elif preview is not None:
            then = "frame depth text and ruler first, then press Enter." if self._unmarked else "press Enter."
            words = f"{per_pixel(preview[1])}: if our centimetres lie on the scanner's, {then}"
        else:
            words = (STEPS if self._down is None else OTHER_STEPS)[len(self.points)]
        set_text(self._step, words)

    def _go_other_way(self) -> None:
        """Type the scale instead of clicking points, or click points instead."""
        typing = not self._typing
        self.reset()
        self.keypad.hide()
        self._typing = typing
        self._say_step()
        self._make_room()
        (self.row if typing else self).setFocus()

    def _segment(self) -> Segment:
        first, second = self.points
        return first, second, number(self.length.text())

    def _begin_other(self) -> None:
        """Keep this pair and its length, and ask for another pair along the other axis."""
        segment = self._segment()
        try:
            ruler_spacing(*segment)
        except SpacingError as error:
            self._complain(str(error))
            return
        self._down = segment
        self.length.clear()
        self._complain("")
        self._set_points(())

    def _apply_ruler(self) -> None:
        if len(self.points) == 2:
            first, second = self.points if self._down is None else self._down[:2]
            self._finish(self._measure, (first, second))

    def _measure(self) -> PixelSpacing:
        """The scale from the points and lengths so far.

        Raises:
            SpacingError: if they give no scale.
        """
        down, now = self._down, self._segment()
        return ruler_spacing(*now, self.aspect) if down is None else axes_spacing(down, now)

    def _apply_typed(self) -> None:
        row, column = number(self.row.text()), number(self.column.text())
        if not (row > 0 and column > 0):
            self._complain("Type the millimetres per pixel in both fields, as in 0.15.")
            (self.column if row > 0 else self.row).setFocus()
            return
        self._finish(lambda: PixelSpacing(row, column, Provenance.TYPED), None)

    def _finish(self, spacing: Callable[[], PixelSpacing], measured: tuple[Point, Point] | None) -> None:
        """Emit the scale, or say what is wrong with it."""
        try:
            found = spacing()
        except SpacingError as error:
            self._complain(str(error))
            return
        vouching = self._unmarked
        if doubts := [words for words in (implausible(found), VOUCH if vouching else "") if words]:
            self._complain(" ".join(doubts))
            self._doubted = (replace(found, provenance=Provenance.VOUCHED) if vouching else found), measured
            self._offer_confirmation(f"Use {per_pixel(found)} " + ("on my word" if vouching else "anyway"))
            return
        self._hand_over(found, measured)

    def _offer_confirmation(self, words: str) -> None:
        """Offer to use a doubtful scale, in place of words that no longer help; an empty text withdraws the offer."""
        set_text(self._confirm, words)
        if self._doubted is not None:
            self.keypad.hide()
        self._make_room()

    def _show_parts(self) -> None:
        """Show what belongs to the way that the user goes; general words only where nothing particular is said."""
        asking, keys = self._doubted is not None, not self.keypad.isHidden()
        for part in (self.length, self._use_ruler):
            part.setVisible(not self._typing)
        for part in (self.row, self.column, self._use_typed):
            part.setVisible(self._typing)
        for part in (self._other, self._again):
            part.setVisible(not self._typing and not asking)
        self.other_way.setVisible(not asking)
        set_text(self.other_way, "Click two points" if self._typing else "Type scale")
        self.reading.setVisible(not asking)
        self._watch.show()
        self._confirm.setVisible(asking)
        self._error.setVisible(bool(self._error.text()))
        self._square.setVisible(not (self._typing or asking or keys))

    def _make_room(self) -> None:
        self._show_parts()
        self.fit.emit()

    def _use_anyway(self) -> None:
        """Use the doubtful scale: the user has read why it is doubted."""
        if self._doubted is not None:
            self._hand_over(*self._doubted)

    def _hand_over(self, found: PixelSpacing, measured: tuple[Point, Point] | None) -> None:
        self.measured = measured
        self.reset()
        self.calibrated.emit(found)
        self.dismiss()

    def dismiss(self) -> None:
        """Close, and forget what was clicked and typed."""
        if not self.isHidden():
            self.reset()
            self.propose(None)
        super().dismiss()

    def complain(self, sentence: str) -> None:
        """Say why the scale that was read cannot be used."""
        self._complain(sentence)

    def _complain(self, sentence: str) -> None:
        """Say what is wrong; an earlier doubtful scale is no longer offered."""
        self._doubted = None
        set_text(self._error, sentence)
        self._offer_confirmation("")
