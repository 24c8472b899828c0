"""The resection cavity in a report of its own: how it was found, and what was taken for the other tissue."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.dice import dice_of_counts
from training.evaluation.page import Section
from training.evaluation.population import Population
from training.evaluation.scoring import mask_file
from training.evaluation.strata import MIN_PATIENTS
from training.evaluation.tables import Cell, Percent, Spread, Table
from training.slicing.slices import CAVITY, SliceRow, read_slice, tumour_in

Masks = Path | Sequence[Path]
_NOTE = (
    "Every other table counts tumour alone. Dice of the cavity over the slices that show one. The last two pool the "
    "pixels of all cases whose cavity was drawn: cavity that the model drew as tumour, tumour that it drew as cavity."
)


def cavity_sections(
    models: Mapping[str, Masks], store: Path, rows: Sequence[SliceRow], whose: Population
) -> list[Section]:
    """The section on the cavity; none if nobody drew cavities in any of the slices.

    Args:
        models: name -> folder, or folders, of predicted masks.
        store: the slice store.
        rows: its slices.
        whose: the patients.

    Raises:
        NotFoundError: if a model has no mask of a slice.
    """
    known = [row for row in rows if row.cavity_mm2 is not None]
    if not known:
        return []
    head = (
        "model",
        "slices with a cavity",
        "found",
        "Dice of the cavity",
        "cavity drawn as tumour",
        "tumour as cavity",
    )
    table = Table(
        "cavity", "Resection cavity", head, tuple(_row(name, one, store, known) for name, one in models.items()), _NOTE
    )
    return [Section(table.title, whose, tables=(table,))]


def _row(name: str, masks: Masks, store: Path, rows: Sequence[SliceRow]) -> tuple[Cell, ...]:
    """One model's line."""
    dices: list[float] = []
    owners, of_tumour = set[str](), set[str]()
    counts = np.zeros(4, np.int64)
    for row in rows:
        true, found = read_slice(row.label(store)), read_slice(mask_file(masks, row))
        both = int(((true == CAVITY) & (found == CAVITY)).sum())
        dice = dice_of_counts(both, int((found == CAVITY).sum()) - both, int((true == CAVITY).sum()) - both)
        if row.cavity_mm2 and dice is not None:
            dices.append(dice)
            owners.add(row.patient)
        if tumour_in(true).any():
            of_tumour.add(row.patient)
        counts += _confused(true, found)
    cavity, as_tumour, tumour, as_cavity = (int(one) for one in counts)
    shown, compared = len(owners) >= MIN_PATIENTS, len(of_tumour) >= MIN_PATIENTS
    return (
        name,
        len(dices),
        Percent(float(np.mean([dice > 0 for dice in dices]))) if shown else None,
        Spread(float(np.mean(dices)), float(np.std(dices))) if shown else None,
        Percent(as_tumour / cavity) if shown and cavity else None,
        Percent(as_cavity / tumour) if compared and tumour else None,
    )


def _confused(true: NDArray[np.float32], found: NDArray[np.float32]) -> NDArray[np.int64]:
    """Pixels of true cavity, of those drawn as tumour; of true tumour, of those drawn as cavity."""
    cavity, tumour = true == CAVITY, tumour_in(true)
    each = (cavity, cavity & tumour_in(found), tumour, tumour & (found == CAVITY))
    return np.array([int(one.sum()) for one in each], np.int64)
