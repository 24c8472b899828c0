"""Jobs done one after another behind the window, and what it has to say of them."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from inference.errors import IusError
from inference.readout.marks import Tone

SLOW_DISK = "The disk is so slow that the recording could not be finished: what is written is safe."


class BackgroundJobs:
    """Whatever writes files for longer than a tick. Polled by the window."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ius-background")
        self._running: list[Future[str]] = []
        self._said: list[tuple[str, Tone]] = []

    def begin(self, job: Callable[[], str]) -> Future[str]:
        """Have a job done; what it returns, or its `IusError`, is said."""
        self._running.append(self._pool.submit(job))
        return self._running[-1]

    def say(self, sentence: str, tone: Tone = Tone.FAULT) -> None:
        """Have a sentence shown; from any thread."""
        self._said.append((sentence, tone))

    def take(self) -> tuple[str, Tone] | None:
        """The oldest sentence to show, if there is one."""
        if self._running and self._running[0].done():
            self._said.append(_outcome_of(self._running.pop(0)))
        return self._said.pop(0) if self._said else None

    def close(self) -> None:
        """Let what was begun be finished."""
        self._pool.shutdown()


def _outcome_of(done: Future[str]) -> tuple[str, Tone]:
    try:
        return done.result(), Tone.NEUTRAL
    except IusError as error:
        return str(error), Tone.FAULT
    except RuntimeError:
        return SLOW_DISK, Tone.FAULT
