"""Asked before a recording begins, and before the window closes over one."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from inference.errors import OutputError
from viewer.panels.base import Panel
from viewer.style.theme import Sizes
from viewer.style.widgets import button, set_text, size_button

WHAT = "Recorded: every frame without loss, contours, areas, scale and its origin, model, guards and your marks."
CASE = "A case code is optional. Letters, digits and dashes, a digit among them; never a name, a birthday or a number of the hospital."  # noqa: E501
QUIT = "A recording is running. What is written so far is safe on the disk either way."


class RecordPanel(Panel):
    """Asks for a case code, once a sitting; emits `started` with it, empty or checked."""

    started = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Record", 420, parent)
        self._room = parent
        self._what, self._case, self._error = self.note(), self.note("muted", 13), self.note("red")
        self._what.setText(WHAT)
        self._case.setText(CASE)
        self.code = QLineEdit()
        self.code.setPlaceholderText("GL-017")
        self.code.setMaxLength(32)
        self.code.setAccessibleName("Case code")
        self.code.returnPressed.connect(self.start)
        self.start_button = button("Start recording", kind="accent")
        self.start_button.clicked.connect(self.start)
        for part in (self._what, self._case, self.code, self._error, self.start_button):
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
        size_button(self.start_button, sizes)

    def start(self) -> None:
        """Begin with the code that was typed, unless it could be a name."""
        from inference.recording.schema import checked_case_code  # its library isn't needed at the start

        try:
            code = checked_case_code(self.code.text())
        except OutputError as error:
            set_text(self._error, str(error))
            self._error.show()
            self.place(self._room)
            return
        self._error.hide()
        self.dismiss()
        self.started.emit(code)


class QuitPanel(Panel):
    """Asks before a recording is ended by closing the window; emits `agreed`."""

    agreed = Signal()
    aside = False

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Stop recording and close?", 420, parent)
        self._words = self.note()
        self._words.setText(QUIT)
        self.stay, self.leave = button("Go on recording", kind="accent"), button("Stop and close")
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
