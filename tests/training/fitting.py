"""nnU-Net through the command line, in forked processes, on a cohort that it learns in seconds.

tests/training/stages/test_experiment.py starts the same commands as a user does.
"""

import subprocess
import tempfile
import time
from pathlib import Path

import forked

from training.slicing.slices import read_slices, write_slices

DEADLINE_S = 400
LENGTH = ("--epochs", 50, "--iterations", 2, "--val-iterations", 1, "--batch-size", 2, "--workers", 0, "--jobs", 1)
FIT = ("--plan", "realtime", "--title", "Ellipsoids", "--bfloat16", *LENGTH)


def ius_train(*arguments: object, most_bytes: int | None = None) -> subprocess.CompletedProcess[str]:
    words = [*map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder, "said")
        return forked.ended(forked.start(words, said, most_bytes), words, said, DEADLINE_S)


def few_of(store: Path, few: Path) -> Path:
    """A store of every twentieth slice."""
    few.mkdir()
    for name in ("images", "labels"):
        (few / name).symlink_to(store / name)
    write_slices(read_slices(store)[::20], few / "slices.csv")
    return few


def fit_until_killed(work: Path, fit: tuple[object, ...]) -> None:
    """Train until the first epoch's checkpoint is there, and kill it: whatever it was doing then."""
    latest = "nnUNet_results/*/*/fold_0/checkpoint_latest.pth"
    first = forked.start([*map(str, fit)], work / "first")
    give_up = time.monotonic() + DEADLINE_S
    while not list(work.glob(latest)) and first.is_alive() and time.monotonic() < give_up:
        time.sleep(0.05)
    forked.kill(first)
    assert list(work.glob(latest)), (work / "first" / "err").read_text()
