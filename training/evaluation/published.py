"""Published figures with their sources, quoted only in reports on recorded patients."""

from functools import cache
from importlib.resources import files

import msgspec

from training.evaluation.page import Section
from training.evaluation.population import Population, PopulationError
from training.evaluation.tables import Table


class _Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table as it was printed."""

    title: str
    head: tuple[str, ...]
    note: str
    rows: tuple[tuple[str, ...], ...]


def published(keys: tuple[str, ...], population: Population) -> Section:
    """Published tables as a section of their own.

    Args:
        keys: which tables of `published.yaml`.
        population: the patients whose figures the page holds.

    Raises:
        PopulationError: for simulated patients, whose figures may never stand beside clinical ones.
    """
    if population.simulated:
        raise PopulationError("Published figures are of real patients and never stand beside simulated ones.")
    tables = tuple(_as_table(key, _read()[key]) for key in keys)
    return Section("Published figures", population, tables=tables)


def _as_table(key: str, one: _Published) -> Table:
    """A published table as a table of the report."""
    return Table(f"published_{key}", one.title, one.head, one.rows, one.note)


@cache
def _read() -> dict[str, _Published]:
    """Read `published.yaml`."""
    text = files("training.evaluation").joinpath("published.yaml").read_bytes()
    return msgspec.yaml.decode(text, type=dict[str, _Published])
