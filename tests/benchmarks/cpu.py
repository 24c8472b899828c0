"""CPU seconds of this process by thread, and of its child processes: where the time of a frame goes."""

import os
import threading
import time
from pathlib import Path

STAGES = {
    "MainThread": "window",
    "live-reader": "receive and mask",
    "ius-capture": "guards, ring, record",
    "ius-analysis": "analysis, its share of the network",
}
"""Threads by what they do. The network's other threads are ONNX Runtime's: what is left of the process."""


def by_stage() -> dict[str, float]:
    """CPU seconds so far: each stage, the rest of this process, and the processes that it started (Linux)."""
    seconds = dict.fromkeys(STAGES.values(), 0.0)
    for thread in threading.enumerate():
        if thread.name in STAGES and thread.ident is not None:
            clock = time.pthread_getcpuclockid(thread.ident)
            seconds[STAGES[thread.name]] += time.clock_gettime(clock)
    seconds["network's other threads"] = time.process_time() - sum(seconds.values())
    seconds["decoder"] = sum(map(_of_process, _children()))
    return seconds


def _children() -> list[int]:
    texts = [path.read_text(encoding="ascii") for path in Path("/proc/self/task").glob("*/children")]
    return [int(pid) for text in texts for pid in text.split()]


def _of_process(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
