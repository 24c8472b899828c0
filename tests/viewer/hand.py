"""A hand on a real desktop: keys and clicks by way of the X server, as a keyboard and a mouse send them."""

import subprocess
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot


class Hand:
    """Types and clicks; Qt goes round while it does."""

    def __init__(self, qtbot: QtBot) -> None:
        self._qtbot = qtbot

    def key(self, *names: str) -> None:
        """Press keys one after another, by their X names: `space`, `Return`, `r`, `ctrl+o`."""
        self._do("key", "--clearmodifiers", *names)

    def layout(self, name: str) -> None:
        """Use this keyboard layout alone, by its X name: `us`, `ru`; keys are then pressed by number, as `27`."""
        subprocess.run(["setxkbmap", "-layout", name], check=True, timeout=30)

    def hold(self, key: str, seconds: float) -> None:
        """Hold a key down, as a foot rests on a pedal; the X server then repeats it."""
        self._do("keydown", key, "sleep", str(seconds), "keyup", key)

    def write(self, text: str) -> None:
        """Type a text."""
        self._do("type", "--clearmodifiers", text)

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click on a widget, in its middle unless told where."""
        self.move(widget, at)
        self._do("click", "1")

    def move(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Put the pointer over a widget."""
        point = widget.mapToGlobal(widget.rect().center() if at is None else at)
        # Without --sync, which waits forever where the pointer stands there already.
        self._do("mousemove", str(point.x()), str(point.y()))

    def drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        """Drag from one place of a widget to another."""
        self.move(widget, start)
        self.press(down=True)
        self.move(widget, (start + end) / 2)
        self.move(widget, end)
        self.press(down=False)

    def press(self, *, down: bool) -> None:
        """Hold the left button down, or let it go."""
        self._do("mousedown" if down else "mouseup", "1")

    def wheel(self, up: int) -> None:
        """Turn the wheel up by some notches, down if negative."""
        for _ in range(abs(up)):
            self._do("click", "4" if up > 0 else "5")

    def photograph(self, path: Path) -> None:
        """The whole screen as PNG: title bars, dialogs and other windows too."""
        subprocess.run(["import", "-window", "root", str(path)], check=True, timeout=30)

    def _do(self, *words: str) -> None:
        # The pointer and the keyboard belong to the X server: Qt must go round while xdotool waits for it.
        process = subprocess.Popen(["xdotool", *words])
        self._qtbot.waitUntil(lambda: process.poll() is not None, timeout=10_000)
        assert process.returncode == 0
