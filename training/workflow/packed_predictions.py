"""Packs an experiment's predictions into one small file, and makes its comparisons again from it.

    python -m training.workflow.packed_predictions pack EXPERIMENT --work WORK --out predictions.zip
    python -m training.workflow.packed_predictions score EXPERIMENT --work EMPTY --from predictions.zip

The file holds masks only. `score` simulates the test cohorts again, which gives the same bytes, cuts them and writes
the comparisons' reports without training a model.
"""

import argparse
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError
from training.experiments.declaration import Experiment, find_experiment, read_experiment
from training.io.ending import ended
from training.io.files import written_aside
from training.slicing.slices import SliceRow, read_slices, read_tumour, write_slice
from training.workflow.commands import Commands
from training.workflow.compare import compare_declared

_MADE = (1980, 1, 1, 0, 0, 0)
"""The date of every entry, so that the same masks give the same file."""


def pack(experiment: Experiment, work: Path, out: Path) -> None:
    """Write the masks of all scored predictions, one bit per pixel, slice after slice.

    Raises:
        FormatError: if the slices show cavities, for which one bit is too few.
    """
    with written_aside(out) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_LZMA) as archive:
        for model, fold in _scored(experiment):
            folder = work / "predictions" / model / fold
            if any(row.cavity_mm2 is not None for row in _rows(experiment, model, work)):
                raise FormatError("Predictions of tumour and cavity cannot be packed: keep the working folder.")
            masks = [read_tumour(folder / f"{row.name}.nii.gz") for row in _rows(experiment, model, work)]
            entry = zipfile.ZipInfo(f"{model}/{fold}", _MADE)
            archive.writestr(entry, b"".join(np.packbits(mask).tobytes() for mask in masks), zipfile.ZIP_LZMA)


def unpack(experiment: Experiment, packed: Path, work: Path) -> None:
    """Unpack masks from a file as the predictions of a working folder's slices.

    Raises:
        FormatError: if the file was packed from other slices.
    """
    with zipfile.ZipFile(packed) as archive:
        for model, fold in _scored(experiment):
            bits = np.frombuffer(archive.read(f"{model}/{fold}"), np.uint8)
            rows = _rows(experiment, model, work)
            sizes = [-(-row.rows * row.cols // 8) for row in rows]
            if sum(sizes) != bits.size:
                raise FormatError(f"{packed} holds predictions of other slices than {work}: simulate them anew.")
            for row, part in zip(rows, np.split(bits, np.cumsum(sizes)[:-1]), strict=True):
                out = work / "predictions" / model / fold / f"{row.name}.nii.gz"
                write_slice(_mask(part, row), (row.row_mm, row.col_mm), out)


def score(commands: Commands, packed: Path, work: Path) -> None:
    """Simulate and cut the test cohorts, and write every comparison's report from packed predictions.

    Raises:
        FormatError: if the cohorts are of real patients, whose files are not here, or not those of the packed file.
    """
    experiment = commands.experiment
    if not experiment.simulated:
        raise FormatError("Slices of real patients cannot be made again: use the experiment's working folder.")
    work.mkdir(parents=True, exist_ok=True)
    for cohort in experiment.test_cohorts:
        for line in (commands.simulate(cohort), commands.cases(cohort), commands.slice(cohort)):
            subprocess.run([sys.executable, "-m", *shlex.split(line)], cwd=work, check=True)  # noqa: S603 - our own words
    unpack(experiment, packed, work)
    with chdir(work):
        for name in experiment.comparisons:
            compare_declared(experiment, name)


def _scored(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """Every model and fold that any comparison scores, once each."""
    yield from dict.fromkeys(
        (model, fold)
        for name, one in experiment.comparisons.items()
        for model in one.models.values()
        for fold in experiment.scored(name, model)
    )


def _rows(experiment: Experiment, model: str, work: Path) -> list[SliceRow]:
    """The slices that a model predicts, in the order of their stores."""
    return [row for cohort in experiment.tests_of(model) for row in read_slices(work / "slices" / cohort)]


def _mask(bits: NDArray[np.uint8], row: SliceRow) -> NDArray[np.uint8]:
    """Unpack one slice's mask."""
    pixels: NDArray[np.uint8] = np.unpackbits(bits, count=row.rows * row.cols).reshape(row.rows, row.cols)
    return pixels


def main() -> int:
    """Pack an experiment's predictions, or score packed ones again."""
    one = argparse.ArgumentParser(prog="python -m training.workflow.packed_predictions", description=main.__doc__)
    one.add_argument("what", choices=("pack", "score"))
    one.add_argument("experiment", help="its name, or a YAML file")
    one.add_argument("--work", type=Path, required=True, help="working folder; an empty one to score in")
    one.add_argument("--out", type=Path, help="pack: the file")
    one.add_argument("--from", dest="packed", type=Path, help="score: the file")
    one.add_argument("--small", action="store_true", help="it was a trial run")
    arguments = one.parse_args()

    def run() -> None:
        path = find_experiment(arguments.experiment)
        experiment = read_experiment(path, small=arguments.small)
        if arguments.what == "pack":
            pack(experiment, arguments.work, arguments.out)
        else:
            commands = Commands(experiment, path.resolve(), small=arguments.small)
            score(commands, arguments.packed.resolve(), arguments.work)

    return ended(run)


if __name__ == "__main__":
    sys.exit(main())
