"""Large blocks go back to the system, measured on the C library's own account in a process of its own."""

import platform
import subprocess
import sys

import pytest

ROUNDS = """
import ctypes, sys
from viewer.memory import LARGE, keep_large_apart
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
class Account(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]
libc.mallinfo2.restype = Account
if sys.argv[1] == "apart":
    assert keep_large_apart()
libc.free(libc.malloc(8_000_000))  # what makes glibc raise its threshold
mapped = libc.mallinfo2().hblks
block = libc.malloc(2 * LARGE)
print(libc.mallinfo2().hblks - mapped)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc raises its threshold")
@pytest.mark.parametrize(("how", "mapped"), [("apart", 1), ("default", 0)])
def test_a_large_block_has_its_own_pages_even_after_a_larger_one_was_freed(how, mapped):
    done = subprocess.run([sys.executable, "-c", ROUNDS, how], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.split()) == (0, [str(mapped)]), done.stderr
