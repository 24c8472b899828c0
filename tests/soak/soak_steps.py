"""The researcher's steps of README.md and the guide, in a real shell, from simulated patients to a report.

    .venv/bin/python tests/soak/soak_steps.py [--patients 12]

Only what makes it short is added: coarse patients, few slices, two epochs. A person's part is done here: patients are
held back, the page of the review is opened, and its registrations are accepted. An export is refused after so short a
training, whose pixels lie on the edge: tests/training/test_training.py exports a model of more epochs, and
tests/training/nnunet/test_planner.py one of each other kind of network.
"""

import argparse
import csv
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/training")]

from documented import Command, steps  # noqa: E402 - its folder is no package

HELD_BACK = 2
FEW = "--epochs 2 --iterations 4 --val-iterations 1 --batch-size 2 --workers 0"
BESIDES = {
    "simulate": "--small --jobs 2 --patients {patients}",
    "labels": "--simulated",
    "slice": "--step-mm 8",
    "fit": FEW,
    "evaluate": "--simulated",
}
"""What a step gets besides what is printed."""


def hold_back() -> None:
    """Move the last patients to a table of their own."""
    with Path("cases.csv").open(newline="") as stream:
        header, *rows = csv.reader(stream)
    for name, part in (("test-cases.csv", rows[-HELD_BACK:]), ("cases.csv", rows[:-HELD_BACK])):
        with Path(name).open("w", newline="") as stream:
            csv.writer(stream).writerows([header, *part])


def look_and_accept(line: str) -> None:
    """Open the page that the command serves, end it with Ctrl-C, and accept what it showed."""
    with subprocess.Popen(line.split(), stderr=subprocess.PIPE, text=True) as served:
        assert served.stderr is not None
        address = next(text.split()[1] for text in served.stderr if text.startswith("open http"))
        with urllib.request.urlopen(address) as page:  # noqa: S310 - its own address on this computer
            assert page.status == 200
        served.send_signal(signal.SIGINT)
        served.stderr.read()
    assert served.returncode in (0, 130), served.returncode
    run("ius-train review REG --accept-all --cases cases.csv")


def run(line: str) -> str:
    """One command in a shell; what it printed."""
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)  # noqa: S602 - README's
    if done.returncode:
        raise SystemExit(f"{line}\nended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def step(command: Command, patients: int) -> None:
    """One printed step, with what a person does around it."""
    besides = BESIDES.get(command.stage, "").format(patients=patients)
    line = f"{command} {besides}"
    if command.stage == "evaluate" and not Path("OTHERS").exists():
        shutil.copytree("PREDICTIONS", "OTHERS")
    if "--serve" in command.words:
        look_and_accept(line)
        return
    printed = run(line)
    if command.stage == "cases":
        hold_back()
    if command.stage == "fit" and "--estimate" not in command.words:
        Path("MODEL").symlink_to(printed.strip().splitlines()[-1])


def main() -> int:
    """Run every step and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=12)
    arguments = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for command in steps():
            if command.stage == "export":
                continue
            began = monotonic()
            step(command, arguments.patients)
            print(f"{monotonic() - began:6.0f} s  {command}", flush=True)
        os.chdir(ROOT)
    os.environ["IUS_ALL_STEPS"] = "1"
    run(f"{sys.executable} -m pytest -q tests/training/test_training.py tests/training/nnunet/test_planner.py")
    run(f"{sys.executable} -m pytest -q tests/inference/model/test_engine_hostile.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
