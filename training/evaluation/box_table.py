"""The table of detection by boxes, apart from every table of outlines."""

from collections.abc import Callable, Sequence

import numpy as np

from training.evaluation.boxes import MIN_IOU, FoundBoxes, f1
from training.evaluation.scoring import Scores
from training.evaluation.statistics import interval
from training.evaluation.strata import MIN_PATIENTS, Scored, n_patients, patients, share, without_tumour
from training.evaluation.tables import Cell, Estimate, Percent, Table
from training.slicing.size_bands import BANDS, band_words, within

TITLE = "Boxes: detection alone"
_HEAD = (
    "model",
    "true region",
    "true boxes",
    "patients",
    "found",
    "centre hit",
    "predicted boxes",
    "precision",
    "F1",
    "F1 of a patient",
    "free slices with a box",
)


def detected_boxes(scores: Scores) -> Table:
    """How many tumours have a box, and how many boxes a tumour, by the true region's area and over all."""
    rows: list[tuple[Cell, ...]] = []
    for model, slices in scores.items():
        rows.extend((model, band_words(band), *_recall(slices, band), *[None] * 5) for band in BANDS)
        rows.append((model, "total", *_recall(slices, (0.0, float("inf"))), *_all(slices)))
    note = (
        "A box is the smallest around a region that touches itself, corners included. Found: a predicted box of its "
        f"own has an intersection over union of {MIN_IOU:g} or more. Centre hit: a predicted box's centre lies in it. "
        "Precision: predicted boxes that found one. All over boxes; F1 of a patient is the mean over patients with its "
        "95 % interval. Masks give boxes no confidence to rank them by, so there is no average precision."
    )
    return Table("boxes", TITLE, _HEAD, tuple(rows), note)


def _recall(slices: Sequence[Scored], band: tuple[float, float]) -> tuple[Cell, ...]:
    """Counts and rates of the true boxes whose region has an area in (low, high] mm²."""
    inside = [one for one in slices if any(within(area, band) for area in one.boxes.true_mm2)]

    def rate(of: Callable[[FoundBoxes], Sequence[bool]]) -> Cell:
        values = [
            held
            for one in inside
            for held, area in zip(of(one.boxes), one.boxes.true_mm2, strict=True)
            if within(area, band)
        ]
        return Percent(float(np.mean(values))) if n_patients(inside) >= MIN_PATIENTS else None

    count = sum(within(area, band) for one in inside for area in one.boxes.true_mm2)
    return count, n_patients(inside), rate(lambda boxes: boxes.matched), rate(lambda boxes: boxes.hit)


def _all(slices: Sequence[Scored]) -> tuple[Cell, ...]:
    """Counts and rates that belong to no area: those of the predicted boxes."""
    found = [one.boxes for one in slices]
    predicted, pairs = sum(one.predicted for one in found), sum(sum(one.matched) for one in found)
    enough = n_patients(slices) >= MIN_PATIENTS
    precision = Percent(pairs / predicted) if predicted and enough else None
    each = [f1([one.boxes for one in own]) for own in patients(slices).values()]
    known = [value for value in each if value is not None]
    ends = interval(known)
    mean = Estimate(float(np.mean(known)), ends.low, ends.high) if ends else None
    false = share(without_tumour(slices), lambda one: one.boxes.predicted > 0)
    return predicted, precision, f1(found) if enough else None, mean, None if false is None else Percent(false)
