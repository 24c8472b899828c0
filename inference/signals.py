"""The signals that end a program: it learns which one came, and is gone two seconds later even if a thread hangs."""

import faulthandler
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Ctrl-C; the system's wish; a terminal that was closed, which Windows calls SIGBREAK."""
GONE_S = 1.9
"""A program that has not ended by then is ended: whoever sent the signal waits two seconds before killing it."""


@contextmanager
def ending(tell: Callable[[str], object], hung: TextIO | None = None) -> Iterator[None]:
    """Have these signals call `tell` instead of ending the program where it happens to be.

    Python would raise KeyboardInterrupt in a slot, where Qt swallows it; the others would lose what is not yet
    written. A SIGHUP that the caller ignores (nohup) stays ignored.

    Args:
        tell: called in the main thread between two bytecodes with the signal's name, once for each signal; returns
            at once.
        hung: where the stacks of a program that has to be ended are written; the error output by default. Without
            either, as in a window of Windows, nothing ends a program that hangs.
    """
    stacks = hung or sys.__stderr__

    def handle(number: int, _: FrameType | None) -> None:
        if stacks is not None:
            faulthandler.dump_traceback_later(GONE_S, exit=True, file=stacks)
        tell(signal.Signals(number).name)

    wanted = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    heard = [number for number in wanted if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        faulthandler.cancel_dump_traceback_later()
