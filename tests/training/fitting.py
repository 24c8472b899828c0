"""nnU-Net through the command line, in processes of its own, on a cohort that it learns in seconds."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from training.slicing.slices import read_slices, write_slices

DEADLINE_S = 400
LENGTH = ("--epochs", 50, "--iterations", 2, "--val-iterations", 1, "--batch-size", 2, "--workers", 0, "--jobs", 1)
FIT = ("--plan", "realtime", "--title", "Ellipsoids", "--bfloat16", *LENGTH)


def train_command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "training.cli", *map(str, arguments)]


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "2", "PYTHONPATH": str(Path(__file__).parents[2])}


def ius_train(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        train_command(*arguments), env=environment(), text=True, capture_output=True, timeout=DEADLINE_S, check=False
    )


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
    with (
        (work / "first.log").open("w") as log,
        subprocess.Popen(
            train_command(*fit), env=environment(), start_new_session=True, stdout=log, stderr=log
        ) as first,
    ):
        give_up = time.monotonic() + DEADLINE_S
        while not list(work.glob(latest)) and first.poll() is None and time.monotonic() < give_up:
            time.sleep(0.05)
        os.killpg(first.pid, signal.SIGKILL)
    assert list(work.glob(latest)), (work / "first.log").read_text()
