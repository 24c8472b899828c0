"""Closes what a session has let go of, behind its back: what hangs there delays neither window nor next source."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

log = logging.getLogger(__name__)

JOIN_S = 5.0
"""How long the end of the program waits for what is still closing, all of it together."""


class Disposal:
    """Closes each thing in its own thread, as long as it takes. Call every method from one thread, the window's."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    def take(self, close: Callable[[], None]) -> None:
        """Close something; never waits.

        Args:
            close: closes it and returns once all of its threads have ended; called in a thread of its own.
        """
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=close, name="ius-closing", daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """Wait at most `JOIN_S` for all that was taken. What hangs is left to end with the program, and logged."""
        end = monotonic() + JOIN_S
        for thread in self._threads:
            thread.join(max(0.0, end - monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            alive = sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("ius-"))
            log.warning("not closed within %g s, left to end with the program: %s", JOIN_S, ", ".join(alive))
