"""Any folder, by a manifest: a case table whose paths are relative to itself."""

from dataclasses import replace
from pathlib import Path

from inference.errors import FormatError
from training.cohort.cases import PATHS, Case, read_cases
from training.datasets.usable import judged


def find_cases(manifest: Path) -> list[Case]:
    """The manifest's cases; one with a file that is not there, or without a patient, is excluded with the reason.

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
    """The case with paths as seen from here."""
    paths = {name: _beside(getattr(case, name), manifest) for name in PATHS}
    mri = tuple(manifest.parent / path for path in case.mri)
    placed = replace(case, dataset=case.dataset or manifest.stem, mri=mri, **paths)  # type: ignore[arg-type]
    if placed.exclude:
        return placed
    gone = [path for path in (*paths.values(), *mri) if path is not None and not path.exists()]
    if gone:
        return judged(placed, f"there is no file {gone[0]}")
    return judged(placed, "" if case.patient else "no patient")


def _beside(path: Path | None, manifest: Path) -> Path | None:
    """A path relative to the manifest's folder."""
    return None if path is None else manifest.parent / path
