"""The population of a report: simulated patients or real ones, never both."""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from inference.errors import FormatError, IusError, NotFoundError
from training.cohort.cases import SEPARATOR, beside
from training.cohort.simulated import COHORT, refuse_half_simulated
from training.io.receipt import placed
from training.io.spreadsheet import read_table
from training.slicing.slices import BY_EYE, HALF_KNOWN

_TRUE, _FALSE = ("1", "true", "yes"), ("0", "false", "no", "")
_STRATA = ("phase", "diagnosis", "first_surgery", "dataset", "site", "grade", "contrast", "echogenicity")
_SLICES = "slices.csv"
_FILES = ("us", "us_label", "sweep", "mri")


class PopulationError(IusError):
    """Simulated and real patients would share a report, or one kind is declared as the other."""


class Population(Enum):
    """The two populations; the value is the sentence that a report prints."""

    SIMULATED = "Simulated patients: a demonstration, never evidence of clinical accuracy."
    REAL = "Recorded patients."
    BY_EYE = "Recorded patients against outlines drawn by eye, by no expert: a yardstick, and no clinical figure."

    @classmethod
    def of(cls, simulated: bool) -> "Population":
        """The simulated or the real population."""
        return cls.SIMULATED if simulated else cls.REAL

    @property
    def simulated(self) -> bool:
        """Whether the patients are simulated."""
        return self is Population.SIMULATED


def only(populations: Iterable[Population]) -> Population:
    """The one population that all parts of a page share.

    Raises:
        PopulationError: if there are two, or none.
    """
    found = set(populations)
    if len(found) != 1:
        raise PopulationError("Simulated and real patients never stand in one report: write two.")
    return found.pop()


def population_of(origins: Iterable[str], *, simulated: bool) -> Population:
    """The population of a store's slices, from the origin of their masks and whether the patients are simulated.

    Raises:
        PopulationError: if only some of the masks were drawn by eye, if masks drawn by eye are said to be of
            simulated patients, or if some tumours were painted in or marked by
            models.
    """
    found = set(origins)
    if found & HALF_KNOWN:
        raise PopulationError(
            "Painted and pseudo-labelled slices hold pixels of which nothing is known: they are for training alone."
        )
    if BY_EYE not in found:
        return Population.of(simulated)
    if found != {BY_EYE} or simulated:
        raise PopulationError(
            "Outlines drawn by eye are scored by themselves: name no other slices, and leave --simulated out."
        )
    return Population.BY_EYE


def check_cases(tables: Iterable[Path], cases: Iterable[str], population: Population) -> dict[str, dict[str, str]]:
    """Read what the case tables say about the scored cases, and refuse cases of another population.

    A case is simulated if its row says so, or if its files lie in a cohort that the simulator wrote. For a report of
    real patients, every case has to be in a table.

    Args:
        tables: case tables (CSV); of what two say of a case, the later one's holds.
        cases: names of the scored cases.
        population: the population that the report is declared to be of.

    Returns:
        case -> column -> value, for the columns that can group the slices (phase, diagnosis, echogenicity, ...).

    Raises:
        NotFoundError: if a table is missing.
        FormatError: if a table has no column of cases.
        PopulationError: if a case belongs to the other population, or is declared real but is in no table.
    """
    rows: dict[str, list[dict[str, str]]] = {case: [] for case in cases}
    for table in tables:
        for name, row in _rows(table).items():
            if name in rows:
                rows[name].append(row)
    for case, own in rows.items():
        _check(case, own, population)
    return {case: {name: value for row in own for name, value in _facts(row).items()} for case, own in rows.items()}


def _check(case: str, rows: Sequence[Mapping[str, str]], population: Population) -> None:
    """Refuse a case of the other population; a case is simulated if any one table says so."""
    simulated = any(simulated_case(row) for row in rows)
    if rows and simulated != population.simulated:
        kind = "a simulated patient" if simulated else "no simulated patient"
        raise PopulationError(
            f"{case} is {kind}, and the report is said to be of {'simulated' if population.simulated else 'real'} "
            "ones: score them apart, with --simulated for the simulated ones alone."
        )
    if not rows and population is Population.REAL:
        raise PopulationError(
            f"No case table says that {case} is a real patient: name the one it stands in with --cases, or say "
            "--simulated."
        )


def simulated_case(row: Mapping[str, str]) -> bool:
    """Whether a case table's row is of a simulated patient, because it says so or because of where its files lie."""
    said = (row.get("simulated") or "").strip().lower()
    if said not in _TRUE + _FALSE:
        raise FormatError(f"The column 'simulated' of {row['case']} says '{said}': write 1 or 0.")
    return said in _TRUE or any(cohort_of(path) is not None for path in _files(row))


def simulated_cases(table: Path) -> dict[str, bool]:
    """Whether each case of a table is a simulated patient.

    Raises:
        NotFoundError: if there is no such table.
        FormatError: if it has no column of cases, or a cell of `simulated` cannot be read.
    """
    return {case: simulated_case(row) for case, row in _rows(table).items()}


def told_of(store: Path, cases: Iterable[str]) -> set[bool | None]:
    """Whether cases of a slice store are simulated patients; None for those that no table which is still there names.

    Args:
        store: cut from case tables that its receipts name.
        cases: their names.
    """
    told = {case: kind for table in tables_behind(store) for case, kind in simulated_cases(table).items()}
    return {told.get(case) for case in cases}


def cohort_of(path: Path) -> list[dict[str, Any]] | None:
    """The patients of the simulated cohort that a file lies in; None for any other file.

    Raises:
        FormatError: if its simulation was stopped.
    """
    for folder in path.absolute().parents:
        mark = folder / COHORT
        refuse_half_simulated(folder)
        if mark.is_file():
            table = json.loads(mark.read_text(encoding="utf-8"))
            return list(table["patients"]) if table.get("simulated") is True else None
    return None


def tables_behind(store: Path) -> list[Path]:
    """The case tables that a slice store was cut from, according to its receipts, if they are still there."""
    receipt = store / "receipt-slice.json"
    if not receipt.is_file():
        return []
    told = json.loads(receipt.read_text(encoding="utf-8"))
    inputs = [placed(name, told, store) for name in told["inputs"]]
    stores = [path.parent for path in inputs if path.name == _SLICES and path.parent.resolve() != store.resolve()]
    tables = [path for path in inputs if path.suffix == ".csv" and path.name != _SLICES and path.is_file()]
    return tables + [table for one in stores for table in tables_behind(one)]


def _rows(table: Path) -> dict[str, dict[str, str]]:
    """The rows of a case table by case name."""
    if not table.is_file():
        raise NotFoundError(f"There is no case table at {table}: make one with 'ius-train cases'.")
    titles, rows = read_table(table)
    if "case" not in titles:
        raise FormatError(f"{table} is not a case table: the column case is missing.")
    return {row["case"]: row | _placed(row, table) for row in rows}


def _placed(row: Mapping[str, str], table: Path) -> dict[str, str]:
    """The row, with its file paths relative to the current folder instead of the table's."""
    named = {column: (row.get(column) or "").split(SEPARATOR) for column in _FILES}
    return {
        column: SEPARATOR.join(str(beside(text.strip(), table)) for text in texts if text.strip())
        for column, texts in named.items()
    }


def _facts(row: Mapping[str, str]) -> dict[str, str]:
    """The facts of a case that can group slices: its columns, and the echogenicity that the simulator drew."""
    facts = {name: row[name] for name in _STRATA if row.get(name)}
    for path in _files(row):
        drawn = [one for one in cohort_of(path) or [] if one["case"] in path.parts]
        if drawn:
            return {"echogenicity": drawn[0]["tumour"]["echogenicity"]} | facts
    return facts


def _files(row: Mapping[str, str]) -> list[Path]:
    """The images of a case."""
    return [Path(name) for column in _FILES for name in (row.get(column) or "").split(SEPARATOR) if name]
