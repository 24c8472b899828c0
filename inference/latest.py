"""The mailbox of the live path: the newest wins."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """A one-place mailbox: putting overwrites, taking empties."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._dropped = 0

    def put(self, item: T) -> None:
        """Leave an item; one that nobody has taken yet is dropped and counted."""
        with self._changed:
            self._dropped += self._item is not None
            self._item = item
            self._changed.notify()

    def poll(self) -> T | None:
        """The item, or None; never waits."""
        with self._changed:
            item, self._item = self._item, None
            return item

    def take(self) -> T | None:
        """Wait for an item; None once the mailbox is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed)
            item, self._item = self._item, None
            return item

    def wait(self, timeout: float) -> None:
        """Wait until there is an item or the mailbox is closed, at most `timeout` seconds; takes nothing."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout)

    def close(self) -> None:
        """Let whoever waits go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def dropped(self) -> int:
        """Items overwritten before anyone took them."""
        return self._dropped
