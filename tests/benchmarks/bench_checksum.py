"""OpenIGTLink's checksum of a picture: ours, and pyigtl's own with and without a compiler at its installation.

python tests/benchmarks/bench_checksum.py
"""

from collections.abc import Callable
from statistics import median
from time import thread_time

import numpy as np
from benchfile import keep
from crcmod import Crc, _crcfunpy, mkCrcFun

from inference.openigtlink import checksum

POLYNOMIAL = 0x142F0E1EBA9EA3693
SHAPE = (720, 1280)
RUNS = 10


def main() -> None:
    """Measure, print, keep."""
    data = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8).tobytes()
    table = Crc(POLYNOMIAL, initCrc=0, rev=False).table
    ways: dict[str, Callable[[], int]] = {
        "fastcrc": lambda: checksum(data),
        "crcmod, compiled": lambda: mkCrcFun(POLYNOMIAL, initCrc=0, rev=False)(data),
        "crcmod, plain Python": lambda: _crcfunpy._crc64(data, 0, table),
    }
    if len({way() for way in ways.values()}) > 1:
        raise SystemExit("they differ")
    found = {name: _milliseconds(way) for name, way in ways.items()}
    print(f"a picture of {SHAPE[1]}×{SHAPE[0]}, CPU time, median of {RUNS}")
    for name, spent in found.items():
        print(f"  {name:<22}{spent:8.3f} ms, {spent / found['fastcrc']:7.0f} times ours")
    keep("checksum", {f"{name}, ms": round(spent, 3) for name, spent in found.items()}, "random bytes, one thread")


def _milliseconds(way: Callable[[], int]) -> float:
    times = []
    for _ in range(RUNS):
        begun = thread_time()
        way()
        times.append((thread_time() - begun) * 1e3)
    return median(times)


if __name__ == "__main__":
    main()
