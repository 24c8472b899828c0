"""Ends a step of loading a model at its time limit, or as soon as nobody waits for the model any more."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
_underway: list[Callable[[], None]] = []


@contextmanager
def limited(limit_s: float, give_up: Callable[[], None]) -> Iterator[None]:
    """Run a step that `give_up` ends after `limit_s` seconds, or when `give_up_all` is called.

    Args:
        limit_s: seconds.
        give_up: makes the step raise an error soon; called from another thread.
    """
    timer = threading.Timer(limit_s, give_up)
    with _LOCK:
        _underway.append(give_up)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with _LOCK:
            _underway.remove(give_up)


def give_up_all() -> int:
    """End every step that is running now, such as an engine that takes minutes to build; how many they were."""
    with _LOCK:
        ended = list(_underway)
    for give_up in ended:
        give_up()
    return len(ended)
