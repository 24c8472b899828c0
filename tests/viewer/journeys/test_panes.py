"""Two panes: when there are two, at which scale, and that staleness and age of the analysis stay two things."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.frame import Frame
from inference.live.health import OLD_AFTER_S, SLOW_MS, Health
from inference.live.model import Model
from inference.outcome import Outcome
from inference.readout.formatting import mode_words
from inference.sources import open_live
from inference.sources.simulated import PhantomSource
from viewer.control.refresh import CHANGED
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]
Igtl = Callable[..., AbstractContextManager[Any]]
FreePort = Callable[..., int]


@pytest.fixture
def slow(model: Model) -> Model:
    """Takes 300 ms a frame, and says so."""

    def analyse(frame: Frame) -> Outcome:
        time.sleep(0.3)
        return model.analyse(frame)

    return replace(model, analyse=analyse, warm_up_ms=300.0)


@pytest.mark.parametrize(("warm_up", "two"), [(SLOW_MS, False), (SLOW_MS + 1, True)])
def test_the_warm_up_decides_and_nothing_that_comes_later(
    show: Show, model: Model, qtbot: QtBot, warm_up: float, two: bool
) -> None:
    """A fast model that turns slow, or a slow one that turns fast, moves nothing."""
    pause = 0.0 if two else 0.25

    def turned(frame: Frame) -> Outcome:
        time.sleep(pause)
        return model.analyse(frame)

    window = show(loaded=replace(model, analyse=turned, warm_up_ms=warm_up))
    seen = set()
    for _ in range(20):
        qtbot.wait(40)
        seen.add(window.view.picture_area.two_panes)
    assert seen == {two}


def test_a_rectangle_does_not_stay_behind_in_the_pane_that_a_slow_model_takes_away(
    show: Show, model: Model, qtbot: QtBot
) -> None:
    """While the model loads, a crop is being drawn already."""
    window = show()
    window.act("calibrate")
    window.refresh.tick()
    window.calibration.marking.mark_crop()
    assert not window.view.canvas.region.isHidden()
    window.session._load_model = lambda _: replace(model, warm_up_ms=300.0)
    window.handlers.open_model(None)
    qtbot.waitUntil(lambda: window.view.picture_area.two_panes, timeout=5000)
    assert window.view.marking.isHidden()
    assert window.view.canvas.region.isHidden()
    assert window.view.canvas.isVisible()
    assert window.view.picture_area.notice.text() == CHANGED


@pytest.mark.parametrize("size", [(1280, 800), (1366, 768), (1920, 1080)])
def test_both_panes_have_one_scale_and_one_orientation(
    show: Show, slow: Model, shoot: Shoot, qtbot: QtBot, size: tuple[int, int]
) -> None:
    window = show(PhantomSource(speckle=0.2, count=60), slow, size=size)
    window.act("mirror")
    qtbot.waitUntil(lambda: window.view.live.placement is not None, timeout=5000)
    shoot(window, f"two-panes-{size[0]}x{size[1]}")
    live, analysed = window.view.live.placement, window.view.canvas.placement
    assert live is not None
    assert analysed is not None
    assert live.across == pytest.approx(analysed.across, rel=0.01)
    assert live.down == pytest.approx(analysed.down, rel=0.01)
    assert live.top == pytest.approx(analysed.top, abs=1)
    assert live.flip == analysed.flip == window.flip
    assert window.view.live.width() > window.view.canvas.width()
    window.act("calibrate")
    qtbot.wait(50)
    marked = window.view.live.placement
    assert marked is not None
    assert marked.across > 1.2 * live.across, "what is clicked on is larger, not smaller"
    assert window.view.canvas.isHidden()
    shoot(window, f"two-panes-calibrating-{size[0]}x{size[1]}")
    window.act("dismiss")
    assert window.view.canvas.isVisible()


def test_the_analysed_pane_says_how_old_it_is(show: Show, slow: Model, qtbot: QtBot) -> None:
    window = show(loaded=slow)
    ages = []

    def old_enough() -> bool:
        caption, shown = window.view.canvas._annotations.caption, window.shown
        if caption.startswith("ANALYSED ") and shown is not None:
            said = float(caption.split()[1])
            assert said == pytest.approx(time.monotonic() - shown.frame.captured_at, abs=0.25)
            ages.append(said)
        return len(ages) > 10 and max(ages) >= 0.3

    qtbot.waitUntil(old_enough, timeout=8000)
    window.act("play")
    qtbot.waitUntil(lambda: window.view.canvas._annotations.caption == "ANALYSED: THE SAME PICTURE", timeout=5000)


def test_an_old_analysis_loses_its_contour_while_the_picture_goes_on(
    show: Show, model: Model, qtbot: QtBot, shoot: Shoot, igtl: Igtl, free_port: FreePort
) -> None:
    """A live stream, and a model that hangs after its first answers: old, not stale, and LIVE goes on."""
    port, stuck, release = free_port(), threading.Event(), threading.Event()

    def analyse(frame: Frame) -> Outcome:
        time.sleep(0.12)
        if stuck.is_set():
            release.wait(20)
        return model.analyse(frame)

    with igtl(port) as server:
        window = show(open_live(f"igtl://127.0.0.1:{port}"), replace(model, analyse=analyse, warm_up_ms=120.0))
        qtbot.waitUntil(lambda: window.readout_state is not None and window.readout_state.contour, timeout=5000)
        stuck.set()
        before = window.state.live_meter.shown
        qtbot.waitUntil(lambda: window.state.condition.health is Health.OLD, timeout=6000)
        assert window.readout_state is not None
        assert (window.readout_state.contour, window.readout_state.number, window.readout_state.dimmed) == (
            False,
            "—",
            False,
        )
        assert window.state.condition.seconds == pytest.approx(OLD_AFTER_S, abs=0.3)
        assert window.state.live_meter.shown > before + 20
        assert mode_words(window.session.info, window.state.condition)[0] == "LIVE"
        shoot(window, "two-panes-old")
        server.silent = True
        qtbot.waitUntil(lambda: window.state.condition.health is Health.LOST, timeout=6000)
        assert window.readout_state.dimmed
        assert window.view.live.picture.opacity() < 1
        shoot(window, "two-panes-lost")
        server.silent = False
        release.set()
        stuck.clear()
        qtbot.waitUntil(lambda: window.readout_state is not None and window.readout_state.contour, timeout=8000)
        assert window.state.live_meter.mismatched == window.meter.mismatched == 0
        window.close()


def test_a_frozen_view_keeps_the_live_pane_running(
    show: Show, slow: Model, qtbot: QtBot, shoot: Shoot, igtl: Igtl, free_port: FreePort
) -> None:
    port = free_port()
    with igtl(port):
        window = show(open_live(f"igtl://127.0.0.1:{port}"), slow)
        qtbot.waitUntil(lambda: window.meter.shown > 2, timeout=8000)
        qtbot.keyClick(window, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: window.view.canvas._annotations.caption.startswith("VIEW FROZEN"), timeout=3000)
        frozen, before = window.view.canvas.picture.frame, window.state.live_meter.shown
        qtbot.waitUntil(lambda: window.state.live_meter.shown > before + 10, timeout=5000)
        assert window.view.canvas.picture.frame is frozen
        assert not window.view.picture_area.inset.isVisible()
        assert window.view.live._annotations.heading == "LIVE"
        shoot(window, "two-panes-view-frozen")
        window.close()
