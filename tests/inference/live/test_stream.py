"""The live path in its two real threads: newest wins, drops are counted, errors become sentences."""

import logging
import threading
from collections.abc import Callable, Iterator
from time import monotonic

import pytest

from inference.errors import SourceError
from inference.frame import Frame
from inference.latest import Latest
from inference.live.stream import Stream, StreamState
from inference.outcome import Failed, NotAnalysed, Outcome, Reason
from inference.source_info import SourceInfo
from inference.sources.base import Closing
from inference.sources.simulated import PhantomSource

PHANTOM = PhantomSource(rows=16, cols=16, count=1000)


class Scripted(Closing):
    """A source whose frames a test releases one by one; `close()` frees a stuck read, as a device's does."""

    def __init__(self, error: Exception | None = None) -> None:
        self.info: SourceInfo = PHANTOM.info
        self._turns = threading.Semaphore(0)
        self._closed = False
        self._error = error

    def release(self, count: int = 1) -> None:
        self._turns.release(count)

    def frames(self) -> Iterator[Frame]:
        for index in range(1000):
            self._turns.acquire()
            if self._closed:
                return
            if self._error:
                raise self._error
            yield PHANTOM.read(index)

    def close(self) -> None:
        self._closed = True
        self._turns.release()


def _answer(frame: Frame) -> Outcome:
    return NotAnalysed(frame, Reason.OFF, "off")


def _until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread does; fails after five seconds."""
    deadline = monotonic() + 5
    pause = threading.Event()
    while not condition():
        assert monotonic() < deadline, "waited five seconds"
        pause.wait(0.001)


@pytest.fixture
def streams() -> Iterator[Callable[..., Stream]]:
    opened: list[Stream] = []

    def start(source: Scripted, analyse: Callable[[Frame], Outcome] = _answer) -> Stream:
        opened.append(Stream(source, analyse))
        opened[-1].start()
        return opened[-1]

    yield start
    for stream in opened:
        stream.close()


def test_a_mailbox_keeps_the_newest_and_counts_the_rest() -> None:
    box: Latest[int] = Latest()
    assert box.poll() is None
    for number in range(5):
        box.put(number)
    assert (box.poll(), box.poll(), box.dropped) == (4, None, 4)


def test_a_closed_mailbox_lets_the_waiting_go() -> None:
    box: Latest[int] = Latest()
    taken: list[int | None] = []
    waiting = threading.Thread(target=lambda: taken.append(box.take()))
    waiting.start()
    box.close()
    waiting.join(2)
    assert taken == [None]


def test_every_answer_carries_its_own_frame(streams: Callable[..., Stream]) -> None:
    source = Scripted()
    stream = streams(source)
    for index in range(20):
        source.release()
        _until(lambda: stream.status().analysed > index)
        outcome = stream.take()
        assert outcome is not None
        assert outcome.frame.index == index
    assert stream.status().dropped == 0
    assert stream.status().state is StreamState.RUNNING


def test_a_slow_analysis_sees_the_newest_frame_and_the_rest_is_counted(streams: Callable[..., Stream]) -> None:
    source, started, go = Scripted(), threading.Event(), threading.Event()

    def slow(frame: Frame) -> Outcome:
        started.set()
        go.wait(5)
        return _answer(frame)

    stream = streams(source, slow)
    source.release()
    assert started.wait(5)
    source.release(9)
    _until(lambda: stream.status().captured == 10)
    go.set()
    _until(lambda: stream.status().analysed == 2)
    outcome = stream.take()
    assert outcome is not None
    assert outcome.frame.index == 9
    # Frames 1 to 8 were never analysed, and the answer to frame 0 was overwritten before anybody took it.
    assert stream.status().dropped == 9


def test_a_broken_analysis_answers_with_its_frame_and_goes_on(
    streams: Callable[..., Stream], caplog: pytest.LogCaptureFixture
) -> None:
    source = Scripted()

    def broken(frame: Frame) -> Outcome:
        if frame.index < 3:
            raise ZeroDivisionError("one over nothing")
        return _answer(frame)

    stream = streams(source, broken)
    with caplog.at_level(logging.CRITICAL):
        for index in range(3):
            source.release()
            _until(lambda: stream.status().analysed > index)
        outcome = stream.take()
        assert isinstance(outcome, Failed)
        assert outcome.frame.index == 2
        assert "ZeroDivisionError" in outcome.sentence
        assert "one over nothing" not in outcome.sentence, "an error's text may quote a name, and records keep this"
        assert stream.status().consecutive_failures == 3
        source.release()
        _until(lambda: stream.status().analysed == 4)
    assert isinstance(stream.take(), NotAnalysed)
    assert stream.status().consecutive_failures == 0


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SourceError("The grabber was unplugged: plug it in again."), "The grabber was unplugged: plug it in again."),
        (OSError("bad driver"), "The source broke (OSError('bad driver')): open it again."),
    ],
)
def test_a_broken_source_becomes_a_sentence(
    streams: Callable[..., Stream], error: Exception, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = Scripted(error)
    stream = streams(source)
    with caplog.at_level(logging.CRITICAL):
        source.release()
        _until(lambda: stream.status().state is StreamState.FAILED)
    assert stream.status().error == sentence


def test_closing_frees_a_stuck_read() -> None:
    stream = Stream(Scripted(), _answer)
    stream.start()
    for _ in range(2):
        closing = threading.Thread(target=stream.close, daemon=True)
        closing.start()
        closing.join(2)
        assert not closing.is_alive()


def test_after_a_stop_there_is_nothing_to_take_however_late_it_comes() -> None:
    source, started, go = Scripted(), threading.Event(), threading.Event()
    told: list[float] = []

    def stuck(frame: Frame) -> Outcome:
        if frame.index:
            started.set()
            go.wait(10)
        return _answer(frame)

    stream = Stream(source, stuck, lambda: told.append(monotonic()))
    stream.start()
    source.release(1)
    _until(lambda: len(told) == 1)
    source.release(1)
    assert started.wait(5)
    begun = monotonic()
    stream.stop()
    assert monotonic() - begun < 0.5, "it waits for the analysis"
    assert (stream.take(), stream.take_frame()) == (None, None), "not even what was ready before"
    go.set()
    stream.close()
    assert (stream.take(), stream.take_frame(), len(told)) == (None, None, 1)


@pytest.mark.parametrize("with_network", [True, False])
def test_with_the_next_frame_waiting_an_answer_is_told_of_when_the_network_has_that_frame(
    *, with_network: bool
) -> None:
    source, begun, go, in_network, end = Scripted(), *(threading.Event() for _ in range(4))
    told: list[int | None] = []

    def slow(frame: Frame) -> Outcome:
        if frame.index == 0:
            begun.set()
            go.wait(10)
        elif frame.index == 1:
            assert not told, "the window would paint while this frame waits to be prepared"
            if with_network:
                stream.network_starts()
            in_network.set()
            end.wait(10)
        return _answer(frame)

    def tell() -> None:
        answer = stream.take()
        told.append(None if answer is None else answer.frame.index)

    stream = Stream(source, slow, tell)
    stream.start()
    source.release(1)
    assert begun.wait(5)
    source.release(1)
    _until(lambda: stream.status().captured == 2)
    go.set()
    assert in_network.wait(5)
    assert told == ([0] if with_network else [])
    end.set()
    # Nobody waits behind the second frame: it is told of at once. Without a network its answer replaced the first.
    _until(lambda: 1 in told)
    stream.close()
    assert told == ([0, 1] if with_network else [1, None])


def test_a_read_that_breaks_since_its_source_is_closed_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    class Torn(Scripted):
        def frames(self) -> Iterator[Frame]:
            yield from super().frames()
            raise OSError("closed under its reader")

    stream = Stream(Torn(), _answer)
    stream.start()
    stream.close()
    assert (stream.status().state, stream.status().error, caplog.records) == (StreamState.ENDED, "", [])


def test_the_end_of_a_source_is_an_end_and_no_failure() -> None:
    stream = Stream(PhantomSource(rows=16, cols=16, count=3), _answer)
    stream.start()
    _until(lambda: stream.status().state is StreamState.ENDED)
    stream.close()
    assert stream.status().error == ""
    assert stream.status().captured == 3
