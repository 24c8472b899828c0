"""The first start on screens of every size: the whole window is on the screen, also after F and F again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DESKTOP = Path(__file__).parents[3] / "packaging" / "desktop"
START = """
import json, sys
from PySide6.QtWidgets import QApplication
from PySide6.QtTest import QTest
from viewer.app import fit_screen
from inference.live.requests import Refusal
from inference.live.session import Session
from viewer.main_window import MainWindow
from viewer.settings import Settings
application = QApplication([])
window = MainWindow(Session(lambda _: Refusal("none"), lambda _: Refusal("none")), Settings())
fit_screen(window)
window.show()
QTest.qWaitForWindowActive(window)
QTest.qWait(500)

def place():
    frame = window.frameGeometry()
    return [frame.x(), frame.y(), frame.width(), frame.height()]

def wait(until):
    for _ in range(100):
        if not until():
            QTest.qWait(20)

before = place()
window.act("fullscreen")
wait(lambda: window.size() == window.screen().size())
window.act("fullscreen")
wait(lambda: place() == before)
print(json.dumps([before, place()]))
window.close()
"""


@pytest.mark.parametrize(("width", "height", "bar"), [(1366, 768, 0), (1366, 768, 60), (960, 540, 0), (1920, 1080, 0)])
def test_the_first_window_is_all_on_the_screen(width: int, height: int, bar: int) -> None:
    """With openbox's title bar, 60 rows leave a laptop's window as many as Windows 11 does: 689.

    A screen of 1920×1080 whose desktop enlarges everything twice is one of 960×540.
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "QT_QPA_PLATFORM")}
    done = subprocess.run(
        [str(DESKTOP), sys.executable, "-c", START],
        env={**environment, "SCREEN": f"{width}x{height}", "BAR": str(bar)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    (left, top, wide, high), after_full_screen = json.loads(done.stdout.splitlines()[-1])
    assert after_full_screen == [left, top, wide, high]
    assert left >= 0
    assert top >= 0
    assert left + wide <= width
    assert top + high <= height - bar
