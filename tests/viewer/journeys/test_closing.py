"""The window's end: it asks while recording, and leaves no thread behind."""

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from recordings import frames_in, start

from inference.recording.schema import End
from inference.sources.record import RecordSource
from inference.sources.simulated import PhantomSource
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]


def test_closing_asks_while_recording(show: Show, qtbot: QtBot, records: Path, shoot: Shoot) -> None:
    window = show(PhantomSource(count=60))
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 2), timeout=10_000)
    assert not window.close()
    assert not window.view.quit.isHidden()
    shoot(window, "quit-while-recording")
    window.view.quit.stay.click()
    assert window.state.recording.running
    assert not window.close()
    window.view.quit.leave.click()
    assert not window.isVisible()
    with RecordSource(next(records.iterdir())) as source:
        assert (source.finished, source.ended) == (True, End.CLOSED)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for Qt's symbol in a shared library of Linux")
def test_the_end_of_the_desktops_session_ends_the_record_without_asking(
    show: Show, qtbot: QtBot, records: Path, qapp: QApplication
) -> None:
    window = show(PhantomSource(count=60))
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 2), timeout=10_000)
    library = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libQt6Gui" in line)
    emit = ctypes.CDLL(library)["_ZN15QGuiApplication17commitDataRequestER15QSessionManager"]
    emit.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    address = shiboken6.getCppPointer(qapp)[0]
    emit(address, address)  # as Qt does; nobody looks at the session manager, which Python cannot make
    assert not window.isVisible()
    with RecordSource(next(records.iterdir())) as source:
        assert (source.finished, source.ended) == (True, End.LOGOUT)


def test_closing_joins_every_thread_within_a_second(show: Show) -> None:
    window = show()
    assert {"ius-capture", "ius-analysis"} <= {thread.name for thread in threading.enumerate()}
    began = time.monotonic()
    window.close()
    assert time.monotonic() - began < 1
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("ius-")]
