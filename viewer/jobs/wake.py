"""Keeps the screen on while something is live: a screen that goes dark in mid-case shows nothing.

Each way holds as long as this process lives, and ends with it even if it is killed: a child that waits for our end of
a pipe, a connection to the session bus, a flag of our own thread.
"""

import ctypes
import logging
import subprocess
import sys
from collections.abc import Sequence
from shutil import which
from typing import Any, Protocol

from PySide6.QtGui import QGuiApplication

log = logging.getLogger(__name__)

REASON = "live ultrasound"
ES_CONTINUOUS, ES_SYSTEM_REQUIRED, ES_DISPLAY_REQUIRED = 0x80000000, 0x00000001, 0x00000002
"""SetThreadExecutionState (winbase.h)."""
JUMP_S = 2.0
"""A tick comes every 16 ms; a pause of two seconds is no hiccup."""


class Holder(Protocol):
    """One way to keep a computer awake."""

    def start(self) -> bool:
        """Hold; False where that is impossible here."""
        ...

    def stop(self) -> None:
        """Let go."""
        ...


class Child:
    """A program that keeps the computer awake for as long as another one runs: `cat`, which ends with our pipe.

    Args:
        command: the program and its words, `cat` at the end.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> bool:
        """Start it; False where it isn't installed, or ends at once."""
        if which(self._command[0]) is None:
            return False
        self._running = subprocess.Popen(  # noqa: S603  (our own words)
            self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return True

    @property
    def holds(self) -> bool:
        """Whether it still runs."""
        return self._running is not None and self._running.poll() is None

    def stop(self) -> None:
        """Close the pipe, and wait for its end."""
        if self._running is None:
            return
        if self._running.stdin is not None:
            self._running.stdin.close()
        try:
            self._running.wait(2.0)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        self._running = None


class ScreenSaver:
    """The desktop's own `org.freedesktop.ScreenSaver`, on a connection of ours: the desktop forgets it with that."""

    NAME = "ius-viewer-awake"

    def start(self) -> bool:
        """Ask the desktop; False where there is none that answers."""
        from PySide6.QtDBus import QDBusConnection, QDBusInterface, QDBusMessage

        bus = QDBusConnection.connectToBus(QDBusConnection.BusType.SessionBus, self.NAME)
        desktop = QDBusInterface(
            "org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver", bus
        )
        desktop.setTimeout(500)
        answer = desktop.call("Inhibit", "ius-viewer", REASON)
        if answer.type() == QDBusMessage.MessageType.ReplyMessage:
            return True
        self.stop()
        return False

    def stop(self) -> None:
        """Hang up."""
        from PySide6.QtDBus import QDBusConnection

        QDBusConnection.disconnectFromBus(self.NAME)


class ExecutionState:
    """Windows' own flag, set for the window's thread."""

    def __init__(self) -> None:
        self._kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009  (only there on Windows)

    def start(self) -> bool:
        """Set it."""
        return bool(self._kernel.SetThreadExecutionState(ES_CONTINUOUS | ES_SYSTEM_REQUIRED | ES_DISPLAY_REQUIRED))

    def stop(self) -> None:
        """Take it back."""
        self._kernel.SetThreadExecutionState(ES_CONTINUOUS)


def holders() -> tuple[Holder, ...]:
    """What keeps this computer awake: every one of them has to hold. None where there is no screen."""
    if QGuiApplication.platformName() in ("offscreen", "minimal"):
        return ()
    if sys.platform == "win32":
        return (ExecutionState(),)
    if sys.platform == "darwin":
        return (Child(("caffeinate", "-di", "cat")),)
    sleep = Child(("systemd-inhibit", "--what=idle:sleep", "--who=ius-viewer", f"--why={REASON}", "cat"))
    return (ScreenSaver(), sleep)


class Wake:
    """Holds while something is live.

    Args:
        ways: every one has to hold.
    """

    SLEEPY = "The screen may go dark: this computer does not let a program keep it on. Change that in its settings."

    def __init__(self, ways: Sequence[Holder]) -> None:
        self._ways = tuple(ways)
        self._held: list[Holder] = []
        self._on = False

    def keep(self, live: bool) -> str:
        """Hold while `live`, let go otherwise; a sentence where holding was begun and is not possible, else empty."""
        if live is self._on:
            return ""
        self._on = live
        if not live:
            self._release()
            return ""
        self._held = [way for way in self._ways if way.start()]
        log.info("kept awake by %d of %d ways", len(self._held), len(self._ways))
        return self.SLEEPY if len(self._held) < len(self._ways) else ""

    @property
    def words(self) -> str:
        """For the timing panel."""
        if not self._on:
            return "left to itself"
        return "kept on" if len(self._held) == len(self._ways) else "may go dark"

    def close(self) -> None:
        """Let go."""
        self._on = False
        self._release()

    def _release(self) -> None:
        for way in self._held:
            way.stop()
        self._held = []


class Vigil:
    """Compares two clocks at every tick: one may stand still while the computer sleeps, the other doesn't."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def look(self, monotonic: float, wall: float) -> str:
        """What happened since the last look, one sentence; empty if nothing did.

        Args:
            monotonic: `time.monotonic()` seconds, which on some systems do not count sleep.
            wall: `time.time()` seconds, which may be set by hand.
        """
        last, self._last = self._last, (monotonic, wall)
        if last is None:
            return ""
        passed, by_the_clock = monotonic - last[0], wall - last[1]
        if passed > JUMP_S:
            return f"The window stood still for {passed:.0f} s: what it showed was not live."
        if abs(by_the_clock - passed) > JUMP_S:
            return (
                f"The computer slept, or its clock was set, by {by_the_clock - passed:+.0f} s: what was on the screen "
                "is gone, until new pictures come."
            )
        return ""
