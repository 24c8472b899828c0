"""The screen is kept on while something is live, and a sleep or a lost monitor takes nothing old for live."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from shutil import which
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from inference.outcome import Tumour
from inference.sources import open_live
from inference.sources.simulated import PhantomSource
from inference.sources.sleepless import sleepless
from viewer.main_window import MainWindow
from viewer.wake import HelperProgram, ScreenSaver, Wake, wake_locks

Show = Callable[..., MainWindow]
Igtl = Callable[..., AbstractContextManager[Any]]
FreePort = Callable[..., int]
posix = pytest.mark.skipif(sys.platform == "win32", reason="there it is a flag of the thread")


class Noted:
    """A way that notes what it is asked, and can or cannot hold."""

    def __init__(self, *, able: bool = True) -> None:
        self.able, self.asked = able, list[str]()

    def start(self) -> bool:
        self.asked.append("start")
        return self.able

    def stop(self) -> None:
        self.asked.append("stop")


def test_it_is_held_once_and_let_go_once() -> None:
    way = Noted()
    wake = Wake([way])
    assert [wake.keep(live) for live in (False, True, True, False, False, True)] == [""] * 6
    assert wake.words == "kept on"
    wake.close()
    assert way.asked == ["start", "stop", "start", "stop"]


def test_what_cannot_be_held_is_said_once_and_not_let_go() -> None:
    good, bad = Noted(), Noted(able=False)
    wake = Wake([good, bad])
    assert "may go dark" in wake.keep(True)
    assert wake.keep(True) == ""
    assert wake.words == "may go dark"
    wake.close()
    assert (good.asked, bad.asked) == (["start", "stop"], ["start"])


@posix
def test_a_child_holds_while_it_is_wanted_and_ends_with_us() -> None:
    child = HelperProgram(("cat",))
    assert child.start()
    assert child.holds
    child.stop()
    assert not child.holds
    assert not HelperProgram(("no-such-program", "cat")).start()
    code = (
        "import os\nfrom viewer.wake import HelperProgram\nchild = HelperProgram(('cat',))\nchild.start()\n"
        "print(child._running.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    pid, deadline = int(killed.stdout), time.monotonic() + 5
    while _alive(pid):
        assert time.monotonic() < deadline, "the child outlives us"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.mark.skipif(which("dbus-daemon") is None, reason="no D-Bus here")
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one way")
def test_where_there_is_a_screen_there_are_ways_to_keep_it_on(
    monkeypatch: pytest.MonkeyPatch,
    qapp: object,  # noqa: ARG001
) -> None:
    assert wake_locks() == (), "tests draw off the screen"
    monkeypatch.setattr("viewer.wake.QGuiApplication", SimpleNamespace(platformName=lambda: "xcb"))
    desktop, sleep = wake_locks()
    assert isinstance(desktop, ScreenSaver)
    assert isinstance(sleep, HelperProgram)


def test_a_desktop_without_screen_saver_is_no_hold(monkeypatch: pytest.MonkeyPatch, qapp: object) -> None:  # noqa: ARG001
    words = ["dbus-daemon", "--session", "--nofork", "--print-address"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as daemon:
        assert daemon.stdout is not None
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.stdout.readline().strip())
        assert not ScreenSaver().start()
        daemon.terminate()


def test_live_holds_and_a_recording_does_not(show: Show, qtbot: QtBot, igtl: Igtl, free_port: FreePort) -> None:
    port = free_port()
    with igtl(port):
        window = show(open_live(f"igtl://127.0.0.1:{port}"))
        way = Noted(able=False)
        window.state.wake = Wake([way])
        qtbot.waitUntil(lambda: way.asked == ["start"], timeout=3000)
        qtbot.waitUntil(lambda: window.view.picture_area.notice.text() == Wake.SLEEPY, timeout=3000)
        window.session._open_source = lambda _: PhantomSource(count=20)
        window.handlers.open_source(window.view.source.request("other"))
        qtbot.waitUntil(lambda: window.state.wake.words == "left to itself", timeout=5000)
        window.close()


def test_after_a_sleep_nothing_old_stands_as_live(
    show: Show, qtbot: QtBot, igtl: Igtl, free_port: FreePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    with igtl(port) as server:
        window = show(open_live(f"igtl://127.0.0.1:{port}"))
        qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
        window.act("calibrate")
        qtbot.waitUntil(lambda: window.state.marked_on is not None)
        server.silent = True
        monkeypatch.setattr("inference.live.session.sleepless", lambda: sleepless() + 3600)
        woke = time.monotonic()
        window.refresh.tick()
        assert window.shown is None or window.shown.frame.captured_at >= woke
        assert window.readout_state is not None
        assert (window.readout_state.contour, window.readout_state.number) == (False, "—")
        assert window.view.canvas.contour.frame is None
        held = window.session.held()
        assert held is None or len(held) < 3
        assert "slept" in window.view.picture_area.notice.text()
        assert not window.state.calibrating, "nothing is measured on a picture from before the sleep"
        server.silent = False
        qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
        window.close()


def test_a_lost_monitor_is_said(show: Show) -> None:
    window = show()
    application = QGuiApplication.instance()
    assert isinstance(application, QGuiApplication)
    application.screenRemoved.emit(window.screen())
    assert "was removed" in window.view.picture_area.notice.text()


SECOND = """
import json, sys
from viewer import app
from PySide6.QtWidgets import QApplication
from PySide6.QtCore import QTimer
application = QApplication([])
wanted = app._parser().parse_args(["simulated:", "--phase", "before_dura"])
from inference.live.exception_hooks import Faults
window = app.build(wanted, Faults())
window.show()
said = {}
def look():
    v = window.view
    parts = (v.top._mode, v.readout._area, v.readout._card, v.footer._line, v.canvas.viewport())
    said["screen"] = window.screen().name()
    said["full"] = window.isFullScreen()
    said["size"] = [window.width(), window.height()]
    said["there"] = [not part.visibleRegion().isEmpty() for part in parts]
    window.act("fullscreen")
    QTimer.singleShot(300, leave)
def leave():
    said["left"] = [window.screen().name(), window.isFullScreen()]
    said["within"] = window.screen().geometry().contains(window.frameGeometry())
    window.close()
    application.quit()
def move():
    said["before"] = window.screen().name()
    window.act("monitor")
    QTimer.singleShot(700, look)
QTimer.singleShot(1500, move)
application.exec()
print(json.dumps(said))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="two monitors drawn offscreen")
def test_the_other_monitor_is_filled_and_keeps_everything(tmp_path: Path) -> None:
    one = {"name": "laptop", "x": 0, "y": 0, "width": 1366, "height": 768, "logicalDpi": 96, "dpr": 1}
    two = one | {"name": "theatre", "x": 1366, "width": 1920, "height": 1080}
    config = tmp_path / "screens.json"
    config.write_text(json.dumps({"screens": [one, two]}))
    environment = os.environ | {"QT_QPA_PLATFORM": f"offscreen:configfile={config}", "XDG_CONFIG_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", SECOND], capture_output=True, text=True, timeout=90, check=False, env=environment
    )
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout.splitlines()[-1])
    assert (said["before"], said["screen"], said["full"]) == ("laptop", "theatre", True)
    assert said["size"] == [1920, 1080]
    assert all(said["there"]), said
    assert (said["left"], said["within"]) == (["theatre", False], True), "it doesn't hang off the screen afterwards"
