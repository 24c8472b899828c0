"""Setting the scale by hand: two points and the length between them, or typed millimetres per pixel."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from inference.crop import Rect
from inference.errors import SpacingError
from inference.ruler import Point, Segment, axes_spacing, implausible, number, per_pixel, ruler_spacing
from inference.spacing import PixelSpacing, Provenance
from viewer.panels.base import Panel
from viewer.panels.keypad import BACK, DIGITS, Keypad
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
EXCERPT = 30
"""Height of the texts that were read, as they are shown larger, px at 1280×800."""
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

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Calibrate", 360, parent)
        self.points: tuple[Point, ...] = ()
        self.aspect = 1.0
        """Width of a pixel over its height, as stated by the source."""
        self._down: Segment | None = None
        self._proposal: ScaleProposal | None = None
        self._read, self._use_read = self.note("soft", 13), button("Use it", kind="accent")
        self._excerpt = QLabel()
        self._step, self._error = self.note("", 15), self.note("red")
        self.length = Field("Length between the points, mm", "length, mm", NUMBER)
        self.row = Field("Millimetres from row to row", "row, mm", NUMBER)
        self.column = Field("Millimetres from column to column", "col, mm", NUMBER)
        self.keypad = Keypad([self.length, self.row, self.column], DIGITS[:6], (*DIGITS[6:], ".", BACK))
        self.keypad.came.connect(self._make_room)
        self.closed.connect(self.keypad.hide)
        self._confirm, self._unmarked = button("Use it anyway"), False
        self._captured = self._watched = False
        self._doubted: tuple[PixelSpacing, tuple[Point, Point] | None] | None = None
        self._use_ruler, self._use_typed = button("Use this length", kind="accent"), button("Use")
        self._again, self._other = button("Points again"), button("Not square: 2nd pair")
        self._depth, self._crop = button("Depth text, ruler…"), button("Crop…")
        self._delete = button("Delete kept scale", "The scale kept for this device, picture size and crop")
        self._or, self._square, self._watch = self.note("muted", 13), self.note("muted", 13), self.note("soft", 13)
        self._square.setText(
            "Pixels are taken as square unless you give a second pair. A 5 % error of scale is a 10 % error of area."
        )
        self.measured: tuple[Point, Point] | None = None
        self._or.setText("Or type mm per pixel, if you know them:")
        self._confirm.clicked.connect(self._use_anyway)
        self._use_read.clicked.connect(self._confirm_proposal)
        self._use_ruler.clicked.connect(self._apply_ruler)
        self.length.returnPressed.connect(self._apply_ruler)
        self._use_typed.clicked.connect(self._apply_typed)
        for field in (self.row, self.column):
            field.returnPressed.connect(self._apply_typed)
        self._again.clicked.connect(self.reset)
        self._other.clicked.connect(self._begin_other)
        self._depth.clicked.connect(self.depth_wanted)
        self._crop.clicked.connect(self.crop_wanted)
        self._delete.clicked.connect(self.delete_wanted)
        self._lay_out()
        self.propose(None)
        self.reset()

    def _lay_out(self) -> None:
        ruler, again, typed, rests = QHBoxLayout(), QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for row, widgets in (
            (ruler, (self.length, self._use_ruler)),
            (again, (self._other, self._again)),
            (typed, (self.row, self.column, self._use_typed)),
            (rests, (self._depth, self._crop)),
        ):
            for widget in widgets:
                row.addWidget(widget, 1)
        self.body.addWidget(self._read)
        self.body.addWidget(self._excerpt)
        self.body.addWidget(self._use_read)
        self.body.addWidget(self._watch)
        self.body.addLayout(rests)
        self.body.addWidget(self._delete)
        self.body.addWidget(rule())
        self.body.addWidget(self._step)
        self.body.addLayout(ruler)
        self.body.addWidget(self.keypad)
        self.body.addLayout(again)
        self.body.addWidget(self._square)
        self.body.addWidget(self._or)
        self.body.addLayout(typed)
        self.body.addWidget(self._error)
        self.body.addWidget(self._confirm)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        size_button(self._confirm, sizes)
        made = (self._use_read, self._use_ruler, self._use_typed, self._again, self._other, self._depth, self._crop)
        for one in (*made, self._delete):
            size_button(one, sizes)
        self.keypad.apply(sizes)
        for field in (self.length, self.row, self.column):
            field.setFont(sizes.font(15))
            field.setFixedHeight(sizes.touch)
        self._step.setFont(sizes.font(15))
        self._error.setFont(sizes.font(14))
        for text in (self._or, self._square, self._watch, self._read):
            text.setFont(sizes.font(13))

    def reset(self) -> None:
        """Start again with the first point."""
        self._down = None
        for field in (self.length, self.row, self.column):
            field.clear()
        self._set_points(())
        self._complain("")

    def propose(
        self, proposal: "ScaleProposal | None", reason: str = "", excerpt: NDArray[np.uint8] | None = None
    ) -> None:
        """Offer the scale that was read from the screen, or say why none was; without both, say nothing.

        Args:
            proposal: the scale, for the user to confirm.
            reason: why there is none, in one sentence.
            excerpt: (rows, cols), the texts that were read, to be shown larger.
        """
        self._proposal = proposal
        words = reason
        if proposal is not None:
            words = f"On the screen, {proposal.words} agree."
            set_text(self._use_read, f"Use {per_pixel(proposal.spacing)}")
        set_text(self._read, words)
        set_ink(self._read, "soft" if proposal is not None else "muted")
        if excerpt is not None:
            self._excerpt.setPixmap(self._large(excerpt))
        self._say_watch()
        self._make_room()

    def _large(self, excerpt: NDArray[np.uint8]) -> QPixmap:
        rows, cols = excerpt.shape
        picture = QImage(excerpt.tobytes(), cols, rows, cols, QImage.Format.Format_Grayscale8)
        room = self.width() - self.sizes.px(60), self.sizes.px(EXCERPT)
        keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        return QPixmap.fromImage(picture).scaled(*room, keep, smooth)

    @property
    def reading_told(self) -> bool:
        """Whether it is said what was read from the screen, or why nothing was."""
        return bool(self._read.text())

    @property
    def read(self) -> tuple[Rect, ...]:
        """Where the ruler and texts of the offered scale stand; nothing once points are clicked."""
        if self._proposal is None or self.points:
            return ()
        return self._proposal.ruler.rect, *(text.rect for text in self._proposal.texts)

    def _confirm_proposal(self) -> None:
        if self._proposal is not None:
            self.proposal_used.emit(self._proposal)

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
        self._depth.setEnabled(captured)
        self._delete.setVisible(kept)

    def _say_watch(self) -> None:
        """Say whether depth text and ruler are watched, or will be with the scale that is offered."""
        words, unwatched = (
            "A recording: its depth text is not watched. Crop it where the sector was not found right.",
            False,
        )
        if self._captured:
            proposal = self._proposal
            will = self._unmarked and proposal is not None and proposal.region is not None
            unwatched = not self._watched and not will
            words = WATCHED if self._watched else WILL_WATCH if will else NOT_WATCHED
        set_text(self._watch, words)
        set_ink(self._watch, "gold" if unwatched else "soft")

    @property
    def preview(self) -> tuple[tuple[Point, Point], PixelSpacing] | None:
        """Two points and the scale they give, or the ruler that was read with its scale; else None."""
        if self._proposal is not None and not self.points:
            return self._proposal.points, self._proposal.spacing
        if len(self.points) != 2:
            return None
        try:
            return (self.points[0], self.points[1]), self._measure()
        except SpacingError:
            return None

    def click(self, x: float, y: float) -> None:
        """Take a click on the picture, in picture pixels."""
        self._set_points((*self.points, (x, y)) if len(self.points) < 2 else ((x, y),))
        if len(self.points) == 2:
            self.keypad.serve(self.length)
            self.length.setFocus()
            self.length.selectAll()

    def _set_points(self, points: tuple[Point, ...]) -> None:
        self.points = points
        set_text(self._step, (STEPS if self._down is None else OTHER_STEPS)[len(points)])
        self._use_ruler.setEnabled(len(points) == 2)
        self._other.setEnabled(len(points) == 2 and self._down is None)
        self._again.setEnabled(bool(points) or self._down is not None)
        self.points_changed.emit(points)

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
        self._confirm.setVisible(bool(words))
        self._make_room()

    def _make_room(self) -> None:
        """Show general words only where nothing particular is said, and the keypad is put away: room is scarce."""
        asking = self._doubted is not None
        if asking:
            self.keypad.hide()
        offering = self._proposal is not None and not asking
        self._read.setVisible(bool(self._read.text()) and not asking)
        self._excerpt.setVisible(offering)
        self._use_read.setVisible(offering)
        self._square.setVisible(not asking and not offering and self.keypad.isHidden())
        self._or.setVisible(not asking and self._read.isHidden())
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
            self.propose(None)
            self.reset()
        super().dismiss()

    def complain(self, sentence: str) -> None:
        """Say why the scale that was read cannot be used."""
        self._complain(sentence)

    def _complain(self, sentence: str) -> None:
        """Say what is wrong; an earlier doubtful scale is no longer offered."""
        self._doubted = None
        self._offer_confirmation("")
        set_text(self._error, sentence)
        self._error.setVisible(bool(sentence))
        self.fit.emit()
