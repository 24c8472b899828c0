"""The case code of the records, and the question before the window closes during a recording."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from inference.errors import OutputError
from viewer.panels.base import Panel
from viewer.panels.keypad import BACK, DIGITS, Keypad
from viewer.style.theme import Sizes
from viewer.style.widgets import Field, button, set_text, size_button

WHAT = "Recorded: every frame without loss, contours, areas, scale and its origin, model, guards and your marks."
CASE = "Without a code of yours the records of a day get an automatic one. Letters, digits and dashes, a digit among them; never a name, a birthday or a number of the hospital. A record that runs keeps its code."  # noqa: E501
CODE = r"[A-Za-z0-9-]*"
QUIT = "A recording is running. What is written so far is safe on the disk either way."


class RecordPanel(Panel):
    """Asks for the case code of the records to come; emits `chosen` with it, checked, or empty for an automatic one."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Case code", 420, parent)
        self._room = parent
        self._what, self._case, self._error = self.note(), self.note("muted", 13), self.note("red")
        self._what.setText(WHAT)
        self._case.setText(CASE)
        self.code = Field("Case code", "GL-017", CODE)
        self.code.setMaxLength(32)
        self.code.returnPressed.connect(self.choose)
        self.keypad = Keypad([self.code], DIGITS[:6], (*DIGITS[6:], "-", BACK))
        self.keypad.came.connect(self.refit)
        self.closed.connect(self.keypad.hide)
        self.use = button("Use this code", kind="accent")
        self.use.clicked.connect(self.choose)
        for part in (self._what, self._case, self.code, self.keypad, self._error, self.use):
            self.body.addWidget(part)
        self._error.hide()

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        self._what.setFont(sizes.font(14))
        self._case.setFont(sizes.font(13))
        self._error.setFont(sizes.font(14))
        self.code.setFont(sizes.font(16))
        self.code.setFixedHeight(sizes.touch)
        self.keypad.apply(sizes)
        size_button(self.use, sizes)

    def take_keyboard(self) -> None:
        """Put the cursor into the code's field."""
        self.code.setFocus()
        self.code.selectAll()

    def choose(self) -> None:
        """Accept the typed code, unless it could be a name."""
        from inference.recording.schema import checked_case_code  # its library is not needed at the start

        try:
            code = checked_case_code(self.code.text())
        except OutputError as error:
            set_text(self._error, str(error))
            self._error.show()
            self.place(self._room)
            return
        self._error.hide()
        self.dismiss()
        self.chosen.emit(code)


class QuitPanel(Panel):
    """Asks before closing the window ends a recording; emits `agreed`."""

    agreed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Stop recording and close?", 420, parent)
        self._words = self.note()
        self._words.setText(QUIT)
        self.stay, self.leave = button("Keep recording", kind="accent"), button("Stop and close")
        self.stay.clicked.connect(self.dismiss)
        self.leave.clicked.connect(self.agreed)
        row = QHBoxLayout()
        row.addWidget(self.stay, 1)
        row.addWidget(self.leave, 1)
        self.body.addWidget(self._words)
        self.body.addLayout(row)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        self._words.setFont(sizes.font(14))
        for made in (self.stay, self.leave):
            size_button(made, sizes)

    def take_keyboard(self) -> None:
        """Focus the button that goes on recording, so that Enter presses it."""
        self.stay.setFocus()
