"""Mutated files of every format that is read: 50,000 of them, without an abort, a hang, a traceback or a wild scale.

    .venv/bin/python tests/soak/soak_fuzz.py [--mutations 50000] [--seed 0] [--only nifti record]

Every kind of file gets as many. Pictures are opened and read as the program does, in its decoding process; contracts,
checkpoints, tables and messages by their readers. What breaks is kept under work/soak/fuzz.
"""

import argparse
import logging
import resource
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from figures import FOLDER, Figures

from inference.errors import IusError

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))
from corpora import FORMATS, mutated
from texts import READERS
from trying import tried

MUTATIONS = 50_000
HANG_S = 10.0
MOST_MB = 2_000.0
LIMIT_S = 60 * 60.0
Whole = tuple[Callable[[Path], Path], Callable[[Path], object]]


def kinds() -> dict[str, Whole]:
    """What writes and what reads each kind of file."""
    pictures: dict[str, Whole] = {name: (write, tried) for name, write in FORMATS.items()}
    return pictures | {name: (one.write, one.read) for name, one in READERS.items()}


class Lost(logging.Handler):
    """Counts the decoding processes that a library ended, and those that ended in an exception of our own."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = self.raised = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        said = record.getMessage()
        self.ended += "process is lost" in said
        self.raised += "exit code 1)" in said


def attempt(read: Callable[[Path], object], path: Path) -> str:
    """Read a file: `opened`, `refused` with a sentence, or the name of what nobody expected."""
    try:
        said = read(path)
    except IusError as error:
        return "refused" if "\n" not in str(error) else "several lines"
    except AssertionError:
        return "wild"
    except Exception as error:  # noqa: BLE001 - what this looks for
        sys.stdout.write(traceback.format_exc(limit=-3))
        return type(error).__name__
    return "opened" if not isinstance(said, str) or said == "ok" else "refused"


def try_kind(name: str, whole: Whole, folder: Path, seeds: range, fates: Counter[str], lost: Lost) -> float:
    """Try so many mutations of one kind of file; the longest that one took, in seconds."""
    write, read = whole
    path = write(folder)
    data, slowest = path.read_bytes(), 0.0
    for seed in seeds:
        path.write_bytes(mutated(data, seed))
        raised, begun = lost.raised, monotonic()
        fate = attempt(read, path)
        took = monotonic() - begun
        slowest, fates[fate] = max(slowest, took), fates[fate] + 1
        if fate not in ("opened", "refused") or took > HANG_S or lost.raised > raised:
            kept = FOLDER / "fuzz" / f"{name}-{seed}-{fate}{path.suffix}"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(path.read_bytes())
    return slowest


def main(argv: Sequence[str] | None = None) -> int:
    """Try them all and answer the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=MUTATIONS, help="of all kinds together (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first (default: %(default)s)")
    parser.add_argument("--only", nargs="*", choices=sorted(kinds()), metavar="KIND", help="some kinds only")
    arguments = parser.parse_args(argv)
    chosen = {name: whole for name, whole in kinds().items() if not arguments.only or name in arguments.only}
    each = -(-arguments.mutations // len(chosen))
    figures = Figures("fuzz", f"{len(chosen)} kinds of small files made by code, {each} mutations each", patience=2.0)
    fates, slowest, lost, begun = Counter[str](), 0.0, Lost(), monotonic()
    logging.getLogger("inference").addHandler(lost)
    logging.getLogger("inference").propagate = False
    for name, whole in chosen.items():
        with tempfile.TemporaryDirectory() as folder:
            took = try_kind(name, whole, Path(folder), range(arguments.seed, arguments.seed + each), fates, lost)
        sys.stdout.write(f"{name:20} slowest {took:6.2f} s   after {monotonic() - begun:6.0f} s\n")
        sys.stdout.flush()
        slowest = max(slowest, took)
    for fate in sorted(fates.keys() | {"opened", "refused"}):
        figures.add(fate, fates[fate], "files", most=None if fate in ("opened", "refused") else 0)
    figures.add("decoding processes ended by a library", lost.ended, "times")
    figures.add("exceptions in the decoding process", lost.raised, "times", most=0)
    figures.add("slowest file", slowest, "s", most=HANG_S)
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1e3
    figures.add("largest process", largest, "MB", most=MOST_MB)
    figures.add("all of it", monotonic() - begun, "s", most=LIMIT_S)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
