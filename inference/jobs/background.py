"""Background jobs, run one after another, and the messages they leave for the window.

A job whose drive is dead is passed over: those behind it go on.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from inference.errors import IusError
from inference.one_thread import OneThread
from inference.patience import ANSWER_S
from inference.readout.marks import Tone


class BackgroundJobs:
    """Runs jobs that write files for longer than one tick. The window polls it for messages.

    Args:
        name: of the thread.
        strict: no job may overtake another: those behind a dead drive wait with it.
    """

    def __init__(self, name: str = "ius-background", *, strict: bool = False) -> None:
        self._strict = strict
        self._thread = OneThread(name)
        self._running: list[tuple[Future[str], str]] = []
        self._said: list[tuple[str, Tone]] = []
        self._late: Future[str] | None = None
        self._passed: list[Future[str]] = []

    def begin(self, job: Callable[[], str], late: str = "") -> Future[str]:
        """Queue a job; the sentence it returns, if any, or that of its `IusError`, is shown to the user.

        Args:
            job: what is done.
            late: the sentence to show, once, when its disk has not answered for `ANSWER_S` seconds.
        """
        future = self._thread.submit(job)
        self._running.append((future, late))
        return future

    def say(self, sentence: str, tone: Tone = Tone.FAULT) -> None:
        """Queue a sentence to be shown; may be called from any thread."""
        self._said.append((sentence, tone))

    def take(self) -> tuple[str, Tone] | None:
        """The oldest sentence still to be shown, with its tone; None if there is none."""
        ended = next((one for one in self._running if one[0].done()), None)
        if ended is not None:
            self._running.remove(ended)
            if (told := _outcome_of(ended[0]))[0]:
                self._said.append(told)
        elif (standing := self._thread.standing(ANSWER_S)) is not None:
            self._say_late(standing)
        return self._said.pop(0) if self._said else None

    def waits(self, job: Future[str]) -> bool:
        """Whether a job has neither ended nor been passed over."""
        return not job.done() and job not in self._passed

    def _say_late(self, standing: Future[Any]) -> None:
        """Say once what the job that stands waits for, and let those behind it go on."""
        if standing is not self._late:
            self._late = standing
            self._said.extend((late, Tone.FAULT) for job, late in self._running if job is standing and late)
        if not self._strict:
            self._thread.pass_over(standing)
            self._passed = [job for job, _ in self._running if job is standing or job in self._passed]

    @property
    def busy(self) -> bool:
        """Whether a job has not ended that no dead drive holds."""
        return any(self.waits(job) for job, _ in self._running)

    @property
    def failed(self) -> tuple[str, ...]:
        """What is to be said of the jobs that have failed, or have not ended, and that nobody has taken."""
        told = ((late, Tone.FAULT) if not done.done() else _outcome_of(done) for done, late in self._running)
        return tuple(sentence for sentence, tone in told if sentence and tone is Tone.FAULT)

    def close(self) -> None:
        """Wait until the queued jobs have finished, unless their drive is dead."""
        self._thread.shutdown()


def _outcome_of(done: Future[str]) -> tuple[str, Tone]:
    try:
        return done.result(), Tone.NEUTRAL
    except IusError as error:
        return str(error), Tone.FAULT
