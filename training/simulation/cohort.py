"""A cohort of simulated patients on disk, in the published layouts, with its truth, parameters and receipt."""

import json
import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.io.files import claimed
from training.io.progress import Bar
from training.io.receipt import write_json, write_receipt
from training.simulation import CohortError
from training.simulation.clip import simulate_clip
from training.simulation.label_error import IMPERFECTIONS, NAVIGATION_DEG, NAVIGATION_MM, READER, LabelError
from training.simulation.parameters import RANGES, CohortKind
from training.simulation.patient import Detail, detail_of, draw_patient, write_patient

__all__ = ["SIMULATOR_VERSION", "Cohort", "simulate_clip", "simulate_cohort"]

# Raised whenever the same seed gives other pixels.
SIMULATOR_VERSION = 1
# Of MRI, its labels, landmarks and the second reader.
MRI_VERSION = 1


@dataclass(frozen=True, slots=True)
class Cohort:
    """A finished cohort: its folder and one entry a patient (`cohort.json` holds the same)."""

    folder: Path
    patients: list[dict[str, Any]]


def simulate_cohort(
    out: Path | str,
    patients: int,
    seed: int,
    *,
    cohort: str = "train",
    jobs: int = 1,
    small: bool = False,
    label_error: str | None = None,
) -> Cohort:
    """Simulate patients 1 to `patients` below `out`; the files depend on the other arguments only, not on `jobs`.

    Layout: ``RESECT/NIFTI/Case1/US/Case1-US-before.nii.gz`` (float32, 0 outside the sector),
    ``RESECT_segmentation/Case1/Case1-US-before-tumor.nii.gz`` (uint8), ``sweeps/Case1/Case1-sweep.dcm`` with
    ``Case1-sweep-tumor.nii.gz`` (columns, rows, frames), ``cohort.json`` and a receipt.
    With `label_error` also ``…/MRI/Case1-T1.nii.gz`` and ``-FLAIR``, ``…/Landmarks/Case1-MRI-beforeUS.tag``,
    ``RESECT_segmentation/Case1/Case1-FLAIR-tumor.nii.gz``, ``annotator2/Case1/Case1-US-before-tumor.nii.gz`` and
    ``truth/Case1-mri-to-us.txt``. In a resected cohort a volume with a cavity is ``Case1-US-during.nii.gz``, with
    ``Case1-US-during-tumor.nii.gz`` and, of the cavity, RESECT-SEG's ``Case1-US-during-resection.nii.gz``.
    A second call goes on where the first stopped.

    Args:
        out: folder, made if absent.
        patients: how many; at least 1.
        seed: of the cohort; not negative.
        cohort: a `CohortKind`.
        jobs: processes.
        small: coarse volumes and short sweeps, for tests.
        label_error: a `LabelError`; None writes no MRI. Ultrasound and truth are the same at every level.

    Raises:
        CohortError: a count or seed out of range, an unknown kind, or a folder that holds another cohort.
    """
    kind = _kind(cohort)
    if patients < 1 or jobs < 1 or seed < 0:
        raise CohortError("A cohort needs at least one patient, one job and a seed of 0 or more.")
    if kind is CohortKind.RESECTED and label_error is not None:
        raise CohortError("MRI is simulated before resection only: leave it out of a resected cohort.")
    folder, detail, level = Path(out), detail_of(kind, small), _level(label_error)
    recipe: dict[str, Any] = {"version": SIMULATOR_VERSION, "seed": seed, "kind": kind.value, "detail": asdict(detail)}
    if level is not None:
        recipe |= _preoperative(level)
    _claim(folder, recipe)
    missing = [n for n in range(1, patients + 1) if not _entry_path(folder, n).exists()]
    with Bar(total=patients, initial=patients - len(missing), desc=f"simulate {kind.value}", unit="patient") as bar:
        for _ in _run([(folder, seed, n, kind, detail, level) for n in missing], jobs):
            bar.update()
    entries = [json.loads(_entry_path(folder, n).read_text(encoding="utf-8")) for n in range(1, patients + 1)]
    table = {"simulated": True, **recipe, "ranges": asdict(RANGES[kind]), "patients": entries}
    write_json(table, folder / "cohort.json")
    settings = {"kind": kind.value, "patients": patients, "small": small, "label_error": label_error}
    write_receipt(folder, "simulate", settings, [], seed)
    return Cohort(folder, entries)


def _kind(name: str) -> CohortKind:
    """The cohort's kind by its name."""
    if name not in list(CohortKind):
        raise CohortError(f"There is no cohort kind '{name}': choose {' or '.join(CohortKind)}.")
    return CohortKind(name)


def _level(name: str | None) -> LabelError | None:
    """The level of label error by its name."""
    if name is not None and name not in list(LabelError):
        raise CohortError(f"There is no label error '{name}': choose {', '.join(LabelError)}.")
    return None if name is None else LabelError(name)


def _preoperative(level: LabelError) -> dict[str, Any]:
    """What a recipe says of MRI, its labels and the second reader."""
    return {
        "mri_version": MRI_VERSION,
        "label_error": level.value,
        "imperfection": asdict(IMPERFECTIONS[level]),
        "navigation": {"mm": list(NAVIGATION_MM), "deg": list(NAVIGATION_DEG)},
        "simulated_reader": asdict(READER),
    }


def _claim(folder: Path, recipe: dict[str, Any]) -> None:
    """Mark the folder as this cohort's, or refuse it if it holds another."""
    if json.loads(claimed(folder / "recipe.json", json.dumps(recipe, indent=2) + "\n")) != recipe:
        raise CohortError(f"{folder} holds another cohort (seed, kind, detail or version): choose an empty folder.")


def _entry_path(folder: Path, number: int) -> Path:
    """Written last: a patient is finished where this file exists."""
    return folder / "patients" / f"Case{number}.json"


_Task = tuple[Path, int, int, CohortKind, Detail, LabelError | None]


def _run(tasks: list[_Task], jobs: int) -> Iterable[int]:
    """Simulate each task's patient, in this process or in `jobs` of them; gives the number of each finished patient."""
    if jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield _simulate(task)
        return
    context = multiprocessing.get_context("spawn")  # forking a process that has threads may hang
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=context) as pool:
        for done in as_completed([pool.submit(_simulate, task) for task in tasks]):
            yield done.result()


def _simulate(task: _Task) -> int:
    """Simulate and write one patient; its entry last."""
    folder, seed, number, kind, detail, level = task
    entry = write_patient(folder, draw_patient(seed, number, kind, detail), detail, level)
    write_json(entry, _entry_path(folder, number))
    return number
