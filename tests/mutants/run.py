"""`make mutants`: breaks one control after the other in a copy, runs the tests of its row, and prints what survives.

    run.py              every breakage
    run.py H5 H44       those of some rows
    run.py --trust      without looking first whether the tests pass as they are: right after `make test`

Exit codes: 0 every breakage was noticed; 1 some survived, or could not be tried.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from time import monotonic

from breakages import ROOT, Breakage, breakages, named_tests, noticing

LIMIT_S = 300.0
"""A breakage whose tests have not ended by then has failed: a test that hangs is no pass."""
FAILURE = re.compile(r"^(?:FAILED|ERROR) ([^\s\[]+)", re.MULTILINE)
"""pytest's line about a test, whatever its parameters."""
DESKTOP = "/desktop/"
"""In the path of tests that need a real screen; all others draw off it."""
FAILED = 1
"""pytest's exit code for tests that failed."""


class Fate(StrEnum):
    """What became of a breakage."""

    NOTICED = "noticed"
    SURVIVED = "SURVIVED"
    SKIPPED = "NOT TRIED: its tests skip here"
    UNTRIED = "NOT TRIED: its tests fail without it"
    UNSOUND = "NOT TRIED: no test runs with it"


def main(argv: Sequence[str] | None = None) -> int:
    """Try breakages and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="of docs/HAZARDS.md, such as H5; all by default")
    parser.add_argument("--trust", action="store_true", help="take it that the tests pass without a breakage")
    arguments = parser.parse_args(argv)
    wanted = set(arguments.rows)
    chosen = [one for one in breakages() if not wanted or one.row in wanted]
    rows, bad = named_tests(), list[str]()
    with throw_away_copy() as copy:
        sound: dict[tuple[str, ...], Fate] = {}
        for one in chosen:
            began, tests = monotonic(), tuple(sorted(noticing(one, rows), key=_is_slow))
            if tests not in sound:
                sound[tests] = Fate.NOTICED if arguments.trust else _unbroken(copy, tests)
            fate = _tried(copy, one, tests) if sound[tests] is Fate.NOTICED else sound[tests]
            said = f"{one.row:4} {fate.value:9} {monotonic() - began:5.0f} s  {one.control} ({one.file})"
            print(said, flush=True)
            if fate is not Fate.NOTICED:
                bad.append(said)
    print(f"\n{len(chosen) - len(bad)} of {len(chosen)} breakages were noticed.")
    print("\n".join(bad))
    return 1 if bad else 0


def _is_slow(test: str) -> bool:
    """Whether a test comes last: those that open windows take seconds, and the first failure is enough."""
    return test.startswith(("tests/viewer/", "tests/soak/"))


@contextmanager
def throw_away_copy() -> Iterator[Path]:
    """The working tree as it is, without what git ignores; real data stays where it is."""
    with tempfile.TemporaryDirectory(prefix="ius-mutants-") as folder:
        copy = Path(folder) / "copy"
        git = shutil.which("git") or "git"
        listed = subprocess.run(
            [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in listed.stdout.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name)
        if (ROOT.parent / "shared").exists():
            (Path(folder) / "shared").symlink_to((ROOT.parent / "shared").resolve())
        yield copy


def _unbroken(copy: Path, tests: tuple[str, ...]) -> Fate:
    """Whether the tests pass as they are: only then does a failure say anything."""
    code, said = _run(copy, tests)
    if code:
        code, said = _run(copy, tests)  # a busy machine is late for a test once, and not twice
    if code:
        print(f"{said[-2000:]}\nexit code {code}", file=sys.stderr)
        return Fate.UNTRIED
    return Fate.NOTICED if " passed" in said.splitlines()[-1] else Fate.SKIPPED


def _tried(copy: Path, one: Breakage, tests: tuple[str, ...]) -> Fate:
    """Whether a test fails with the breakage that passes without it: a busy machine lets others fail."""
    fate = Fate.UNTRIED
    for _ in range(2):
        code, failed = _broken(copy, one, tests)
        if code == 0:
            return Fate.SURVIVED
        fate = Fate.UNTRIED if code == FAILED else Fate.UNSOUND
        with suppress(subprocess.TimeoutExpired):
            if code == FAILED and _run(copy, failed)[0] == 0:
                return Fate.NOTICED
    return fate


def _broken(copy: Path, one: Breakage, tests: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """pytest's exit code with the breakage, and the tests that failed, or hung."""
    path = copy / one.file
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(one.old, one.new), encoding="utf-8")
    try:
        code, said = _run(copy, tests)
    except subprocess.TimeoutExpired:
        return FAILED, tests
    finally:
        path.write_text(text, encoding="utf-8")
    if code not in (0, FAILED):
        print(f"{said[-2000:]}\nexit code {code}", file=sys.stderr)
    return code, tuple(dict.fromkeys(FAILURE.findall(said))) or tests


def _run(copy: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run tests on the copy. Returns pytest's exit code and what it said."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", *tests]
    # Bytecode is known by time and size, and a breakage may change neither.
    outside = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    if not any(DESKTOP in test for test in tests):
        outside["QT_QPA_PLATFORM"] = "offscreen"
    done = subprocess.run(command, cwd=copy, env=outside, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
