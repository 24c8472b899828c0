"""What a first-time user should know, in five lines."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from viewer.panels.base import Panel
from viewer.style.theme import Sizes
from viewer.style.widgets import button, size_button

LINES = (
    "This is the bundled clip: a simulated patient, segmented by a model that was trained on simulation. "
    "It shows how the screen works, and nothing about clinical accuracy.",
    "Open your own picture, volume, DICOM or video: Open…, Ctrl O, or drop it on the window.",
    "Without a scale there is no mm²: Calibrate (C) takes two points and a length.",
    "Set the phase of surgery (P): where the model was not evaluated, the screen says so.",
    "What the model is and was tested on stands in its card: Model (M).",
    "What you opened last, models too, is listed until you quit. If the list is kept for the next start, names of "
    "files and folders, which may be patients', are stored in your settings:",
)

WIDTHS = (380, 560, 720)
"""The panel's width, px at 1280×800: in a low window it grows wider, so that no line is cut."""
KEEP, FORGET = "The list is kept", "The list is forgotten at the end"


class WelcomePanel(Panel):
    """Shown once, at the first start, beside the running clip."""

    keep_wanted = Signal(bool)
    """Emitted with whether the list of recent sources is to be kept."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Welcome", WIDTHS[0], parent)
        self._lines = []
        for line in LINES:
            note = self.note()
            note.setText(line)
            self.body.addWidget(note)
            self._lines.append(note)
        self.keep = button(FORGET, "Whether the list of what was opened last outlives this sitting")
        self.keep.setCheckable(True)
        self.keep.toggled.connect(self._keep)
        self.body.addWidget(self.keep)
        self._start = button("Start", kind="accent")
        self._start.clicked.connect(self.dismiss)
        self.body.addWidget(self._start)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        for line in self._lines:
            line.setFont(sizes.font(14))
        size_button(self.keep, sizes)
        size_button(self._start, sizes)

    def place(self, room: QWidget) -> None:
        """Place the panel, as wide as it has to be."""
        for width in WIDTHS:
            self._base_width = width
            super().place(room)
            if self.height() >= self._wanted:
                return

    def _keep(self, wanted: bool) -> None:
        self.keep.setText(KEEP if wanted else FORGET)
        self.keep_wanted.emit(wanted)

    def take_keyboard(self) -> None:
        """Focus the start button, so that Enter presses it."""
        self._start.setFocus()
