"""Limits that a process of this program's own sets itself, before it touches what may be hostile."""

import signal
import sys
from pathlib import Path


def calm() -> None:
    """Leave the terminal's Ctrl-C to the program, and crash without a memory dump, which would contain pictures."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def alarm(seconds: float) -> None:
    """End the process after this many seconds, even from within a library that never returns; 0 cancels this."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def available() -> int:
    """Bytes that programs can still have without swapping; beyond any limit if the system does not say."""
    if sys.platform != "linux":
        return sys.maxsize
    lines = Path("/proc/meminfo").read_text(encoding="ascii", errors="replace").splitlines()
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable")), sys.maxsize)


def limit_memory(more: int) -> None:
    """Limit the process to this many bytes beyond its present memory; does nothing if the system has no such limit."""
    if sys.platform != "linux":
        return
    import resource

    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    have = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData")) << 10
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = have + more
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
