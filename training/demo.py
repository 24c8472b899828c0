"""The demonstration model and clip from nothing: the command line's own stages, in their order.

Trained on simulated patients: a demonstration, never evidence of clinical accuracy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.errors import IusError
from training.nnunet.names import dataset_name, model_folder

NAME = "Demonstration (simulated)"
TITLE = "SimulatedUS"
CLIP_SEED = 9


class StageError(IusError):
    """A stage of the demonstration ended with an error."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything.

    Attributes:
        patients: simulated patients for the folds.
        sealed: simulated patients of the sealed cohort, scored once.
        epochs: of training.
        iterations: batches an epoch.
        val_iterations: validation batches an epoch.
    """

    patients: int
    sealed: int
    epochs: int
    iterations: int
    val_iterations: int


FULL = Size(patients=60, sealed=16, epochs=125, iterations=50, val_iterations=12)
SMALL = Size(patients=5, sealed=5, epochs=4, iterations=25, val_iterations=3)
CUTTING = ("--step-mm", "2", "--every-frame", "3", "--negatives", "9")
TRAINING = ("--min-area", "35", "--plan", "realtime", "--batch-size", "8", "--bfloat16", "--workers", "0")

Run = Callable[[Sequence[str]], int]


def make_demo(work: Path, out: Path, *, jobs: int, small: bool, run: Run) -> None:
    """Simulate, slice, fit, predict, evaluate on the sealed cohort, export, and write the clip.

    Every stage resumes: called again after an interruption it continues where it stopped.

    Args:
        work: cohorts, slices, nnU-Net's folders and the report.
        out: gets `models/demo.onnx` and `clips/demo.dcm`.
        jobs: processes.
        small: a trial run of minutes.
        run: the command line, `training.cli.main`.

    Raises:
        StageError: if a stage fails; its own sentence is on stderr.
    """
    size = SMALL if small else FULL
    stages = [
        *_cohort(work, "train", size.patients, 1, jobs, small),
        *_cohort(work, "sealed", size.sealed, 4, jobs, small),
        _fit(work, size, jobs),
        *_judge(work, out, small),
    ]
    for stage in stages:
        if run(stage) != 0:
            raise StageError(f"The stage '{stage[0]}' failed: run the same command again once its reason is gone.")
    _clip(out / "clips" / "demo.dcm")


def _cohort(work: Path, cohort: str, patients: int, seed: int, jobs: int, small: bool) -> list[list[str]]:
    """Simulate one cohort and cut it."""
    data, table = work / cohort, work / f"{cohort}.csv"
    where = ["--resect", str(data / "RESECT"), "--resect-seg", str(data / "RESECT_segmentation")]
    simulate = ["simulate", "--out", str(data), "--cohort", cohort, "--patients", str(patients), "--seed", str(seed)]
    return [
        [*simulate, "--jobs", str(jobs), *(["--small"] if small else [])],
        ["cases", *where, "--sweeps", str(data / "sweeps"), "--out", str(table)],
        ["slice", str(table), "--out", str(work / f"slices-{cohort}"), *CUTTING],
    ]


def _fit(work: Path, size: Size, jobs: int) -> list[str]:
    """Train fold 0."""
    length = ["--epochs", str(size.epochs), "--iterations", str(size.iterations)]
    length += ["--val-iterations", str(size.val_iterations), "--jobs", str(jobs)]
    return ["fit", str(work / "slices-train"), "--work", str(work), "--title", TITLE, *TRAINING, *length]


def _judge(work: Path, out: Path, trial: bool) -> list[list[str]]:
    """Score the sealed cohort and export."""
    model, sealed = str(model_folder(work, dataset_name(501, TITLE), "realtime")), str(work / "slices-sealed")
    predictions, report = str(work / "predictions-sealed"), str(work / "report-sealed")
    words = "sealed cohort of simulated patients: another seed, scanner settings and tumour types held out"
    evaluation = ["--out", report, "--data", words, "--simulated", "--baseline", str(work / "slices-train")]
    # A hardly trained network is so undecided on native frames that parity there fails: the exporter's own samples do.
    verify = ["--trial"] if trial else ["--verify", sealed]
    proof = [*verify, "--evaluation", str(Path(report) / "summary.json")]
    return [
        ["predict", model, sealed, "--out", predictions],
        ["evaluate", predictions, sealed, *evaluation],
        ["export", model, "--out", str(out / "models" / "demo.onnx"), "--name", NAME, "--simulated", *proof],
    ]


def _clip(path: Path) -> None:
    """The native sweep that ships with the viewer."""
    from training.simulation.clip import simulate_clip

    path.parent.mkdir(parents=True, exist_ok=True)
    simulate_clip(path, CLIP_SEED)
