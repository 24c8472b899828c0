"""The trend as it is painted: no words over others at any length, and a press goes to the place under it."""

import numpy as np
import pytest
from legible import cut_labels
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from inference.readout.trend import Event, Tick, TrendMark, TrendState
from viewer.layout.trace import Trace
from viewer.style.theme import Sizes

TICKS = (*(Tick(float(at), f"−{30 - at} s") for at in (0, 10, 20)), Tick(30.0, "now"))


def state(
    areas: list[float], marks: tuple[TrendMark, ...] = (), *, movable: bool = True, limit: float = 200.0
) -> TrendState:
    at = np.linspace(0, 30, len(areas)) if areas else np.empty(0)
    return TrendState(at, np.array(areas), 0.0, 30.0, TICKS, "by slice", marks, 12.0, limit, movable)


@pytest.fixture
def trace(qtbot: QtBot) -> Trace:
    made = Trace()
    qtbot.addWidget(made)
    made.apply(Sizes())
    made.resize(made.width(), 116)
    return made


@pytest.mark.parametrize("scale", [1.0, 1.35, 2.7])
@pytest.mark.parametrize("areas", [[], [300.0], [900.0, 24_000.0], [30_000.0, np.nan, 5.0]])
def test_words_never_overlap_nor_leave_the_trend(trace: Trace, areas: list[float], scale: float) -> None:
    """Events close together, at both ends, and areas so large that the limit lies at the bottom."""
    sizes = Sizes(scale)
    trace.apply(sizes)
    trace.resize(trace.width(), sizes.px(116))
    marks = tuple(TrendMark(at, Event.SCANNER, "scanner frozen") for at in (0.0, 1.0, 2.0, 12.0, 29.5))
    trace.draw(state(areas, marks))
    assert cut_labels(trace) == []
    words = [label.words for label in trace.labels()]
    assert words.count("scanner frozen") == 3, "beside a flag, on the side where there is room"
    assert "200" in words
    trace.grab()


def test_a_press_goes_to_the_place_under_it_and_only_where_something_stands(trace: Trace, qtbot: QtBot) -> None:
    sought: list[float] = []
    trace.sought.connect(sought.append)
    trace.draw(state([300.0, 320.0]))
    plot = trace.plot
    for share in (0.0, 0.25, 1.0):
        x = plot.left() + share * plot.width()
        qtbot.mouseClick(trace, Qt.MouseButton.LeftButton, pos=QPointF(x, plot.center().y()).toPoint())
    assert sought == pytest.approx([0.0, 7.5, 30.0], abs=0.1)
    qtbot.mouseClick(trace, Qt.MouseButton.LeftButton, pos=QPoint(trace.width() - 2, 60))
    assert sought[-1] == 30.0
    trace.draw(state([300.0, 320.0], movable=False))
    qtbot.mouseClick(trace, Qt.MouseButton.LeftButton, pos=plot.center().toPoint())
    assert len(sought) == 4


def test_the_line_has_a_gap_where_nothing_was_analysed(trace: Trace) -> None:
    """Columns of the plot between two pieces have nothing of the line's colour."""
    trace.draw(state([400.0] * 10 + [np.nan] * 10 + [400.0] * 10))
    image = trace.grab().toImage()
    plot = trace.plot
    y = round(plot.bottom() - 400.0 / 500.0 * plot.height())

    def line_at(share: float) -> bool:
        x = round(plot.left() + share * plot.width())
        colours = [image.pixelColor(x, y + by) for by in (-1, 0, 1)]
        return any(colour.blue() - colour.red() > 100 for colour in colours)

    assert [line_at(share) for share in (0.1, 0.25, 0.45, 0.55, 0.8, 0.95)] == [True, True, False, False, True, True]
