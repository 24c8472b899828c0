"""The last half minute of a live source, kept afterwards by one key."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from recordings import said

from inference.outcome import Tumour
from inference.sources import open_live
from inference.sources.record import RecordSource
from inference.view_notes import Phase
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
Igtl = Callable[..., AbstractContextManager[Any]]
FreePort = Callable[..., int]


def test_the_last_half_minute_of_a_live_source_is_kept_with_its_marks(
    show: Show, qtbot: QtBot, records: Path, igtl: Igtl, free_port: FreePort
) -> None:
    port = free_port()
    with igtl(port):
        window = show(open_live(f"igtl://127.0.0.1:{port}"))
        qtbot.waitUntil(lambda: isinstance(window.shown, Tumour) and window.meter.shown > 10, timeout=10_000)
        window.handlers.set_phase(Phase.DURA_OPEN)
        qtbot.keyClick(window, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: window.review is not None and isinstance(window.shown, Tumour), timeout=5000)
        marked = window.shown
        assert isinstance(marked, Tumour)
        qtbot.keyClick(window, Qt.Key.Key_W)
        review = window.review
        assert review is not None
        qtbot.waitUntil(lambda: len(window.session.held() or ()) > len(review) + 3, timeout=5000)
        qtbot.keyClick(window, Qt.Key.Key_K)
        said(window, qtbot, "s are kept")
    with RecordSource(next(records.iterdir())) as source:
        assert source.finished
        assert len(source) == len(review), "what stands there, however long ago it was frozen"
        assert source.info.spacing == marked.frame.spacing
        found = source.settings()
        assert {setting.phase for setting in found} == {"dura_open"}
        wrong = [number for number, setting in enumerate(found) if setting.wrong]
        assert len(wrong) == 1
        outcome = source.outcome(wrong[0])
        assert isinstance(outcome, Tumour)
        assert np.array_equal(outcome.mask, marked.mask)
        assert np.array_equal(outcome.frame.pixels, marked.frame.pixels)


def test_a_replay_has_no_half_minute_and_says_so(show: Show, qtbot: QtBot) -> None:
    window = show()
    qtbot.keyClick(window, Qt.Key.Key_K)
    said(window, qtbot, "Only a live source")
