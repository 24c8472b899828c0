"""The mailbox of the live path: it keeps only the newest item."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """A mailbox for one item: putting overwrites it, taking empties it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._dropped = 0

    def put(self, item: T) -> None:
        """Put an item; an earlier one not yet taken is dropped and counted. A closed mailbox takes nothing."""
        with self._changed:
            if self._closed:
                return
            self._dropped += self._item is not None
            self._item = item
            self._changed.notify()

    def poll(self) -> T | None:
        """Take the item, or None; never waits."""
        with self._changed:
            item, self._item = self._item, None
            return item

    def take(self) -> T | None:
        """Wait for an item and take it; None once the mailbox is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed)
            item, self._item = self._item, None
            return item

    def wait(self, timeout: float) -> None:
        """Wait at most `timeout` seconds until there is an item or the mailbox is closed; takes nothing."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout)

    def close(self) -> None:
        """Close the mailbox, and wake every waiting thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def dropped(self) -> int:
        """Number of items overwritten before they were taken."""
        return self._dropped
