"""What the window shows while a source pauses or hangs, and while the analysis fails, wavers or finds nothing."""

import itertools
from collections.abc import Callable
from dataclasses import replace

from phantoms import Stuck
from pytestqt.qtbot import QtBot
from threshold import finding_nothing

from inference.frame import Frame
from inference.live.health import Health
from inference.live.model import Model
from inference.outcome import Failed, Outcome, SizeState, Tumour
from inference.readout.marks import Tone
from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]


def test_a_paused_recording_is_not_stale(show: Show, at: At, qtbot: QtBot) -> None:
    window = show()
    at(window, 20)
    qtbot.wait(700)
    assert window.session.condition(window.shown).health is Health.PAUSED
    assert window.readout_state is not None
    assert window.readout_state.contour


def test_a_recording_that_stops_delivering_is_stale_and_loses_its_contour(show: Show, qtbot: QtBot) -> None:
    source = Stuck(at=12)
    window = show(source)
    qtbot.waitUntil(
        lambda: window.readout_state is not None and window.readout_state.card.title.startswith("STALE"), timeout=5000
    )
    assert window.readout_state is not None
    assert (window.readout_state.number, window.readout_state.contour, window.readout_state.dimmed) == (
        "—",
        False,
        True,
    )
    assert window.view.canvas.picture.opacity() < 1
    source.release.set()
    qtbot.waitUntil(lambda: window.readout_state is not None and window.readout_state.contour, timeout=5000)
    assert window.view.canvas.picture.opacity() == 1


def test_a_failure_takes_the_contour_at_once_and_ten_stay(
    show: Show, make_model: Callable[..., Model], contract: object, qtbot: QtBot
) -> None:
    def broken(_: Frame) -> Outcome:
        raise RuntimeError("out of memory")

    window = show(loaded=make_model(contract, broken))
    qtbot.waitUntil(
        lambda: window.readout_state is not None and window.readout_state.card.title == "ANALYSIS FAILING", timeout=5000
    )
    assert isinstance(window.shown, Failed)
    assert window.readout_state is not None
    assert not window.readout_state.contour
    assert "RuntimeError" in " ".join(window.readout_state.card.body)


def test_the_warning_is_held_over_single_frames(
    show: Show, make_model: Callable[..., Model], model: Model, at: At, qtbot: QtBot
) -> None:
    """A contour that is small in every second frame only must not flicker."""
    asked = itertools.count()

    def flicker(frame: Frame) -> Outcome:
        outcome = model.analyse(frame)
        assert isinstance(outcome, Tumour)
        small = frame.index != 33 and next(asked) % 2 == 0
        size = SizeState.AT_MOST_200 if small else SizeState.ABOVE_200
        regions = (replace(outcome.regions[0], size=size), *outcome.regions[1:])
        return Tumour(frame, outcome.analysis, outcome.mask, regions)

    window = show(loaded=make_model(model.contract, flicker), phase=Phase.BEFORE_DURA)
    qtbot.waitUntil(
        lambda: window.readout_state is not None and "SMALL" in window.readout_state.card.title, timeout=5000
    )
    titles, tones = set(), set()
    for _ in range(15):
        qtbot.wait(30)
        assert window.readout_state is not None
        titles.add(window.readout_state.card.title)
        tones.add(window.readout_state.card.tone)
    assert tones == {Tone.WARNING}, "amber is held"
    assert titles <= {"SMALL: CONTOUR UNRELIABLE", "Was small a moment ago"}, "and the words are true of each picture"
    at(window, 33)
    qtbot.waitUntil(
        lambda: window.readout_state is not None and window.readout_state.card.tone is not Tone.WARNING, timeout=2000
    )


def test_an_empty_frame_is_no_tumour_segmented(show: Show, make_model: Callable[..., Model], model: Model) -> None:
    window = show(loaded=make_model(model.contract, finding_nothing(model)))
    assert window.readout_state is not None
    assert window.readout_state.headline == "No tumour segmented"


def test_a_single_picture_stands_still_and_is_analysed(show: Show, qtbot: QtBot) -> None:
    window = show(PhantomSource(count=1))
    assert isinstance(window.shown, Tumour)
    qtbot.wait(700)
    assert window.readout_state is not None
    assert window.readout_state.contour
