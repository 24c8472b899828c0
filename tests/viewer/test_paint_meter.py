"""Counts, the trace's gaps, the facts, the faults: small parts without a session."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from inference.display import grey
from inference.frame import Frame, Origin, View
from inference.spacing import PixelSpacing, Provenance
from viewer import exception_hooks as faults
from viewer.layout.trace import Trace
from viewer.paint_meter import Meter, Painted
from viewer.readout.facts import scale_words


def frame(index: int, captured_at: float) -> Frame:
    return Frame(index, np.ones((4, 4), np.uint8), None, captured_at, Origin("x", View.NATIVE))


def test_a_frame_painted_twice_counts_once() -> None:
    meter = Meter()
    for index in range(31):
        one = frame(index, index / 30)
        meter.record(Painted(one, one, index / 30 + 0.040))
        meter.record(Painted(one, one, index / 30 + 0.050))
    assert (meter.shown, meter.mismatched) == (31, 0)
    assert meter.fps == pytest.approx(30)
    assert meter.latency is not None
    assert meter.latency.p95 == pytest.approx(40)


def test_percentiles_are_those_of_what_was_painted() -> None:
    meter = Meter()
    for index in range(100):
        one = frame(index, float(index))
        meter.record(Painted(one, one, index + (index + 1) / 1000))
    assert meter.latency is not None
    assert (meter.latency.p50, meter.latency.p95) == (pytest.approx(50.5), pytest.approx(95.05))


def test_a_contour_of_another_frame_or_of_none_is_a_mismatch() -> None:
    meter = Meter()
    meter.record(Painted(frame(1, 0.0), frame(1, 0.0), 0.1))
    meter.record(Painted(frame(2, 0.0), None, 0.1))
    assert meter.mismatched == 2


def test_a_frame_without_area_is_a_gap_and_the_old_leave(qtbot: QtBot) -> None:
    trace = Trace()
    qtbot.addWidget(trace)
    trace.resize(430, 100)
    trace.set_limit(200.0)
    for second in range(60):
        trace.add(float(second), None if second % 7 == 0 else 300.0 + second)
    assert trace._points[0][0] >= 59 - 30
    assert trace.top == 500.0
    trace.add(60.0, 1200.0)
    assert trace.top == 2500.0
    trace.grab()
    trace.clear()
    assert not trace._points


def test_the_display_map_is_fixed_by_its_levels() -> None:
    pixels = np.array([[0, 50, 100, 300]], np.uint16)
    assert grey(pixels, (0.0, 100.0)).tolist() == [[0, 127, 255, 255]]
    shown = np.array([[0, 128, 255]], np.uint8)
    assert grey(shown, (0.0, 255.0)) is shown


def test_a_scale_names_its_provenance_and_both_axes_where_they_differ() -> None:
    assert scale_words(None) == "unknown"
    assert scale_words(PixelSpacing(0.15, 0.15, Provenance.DICOM_REGION)) == "0.15 mm/px · DICOM region"
    assert scale_words(PixelSpacing(0.15, 0.3, Provenance.HEADER)) == "0.15 × 0.3 mm/px · file header"


def test_an_error_in_any_thread_reaches_log_and_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    found = faults.Faults()
    with faults.installed(found, tmp_path / "logs") as path:
        thread = threading.Thread(target=lambda: 1 // 0)
        thread.start()
        thread.join()
        sentence = found.take()
        assert sentence is not None
        assert "ZeroDivisionError" in sentence
        assert found.take() is None
    assert "Traceback" in path.read_text()
