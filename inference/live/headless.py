"""The live session without a window: one line of JSON per outcome, until it is stopped."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inference.errors import OutputError, SourceError
from inference.export.result import result_cells, withdrawn_cells
from inference.live.health import Condition, Health
from inference.live.moment import Moment
from inference.live.notices import Notices
from inference.live.publisher import sent_notes, withdrawn_words
from inference.live.requests import SourceRequest
from inference.live.session import Session
from inference.patience import SILENT
from inference.recording.schema import End

if TYPE_CHECKING:
    from inference.recording.recorder import RecordStatus

TICK_S = 0.016
"""Time between two ticks, as in the window, even if no answer comes."""


class Stop:
    """Asks a run to end; no lock is taken, so that a signal handler may ask too.

    Attributes:
        how: what ended it, as for `Session.leave`; empty while it is to go on.
    """

    def __init__(self) -> None:
        self.how = ""

    def set(self, how: str) -> None:
        """Ask it to end; the first word counts."""
        self.how = self.how or how


@dataclass(frozen=True, slots=True)
class Ended:
    """The result of a live run.

    Attributes:
        outcomes: lines written for answers.
        dropped: frames and answers that were overwritten by newer ones.
        error: why it ended by itself, one sentence; empty if it was stopped.
        record: the record's status; None if no record was asked for.
    """

    outcomes: int
    dropped: int
    error: str
    record: "RecordStatus | None"


def follow(
    session: Session,
    address: str,
    write: Callable[[str], None],
    stop: Stop,
    *,
    say: Callable[[str], None] = lambda _: None,
    record: Path | None = None,
    seconds: float | None = None,
) -> Ended:
    """Analyse a live source until `stop` is set, `seconds` have passed or the source ends; then blank what was sent.

    Args:
        session: a session whose model is being loaded; stays open.
        address: the source, in the form that `open_live` takes.
        write: called with one line of JSON per outcome; must not wait. The run ends if it raises `BrokenPipeError`,
            or `OutputError`, whose sentence is then its error.
        stop: may be set from a signal handler or another thread.
        say: called with what the source has to say of itself, once each.
        record: file for the record; must not exist yet.
        seconds: length of the run, counted from when the source is open.

    Raises:
        SourceError: if source or model is refused.
        OutputError: if the record cannot be created.
    """
    lines = Lines(session, write)
    if not (_opened(session, stop, lambda: session.model is not None)):
        return Ended(0, 0, "", None)
    session.open(SourceRequest(address))
    if not (_opened(session, stop, lambda: session.source is not None)):
        return Ended(0, 0, "", None)
    recording = None if record is None else session.start_record(record)
    try:
        error = _run(session, lines, say, stop, None if seconds is None else time.monotonic() + seconds)
    finally:
        session.leave(stop.how or End.STOPPED)
        finished = None if recording is None else recording.finish()
    status = session.status()
    return Ended(lines.outcomes, 0 if status is None else status.dropped, error, finished)


def _opened(session: Session, stop: Stop, there: Callable[[], bool]) -> bool:
    """Tick until `there()` is true. False if the run was stopped first."""
    while not there():
        if stop.how:
            return False
        session.wait(TICK_S)
        session.tick()
        if refusal := session.model_refusal or session.source_refusal:
            raise SourceError(refusal)
    return True


def _run(session: Session, lines: "Lines", say: Callable[[str], None], stop: Stop, end: float | None) -> str:
    """Tick until something ends the run. Returns the error sentence of a source that broke, else an empty string."""
    notices, told = Notices(), set[str]()
    while not stop.how and (end is None or time.monotonic() < end):
        session.wait(TICK_S)
        moment = session.tick()
        if notice := notices.news(session.info):
            say(notice)
        try:
            lines.take(moment)
        except BrokenPipeError:
            stop.set(End.CLOSED)
            return ""
        except OutputError as error:
            stop.set(End.CLOSED)
            return str(error)
        if moment.live.health in (Health.BROKEN, Health.ENDED):
            stop.set(End.SOURCE)
            return moment.live.sentence
        for sentence in _of_record(session):
            if sentence not in told:
                told.add(sentence)
                say(sentence)
    return ""


def _of_record(session: Session) -> Iterator[str]:
    """What is wrong with the record, which holds nothing else up: other programs go on being sent what is live."""
    if session.record is not None:
        status = session.record.status()
        if status.error:
            yield status.error
        if status.silent:
            yield SILENT.format(status.path)


class Lines:
    """Writes one line for every answer, and one when the last answer is no longer valid.

    Args:
        session: its notes go with every line.
        write: called with each line, without its line end.

    Attributes:
        outcomes: lines written for answers.
    """

    def __init__(self, session: Session, write: Callable[[str], None]) -> None:
        self._session, self._write = session, write
        self._said = False
        self.outcomes = 0

    def take(self, moment: Moment) -> None:
        """Write the news of this moment.

        Raises:
            BrokenPipeError: if the reader has gone.
            OutputError: if nothing more can be written.
        """
        flowing, answer = moment.live.flowing and not moment.live.waiting, moment.answer
        if answer is not None:
            self.outcomes += 1
        notes = sent_notes(self._session.notes)
        if answer is not None and flowing:
            self._put(result_cells(answer, _utc(answer.frame.captured_at), notes, self._session.of_phase), moment.live)
        elif answer is not None or (self._said and not flowing):
            self._put(withdrawn_cells(withdrawn_words(moment.live), time.time(), notes), moment.live)
        self._said = flowing and (self._said or answer is not None)

    def _put(self, cells: dict[str, object], condition: Condition) -> None:
        self._write(json.dumps(cells | {"condition": condition.health.value}, allow_nan=False))


def _utc(at: float) -> float:
    """Convert `time.monotonic()` seconds to seconds since 1970."""
    return time.time() - (time.monotonic() - at)
