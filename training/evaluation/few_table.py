"""The groups that other tables leave empty, since they hold fewer than five patients: shown on request, and marked."""

import numpy as np

from training.evaluation.scoring import Scores
from training.evaluation.strata import (
    MIN_PATIENTS,
    Facts,
    Scored,
    by_column,
    in_band,
    n_patients,
    true_area,
    with_tumour,
)
from training.evaluation.tables import Cell, Percent, Spread, Table
from training.slicing.size_bands import BANDS, band_words

NOTE = (
    "Shown on request. So few patients say nothing about others, no interval or test can be given, and a patient may "
    "be recognised: not for publication. Slices with tumour; Dice as mean ± SD."
)


def few_table(scores: Scores, facts: Facts) -> Table:
    """Dice, PP and detection of every group of one to four patients: all slices, bands of true area, strata."""
    rows: list[tuple[Cell, ...]] = []
    for model, slices in scores.items():
        tumour = with_tumour(slices)
        groups = {("all", ""): tumour}
        groups |= {("true area", band_words(band)): in_band(tumour, true_area, band) for band in BANDS}
        strata = by_column(tumour, facts)
        groups |= {(column, value): group for column, values in strata.items() for value, group in values.items()}
        rows += [
            (model, *name, len(group), n_patients(group), *_figures(group))
            for name, group in groups.items()
            if 0 < n_patients(group) < MIN_PATIENTS
        ]
    head = ("model", "by", "value", "slices", "patients", "Dice", "PP", "detected")
    return Table("few_patients", f"Groups of fewer than {MIN_PATIENTS} patients", head, tuple(rows), NOTE)


def _figures(group: list[Scored]) -> tuple[Cell, ...]:
    """Dice, PP and detection of tumour slices, however few."""
    dice = [one.score.dice for one in group if one.score.dice is not None]
    positive, detected = ([getattr(one.score, name) for one in group] for name in ("positive", "overlaps"))
    return (
        Spread(float(np.mean(dice)), float(np.std(dice))),
        Percent(float(np.mean(positive))),
        Percent(float(np.mean(detected))),
    )
