"""The demonstration model and clip from nothing: the command line's own stages, in their order.

Two trainings: one on patients as they come, and one that goes on from it with rare tumours as often as common ones
(`training/experiments/rare.yaml`). Trained on simulated patients: a demonstration, never evidence of clinical accuracy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inference.errors import IusError
from training.nnunet.names import dataset_name, model_folder
from training.simulation.parameters import CohortKind

NAME = "Demonstration (simulated)"
CLIP_SEED = 9


class StageError(IusError):
    """A stage of the demonstration ended with an error."""


@dataclass(frozen=True, slots=True)
class Training:
    """One of the two trainings.

    Attributes:
        number, title: of its nnU-Net data set.
        stores: names of the cohorts it learns from.
        epochs: of training.
        val_iterations: validation batches an epoch.
    """

    number: int
    title: str
    stores: tuple[str, ...]
    epochs: int
    val_iterations: int

    def model(self, work: Path) -> str:
        """Its folder."""
        return str(model_folder(work, dataset_name(self.number, self.title), "realtime"))


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything.

    Attributes:
        patients: simulated patients by the cohort's name.
        first: the training from nothing.
        second: the one that goes on from it.
        iterations: batches an epoch of both.
    """

    patients: dict[str, int]
    first: Training
    second: Training
    iterations: int


FULL = Size(
    patients={"first": 60, "train": 100, "even": 60, "sealed": 20},
    first=Training(501, "SimulatedUS", ("first",), epochs=125, val_iterations=12),
    second=Training(502, "SimulatedUSEven", ("train", "even"), epochs=90, val_iterations=4),
    iterations=50,
)
SMALL = Size(
    patients=dict.fromkeys(FULL.patients, 5),
    first=replace(FULL.first, epochs=4, val_iterations=3),
    second=replace(FULL.second, epochs=2, val_iterations=3),
    iterations=25,
)
FINE = ("--step-mm", "2", "--every-frame", "3", "--negatives", "9")
COARSE = ("--step-mm", "3", "--every-frame", "4", "--negatives", "9")
TRAINING = ("--min-area", "35", "--plan", "realtime", "--batch-size", "8", "--bfloat16", "--workers", "0")

Run = Callable[[Sequence[str]], int]


def make_demo(work: Path, out: Path, *, jobs: int, small: bool, run: Run) -> None:
    """Simulate, slice, fit twice, predict, evaluate on the sealed cohort, export, and write the clip.

    Every stage resumes: called again after an interruption it continues where it stopped.

    Args:
        work: cohorts, slices, nnU-Net's folders and the reports.
        out: gets `models/demo.onnx` and `clips/demo.dcm`.
        jobs: processes.
        small: a trial run of minutes.
        run: the command line, `training.cli.main`.

    Raises:
        StageError: if a stage fails; its own sentence is on stderr.
    """
    for stage in stages(work, out, SMALL if small else FULL, jobs, small=small):
        if run(stage) != 0:
            raise StageError(f"The stage '{stage[0]}' failed: run the same command again once its reason is gone.")
    _clip(out / "clips" / "demo.dcm")


def stages(work: Path, out: Path, size: Size, jobs: int, *, small: bool) -> list[list[str]]:
    """Every stage as the command line's words."""
    start = str(work / "start.onnx")
    how = ["--jobs", str(jobs)]
    drawn = [*how, "--small"] if small else how
    first = ["export", size.first.model(work), "--out", start, "--name", NAME, "--simulated"]
    return [
        *_cohort(work, size, "first", CohortKind.TRAIN, 1, FINE, drawn),
        [*_fit(work, size, size.first), *how],
        [*first, "--trial"] if small else first,
        *_cohort(work, size, "train", CohortKind.TRAIN, 1, COARSE, drawn),
        *_cohort(work, size, "even", CohortKind.EVEN, 5, COARSE, drawn),
        [*_fit(work, size, size.second), *how, "--start", start, "--learning-rate", "0.01"],
        *_cohort(work, size, "sealed", CohortKind.SEALED, 7, FINE, drawn),
        *_judge(work, size.second.model(work), out / "models" / "demo.onnx", small),
    ]


def _cohort(
    work: Path, size: Size, name: str, kind: CohortKind, seed: int, cutting: Sequence[str], drawn: Sequence[str]
) -> list[list[str]]:
    """Simulate a cohort and cut it."""
    data, table = work / name, str(work / f"{name}.csv")
    where = ["--resect", str(data / "RESECT"), "--resect-seg", str(data / "RESECT_segmentation")]
    sweeps = ["--sweeps", str(data / "sweeps")] if kind.sweeps else []
    patients = ["--cohort", kind.value, "--patients", str(size.patients[name]), "--seed", str(seed)]
    return [
        ["simulate", "--out", str(data), *patients, *drawn],
        ["cases", *where, *sweeps, "--out", table],
        ["slice", table, "--out", _store(work, name), *cutting],
    ]


def _store(work: Path, name: str) -> str:
    return str(work / f"slices-{name}")


def _fit(work: Path, size: Size, training: Training) -> list[str]:
    """Train fold 0."""
    data = [*(_store(work, name) for name in training.stores), "--work", str(work)]
    named = ["--dataset-id", str(training.number), "--title", training.title]
    length = ["--epochs", str(training.epochs), "--iterations", str(size.iterations)]
    return ["fit", *data, *named, *TRAINING, *length, "--val-iterations", str(training.val_iterations)]


def _judge(work: Path, model: str, out: Path, trial: bool) -> list[list[str]]:
    """Score the sealed cohort in both modes and export; a draft runs over all mirrors as the viewer would."""
    draft, sealed = str(work / "draft.onnx"), _store(work, "sealed")
    words = "sealed cohort of simulated patients: another seed, scanner settings and tumour types held out"
    said = ["--data", words, "--simulated"]
    fast, thorough = work / "report-fast", work / "report-thorough"
    # A hardly trained network is so undecided on native frames that parity there fails: the exporter's own samples do.
    named = ["--name", NAME, "--version", "2", "--simulated", *(["--trial"] if trial else ["--verify", sealed])]
    scores = ["--evaluation", str(fast / "summary.json"), str(thorough / "summary.json")]
    masks = [str(work / f"predictions-{mode}") for mode in ("fast", "thorough")]
    return [
        ["predict", model, sealed, "--out", masks[0]],
        ["evaluate", masks[0], sealed, "--out", str(fast), *said, "--baseline", _store(work, "train")],
        ["export", model, "--out", draft, *named],
        ["predict", draft, sealed, "--out", masks[1], "--mode", "thorough"],
        ["evaluate", masks[1], sealed, "--out", str(thorough), *said, "--mode", "thorough"],
        ["export", model, "--out", str(out), *named, *scores],
    ]


def _clip(path: Path) -> None:
    """The native sweep that ships with the viewer."""
    from training.simulation.clip import simulate_clip

    path.parent.mkdir(parents=True, exist_ok=True)
    simulate_clip(path, CLIP_SEED)
