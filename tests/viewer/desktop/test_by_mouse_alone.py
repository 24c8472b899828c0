"""A sitting by mouse alone, on a real desktop: from the list of streams to the record, opened again."""

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
from hand import Hand
from painted import spot_of
from phantoms import STREAM
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot
from recordings import said

from inference.outcome import Tumour
from inference.spacing import Provenance
from inference.view_notes import Phase
from viewer.main_window import MainWindow


def button(place: QWidget, words: str) -> QPushButton:
    """The visible button with this text."""
    return next(b for b in place.findChildren(QPushButton) if b.isVisible() and b.text().startswith(words))


def push_outwards(window: MainWindow, hand: Hand) -> Tumour:
    """Push the edge of the contour shown outwards."""
    shown = window.shown
    assert isinstance(shown, Tumour)
    rows, cols = np.nonzero(shown.mask)
    inside = spot_of(window.view.canvas, float(cols.mean()), float(rows.mean()))
    hand.drag(window.view.canvas.stroke, inside, inside + QPoint(60, 10))
    return shown


def test_connect_calibrate_measure_record_correct_export_reopen(
    sitting: MainWindow, hand: Hand, qtbot: QtBot, records: Path
) -> None:
    until: Callable[..., None] = qtbot.waitUntil
    window, view, state = sitting, sitting.view, sitting.state
    hand.click(button(view.top, "Open…"))
    until(view.source.isVisible)
    row = next(made for made in view.source.list._rows if made.property("source") == STREAM)
    hand.click(row)
    hand.click(row)
    until(lambda: isinstance(window.shown, Tumour), timeout=20_000)

    hand.click(button(view.top, "Calibrate"))
    until(lambda: state.marked_on is not None)
    for point in ((250.0, 200.0), (350.0, 200.0)):
        hand.click(view.canvas.viewport(), spot_of(view.canvas, *point))
    until(view.calibration.keypad.isVisible)
    for digit in "20":
        hand.click(view.calibration.keypad.keys[digit])
    until(lambda: view.calibration.length.text() == "20")
    hand.click(button(view.calibration, "Use this length"))
    hand.click(button(view.calibration, "Use 0."))
    until(lambda: view.calibration.isHidden() and isinstance(window.shown, Tumour))
    until(lambda: window.shown.frame.spacing.provenance is Provenance.VOUCHED)  # type: ignore[union-attr]

    hand.click(view.top.phase)
    hand.click(view.phase.buttons[Phase.BEFORE_DURA])
    until(lambda: window.phase is Phase.BEFORE_DURA)
    hand.click(view.tools.buttons["record"])
    until(lambda: (state.recording.seconds or 0) > 0.6, timeout=10_000)

    hand.click(view.tools.buttons["play"])
    until(lambda: window.review is not None)
    hand.click(view.tools.buttons["caliper"])
    middle = view.canvas.viewport().rect().center()
    for point in (middle, middle + QPoint(80, 40)):
        hand.click(view.canvas.viewport(), point)
    until(lambda: state.caliper is not None and state.caliper.words.endswith(" mm"))
    hand.click(view.tools.buttons["caliper"])

    hand.click(view.tools.buttons["correct"])
    until(view.correction.isVisible)
    shown = push_outwards(window, hand)
    until(lambda: state.corrections.of(shown.frame) is not None)
    hand.click(view.correction._close)
    hand.click(view.tools.buttons["record"])
    said(window, qtbot, "Recorded ")

    def press_in_records(words: str) -> None:
        hand.click(button(view.top, "Open…"))
        hand.click(button(view.source, "Records…"))
        until(lambda: len(view.records.rows) == 1, timeout=10_000)
        hand.click(view.records.rows[0])
        hand.click(button(view.records, words))

    press_in_records("Open")
    until(lambda: window.shown is not None and window.shown.frame.origin.record, timeout=20_000)
    hand.click(view.tools.buttons["correct"])
    until(lambda: view.correction.isVisible() and isinstance(window.shown, Tumour))
    reopened = push_outwards(window, hand)
    until(lambda: state.corrections.of(reopened.frame) is not None)
    made = state.corrections.of(reopened.frame)
    hand.click(view.correction._close)
    press_in_records("Export")
    said(window, qtbot, "Exported: ")
    (corrected,) = records.rglob("corrected.nii.gz")
    counts = np.count_nonzero(np.asarray(nib.load(corrected).dataobj), axis=(0, 1))
    assert made is not None
    assert counts[reopened.frame.index] == int(made.mask.sum()), "corrected on the opened record"
    assert np.count_nonzero(counts) in (1, 2), "and while it was recorded, perhaps on the same frame"
