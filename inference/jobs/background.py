"""Background jobs, run one after another, and the messages they leave for the window."""

from collections.abc import Callable
from concurrent.futures import Future

from inference.errors import IusError
from inference.one_thread import OneThread
from inference.patience import ANSWER_S
from inference.readout.marks import Tone


class BackgroundJobs:
    """Runs jobs that write files for longer than one tick. The window polls it for messages.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str = "ius-background") -> None:
        self._thread = OneThread(name)
        self._running: list[tuple[Future[str], str]] = []
        self._said: list[tuple[str, Tone]] = []
        self._late: Future[str] | None = None

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
        if self._running:
            done, late = self._running[0]
            if done.done():
                self._running.pop(0)
                if (told := _outcome_of(done))[0]:
                    self._said.append(told)
            elif late and done is not self._late and self._thread.stood_s() > ANSWER_S:
                self._said.append((late, Tone.FAULT))
                self._late = done
        return self._said.pop(0) if self._said else None

    @property
    def busy(self) -> bool:
        """Whether a job has not ended."""
        return bool(self._thread.unfinished)

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
