"""The signals that end a program: it learns which one came, and is gone two seconds later even if a thread hangs."""

import faulthandler
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
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
        tell(signal.Signals(number).name)

    def limit() -> None:
        if stacks is not None:
            faulthandler.dump_traceback_later(GONE_S, exit=True, file=stacks)

    wanted = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    heard = [number for number in wanted if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN]
    with _heard(heard, limit):
        before = {number: signal.signal(number, handle) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    faulthandler.cancel_dump_traceback_later()


@contextmanager
def insisting(limit_s: float, code: int, sentence: str) -> Iterator[None]:
    """Have Ctrl-C end the program, not only raise KeyboardInterrupt: who waits for a dead drive never gets that.

    Args:
        limit_s: seconds in which what runs here may end by itself.
        code: the program's exit status if it does not.
        sentence: said to the error output before.
    """
    over = threading.Event()

    def limit() -> None:
        if not over.wait(limit_s):
            os.write(2, f"{sentence}\n".encode())
            os._exit(code)

    with _heard([signal.SIGINT], limit):
        try:
            yield
        finally:
            over.set()


@contextmanager
def _heard(numbers: Sequence[int], limit: Callable[[], object]) -> Iterator[None]:
    """Call `limit` once, when one of these signals comes: in a thread, since the main one may wait for a dead drive.

    Only signals with a handler in Python are heard, and only by the main thread; elsewhere nothing is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)

    def listen() -> None:
        while heard := ear.recv(1):
            if heard[0] in numbers:
                limit()
                return

    thread = threading.Thread(target=listen, name="ius-signals", daemon=True)
    thread.start()
    before = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        mouth.close()
        thread.join()
        ear.close()
