"""A sitting by a pedal of three keys alone, on a real desktop: to the next button, to the one before, and press."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hand import Hand
from phantoms import STREAM
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from recordings import said

from inference.outcome import Tumour
from inference.spacing import Provenance
from inference.view_notes import Phase
from viewer.main_window import MainWindow

NEXT, PRESS, BEFORE = "F8", "F7", "F6"


@pytest.fixture
def go(hand: Hand) -> Callable[..., None]:
    """Goes to a button and presses it; what it is called is its text or its accessible name."""

    def called(widget: QWidget | None, words: str) -> bool:
        if widget is None:
            return False
        text = getattr(widget, "text", str)()
        return text.startswith(words) or widget.accessibleName().startswith(words)

    def gone(words: str, key: str = NEXT) -> None:
        for _ in range(40):
            if called(QApplication.focusWidget(), words):
                hand.key(PRESS)
                return
            hand.key(key)
        pytest.fail(f"{words} is not reached")

    return gone


def test_connect_calibrate_measure_record_correct_export_reopen(
    sitting: MainWindow, hand: Hand, qtbot: QtBot, records: Path, go: Callable[..., None]
) -> None:
    until: Callable[..., None] = qtbot.waitUntil
    window, view, state = sitting, sitting.view, sitting.state
    go("Open…")
    until(view.source.isVisible)
    go(STREAM)
    hand.key(PRESS)
    until(lambda: isinstance(window.shown, Tumour), timeout=20_000)

    go("Two points and a length")
    until(lambda: state.marked_on is not None)
    hand.key(NEXT)
    until(view.canvas.keys.hasFocus)
    hand.key(PRESS, *[NEXT] * 9, PRESS)
    until(view.calibration.length.hasFocus)
    go("Type 2")
    go("Type 0")
    until(lambda: view.calibration.length.text() == "20")
    go("Use this length", BEFORE)
    go("Use 0.", NEXT)
    until(lambda: view.calibration.isHidden() and isinstance(window.shown, Tumour))
    until(lambda: window.shown.frame.spacing.provenance is Provenance.VOUCHED)  # type: ignore[union-attr]

    go("Phase of surgery", BEFORE)
    go(Phase.BEFORE_DURA.words)
    until(lambda: window.phase is Phase.BEFORE_DURA)
    go("Freeze")
    until(lambda: window.review is not None)
    go("Live", BEFORE)
    go("Record")
    until(lambda: (state.recording.seconds or 0) > 0.6, timeout=10_000)

    go("Caliper")
    until(view.canvas.keys.hasFocus)
    hand.key(PRESS, *[NEXT] * 5, PRESS)
    until(lambda: state.caliper is not None and state.caliper.words.endswith(" mm"))
    hand.key(*[BEFORE] * 4)
    go("Caliper")
    until(lambda: state.caliper is None)

    go("Correct", BEFORE)
    until(view.correction.isVisible)
    hand.key(NEXT)
    until(view.canvas.keys.hasFocus)
    hand.key(PRESS, *[NEXT] * 15, PRESS)
    shown = window.shown
    assert shown is not None
    until(lambda: state.corrections.of(shown.frame) is not None)
    hand.key(*[BEFORE] * 4)
    go("Close")
    until(view.correction.isHidden)
    go("Stop", BEFORE)
    said(window, qtbot, "Recorded ")

    for words in ("Export", "Open"):
        go("Open a stream", BEFORE)
        go("Records…")
        until(lambda: len(view.records.rows) == 1, timeout=10_000)
        go("20")  # the day on which it was made
        go(words)
        if words == "Export":
            said(window, qtbot, "Exported: ")
    until(lambda: window.shown is not None and window.shown.frame.origin.record, timeout=20_000)
    assert list(records.rglob("corrected.nii.gz"))
