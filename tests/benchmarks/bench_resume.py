"""Does a training that was killed end where one that was not ends? Weights, and Dice of the validation slices.

    python tests/benchmarks/bench_resume.py [--work DIR] [--patients 10] [--epochs 10] [--iterations 40]

One fold of the realtime-half plan on simulated slices of over 200 mm², which a training this short learns from, without
augmenting processes, three times: twice in one go, and once killed (SIGKILL) after a third and after two thirds of its
epochs and begun again. Not a test.
"""

import argparse
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from benchfile import keep

from training.nnunet.results.checkpoint import read_checkpoint
from training.slicing.slices import read_slice, read_slices, write_slices

LIMIT = 0.02
POLL_S = 0.1
WHICH = ("--min-area", 200, "--negatives", "none")


def ius_train(*words: object) -> subprocess.Popen[bytes]:
    """Start a stage of the command line, quiet unless it fails."""
    command = [sys.executable, "-m", "training.cli", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def done(process: subprocess.Popen[bytes]) -> None:
    """Wait for a stage, which has to end well."""
    said = process.communicate()[1]
    assert process.returncode == 0, said.decode()


def slice_store(work: Path, patients: int) -> Path:
    """Slices of a simulated cohort, made once."""
    cohort, store = work / "cohort", work / "slices"
    if not store.is_dir():
        simulated = ("--cohort", "mini", "--patients", patients, "--seed", 5, "--mri", "--label-error", "none")
        done(ius_train("simulate", "--out", cohort, *simulated, "--jobs", 1))
        resect = ("--resect", cohort / "RESECT", "--resect-seg", cohort / "RESECT_segmentation")
        done(ius_train("cases", *resect, "--out", work / "cases.csv"))
        done(ius_train("slice", work / "cases.csv", "--out", store, "--step-mm", 2))
    return store


def epochs_done(work: Path) -> int:
    """How many epochs of a training are in its table."""
    for table in work.glob("nnUNet_results/*/*/fold_0/progress.csv"):
        with table.open(newline="") as stream:
            return len(list(csv.reader(stream))) - 1
    return 0


def train(store: Path, work: Path, length: list[object], kill_after: tuple[int, ...] = ()) -> Path:
    """Train a fold, killing it once each of these epochs is done; gives the model's folder."""
    began = time.perf_counter()
    fit = ("fit", store, "--work", work, "--plan", "realtime-half", "--bfloat16", "--workers", 0, *WHICH, *length)
    for epoch in kill_after:
        process = ius_train(*fit)
        while epochs_done(work) < epoch and process.poll() is None:
            time.sleep(POLL_S)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    done(ius_train(*fit))
    print(f"{work.name:13s} {time.perf_counter() - began:5.0f} s", flush=True)
    (model,) = work.glob("nnUNet_results/*/*")
    return model


def same_weights(one: Path, other: Path) -> bool:
    """Whether best and final weights are equal to the bit."""
    pairs = [
        [read_checkpoint(model / "fold_0" / f"checkpoint_{name}.pth")["network_weights"] for model in (one, other)]
        for name in ("best", "final")
    ]
    return all(torch.equal(weight, b[key]) for a, b in pairs for key, weight in a.items())


def validation_dice(model: Path, store: Path, work: Path) -> list[float]:
    """Dice of every validation slice that holds a tumour."""
    (splits,) = work.glob("nnUNet_raw/*/splits_final.json")
    names = set(json.loads(splits.read_text())[0]["val"])
    held_out = work / "validation"
    shutil.rmtree(held_out, ignore_errors=True)
    held_out.mkdir()
    for folder in ("images", "labels"):
        (held_out / folder).symlink_to((store / folder).resolve())
    rows = [row for row in read_slices(store) if row.name in names]
    write_slices(rows, held_out / "slices.csv")
    done(ius_train("predict", model, held_out, "--out", work / "masks", "--folds", 0))
    pairs = [(read_slice(work / "masks" / f"{row.name}.nii.gz") > 0, read_slice(row.label(store)) > 0) for row in rows]
    return [float(2 * np.sum(a & b) / (np.sum(a) + np.sum(b))) for a, b in pairs if b.any()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--patients", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--iterations", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        store = slice_store(work, arguments.patients)
        length = ["--epochs", arguments.epochs, "--iterations", arguments.iterations]
        length += ["--val-iterations", 4, "--batch-size", 8]
        kills = (arguments.epochs // 3, 2 * arguments.epochs // 3)
        whole, again = (train(store, work / name, length) for name in ("uninterrupted", "again"))
        resumed = train(store, work / "resumed", length, kills)
        print(f"uninterrupted twice: {'the same' if same_weights(whole, again) else 'OTHER'} weights")
        print(f"killed after epochs {kills}: {'the same' if same_weights(whole, resumed) else 'OTHER'} weights")
        dice = [
            validation_dice(model, store, work / name)
            for model, name in ((whole, "uninterrupted"), (resumed, "resumed"))
        ]
        means = [float(np.mean(one)) for one in dice]
        print(f"mean Dice of {len(dice[0])} validation slices (simulated): ", end="")
        print(f"{means[0]:.4f} uninterrupted, {means[1]:.4f} killed and resumed")
        found = {
            "same_weights_again": same_weights(whole, again),
            "same_weights_killed": same_weights(whole, resumed),
            "dice": round(means[0], 4),
            "dice_killed": round(means[1], 4),
        }
    keep("resume", found, f"{arguments.patients} simulated patients, {arguments.epochs} epochs, realtime-half plan")
    sys.exit(abs(means[0] - means[1]) > LIMIT)


if __name__ == "__main__":
    main()
