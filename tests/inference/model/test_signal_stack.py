"""The stack on which signals are handled stays this program's own."""

import ctypes
import sys

import pytest

from inference.model.signal_stack import _Stack, own_signal_stack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there does a library put another in its place")


def present() -> tuple[int | None, int]:
    stack = _Stack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack))
    return stack.pointer, stack.size


def test_another_stack_is_gone_afterwards() -> None:
    before, another = present(), ctypes.create_string_buffer(65536)
    with own_signal_stack():
        stack = _Stack(ctypes.addressof(another), 0, len(another))
        assert ctypes.CDLL(None).sigaltstack(ctypes.byref(stack), None) == 0
        assert present() == (ctypes.addressof(another), len(another))
    assert present() == before
