"""Background jobs, run one after another, and the messages they leave for the window."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from inference.errors import IusError
from inference.readout.marks import Tone

SLOW_DISK = "The disk is so slow that the recording could not be finished: what is written is safe."


class BackgroundJobs:
    """Runs jobs that write files for longer than one tick. The window polls it for messages."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ius-background")
        self._running: list[Future[str]] = []
        self._said: list[tuple[str, Tone]] = []

    def begin(self, job: Callable[[], str]) -> Future[str]:
        """Queue a job; the sentence it returns, or that of its `IusError`, is shown to the user."""
        self._running.append(self._pool.submit(job))
        return self._running[-1]

    def say(self, sentence: str, tone: Tone = Tone.FAULT) -> None:
        """Queue a sentence to be shown; may be called from any thread."""
        self._said.append((sentence, tone))

    def take(self) -> tuple[str, Tone] | None:
        """The oldest sentence still to be shown, with its tone; None if there is none."""
        if self._running and self._running[0].done():
            self._said.append(_outcome_of(self._running.pop(0)))
        return self._said.pop(0) if self._said else None

    def close(self) -> None:
        """Wait until the queued jobs have finished."""
        self._pool.shutdown()


def _outcome_of(done: Future[str]) -> tuple[str, Tone]:
    try:
        return done.result(), Tone.NEUTRAL
    except IusError as error:
        return str(error), Tone.FAULT
    except RuntimeError:
        return SLOW_DISK, Tone.FAULT
