"""A page of target registration errors of real cases beside the published ones."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.evaluation.page import Page, Section
from training.evaluation.population import Population, PopulationError, cohort_of
from training.evaluation.published import published
from training.evaluation.strata import MIN_PATIENTS
from training.evaluation.tables import Cell, Spread, Table
from training.registration.landmarks import Landmarks, best_rigid, mtre_mm, read_landmarks, transform_of
from training.registration.mapping import read_mapping

_WORDS = (
    "mTRE: mean distance of corresponding landmarks of one case, in mm. ± is the standard deviation over cases "
    "(divided by n − 1).",
    "Navigation: with the files' worlds as one. Bound: the rigid transform that fits the case's own landmarks best "
    "(least squares): about as low as a rigid registration can get.",
    "Registered: with the transforms that were named, also of cases that a review rejected.",
    "A mean over fewer than five cases is not given (–).",
    "The published figures are over their own cases, which may be others than the ones measured here.",
)


def target_page(files: Sequence[Path], transform: Path | None, out: Path, *, data: str) -> Table:
    """Write `report.html`, `report.md` and `tables/mtre.csv` from landmark files.

    Args:
        files: .tag files, one per case.
        transform: as `training.registration.landmarks.measure` takes it; None measures navigation alone.
        out: folder of the page.
        data: the data, in words.

    Returns:
        The table of cases.

    Raises:
        PopulationError: if a file belongs to a simulated cohort, whose errors never stand beside published ones.
    """
    for path in files:
        if cohort_of(path) is not None:
            raise PopulationError(f"{path} is a simulated patient's, and published errors are of real ones: no page.")
    table = case_table([read_landmarks(path) for path in files], transform)
    table.write_csv(out / "tables" / f"{table.key}.csv")
    sections = (Section(table.title, Population.REAL, tables=(table,)), published(("registration",), Population.REAL))
    Page("Registration of real cases", data, f"{len(files)} cases.", sections, _WORDS).write(out)
    return table


def case_table(cases: Sequence[Landmarks], transform: Path | None) -> Table:
    """A table of the cases and the mean over them."""
    rows: list[tuple[Cell, ...]] = []
    columns: list[list[float]] = []
    for one in cases:
        figures = [mtre_mm(one)]
        if transform is not None:
            figures.append(mtre_mm(one, read_mapping(transform_of(transform, one.case))))
        figures.append(mtre_mm(one, best_rigid(one)))
        columns.append(figures)
        rows.append((one.case, len(one.mri), *figures))
    means = [_spread(values) for values in zip(*columns, strict=True)]
    rows.append((f"mean of {len(cases)}", sum(len(one.mri) for one in cases), *means))
    head = ("case", "landmarks", "navigation", *(["registered"] if transform else []), "bound")
    return Table("mtre", "Measured here: mTRE, mm", head, tuple(rows), "Last row: mean ± SD over cases.")


def _spread(values: Sequence[float]) -> Spread | None:
    """Mean and standard deviation (n − 1); None for fewer than five cases."""
    enough = len(values) >= MIN_PATIENTS
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1))) if enough else None
