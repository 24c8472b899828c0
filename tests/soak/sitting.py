"""The viewer itself, in this process: the window that `ius-viewer` builds, turned by Qt's own event loop."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication
from senders import Clip

from inference.assets import demo_model_path
from inference.live.exception_hooks import Faults
from inference.outcome import NothingFound, Tumour
from inference.spacing import PixelSpacing, Provenance
from viewer import app, settings
from viewer.main_window import MainWindow

LOOK_MS = 20
"""How often a condition is looked at; it takes nothing from the window."""
OPENS_S = 30.0
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
    """A window on a source, closed at the end, with the bundled model or the one that is named.

    Whatever broke unexpectedly fails the run.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _ = QApplication.instance() or QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        settings.folder = lambda: Path(folder)
        documents = os.environ.get("XDG_DOCUMENTS_DIR")
        os.environ["XDG_DOCUMENTS_DIR"] = folder  # where records go
        faults = Faults()
        wanted = app._parser().parse_args(["--model", str(demo_model_path()), "--phase", "before_dura", *arguments])
        window = app.build(wanted, faults)
        window.show()
        try:
            yield window
        finally:
            window.state.recording.stop()
            window.close()
            window.deleteLater()
            os.environ.pop("XDG_DOCUMENTS_DIR")
            if documents is not None:
                os.environ["XDG_DOCUMENTS_DIR"] = documents
        broken = faults.take()
        assert broken is None, broken


def resident_mb() -> float:
    """What this process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def analysed(window: MainWindow, clip: Clip | None) -> None:
    """Wait until frames are analysed and painted.

    Args:
        window: with a source being opened.
        clip: calibrated first, as a user does: depth text marked, then the scale; None where the signal has its own.

    Raises:
        RuntimeError: if it does not come to it.
    """
    if not spin(lambda: _open(window), OPENS_S):
        raise RuntimeError(f"nothing came within {OPENS_S:.0f} s")
    source = window.session.source
    if clip is not None and source is not None and (whole := source.whole()) is not None:
        source.watch([clip.text], whole)
        window.session.calibrate(PixelSpacing(clip.spacing_mm, clip.spacing_mm, Provenance.RULER))
    if not spin(lambda: isinstance(window.shown, Tumour | NothingFound), OPENS_S):
        raise RuntimeError(f"nothing was analysed within {OPENS_S:.0f} s")


def _open(window: MainWindow) -> bool:
    if window.session.source_refusal or window.session.model_refusal:
        raise RuntimeError(window.session.source_refusal or window.session.model_refusal)
    return window.session.ready and window.meter.shown > 5
