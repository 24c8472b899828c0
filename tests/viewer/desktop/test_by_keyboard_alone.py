"""A sitting by keyboard alone, on a real desktop: from a stream's address to its record, opened again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hand import Hand
from phantoms import STREAM
from pytestqt.qtbot import QtBot
from recordings import said

from inference.outcome import Tumour
from inference.view_notes import Phase
from viewer.main_window import MainWindow


@pytest.mark.parametrize("sitting", [(1900, 1040)], indirect=True, ids=["theatre"])
def test_connect_calibrate_measure_record_correct_export_reopen(
    sitting: MainWindow, hand: Hand, qtbot: QtBot, records: Path
) -> None:
    until: Callable[..., None] = qtbot.waitUntil
    window, view, state = sitting, sitting.view, sitting.state
    hand.key("ctrl+o")
    until(view.source.isVisible)
    until(view.source.address.isVisible)
    while not view.source.address.hasFocus():
        hand.key("Tab")
    hand.write(STREAM)
    hand.key("Return")
    until(lambda: isinstance(window.shown, Tumour), timeout=20_000)

    hand.key("p")
    until(view.phase.isVisible)
    hand.key("Down", "Return")
    until(lambda: window.phase is not Phase.UNSET)

    hand.key("r")
    until(lambda: state.recording.running)
    until(lambda: (state.recording.seconds or 0) > 0.6, timeout=10_000)

    hand.key("d")
    until(lambda: state.caliper is not None and window.review is not None)
    hand.key("i")
    until(view.canvas.keys.hasFocus)
    hand.key("Return", *["shift+Right"] * 3, "Return")
    until(lambda: state.caliper is not None and state.caliper.words.endswith(" mm"))
    hand.key("d")
    until(lambda: state.caliper is None and not view.canvas.keys.isVisible())

    hand.key("a")
    until(view.correction.isVisible)
    hand.key("i")
    until(view.canvas.keys.hasFocus)
    hand.key("Return", *["shift+Right"] * 3, "Return")
    shown = window.shown
    assert shown is not None
    until(lambda: state.corrections.of(shown.frame) is not None)
    hand.key("Escape")
    until(view.correction.isHidden)

    hand.key("r")
    said(window, qtbot, "Recorded ")
    hand.key("ctrl+r")
    until(lambda: len(view.records.rows) == 1, timeout=10_000)
    hand.key("Return")
    while not view.records.open.hasFocus():
        hand.key("Tab")
    hand.key("Return")
    until(lambda: window.shown is not None and window.shown.frame.origin.record, timeout=20_000)
    assert window.session.judgements is not None
    assert len(window.session.judgements.corrections) == 1
    hand.key("e")
    said(window, qtbot, "Exported: ")
    assert list(records.rglob("corrected.nii.gz"))


def test_a_scale_is_set_by_points_of_the_arrow_keys(sitting: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    window = sitting
    window.handlers.open_source(window.view.source.request("simulated:"))
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=20_000)
    hand.key("c")
    qtbot.waitUntil(window.view.calibration.isVisible)
    hand.key("i")
    qtbot.waitUntil(window.view.canvas.keys.hasFocus)
    hand.key("Return", *["shift+Down"] * 2, "Return")
    qtbot.waitUntil(window.view.calibration.length.hasFocus)
    hand.write("20")
    hand.key("Return")
    qtbot.waitUntil(window.view.calibration.isHidden)
    shown = window.shown
    assert shown is not None
    qtbot.waitUntil(lambda: window.shown.frame.spacing is not None and "ruler" in window.shown.frame.spacing.provenance)  # type: ignore[union-attr]
