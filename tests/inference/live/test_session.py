"""One tick of a live session, without a window."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from tiny import threshold_model

from inference.live.health import Health
from inference.live.moment import Moment
from inference.live.opening import load_model, open_source
from inference.live.requests import SourceRequest
from inference.live.session import Session
from inference.outcome import NotAnalysed, Tumour
from inference.view_notes import Flip, Marker, Phase, ViewNotes

LIVE = "simulated:?disturb=black&at=3600"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "threshold.onnx"
    threshold_model(path, level=110 / 150, spacing_mm=(0.3, 0.3), patch=(256, 256))
    return path


@pytest.fixture
def session() -> Iterator[Session]:
    opened = Session(open_source, load_model)
    yield opened
    opened.close()


def tick_until(session: Session, wanted: Callable[[Moment], bool], within_s: float = 60.0) -> Moment:
    """Tick as the window does, until a moment is as wanted."""
    end = monotonic() + within_s
    while monotonic() < end:
        session.wait(0.016)
        if wanted(moment := session.tick()):
            return moment
    raise AssertionError(f"not within {within_s} s")


def running(session: Session, model: Path, text: str = LIVE) -> Moment:
    session.load(model)
    session.open(SourceRequest(text))
    return tick_until(session, lambda moment: isinstance(moment.shown, Tumour))


def test_nothing_is_open_at_first(session: Session) -> None:
    moment = session.tick()
    assert (moment.shown, moment.picture, moment.answer, moment.new) == (None, None, None, False)
    assert moment.condition.health is Health.EMPTY


def test_a_moment_is_new_once_and_its_outcome_stays(session: Session, model: Path) -> None:
    running(session, model, "simulated:")
    assert session.playback is not None
    session.playback.pause()
    still = tick_until(session, lambda moment: moment.condition.health is Health.PAUSED and not moment.new)
    assert isinstance(still.shown, Tumour)
    assert session.tick().shown is still.shown


def test_a_refused_source_leaves_the_old_one_running(session: Session, model: Path) -> None:
    running(session, model)
    session.open(SourceRequest("no-such-file.dcm"))
    moment = tick_until(session, lambda moment: moment.source_changed)
    assert "no-such-file.dcm" in session.source_refusal
    assert moment.condition.health is Health.RUNNING


def test_after_a_sleep_a_frozen_view_does_not_come_back(
    session: Session, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(session, model)
    tick_until(session, lambda _: (held := session.held()) is not None and len(held) > 3)
    assert session.freeze()
    assert tick_until(session, lambda _: session.review is not None).condition.health is Health.VIEW_FROZEN
    real = time.time
    monkeypatch.setattr("inference.live.session.time", lambda: real() + 3600)
    woke = monotonic()
    moment = session.tick()
    assert "slept" in moment.interruption
    assert session.review is None
    assert moment.shown is None or moment.shown.frame.captured_at >= woke
    assert isinstance(tick_until(session, lambda later: later.new).shown, Tumour)


def test_another_source_starts_with_its_own_notes_and_keeps_the_phase(session: Session, model: Path) -> None:
    running(session, model)
    session.notes = ViewNotes(Phase.DURA_OPEN, Flip(left_right=True), Marker.LEFT)
    session.open(SourceRequest("simulated:"))
    tick_until(session, lambda moment: moment.source_changed)
    assert session.notes == ViewNotes(Phase.DURA_OPEN)


def test_one_answer_a_frame_where_a_guard_forbids_it(session: Session, model: Path) -> None:
    """The picture tells before the analysis does; the analysis does not tell it again."""
    session.load(model)
    session.open(SourceRequest("simulated:?disturb=black&at=0.2"))
    refused: list[int] = []

    def several(moment: Moment) -> bool:
        if isinstance(moment.answer, NotAnalysed) and moment.answer.alarm is not None:
            refused.append(moment.answer.frame.index)
        return len(refused) > 8

    tick_until(session, several)
    assert len(refused) == len(set(refused))
