"""Any folder, described by a manifest: a case table with paths relative to the table itself."""

from dataclasses import replace
from pathlib import Path

from inference.errors import FormatError
from training.cohort.cases import PATHS, Case, read_cases
from training.datasets.inclusion import AS_PUBLISHED, Inclusion
from training.datasets.usable import judged


def find_cases(manifest: Path, include: Inclusion = AS_PUBLISHED) -> list[Case]:
    """The manifest's cases; one with a missing file, without a patient, or whom the paper leaves out is excluded.

    Args:
        manifest: CSV with the columns of a case table, `case`, `patient` and `us` at least.
        include: who is taken, by phase, first_surgery and diagnosis, where the manifest states them.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it cannot be read as a case table, or names no patient at all.
    """
    cases = read_cases(manifest, ("case", "patient", "us"))
    if cases and not any(case.patient for case in cases):
        raise FormatError(f"{manifest} names no patient: nothing can be split without knowing whose a picture is.")
    return [_placed(case, manifest, include) for case in cases]


def _placed(case: Case, manifest: Path, include: Inclusion) -> Case:
    """The case with its data set's name; excluded if one of its files is missing."""
    placed = replace(case, dataset=case.dataset or manifest.stem)
    if placed.exclude:
        return placed
    gone = [path for path in (*(getattr(case, name) for name in PATHS), *case.mri) if path and not path.exists()]
    if gone:
        return judged(placed, f"there is no file {gone[0]}")
    left_out = include.unfit(phase=case.phase, first_surgery=case.first_surgery, diagnosis=case.diagnosis)
    return judged(placed, left_out if case.patient else "no patient")
