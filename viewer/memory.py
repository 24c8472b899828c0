"""Memory that is given back: else glibc's heap grows by 3 MB every thousand frames (tests/soak/soak_memory.py)."""

import ctypes
import platform

LARGE = 128 * 1024
"""Bytes from which a picture has pages of its own, returned to the system when it goes."""
_M_MMAP_THRESHOLD = -3


def keep_large_apart() -> bool:
    """Fix glibc's threshold for large blocks, before pictures are made.

    By default glibc raises it to the largest block ever freed, up to 32 MB. Compressed pictures of the last half minute
    then lie between short-lived ones on the heap, and the holes they leave fit nothing.

    Returns:
        Whether there is a glibc that took it; other C libraries keep large blocks apart by themselves.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    return bool(ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE))
