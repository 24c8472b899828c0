"""Jobs that wait for a disk, one after another in one thread, which a disk that never answers cannot keep for ever."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from types import TracebackType
from typing import Any, ParamSpec, Protocol, TypeVar

from inference.patience import ANSWER_S, Watched, joined

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


class OneThread(Executor):
    """Runs one job after another. Python's own pool of threads is waited for at the end of the program, for ever.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._left: list[Future[Any]] = []
        self._name, self._thread = name, self._made(name)
        self._running: Future[Any] | None = None
        self._passed: list[Future[Any]] = []
        """Jobs that no later one waits for."""
        self._watched = Watched(self._thread)
        self._closed = False

    def submit(self, job: Callable[P, T], /, *args: P.args, **named: P.kwargs) -> Future[T]:
        """Queue a job.

        Raises:
            RuntimeError: after `shutdown`.
        """
        if self._closed:
            raise RuntimeError(f"{self._name} is closed")
        future = Future[T]()
        self._left = [*self.unfinished, future]
        self._jobs.put((future, partial(job, *args, **named)))
        if not self._thread.ident:
            self._thread.start()
        return future

    @property
    def unfinished(self) -> list[Future[Any]]:
        """The jobs that have not ended yet."""
        return [future for future in self._left if not future.done()]

    def stood_s(self) -> float:
        """Seconds for which the job that runs has been seen to stand still, if this is asked many times a second."""
        running = next((one for one in self._left if one.running() and one not in self._passed), None)
        if running is not self._running:
            self._running, self._watched = running, Watched(self._thread)
        return 0.0 if running is None else self._watched.stood_s()

    def standing(self, limit_s: float) -> Future[Any] | None:
        """The job that runs, once it has been seen to stand still for so many seconds; see `stood_s`."""
        return self._running if self.stood_s() > limit_s else None

    def pass_over(self, job: Future[Any]) -> None:
        """Run the next jobs in a new thread: this one waits for a dead drive, and goes on once that answers."""
        self._passed = [*(one for one in self._passed if not one.done()), job]
        self._thread = self._made(self._name)
        self._thread.start()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more jobs, and wait for those there are, as long as they go on.

        What stands still for `ANSWER_S` seconds waits for a dead drive: it is left to end with the program, and logged.
        """
        self._closed = True
        for future in self._left if cancel_futures else ():
            future.cancel()
        self._jobs.put(None)
        if wait and self._thread.ident:
            joined(self._thread, ANSWER_S)
            if left := self.unfinished:
                log.warning("%s: %d left to end with the program", self._name, len(left))

    def _made(self, name: str) -> threading.Thread:
        return threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        while threading.current_thread() is self._thread:
            queued = self._jobs.get()
            if queued is None:
                self._jobs.put(None)  # for a thread that takes over in this moment
                return
            future, job = queued
            if future.set_running_or_notify_cancel():
                with _Told(future):
                    future.set_result(job())
            del queued, future, job  # what it holds may be large


class Closes(Protocol):
    """What has threads."""

    def close(self) -> None:
        """Wait for them."""


@contextmanager
def all_closed(what: Iterable[Closes]) -> Iterator[None]:
    """Close all of these at the same time, each in a thread of its own: dead drives are waited for once."""
    threads = [threading.Thread(target=one.close, name="ius-closing", daemon=True) for one in what]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()


class _Told:
    """Gives a job's error to whoever asks for its result."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        """Keep the error."""
        if error is not None:
            self._future.set_exception(error)
        return True
