"""The phase of surgery: every phase by name, the present one marked. A single stray key or touch changes nothing."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent
from PySide6.QtWidgets import QWidget

from inference.view_notes import Phase
from viewer.panels.base import Panel
from viewer.style.theme import Sizes
from viewer.style.widgets import button, size_button

WHAT = (
    "Once resection has begun, blood, saline, air and the cavity's edge may be drawn as tumour. "
    "The phase decides what is said of the contour; it goes into records and exports."
)
ARROWS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class PhasePanel(Panel):
    """Shows the phases as buttons; emits `chosen` with the pressed one."""

    chosen = Signal(Phase)

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Phase of surgery", 280, parent)
        self.buttons = {phase: button(phase.words, kind="choice") for phase in Phase}
        self._what = self.note("muted", 13)
        self._what.setText(WHAT)
        for phase, made in self.buttons.items():
            made.setCheckable(True)
            made.clicked.connect(lambda _=False, pressed=phase: self._choose(pressed))
            self.body.addWidget(made)
        self.body.addWidget(self._what)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        for made in self.buttons.values():
            size_button(made, sizes, size=16)
            made.setFont(sizes.font(16, QFont.Weight.Medium))
        self._what.setFont(sizes.font(13))

    def show_phase(self, phase: Phase) -> None:
        """Mark the present phase."""
        for other, made in self.buttons.items():
            if made.isChecked() is not (other is phase):
                made.setChecked(other is phase)

    def take_keyboard(self) -> None:
        """Focus the present phase: the arrows move on from it, and Enter chooses."""
        self.buttons[self._present].setFocus(Qt.FocusReason.TabFocusReason)

    def event(self, event: QEvent) -> bool:
        """Take the arrows from whatever shortcut they are."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in ARROWS
            and event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the focus to the phase above or below."""
        if event.key() not in ARROWS:
            super().keyPressEvent(event)
            return
        made = list(self.buttons.values())
        at = next((place for place, one in enumerate(made) if one.hasFocus()), 0)
        made[(at + ARROWS[Qt.Key(event.key())]) % len(made)].setFocus(Qt.FocusReason.TabFocusReason)

    @property
    def _present(self) -> Phase:
        return next((phase for phase, made in self.buttons.items() if made.isChecked()), Phase.UNSET)

    def _choose(self, phase: Phase) -> None:
        self.chosen.emit(phase)
        self.dismiss()
