"""Ends a step of loading a model at its time limit, or as soon as nobody waits for the model any more."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
_underway: list[Callable[[], None]] = []


@contextmanager
def limited(limit_s: float, give_up: Callable[[], None]) -> Iterator[threading.Event]:
    """Run a step that `give_up` ends after `limit_s` seconds, or when `give_up_all` is called.

    Yields:
        What is set once the step was given up.

    Args:
        limit_s: seconds.
        give_up: makes the step raise an error soon; called from another thread.
    """
    given_up = threading.Event()

    def end() -> None:
        given_up.set()
        give_up()

    timer = threading.Timer(limit_s, end)
    with _LOCK:
        _underway.append(end)
    timer.start()
    try:
        yield given_up
    finally:
        timer.cancel()
        with _LOCK:
            _underway.remove(end)


def give_up_all() -> int:
    """End every step that is running now, such as an engine that takes minutes to build; how many they were."""
    with _LOCK:
        ended = list(_underway)
    for end in ended:
        end()
    return len(ended)
