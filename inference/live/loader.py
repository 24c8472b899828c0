"""Opens sources and models off the window's thread; of two requests of a kind only the newer counts."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from time import monotonic

from inference.live.model import Model
from inference.live.requests import Loaded, Refusal

JOIN_S = 5.0


class Loader:
    """A thread for each thing that is opened, so that a stalled one holds up no other, and what came out of them.

    Attributes:
        pending: the kinds that are being opened.
    """

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._results: SimpleQueue[tuple[str, int, Loaded]] = SimpleQueue()
        self._newest: dict[str, int] = {}
        self.pending: set[str] = set()
        self._arrived = threading.Event()

    def submit(self, kind: str, job: Callable[[], Loaded]) -> None:
        """Begin to open something, in place of what was asked for before."""
        self._newest[kind] = self._newest.get(kind, 0) + 1
        self.pending.add(kind)
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(
            target=self._load, args=(kind, self._newest[kind], job), name=f"ius-loader-{kind}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

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
        """Wait a moment for what is being opened, and close what nobody took over.

        A thread that waits for a dead drive is left behind: it ends with its own limit, or with the program.
        """
        end = monotonic() + JOIN_S
        for thread in self._threads:
            thread.join(max(0.0, end - monotonic()))
        while not self._results.empty():
            _close(self._results.get()[2])

    def _load(self, kind: str, number: int, job: Callable[[], Loaded]) -> None:
        self._results.put((kind, number, job()))
        self._arrived.set()


def _close(loaded: Loaded) -> None:
    if not isinstance(loaded, Model | Refusal):
        loaded.close()
