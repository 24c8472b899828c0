"""A frame that stands is analysed thoroughly: in the background, once, and never under another frame."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from inference import contract as c
from inference.assets import demo_model_path
from inference.contract import Mode, ModelContract
from inference.frame import Frame
from inference.live.model import Model, Turn, in_turn, model_of
from inference.live.thorough import FAST, GAVE_NONE, ONE_MODE
from inference.model.engine import Engine
from inference.outcome import Failed, NotAnalysed, NothingFound, Outcome, Reason, Tumour
from inference.sources import open_live
from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]
Igtl = Callable[..., AbstractContextManager[Any]]
WORDS = "thorough: mean of 4 mirrored passes"
MAP = "pink: model disagreement, not a margin"


class TwoModes:
    """The threshold, and as its thorough mode the same mask with a map of disagreement along its edge."""

    def __init__(self, make: Callable[..., Model], contract: ModelContract, measured: c.Measured) -> None:
        better = msgspec.structs.replace(measured, data="cohort of the thorough mode")
        self.contract = msgspec.structs.replace(
            contract,
            output=msgspec.structs.replace(contract.output, mirror_axes=(0, 1)),
            reliability=msgspec.structs.replace(contract.reliability, thorough=better),
        )
        self.go, self.asked, self.busy, self.together = threading.Event(), list[Frame](), 0, 0
        self.go.set()
        model, turn = make(self.contract), Turn()
        self._fast = model.analyse
        self.model = replace(
            model, analyse=in_turn(self._counted(self._fast), turn), thorough=in_turn(self._counted(self._slow), turn)
        )

    def _counted(self, analyse: Callable[[Frame], Outcome]) -> Callable[[Frame], Outcome]:
        def counting(frame: Frame) -> Outcome:
            self.busy += 1
            self.together = max(self.together, self.busy)
            outcome = analyse(frame)
            self.busy -= 1
            return outcome

        return counting

    def _slow(self, frame: Frame) -> Outcome:
        self.asked.append(frame)
        self.go.wait(10)
        fast = self._fast(frame)
        assert isinstance(fast, Tumour | NothingFound)
        spread = np.zeros((frame.rows, frame.cols), np.float32)
        if isinstance(fast, Tumour):
            edge = np.abs(np.diff(fast.mask.astype(np.int8), axis=1, prepend=0)) > 0
            for shift in range(-4, 5):
                spread[np.roll(edge, shift, axis=1)] = 0.4
        return replace(fast, analysis=replace(fast.analysis, mode=Mode.THOROUGH), disagreement=spread)


@pytest.fixture
def two_modes(make_model: Callable[..., Model], contract: ModelContract, measured: c.Measured) -> TwoModes:
    return TwoModes(make_model, contract, measured)


def mode_of(window: MainWindow) -> Mode | None:
    shown = window.shown
    return shown.analysis.mode if isinstance(shown, Tumour | NothingFound) else None


def words(window: MainWindow) -> str:
    return window.view.canvas._annotations.mode


def test_a_paused_frame_s_own_answer_becomes_the_thorough_one(
    show: Show, two_modes: TwoModes, qtbot: QtBot, shoot: Shoot
) -> None:
    window = show(PhantomSource(speckle=0.2, count=60), two_modes.model)
    window.handlers.set_phase(Phase.BEFORE_DURA)
    assert words(window) == ""
    two_modes.go.clear()
    window.act("play")
    qtbot.waitUntil(lambda: len(two_modes.asked) == 1, timeout=5000)
    qtbot.waitUntil(lambda: words(window) == FAST, timeout=5000)
    assert mode_of(window) is Mode.FAST
    assert window.readout_state is not None
    assert any("sealed cohort B" in line for line in window.readout_state.card.body)
    frame = window.view.canvas.picture.frame
    two_modes.go.set()
    qtbot.waitUntil(lambda: mode_of(window) is Mode.THOROUGH, timeout=5000)
    qtbot.waitUntil(lambda: words(window) == WORDS, timeout=5000)
    assert window.view.canvas.picture.frame is frame is window.view.canvas.contour.frame
    assert any("cohort of the thorough mode" in line for line in window.readout_state.card.body)
    qtbot.wait(400)
    assert len(two_modes.asked) == 1
    shoot(window, "thorough-paused")
    window.act("disagreement")
    qtbot.waitUntil(lambda: window.view.canvas.map.frame is frame, timeout=5000)
    assert window.view.canvas._annotations.disagreement == MAP
    shoot(window, "thorough-disagreement")
    window.act("overlay")
    qtbot.waitUntil(lambda: not window.view.canvas.map.isVisible(), timeout=5000)
    window.act("play")
    qtbot.waitUntil(lambda: mode_of(window) is Mode.FAST, timeout=5000)
    assert window.view.canvas.map.frame is None
    assert (words(window), window.view.canvas._annotations.disagreement) == ("", "")
    assert window.meter.mismatched == 0


def test_without_figures_of_its_own_a_thorough_answer_has_none(show: Show, two_modes: TwoModes, qtbot: QtBot) -> None:
    reliability = msgspec.structs.replace(two_modes.contract.reliability, thorough=None)
    unmeasured = msgspec.structs.replace(two_modes.contract, reliability=reliability)
    window = show(loaded=replace(two_modes.model, contract=unmeasured))
    window.handlers.set_phase(Phase.BEFORE_DURA)
    window.act("play")
    qtbot.waitUntil(lambda: mode_of(window) is Mode.THOROUGH and words(window) == WORDS, timeout=5000)
    assert window.readout_state is not None
    assert not any("Dice" in line for line in window.readout_state.card.body)


def test_whoever_steps_on_never_sees_the_answer_to_the_frame_before(
    show: Show, two_modes: TwoModes, qtbot: QtBot
) -> None:
    window = show(loaded=two_modes.model)
    two_modes.go.clear()
    window.act("play")
    qtbot.waitUntil(lambda: len(two_modes.asked) == 1, timeout=5000)
    first = two_modes.asked[0]
    window.act("forward")
    qtbot.waitUntil(lambda: window.session.playback.position != first.index, timeout=5000)  # type: ignore[union-attr]
    two_modes.go.set()
    following = (first.index + 1) % 60

    def next_one_is_thorough() -> bool:
        """Until it is there the first frame stands, and may still get its own answer."""
        shown = window.shown
        return shown is not None and shown.frame.index == following and mode_of(window) is Mode.THOROUGH

    qtbot.waitUntil(next_one_is_thorough, timeout=5000)
    assert window.shown is not None
    assert window.view.canvas.contour.frame is window.shown.frame
    assert two_modes.together == 1


def test_a_model_without_mirrors_says_so_and_one_that_fails_too(
    show: Show, model: Model, two_modes: TwoModes, qtbot: QtBot
) -> None:
    window = show(loaded=model)
    window.act("play")
    qtbot.waitUntil(lambda: words(window) == ONE_MODE, timeout=5000)
    window.act("disagreement")
    assert not window.state.disagreement
    broken = replace(two_modes.model, thorough=lambda frame: Failed(frame, "It broke."))
    other = show(loaded=broken)
    other.act("play")
    qtbot.waitUntil(lambda: words(other) == GAVE_NONE, timeout=5000)
    assert mode_of(other) is Mode.FAST


def test_one_that_breaks_is_told_and_the_next_frame_is_tried(
    show: Show, two_modes: TwoModes, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody expected ends its thread: "under way" must not stay, nor may it have been the last try."""
    told, breaking = list[type[BaseException]](), threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda hook: told.append(hook.exc_type))
    breaking.set()

    def breaks(frame: Frame) -> Outcome:
        if breaking.is_set():
            raise ZeroDivisionError
        return two_modes._slow(frame)

    window = show(PhantomSource(speckle=0.2, count=60), replace(two_modes.model, thorough=breaks))
    window.act("play")
    qtbot.waitUntil(lambda: words(window) == GAVE_NONE, timeout=5000)
    assert told == [ZeroDivisionError]
    breaking.clear()
    window.act("forward")
    qtbot.waitUntil(lambda: words(window) == WORDS, timeout=5000)


def test_behind_a_frozen_view_the_stream_goes_on(
    show: Show, two_modes: TwoModes, qtbot: QtBot, shoot: Shoot, igtl: Igtl, free_port: Callable[..., int]
) -> None:
    port = free_port()
    with igtl(port):
        window = show(open_live(f"igtl://127.0.0.1:{port}"), two_modes.model)
        qtbot.waitUntil(lambda: isinstance(window.shown, Tumour) and window.meter.shown > 5, timeout=8000)
        window.act("play")
        qtbot.waitUntil(lambda: mode_of(window) is Mode.THOROUGH and words(window) == WORDS, timeout=8000)
        before = window.session.status()
        assert before is not None
        qtbot.waitUntil(lambda: window.session.status().analysed > before.analysed + 5, timeout=8000)  # type: ignore[union-attr]
        assert mode_of(window) is Mode.THOROUGH
        shoot(window, "thorough-view-frozen")
        window.act("play")
        qtbot.waitUntil(lambda: mode_of(window) is Mode.FAST and words(window) == "", timeout=5000)
        assert two_modes.together == 1
        window.close()


def test_the_bundled_model_has_a_thorough_mode_with_a_map(show: Show, qtbot: QtBot) -> None:
    """The real engine, in a window: mean of its four passes, and where they disagree."""
    model = model_of(demo_model_path())
    window = show(PhantomSource(count=8), model)
    window.act("play")
    qtbot.waitUntil(lambda: mode_of(window) is Mode.THOROUGH and words(window) == WORDS, timeout=20_000)
    shown = window.shown
    assert isinstance(shown, Tumour | NothingFound)
    spacing = shown.frame.spacing
    assert spacing is not None
    engine = Engine.load(demo_model_path())
    alone = engine.segment(shown.frame.pixels, (spacing.row_mm, spacing.col_mm), Mode.THOROUGH)
    assert shown.disagreement is not None
    assert alone.disagreement is not None
    assert np.allclose(shown.disagreement, alone.disagreement, atol=1e-4)
    assert 0 < float(shown.disagreement.max()) <= 0.5


def test_a_thorough_analysis_waits_for_one_live_one_and_not_for_the_next(frame: Frame) -> None:
    """A slow model on a live picture has always the next frame waiting."""
    turn, live_began, stop = Turn(), threading.Semaphore(0), threading.Event()
    order: list[str] = []

    def live(shown: Frame) -> Outcome:
        live_began.release()
        stop.wait(0.05)
        order.append("live")
        return NotAnalysed(shown, Reason.OFF, "")

    def thorough(shown: Frame) -> Outcome:
        order.append("thorough")
        return NotAnalysed(shown, Reason.OFF, "")

    def without_end() -> None:
        analyse = in_turn(live, turn)
        while not stop.is_set():
            analyse(frame)

    going = threading.Thread(target=without_end)
    going.start()
    try:
        for _ in range(5):
            assert live_began.acquire(timeout=5)
            while live_began.acquire(blocking=False):
                pass
            before = len(order)
            in_turn(thorough, turn)(frame)
            assert order[before:].index("thorough") <= 2
    finally:
        stop.set()
        going.join(5)


@pytest.fixture
def frame() -> Frame:
    return PhantomSource(rows=16, cols=16, count=1).read(0)
