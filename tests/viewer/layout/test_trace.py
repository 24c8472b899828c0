"""The area over the last half minute: gaps, no zeros."""

from pytestqt.qtbot import QtBot

from viewer.layout.trace import Trace


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
