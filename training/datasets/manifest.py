"""Any folder, described by a manifest: a case table with paths relative to the table itself."""

from dataclasses import replace
from pathlib import Path

from inference.errors import FormatError
from training.cohort.cases import PATHS, Case, read_cases
from training.datasets.usable import judged


def find_cases(manifest: Path) -> list[Case]:
    """The manifest's cases; a case with a missing file or without a patient is excluded, with the reason.

    Args:
        manifest: CSV with the columns of a case table, `case`, `patient` and `us` at least.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it cannot be read as a case table, or names no patient at all.
    """
    cases = read_cases(manifest, ("case", "patient", "us"))
    if cases and not any(case.patient for case in cases):
        raise FormatError(f"{manifest} names no patient: nothing can be split without knowing whose a picture is.")
    return [_placed(case, manifest) for case in cases]


def _placed(case: Case, manifest: Path) -> Case:
    """The case with its data set's name; excluded if one of its files is missing."""
    placed = replace(case, dataset=case.dataset or manifest.stem)
    if placed.exclude:
        return placed
    gone = [path for path in (*(getattr(case, name) for name in PATHS), *case.mri) if path and not path.exists()]
    if gone:
        return judged(placed, f"there is no file {gone[0]}")
    return judged(placed, "" if case.patient else "no patient")
