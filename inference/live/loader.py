"""Opens sources and models off the window's thread; of two requests of a kind only the newer counts."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TypeAlias

from inference.live.model import Model
from inference.live.requests import Loaded, Refusal

_Job: TypeAlias = tuple[str, int, Callable[[], Loaded]]


class Loader:
    """One thread, and what came out of it.

    Attributes:
        pending: the kinds that are being opened.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._results: SimpleQueue[tuple[str, int, Loaded]] = SimpleQueue()
        self._newest: dict[str, int] = {}
        self.pending: set[str] = set()
        self._arrived = threading.Event()
        self._thread = threading.Thread(target=self._load_loop, name="ius-loader", daemon=True)
        self._thread.start()

    def submit(self, kind: str, job: Callable[[], Loaded]) -> None:
        """Begin to open something, in place of what was asked for before."""
        self._newest[kind] = self._newest.get(kind, 0) + 1
        self.pending.add(kind)
        self._jobs.put((kind, self._newest[kind], job))

    def wait(self, timeout: float) -> None:
        """Wait until something has been opened or refused since the last wait, at most `timeout` seconds."""
        if self._arrived.wait(timeout):
            self._arrived.clear()

    def done(self) -> Iterator[tuple[str, Loaded]]:
        """Whatever has been opened or refused; a result that was asked for anew meanwhile is closed."""
        while not self._results.empty():
            kind, number, loaded = self._results.get()
            if number == self._newest[kind]:
                self.pending.discard(kind)
                yield kind, loaded
            else:
                _close(loaded)

    def close(self) -> None:
        """Stop, join, and close results that were never taken over.

        Raises:
            RuntimeError: if the thread lives on.
        """
        self._jobs.put(None)
        self._thread.join(5.0)
        while not self._results.empty():
            _close(self._results.get()[2])
        if self._thread.is_alive():
            raise RuntimeError("the loader thread is still alive after 5 s")

    def _load_loop(self) -> None:
        while (entry := self._jobs.get()) is not None:
            kind, number, job = entry
            self._results.put((kind, number, job()))
            self._arrived.set()


def _close(loaded: Loaded) -> None:
    if not isinstance(loaded, Model | Refusal):
        loaded.close()
