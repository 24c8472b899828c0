"""Shown while a contour is corrected on the picture: the gestures, the brush, what is corrected so far."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from inference.readout.carrying import Carried
from inference.readout.correction import BRUSHES_MM, UNSCALED_PX, Correction, Gesture
from viewer.panels.base import Panel
from viewer.style.theme import Sizes
from viewer.style.widgets import button, label, set_text, size_button

NAMES = {
    Gesture.PUSH: ("Push edge", "Drag from inside to push it outwards, from outside inwards."),
    Gesture.CUT: ("Cut off", "Draw a line right across: the smaller part goes."),
    Gesture.ADD: ("Add", "Draw around what is to be added."),
    Gesture.ERASE: ("Erase", "Draw around what is to be taken away."),
}
WIDTH = 280
"""Of the panel, px at 1280×800."""
NOTHING = "Nothing is corrected yet."
BY_KEYS = "By keyboard: I, arrows, Enter to begin and to end."
BESIDE = "The model's own contour stays, thin: number, record and what is sent are its alone."


class CorrectionPanel(Panel):
    """The gestures as buttons, with the brush, undo and export."""

    chosen = Signal()
    """Emitted when another gesture or brush was chosen."""
    undo_wanted = Signal()
    export_wanted = Signal()
    carry_wanted = Signal()
    confirmed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Correct contour", WIDTH, parent)
        self.gesture, self._brush, self._scaled = Gesture.PUSH, BRUSHES_MM.index(3.0), True
        self.words, self._hint, self._beside = self.note("", 15), self.note("soft", 14), self.note("muted", 13)
        self.gestures = {gesture: button(name, kind="choice") for gesture, (name, _) in NAMES.items()}
        self.smaller, self.larger = button("−", "Smaller brush"), button("+", "Larger brush")
        self.brush, self._grid = label("soft"), QGridLayout()
        self.undo = button("Undo", "Take the last gesture back (Ctrl Z)")
        self.export = button("Export training case", "Write picture and corrected mask as a case for training")
        self.carry = button("Carry to frames beside", "Propose this contour for the frames before and after (Shift A)")
        self.confirm = button(
            "Confirm carried contour", "Take the contour carried to this frame as yours (Q)", "accent"
        )
        self._lay_out()
        self._beside.setText(f"{BESIDE} {BY_KEYS}")
        for gesture, made in self.gestures.items():
            made.setCheckable(True)
            made.clicked.connect(lambda _=False, pressed=gesture: self._choose(pressed, self._brush))
        self.smaller.clicked.connect(lambda: self._choose(self.gesture, self._brush - 1))
        self.larger.clicked.connect(lambda: self._choose(self.gesture, self._brush + 1))
        self.undo.clicked.connect(self.undo_wanted)
        self.export.clicked.connect(self.export_wanted)
        self.carry.clicked.connect(self.carry_wanted)
        self.confirm.clicked.connect(self.confirmed)
        self._choose(self.gesture, self._brush)

    def _lay_out(self) -> None:
        grid, brush, below = self._grid, QHBoxLayout(), QHBoxLayout()
        for place, made in enumerate(self.gestures.values()):
            grid.addWidget(made, place // 2, place % 2)
        for widget in (self.smaller, self.brush, self.larger):
            brush.addWidget(widget)
        brush.addStretch(1)
        below.addWidget(self.undo)
        below.addWidget(self.export, 1)
        self.body.addWidget(self.words)
        self.body.addLayout(grid)
        self.body.addWidget(self._hint)
        self.body.addLayout(brush)
        self.body.addLayout(below)
        self.body.addWidget(self.carry)
        self.body.addWidget(self.confirm)
        self.body.addWidget(self._beside)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        for made in (*self.gestures.values(), self.undo, self.export, self.carry, self.confirm):
            size_button(made, sizes)
        for made in (self.smaller, self.larger):
            size_button(made, sizes, square=True)
        self._grid.setSpacing(sizes.px(8))
        self.words.setFont(sizes.font(15, QFont.Weight.DemiBold))
        self._hint.setFont(sizes.font(14))
        self.brush.setFont(sizes.font(14))
        self._beside.setFont(sizes.font(13))

    def place(self, room: QWidget) -> None:
        """Leave out the explanation where it would be cut; the buttons are always whole."""
        self._beside.show()
        self.setFixedWidth(self.sizes.px(WIDTH))
        self._beside.setVisible(self._wanted <= room.height() - 2 * self.sizes.px(14))
        super().place(room)

    @property
    def radius_mm(self) -> float:
        """Radius of the brush, mm."""
        return BRUSHES_MM[self._brush]

    def show_correction(self, correction: Correction, carried: Carried | None = None) -> None:
        """Show what is corrected so far, or the contour that was carried here and waits to be confirmed."""
        set_text(self.words, correction.words or (NOTHING if carried is None else carried.words))
        self.carry.setVisible(carried is None)
        self.confirm.setVisible(carried is not None)
        self._scaled = correction.frame.spacing is not None
        self._say_brush()
        for made in (self.undo, self.export, self.carry):
            made.setEnabled(correction.changed)

    def _say_brush(self) -> None:
        """The brush's width: in mm where the scale is known."""
        across = 2 * self.radius_mm
        set_text(self.brush, f"Brush {across:g} mm" if self._scaled else f"Brush {across * UNSCALED_PX:.0f} px")

    def _choose(self, gesture: Gesture, brush: int) -> None:
        self.gesture, self._brush = gesture, brush
        for other, made in self.gestures.items():
            made.setChecked(other is gesture)
        set_text(self._hint, NAMES[gesture][1])
        self._say_brush()
        self.smaller.setEnabled(brush > 0)
        self.larger.setEnabled(brush < len(BRUSHES_MM) - 1)
        self.chosen.emit()
