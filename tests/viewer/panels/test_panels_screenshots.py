"""Everything that is opened over or beside the picture, photographed; nothing moves, and the research line stays."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from painted import LARGE, SMALL, TINY, near, on_canvas, settle, source, spot_of
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.outcome import Outcome
from inference.readout.states import RESEARCH_LINE
from inference.view_notes import Phase
from viewer.main_window import MainWindow
from viewer.style import theme

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], NDArray[np.int_]]


@pytest.mark.parametrize("size", [(1280, 800), (1366, 768), (1920, 1080)])
def test_panels(show: Show, at: At, shoot: Shoot, size: tuple[int, int]) -> None:
    window = show(source(), size=size, phase=Phase.BEFORE_DURA)
    settle(window, at, LARGE)
    window.state.settings = window.state.settings.with_recent("Case15-US-before-0p5mm.nii.gz").with_recent("simulated:")
    for name in ("help", "model", "open", "performance"):
        window.act(name)
        shoot(window, f"panel-{name}-{size[0]}x{size[1]}")


def test_calibration_in_progress(show: Show, at: At, shoot: Shoot, qtbot: QtBot) -> None:
    window = show(source(spacing_mm=None))
    at(window, LARGE)
    window.act("calibrate")
    for x, y in ((250.0, 90.0), (262.0, 420.0)):
        spot = spot_of(window.view.canvas, x, y)
        qtbot.mouseClick(window.view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    window.view.calibration.length.setText("50")
    pixels = shoot(window, "calibration-in-progress")
    assert on_canvas(window, near(pixels, theme.AMBER)).sum() > 200


def test_first_run(show: Show, at: At, shoot: Shoot) -> None:
    window = show(source())
    settle(window, at, LARGE)
    window.introduce()
    shoot(window, "first-run")
    window.resize(1120, 700)
    shoot(window, "first-run-1120x700")


def test_a_window_that_was_large_shows_its_sources_whole_name(show: Show, at: At, shoot: Shoot) -> None:
    window = show(source(), size=(3840, 2160), phase=Phase.BEFORE_DURA)
    settle(window, at, LARGE)
    window.resize(1120, 700)
    shoot(window, "calibrated-1120x700")


def test_notice(show: Show, at: At, shoot: Shoot) -> None:
    window = show(source())
    settle(window, at, LARGE)
    window.view.picture_area.say("There is no file or folder Case99-US-before-0p5mm.nii.gz: check the name.", 1e12)
    shoot(window, "notice")


def test_the_research_line_is_always_there(show: Show) -> None:
    assert RESEARCH_LINE == "Research use only. Not for diagnosis or treatment."
    window = show(source())
    for name in ("help", "model", "calibrate", "fullscreen"):
        window.act(name)
        line = window.view.footer._line
        assert line.text() == RESEARCH_LINE
        assert line.isVisible()
        assert not line.visibleRegion().isEmpty()
    window.act("fullscreen")


def test_numbers_of_another_length_move_nothing(show: Show, at: At, shoot: Shoot) -> None:
    window = show(source(), phase=Phase.BEFORE_DURA)
    places = set()
    for index in (LARGE, SMALL, TINY):
        settle(window, at, index)
        shoot(window, f"still-{index}")
        view = window.view
        parts = (
            view.readout._area,
            view.readout._card,
            view.readout._values["Scale"],
            view.readout._values["Scale from"],
            view.transport._place,
        )
        places.add(tuple((p.mapTo(window, p.rect().topLeft()).toTuple(), p.width()) for p in parts))
    assert len(places) == 1
