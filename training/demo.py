"""The demonstration model and clip from nothing: the command line's own stages, in their order.

Two trainings: one on patients as they come, and one that goes on from it with rare tumours as often as common ones
(`training/experiments/rare.yaml`). Trained on simulated patients: a demonstration, never evidence of clinical accuracy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.errors import IusError
from training.nnunet.names import dataset_name, model_folder
from training.simulation.parameters import CohortKind

NAME = "Demonstration (simulated)"
CLIP_SEED = 9
FIRST, SECOND = dataset_name(501, "SimulatedUS"), dataset_name(502, "SimulatedUSEven")


class StageError(IusError):
    """A stage of the demonstration ended with an error."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything.

    Attributes:
        patients: simulated patients of the first training, of the second, of its even cohort, of the sealed cohort.
        epochs: of the first training and of the second.
        iterations: batches an epoch.
        val_iterations: validation batches an epoch.
    """

    patients: tuple[int, int, int, int]
    epochs: tuple[int, int]
    iterations: int
    val_iterations: tuple[int, int]


FULL = Size(patients=(60, 100, 60, 20), epochs=(125, 90), iterations=50, val_iterations=(12, 4))
SMALL = Size(patients=(5, 5, 5, 5), epochs=(4, 2), iterations=25, val_iterations=(3, 3))
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
    first, more, even, sealed = size.patients

    def cohort(name: str, kind: str, patients: int, seed: int, cutting: Sequence[str]) -> list[list[str]]:
        return _cohort(work, name, CohortKind(kind), (patients, seed), cutting, [*_jobs(jobs), *["--small"] * small])

    start = work / "start.onnx"
    return [
        *cohort("first", "train", first, 1, FINE),
        ["fit", *_stores(work, "first"), *_learning(work, FIRST, size, 0), *_jobs(jobs)],
        ["export", str(_model(work, FIRST)), "--out", str(start), "--name", NAME, "--simulated", *["--trial"] * small],
        *cohort("train", "train", more, 1, COARSE),
        *cohort("even", "even", even, 5, COARSE),
        [
            *("fit", *_stores(work, "train", "even"), *_learning(work, SECOND, size, 1), *_jobs(jobs)),
            *("--start", str(start), "--learning-rate", "0.01"),
        ],
        *cohort("sealed", "sealed", sealed, 7, FINE),
        *_judge(work, out / "models" / "demo.onnx", small),
    ]


def _cohort(
    work: Path,
    name: str,
    kind: CohortKind,
    drawn: tuple[int, int],
    cutting: Sequence[str],
    how: Sequence[str],
) -> list[list[str]]:
    """Simulate so many patients by a seed, and cut them."""
    data, table, (patients, seed) = work / name, work / f"{name}.csv", drawn
    where = ["--resect", str(data / "RESECT"), "--resect-seg", str(data / "RESECT_segmentation")]
    sweeps = ["--sweeps", str(data / "sweeps")] if kind.sweeps else []
    simulate = ["simulate", "--out", str(data), "--cohort", kind, "--patients", str(patients), "--seed", str(seed)]
    return [
        [*simulate, *how],
        ["cases", *where, *sweeps, "--out", str(table)],
        ["slice", str(table), "--out", *_stores(work, name), *cutting],
    ]


def _stores(work: Path, *names: str) -> list[str]:
    return [str(work / f"slices-{name}") for name in names]


def _jobs(jobs: int) -> list[str]:
    return ["--jobs", str(jobs)]


def _model(work: Path, dataset: str) -> Path:
    return model_folder(work, dataset, "realtime")


def _learning(work: Path, dataset: str, size: Size, which: int) -> list[str]:
    """Fold 0 of the first training or the second."""
    number, title = dataset.removeprefix("Dataset").split("_", 1)
    length = ["--epochs", str(size.epochs[which]), "--iterations", str(size.iterations)]
    length += ["--val-iterations", str(size.val_iterations[which])]
    return ["--work", str(work), "--dataset-id", number, "--title", title, *TRAINING, *length]


def _judge(work: Path, out: Path, trial: bool) -> list[list[str]]:
    """Score the sealed cohort in both modes and export; a draft runs over all mirrors as the viewer would."""
    model, draft, (sealed,) = str(_model(work, SECOND)), str(work / "draft.onnx"), _stores(work, "sealed")
    words = "sealed cohort of simulated patients: another seed, scanner settings and tumour types held out"
    said = ["--data", words, "--simulated"]
    fast, thorough = work / "report-fast", work / "report-thorough"
    # A hardly trained network is so undecided on native frames that parity there fails: the exporter's own samples do.
    named = ["--name", NAME, "--version", "2", "--simulated", *(["--trial"] if trial else ["--verify", sealed])]
    scores = ["--evaluation", str(fast / "summary.json"), str(thorough / "summary.json")]
    masks = [str(work / f"predictions-{mode}") for mode in ("fast", "thorough")]
    return [
        ["predict", model, sealed, "--out", masks[0]],
        ["evaluate", masks[0], sealed, "--out", str(fast), *said, "--baseline", *_stores(work, "train")],
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
