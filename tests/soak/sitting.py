"""The viewer itself, in this process: the window that `ius-viewer` builds, turned by Qt's own event loop."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtWidgets import QApplication

from inference.assets import demo_model_path
from viewer import app
from viewer.faults import Faults
from viewer.main_window import MainWindow

LOOK_MS = 20
"""How often a condition is looked at; it takes nothing from the window."""
POPULATION = "demonstration model, bundled simulated clip"


def spin(until: Callable[[], bool], within_s: float) -> bool:
    """Let the window run until something is true. False if it is not so within this time."""
    end = monotonic() + within_s
    while not until():
        if monotonic() > end:
            return False
        loop = QEventLoop()
        QTimer.singleShot(LOOK_MS, loop.quit)
        loop.exec()
    return True


@contextmanager
def viewer(*arguments: str) -> Iterator[MainWindow]:
    """A window with the bundled model on a source, closed at the end; whatever broke unexpectedly fails the run."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _ = QApplication.instance() or QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        faults = Faults()
        wanted = app._parser().parse_args([*arguments, "--model", str(demo_model_path()), "--phase", "before_dura"])
        window = app.build(wanted, faults)
        window.show()
        try:
            yield window
        finally:
            window.close()
            window.deleteLater()
        broken = faults.take()
        assert broken is None, broken


def analysing(window: MainWindow) -> bool:
    """Whether frames of the open source are analysed and painted."""
    if window.session.source_refusal or window.session.model_refusal:
        raise RuntimeError(window.session.source_refusal or window.session.model_refusal)
    return window.session.ready and window.meter.shown > 5
