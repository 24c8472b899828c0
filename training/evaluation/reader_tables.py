"""Compares several readers of the same slices in pairs, and each with their consensus."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.evaluation.boxes import find_boxes
from training.evaluation.metrics import Mask, score
from training.evaluation.patient_tables import estimate, mean_dice, values
from training.evaluation.scoring import Segment
from training.evaluation.strata import Scored, share, spread, with_tumour
from training.evaluation.tables import Cell, Percent, Spread, Table
from training.io.progress import Bar
from training.slicing.slices import SliceRow, read_tumour

REFERENCE = "reference"
"""The name of the reader whose masks are in the slice store."""
CONSENSUS = "consensus"
TAKEN = (REFERENCE, CONSENSUS)
_FEWEST_FOR_CONSENSUS = 3


def observers(rows: Sequence[SliceRow], store: Path, annotators: Mapping[str, Segment]) -> Table:
    """A table of the readers' agreement: every pair and, from three readers on, each against the majority of all.

    Dice is counted as in the paper: the second of a pair is the truth; slices without its tumour are left out.

    Args:
        rows: the slices.
        store: slice store with the reference reader's masks.
        annotators: the other readers.
    """
    readers: dict[str, Segment] = {REFERENCE: lambda row: read_tumour(row.label(store)), **annotators}
    pairs = [(other, one) for one, other in itertools.combinations(readers, 2)]
    if len(readers) >= _FEWEST_FOR_CONSENSUS:
        pairs += [(reader, CONSENSUS) for reader in readers]
    agreement: dict[tuple[str, str], list[Scored]] = {pair: [] for pair in pairs}
    for row in Bar(rows, desc="readers", unit="slice"):
        masks = {name: read(row) for name, read in readers.items()}
        masks[CONSENSUS] = majority(list(masks.values()))
        for one, other in pairs:
            area, both = row.row_mm * row.col_mm, (masks[one], masks[other])
            agreement[one, other].append(Scored(row, score(*both, area), find_boxes(*both, area)))
    head = ("reader", "against", "slices", "Dice of slices", "found", "patients", "Dice of patients")
    note = (
        "Slices in which the second reader marked tumour. The consensus is what more than half of all readers marked; "
        "it holds each reader's own mask and so favours all of them."
    )
    rows_of_table = tuple(_row(pair, slices) for pair, slices in agreement.items())
    return Table("observers", "Readers", head, rows_of_table, note)


def majority(masks: Sequence[Mask]) -> NDArray[np.bool_]:
    """The pixels that more than half of the masks hold; a tie does not count."""
    return np.asarray(2 * np.sum(masks, axis=0) > len(masks))


def _row(pair: tuple[str, str], slices: Sequence[Scored]) -> tuple[Cell, ...]:
    """The table's row for one pair."""
    tumour = with_tumour(slices)
    over_slices = spread(tumour, lambda one: one.dice)
    found = share(tumour, lambda one: one.score.overlaps)
    each = list(values(slices, mean_dice).values())
    return (
        *pair,
        len(tumour),
        None if over_slices is None else Spread(*over_slices),
        None if found is None else Percent(found),
        len(each),
        estimate(each),
    )
