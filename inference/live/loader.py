"""Opens sources and models outside the window's thread. A newer request replaces an older one of the same kind."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from time import monotonic

from inference.live.model import Model
from inference.live.requests import Loaded, Refusal

JOIN_S = 0.5


class Loader:
    """Opens each source or model in its own thread, so that a stalled one delays no other, and keeps the results.

    Args:
        dispose: closes, behind the caller's back, what nobody wants any more.

    Attributes:
        pending: the kinds of request still being opened.
    """

    def __init__(self, dispose: Callable[[Callable[[], None]], None]) -> None:
        self._dispose = dispose
        self._threads: list[threading.Thread] = []
        self._results: SimpleQueue[tuple[str, int, Loaded]] = SimpleQueue()
        self._newest: dict[str, int] = {}
        self.pending: set[str] = set()
        self._arrived = threading.Event()

    def submit(self, kind: str, job: Callable[[], Loaded]) -> None:
        """Start to open something; replaces the earlier request of this kind."""
        self._newest[kind] = self._newest.get(kind, 0) + 1
        self.pending.add(kind)
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(
            target=self._load, args=(kind, self._newest[kind], job), name=f"ius-loader-{kind}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def drop(self, kind: str) -> bool:
        """Want the pending request of this kind no more: what still comes of it is closed. False if there is none."""
        waited = kind in self.pending
        if waited:
            self._newest[kind] += 1
            self.pending.discard(kind)
        return waited

    def wait(self, timeout: float) -> None:
        """Wait at most `timeout` seconds until something has been opened or refused since the last wait."""
        if self._arrived.wait(timeout):
            self._arrived.clear()

    def done(self) -> Iterator[tuple[str, Loaded]]:
        """Everything that has been opened or refused. Results replaced by a newer request are closed, not given."""
        while not self._results.empty():
            kind, number, loaded = self._results.get()
            if number == self._newest[kind]:
                self.pending.discard(kind)
                yield kind, loaded
            else:
                self._close(loaded)

    def close(self) -> None:
        """Wait briefly for pending requests, and close every result that was not taken over.

        A thread stuck on a dead drive is left behind: it ends at its own time limit, or with the program.
        """
        end = monotonic() + JOIN_S
        for thread in self._threads:
            thread.join(max(0.0, end - monotonic()))
        while not self._results.empty():
            self._close(self._results.get()[2])

    def _load(self, kind: str, number: int, job: Callable[[], Loaded]) -> None:
        self._results.put((kind, number, job()))
        self._arrived.set()

    def _close(self, loaded: Loaded) -> None:
        if not isinstance(loaded, Model | Refusal):
            self._dispose(loaded.close)
