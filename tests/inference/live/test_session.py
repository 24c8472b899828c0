"""One tick of a live session, without a window."""

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
import pytest
from peers import MaskPeer, mask_peer
from tiny import threshold_model

from inference.export.openigtlink_server import Broadcast
from inference.frame import Frame, Origin, View
from inference.live import disposal
from inference.live.guarded_source import GuardedSource
from inference.live.health import Health
from inference.live.model import Model, Turn, in_turn
from inference.live.moment import Moment
from inference.live.opening import load_model, open_source
from inference.live.publisher import Publisher
from inference.live.requests import Refusal, SourceRequest
from inference.live.session import Session
from inference.live.session_record import SessionRecord
from inference.outcome import NotAnalysed, NothingFound, Outcome, Reason, Tumour
from inference.recording.reader import RecordReader
from inference.recording.schema import End, EventKind
from inference.sources.disturbed import DisturbedSource
from inference.sources.remote import RemoteSource
from inference.sources.sleepless import sleepless
from inference.view_notes import Flip, Marker, Phase, ViewNotes

LIVE = "simulated:?disturb=black&at=3600"
TICK_S = 1.0
"""No tick takes longer, on a machine that is busy: it used to be two seconds, and ten for a file."""


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


def test_what_is_open_is_told_from_what_was_asked_for_last(session: Session) -> None:
    """One that is refused leaves the former open: an export of what is open must not take the other's path."""
    session.open(SourceRequest("simulated:"))
    tick_until(session, lambda _: session.info is not None)
    for asked in ("simulated:", "nowhere.dcm"):
        session.open(SourceRequest(asked))
        assert session.opened == SourceRequest("simulated:")
    tick_until(session, lambda _: bool(session.source_refusal))
    assert session.info is not None
    assert (session.opened, session.request) == (SourceRequest("simulated:"), SourceRequest("nowhere.dcm"))


def test_a_live_source_is_never_opened_a_second_time_to_look_at_it(session: Session) -> None:
    """Nor after another one was asked for and refused: many grabbers stop, or give half the pictures each."""
    session.open(SourceRequest(LIVE))
    tick_until(session, lambda _: session.live is not None)
    session.open(SourceRequest("nowhere.dcm"))
    tick_until(session, lambda _: bool(session.source_refusal))
    assert isinstance(session.peek(SourceRequest(LIVE)), Refusal)


class Hasty(Session):
    """A session whose analysis thread has a frame at the very moment at which there is a model."""

    answers: tuple[Outcome, ...] = ()

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "model" and value is not None:
            grabbed = Frame(0, np.full((64, 64), 90, np.uint8), None, 0.0, Origin("grabber", View.NATIVE, live=True))
            self.answers += (self._analyse(grabbed),)


def test_a_model_that_nobody_chose_sees_no_live_picture_not_even_a_first_one(model: Path) -> None:
    session = Hasty(open_source, load_model)
    session.load(model, chosen=False)
    tick_until(session, lambda moment: moment.model_changed)
    session.close()
    (answer,) = session.answers
    assert isinstance(answer, NotAnalysed)
    assert answer.reason is Reason.DEMONSTRATION


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
    monkeypatch.setattr("inference.live.session.sleepless", lambda: sleepless() + 3600)
    woke = monotonic()
    moment = session.tick()
    assert "slept" in moment.interruption
    assert session.review is None
    assert moment.shown is None or moment.shown.frame.captured_at >= woke
    assert isinstance(tick_until(session, lambda later: later.new).shown, Tumour)


@pytest.mark.parametrize("by_s", [-3600, 3600])
def test_a_clock_that_is_set_takes_no_frozen_view_away(
    session: Session, model: Path, monkeypatch: pytest.MonkeyPatch, by_s: float
) -> None:
    """A network sets it in the middle of a sitting, or a person does."""
    running(session, model)
    tick_until(session, lambda _: (held := session.held()) is not None and len(held) > 3)
    assert session.freeze()
    tick_until(session, lambda _: session.review is not None)
    held, real = session.review, time.time
    monkeypatch.setattr(time, "time", lambda: real() + by_s)
    monkeypatch.setattr("inference.live.session.time", time.time, raising=False)  # the day's, were it asked
    assert session.tick().interruption == ""
    assert session.review is held


def test_another_source_starts_with_its_own_notes_and_keeps_the_phase(session: Session, model: Path) -> None:
    running(session, model)
    session.notes = ViewNotes(Phase.DURA_OPEN, Flip(left_right=True), Marker.LEFT)
    session.open(SourceRequest("simulated:"))
    tick_until(session, lambda moment: moment.source_changed)
    assert session.notes == ViewNotes(Phase.DURA_OPEN)


def test_the_phase_of_a_record_does_not_stay_when_it_is_closed(session: Session, tmp_path: Path) -> None:
    """A record from before the dura was opened is looked at during resection."""
    path = tmp_path / "record.mcap"
    source = GuardedSource(DisturbedSource(120, 160))
    record = SessionRecord(path, source)
    record.begin(ViewNotes(Phase.BEFORE_DURA), None)
    next(source.frames())
    source.close()
    record.finish()

    def opened(text: str) -> Phase:
        session.open(SourceRequest(text))
        tick_until(session, lambda moment: moment.source_changed)
        return session.notes.phase

    session.notes = ViewNotes(Phase.RESECTION)
    assert [opened(text) for text in (str(path), str(path), LIVE)] == [
        Phase.BEFORE_DURA,
        Phase.BEFORE_DURA,
        Phase.RESECTION,
    ]
    assert opened(str(path)) is Phase.BEFORE_DURA
    session.notes = ViewNotes(Phase.DURA_OPEN)  # said while the record is open: it holds from now on
    assert opened(LIVE) is Phase.DURA_OPEN


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


class Hanging:
    """A model one of whose analyses hangs until it is let go, as one of seconds does; the others wait their turn."""

    def __init__(self, model: Model) -> None:
        self.armed, self.begun, self.go = threading.Event(), threading.Event(), threading.Event()
        self.late: Outcome | None = None
        self._analyse = model.analyse
        self.model = replace(model, analyse=in_turn(self, Turn()))

    def __call__(self, frame: Frame) -> Outcome:
        if not self.armed.is_set() or self.begun.is_set():
            return self._analyse(frame)
        self.begun.set()
        self.go.wait(10)
        self.late = self._analyse(frame)
        return self.late


@pytest.fixture
def hanging(session: Session, model: Path) -> Iterator[Hanging]:
    """The model, loaded and running on a live source."""
    loaded = load_model(model)
    assert isinstance(loaded, Model)
    hanging = Hanging(loaded)
    session._load_model = lambda _: hanging.model
    running(session, model)
    yield hanging
    hanging.go.set()


def test_an_answer_is_told_of_while_the_network_has_the_next_frame(session: Session, hanging: Hanging) -> None:
    """Real session and network; on a fast source a frame waits whenever an analysis took long."""
    order: list[str] = []
    analyse = hanging._analyse

    def noted(frame: Frame) -> Outcome:
        outcome = analyse(frame)
        order.append("done")
        return outcome

    session.answered = lambda: order.append("told")
    session.open(SourceRequest(LIVE))  # whom to tell is asked when a source is opened
    tick_until(session, lambda moment: moment.source_changed)
    tick_until(session, lambda moment: moment.new and isinstance(moment.shown, Tumour))
    hanging._analyse = noted
    hanging.armed.set()
    assert hanging.begun.wait(5)
    status = session.status()
    assert status is not None
    order.clear()
    tick_until(session, lambda _: (now := session.status()) is not None and now.captured > status.captured + 1)
    hanging.go.set()
    tick_until(session, lambda _: order.count("done") >= 2)
    assert order[:3] == ["done", "told", "done"], order


def closing() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "ius-closing"]


def quick_ticks_until(session: Session, wanted: Callable[[Moment], bool]) -> list[Moment]:
    """Tick until a moment is as wanted, each within `TICK_S`; all of the moments."""
    moments: list[Moment] = []
    while not moments or not wanted(moments[-1]):
        begun = monotonic()
        moments.append(session.tick())
        assert monotonic() - begun < TICK_S, "the window stands still"
        assert len(moments) < 5000
        session.wait(0.005)
    return moments


def test_another_source_starts_at_once_while_an_analysis_hangs(
    session: Session, hanging: Hanging, tmp_path: Path
) -> None:
    record = session.start_record(tmp_path / "old.mcap")
    tick_until(session, lambda _: record.status().frames > 0)
    hanging.armed.set()
    tick_until(session, lambda _: hanging.begun.is_set())
    session.open(SourceRequest("simulated:"))
    changed = quick_ticks_until(session, lambda moment: moment.source_changed)
    moments = quick_ticks_until(session, lambda moment: moment.picture is not None)
    assert session.playback is not None, "the new source is the one that runs"
    assert session.record is None
    assert closing(), "the old one is still there, behind"
    hanging.go.set()
    moments += quick_ticks_until(session, lambda moment: isinstance(moment.answer, Tumour))
    moments += quick_ticks_until(session, lambda _: not closing())
    late = hanging.late
    assert late is not None
    assert not any(moment.answer is late or moment.shown is late for moment in changed + moments)
    origins = {moment.answer.frame.origin for moment in moments if moment.answer is not None}
    assert late.frame.origin not in origins
    assert not record.finish().error
    with contextlib.closing(RecordReader(tmp_path / "old.mcap")) as reader:
        assert (reader.events[-1].kind, reader.events[-1].words) == (EventKind.ENDED, End.SOURCE)


def test_what_hangs_at_the_end_is_left_and_logged(
    session: Session, hanging: Hanging, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(disposal, "JOIN_S", 0.2)
    hanging.armed.set()
    tick_until(session, lambda _: hanging.begun.is_set())
    begun = monotonic()
    with caplog.at_level(logging.WARNING):
        session.close()
    assert monotonic() - begun < 2
    assert "ius-analysis, ius-closing" in caplog.text
    hanging.go.set()
    for thread in closing():
        thread.join(5)
    assert not closing()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_stalled_file_delays_no_other_source(session: Session, model: Path, tmp_path: Path) -> None:
    for number in range(20):
        assert cv2.imwrite(str(tmp_path / f"{number:02}.png"), np.full((64, 80), 40 + number, np.uint8))
    session.load(model)
    session.open(SourceRequest(str(tmp_path)))
    tick_until(session, lambda moment: moment.picture is not None)
    assert session.playback is not None
    file = session.playback._source
    assert isinstance(file, RemoteSource)
    assert file._worker is not None
    process = file._worker._process
    os.kill(process.pid, signal.SIGSTOP)
    tick_until(session, lambda _: file._lock.locked())
    session.open(SourceRequest("simulated:"))
    quick_ticks_until(session, lambda moment: moment.source_changed)
    quick_ticks_until(session, lambda moment: isinstance(moment.answer, Tumour))
    quick_ticks_until(session, lambda _: not closing())
    assert process.poll() is not None


def shas(session: Session) -> set[str]:
    """The models whose answers can be scrubbed through now, or kept as a record."""
    held = session.held()
    outcomes = () if held is None else map(held.outcome, range(len(held)))
    return {one.analysis.model_sha256 for one in outcomes if isinstance(one, Tumour | NothingFound)}


def test_what_the_former_model_found_is_not_held_under_the_new_ones_name(
    session: Session, hanging: Hanging, tmp_path: Path
) -> None:
    """Nor is its last answer, which comes when the new model is there already."""
    other = tmp_path / "other.onnx"
    threshold_model(other, level=0.5, spacing_mm=(0.3, 0.3), patch=(256, 256), name="other")
    tick_until(session, lambda _: (held := session.held()) is not None and len(held) > 3)
    former = hanging.model.sha256
    assert shas(session) == {former}
    hanging.armed.set()
    tick_until(session, lambda _: hanging.begun.is_set())
    session._load_model = load_model
    session.load(other)
    tick_until(session, lambda moment: moment.model_changed)
    assert session.model is not None
    assert not session.freeze(), "nothing of the new model's is there yet"
    hanging.go.set()
    sha256 = session.model.sha256
    tick_until(session, lambda _: bool(shas(session)))
    assert hanging.late is not None
    assert shas(session) == {sha256}
    assert session.freeze()
    assert session.review is not None
    assert isinstance(frozen := session.review.take(), Tumour | NothingFound)
    assert frozen.analysis.model_sha256 == sha256


def test_an_answer_to_a_picture_from_before_a_sleep_is_not_held(
    session: Session, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the clock stands still in a sleep, its age would be one of milliseconds, and the source may be gone."""
    hanging.armed.set()
    tick_until(session, lambda _: hanging.begun.is_set())
    monkeypatch.setattr("inference.live.session.sleepless", lambda: sleepless() + 3600)
    woke = monotonic()
    moment = session.tick()
    assert "slept" in moment.interruption
    assert moment.picture is None or moment.picture.captured_at >= woke
    hanging.go.set()
    tick_until(session, lambda moment: moment.new)
    assert hanging.late is not None
    held = session.held()
    assert held is None or all(held.times >= woke)


@contextlib.contextmanager
def published(session: Session) -> Iterator[MaskPeer]:
    """Another program that shows a mask of this session."""
    server = Broadcast(0)
    session.publish_to(Publisher(server))
    with mask_peer(server.address[1]) as peer:
        tick_until(session, lambda _: peer.pixels is not None and peer.pixels > 0)
        yield peer


def test_other_programs_lose_the_mask_of_another_source_though_none_comes_in_its_place(
    session: Session, hanging: Hanging
) -> None:
    with published(session) as peer:
        hanging.armed.set()
        tick_until(session, lambda _: hanging.begun.is_set())
        session.open(SourceRequest("simulated:?at=3600"))
        tick_until(session, lambda moment: moment.source_changed)
        tick_until(session, lambda _: peer.pixels == 0, within_s=5)


def test_other_programs_lose_the_mask_of_before_a_sleep_though_none_comes_in_its_place(
    session: Session, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    with published(session) as peer:
        hanging.armed.set()
        tick_until(session, lambda _: hanging.begun.is_set())
        monkeypatch.setattr("inference.live.session.sleepless", lambda: sleepless() + 3600)
        assert "slept" in session.tick().interruption
        tick_until(session, lambda _: peer.pixels == 0, within_s=5)
