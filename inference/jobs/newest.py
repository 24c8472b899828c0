"""Something looked up in the background, of which only the newest request is answered."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from inference.one_thread import OneThread

T = TypeVar("T")


class Newest(Generic[T]):
    """Runs one look-up after another in a thread of its own, and answers the newest.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._pool = OneThread(name)
        self._running: Future[T] | None = None

    def begin(self, look: Callable[[], T]) -> None:
        """Start a look-up; it replaces the one before."""
        if self._running is not None:
            self._running.cancel()
        self._running = self._pool.submit(look)

    def poll(self) -> T | None:
        """The answer to the newest request, returned once; None until it is ready."""
        if self._running is None or not self._running.done():
            return None
        done, self._running = self._running, None
        return done.result()

    def close(self) -> None:
        """Wait for what is still being looked up, unless its drive is dead."""
        self._pool.shutdown(cancel_futures=True)
