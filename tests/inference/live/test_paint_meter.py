"""What was painted is counted once, with its latency, and a foreign contour is told."""

import numpy as np
import pytest

from inference.frame import Frame, Origin, View
from inference.live.paint_meter import Painted, PaintMeter


def frame(index: int, captured_at: float) -> Frame:
    return Frame(index, np.ones((4, 4), np.uint8), None, captured_at, Origin("x", View.NATIVE))


def test_a_frame_painted_twice_counts_once() -> None:
    meter = PaintMeter()
    for index in range(31):
        one = frame(index, index / 30)
        meter.record(Painted(one, one, index / 30 + 0.040))
        meter.record(Painted(one, one, index / 30 + 0.050))
    assert (meter.shown, meter.mismatched) == (31, 0)
    assert meter.fps == pytest.approx(30)
    assert meter.latency is not None
    assert meter.latency.p95 == pytest.approx(40)


def test_percentiles_are_those_of_what_was_painted() -> None:
    meter = PaintMeter()
    for index in range(100):
        one = frame(index, float(index))
        meter.record(Painted(one, one, index + (index + 1) / 1000))
    assert meter.latency is not None
    assert (meter.latency.p50, meter.latency.p95) == (pytest.approx(50.5), pytest.approx(95.05))


def test_a_contour_of_another_frame_or_of_none_is_a_mismatch() -> None:
    meter = PaintMeter()
    meter.record(Painted(frame(1, 0.0), frame(1, 0.0), 0.1))
    meter.record(Painted(frame(2, 0.0), None, 0.1))
    assert meter.mismatched == 2
