"""Keeps a thread's own stack for signals where a library puts another in its place and frees that later.

OpenVINO 2026.4 does so when it compiles a network. Python's handlers run on that stack (SA_ONSTACK), so that the next
Ctrl-C would end the program with a segmentation fault instead of its record.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Stack(ctypes.Structure):
    """`stack_t` of sigaltstack(2)."""

    _fields_ = (("pointer", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def own_signal_stack() -> Iterator[None]:
    """Put this thread's alternate signal stack back afterwards."""
    if sys.platform != "linux":
        yield
        return
    system, before = ctypes.CDLL(None), _Stack()
    system.sigaltstack(None, ctypes.byref(before))
    try:
        yield
    finally:
        system.sigaltstack(ctypes.byref(before), None)
