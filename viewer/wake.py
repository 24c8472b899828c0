"""Keeps the screen on while something is live: a screen that goes dark in mid-case shows nothing.

Each way lasts as long as this process, and ends with it even if it is killed: a child process that waits for our end of
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


class WakeLock(Protocol):
    """One way to keep a computer awake."""

    def start(self) -> bool:
        """Keep the computer awake; False if that is impossible here."""
        ...

    def stop(self) -> None:
        """Let the computer sleep again."""
        ...


class HelperProgram:
    """A program that keeps the computer awake while another one runs: `cat`, which ends with our pipe.

    Args:
        command: the program and its arguments, with `cat` at the end.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> bool:
        """Start the program; False if it is not installed, or ends at once."""
        if which(self._command[0]) is None:
            return False
        self._running = subprocess.Popen(  # noqa: S603  (our own words)
            self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return True

    @property
    def holds(self) -> bool:
        """Whether the program is still running."""
        return self._running is not None and self._running.poll() is None

    def stop(self) -> None:
        """Close the pipe, and wait for the program to end."""
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
    """The desktop's `org.freedesktop.ScreenSaver`, on our own connection: the desktop forgets the request with it."""

    NAME = "ius-viewer-awake"

    def start(self) -> bool:
        """Ask the desktop; False if none answers."""
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
        """Close the connection."""
        from PySide6.QtDBus import QDBusConnection

        QDBusConnection.disconnectFromBus(self.NAME)


class ExecutionState:
    """Windows' own flag, set for the window's thread."""

    def __init__(self) -> None:
        self._kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009  (only there on Windows)

    def start(self) -> bool:
        """Set the flag."""
        return bool(self._kernel.SetThreadExecutionState(ES_CONTINUOUS | ES_SYSTEM_REQUIRED | ES_DISPLAY_REQUIRED))

    def stop(self) -> None:
        """Clear the flag."""
        self._kernel.SetThreadExecutionState(ES_CONTINUOUS)


def wake_locks() -> tuple[WakeLock, ...]:
    """The ways to keep this computer awake, all of which have to hold. Empty if there is no screen."""
    if QGuiApplication.platformName() in ("offscreen", "minimal"):
        return ()
    if sys.platform == "win32":
        return (ExecutionState(),)
    if sys.platform == "darwin":
        return (HelperProgram(("caffeinate", "-di", "cat")),)
    sleep = HelperProgram(("systemd-inhibit", "--what=idle:sleep", "--who=ius-viewer", f"--why={REASON}", "cat"))
    return (ScreenSaver(), sleep)


class Wake:
    """Keeps the computer awake while something is live.

    Args:
        ways: the ways to do so; all of them have to hold.
    """

    SLEEPY = "Sleep not prevented: the screen may go dark. Keep it on in the settings of this computer."

    def __init__(self, ways: Sequence[WakeLock]) -> None:
        self._ways = tuple(ways)
        self._held: list[WakeLock] = []
        self._on = False

    def keep(self, live: bool) -> str:
        """Hold while `live`, else release; returns a sentence when holding was tried and is impossible, else empty."""
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
        """The state in words, for the timing panel."""
        if not self._on:
            return "left to itself"
        return "kept on" if len(self._held) == len(self._ways) else "may go dark"

    def close(self) -> None:
        """Let the computer sleep again."""
        self._on = False
        self._release()

    def _release(self) -> None:
        for way in self._held:
            way.stop()
        self._held = []
