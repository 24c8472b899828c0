"""Tables over slices: the paper's Tables 1 and 2, every metric, detection, predicted area, tumour-free slices."""

from collections.abc import Mapping, Sequence

from inference.outcome import above
from training.evaluation.metrics import METRICS
from training.evaluation.scoring import Scores
from training.evaluation.strata import (
    Scored,
    by_column,
    in_band,
    median,
    n_patients,
    predicted_area,
    share,
    spread,
    true_area,
    with_tumour,
    without_tumour,
)
from training.evaluation.tables import Cell, Percent, Spread, Table
from training.slicing.size_bands import BANDS, VERY_SMALL_MM2, band_words

_NAMES = tuple(one.name for one in METRICS)


def paper_table(scores: Scores) -> Table:
    """Dice by true area and over all tumour slices, and PP, in the form of the paper's Tables 1 and 2."""
    head = ("model", *(band_words(band) for band in BANDS), "total", "PP")
    rows = []
    for model, slices in scores.items():
        tumour = with_tumour(slices)
        groups = [*(in_band(tumour, true_area, band) for band in BANDS), tumour]
        rows.append((model, *(_dice(group) for group in groups), _percent(share(tumour, _positive))))
    return Table("dice_by_true_area", "Dice by true area", head, tuple(rows), f"Mean ± SD over {_slices(scores)}.")


def metric_table(scores: Scores) -> Table:
    """Mean and SD of each metric over tumour slices."""
    rows: list[tuple[Cell, ...]] = []
    for model, slices in scores.items():
        tumour = with_tumour(slices)
        with_mask = sum(one.score.positive for one in tumour)
        rows.append((model, len(tumour), with_mask, *(_spread(spread(tumour, one.of)) for one in METRICS)))
    head = ("model", "slices", "with a prediction", *_NAMES)
    note = f"Mean ± SD over {_slices(scores)}; HD95 and |vs| over those with a prediction."
    return Table("metrics", "Every metric", head, tuple(rows), note)


def median_table(scores: Scores) -> Table:
    """Median of each metric over tumour slices."""
    rows = [(model, *(median(with_tumour(slices), one.of) for one in METRICS)) for model, slices in scores.items()]
    note = f"Over {_slices(scores)}; HD95 and |vs| over those with a prediction."
    return Table("medians", "Medians", ("model", *_NAMES), tuple(rows), note)


def detection_table(scores: Scores) -> Table:
    """Detection, separately from delineation, by true area."""
    rows: list[tuple[Cell, ...]] = []
    for model, slices in scores.items():
        tumour = with_tumour(slices)
        for words, group in {**{band_words(b): in_band(tumour, true_area, b) for b in BANDS}, "total": tumour}.items():
            found = [one for one in group if one.score.overlaps]
            rates = (_percent(share(group, _positive)), _detected(group))
            rows.append((model, words, len(group), n_patients(group), *rates, _dice(found), _median(found)))
    head = (
        "model",
        "true area",
        "slices",
        "patients",
        "PP",
        "detected",
        "Dice where detected",
        "median where detected",
    )
    note = "PP: anything was segmented. Detected: contour and truth share a pixel. The last two columns are over those."
    return Table("detection", "Detection apart from delineation", head, tuple(rows), note)


def predicted_table(scores: Scores) -> Table:
    """What a viewer can know: Dice by segmented area, with false contours at 0, and the tumour that gets no contour."""
    rows: list[tuple[Cell, ...]] = []
    for model, slices in scores.items():
        for band in BANDS:
            group = in_band(slices, predicted_area, band)
            false = _percent(share(group, lambda one: not one.score.has_tumour))
            counts = (len(group), n_patients(group))
            rows.append((model, band_words(band), *counts, false, _dice(group), _median(group), None, None))
        silent = [one for one in slices if not one.score.positive]
        hidden = _percent(share(silent, lambda one: one.score.has_tumour))
        missed = _percent(share(with_tumour(slices), lambda one: not one.score.positive))
        counts = (len(silent), n_patients(silent))
        rows.append((model, "nothing segmented", *counts, None, None, None, missed, hidden))
    head = (
        "model",
        "segmented",
        "slices",
        "patients",
        "tumour-free",
        "Dice",
        "median Dice",
        "miss rate",
        "hold tumour",
    )
    note = (
        f"Over {_mix(scores)}, a mix that the figures depend on. A false contour counts as Dice 0. Miss rate: share of "
        "tumour slices where nothing was segmented; hold tumour: share of such slices that do."
    )
    return Table("dice_by_predicted_area", "By segmented area, as a viewer sees it", head, tuple(rows), note)


def free_table(scores: Scores) -> Table:
    """Specificity on tumour-free slices."""
    rows: list[tuple[Cell, ...]] = []
    for model, slices in scores.items():
        free = without_tumour(slices)
        quiet = _percent(share(free, lambda one: not one.score.positive))
        small = _percent(share(free, lambda one: not above(one.score.predicted_mm2, VERY_SMALL_MM2)))
        largest = max((one.score.predicted_mm2 for one in free), default=None)
        rows.append((model, len(free), n_patients(free), quiet, small, largest))
    head = ("model", "slices", "patients", "no contour", "none above 35 mm²", "largest false contour mm²")
    note = "Specificity: share of the slices without tumour that have no contour."
    return Table("tumour_free", "Slices without tumour", head, tuple(rows), note)


def strata_tables(scores: Scores, facts: Mapping[str, Mapping[str, str]]) -> list[Table]:
    """Dice and detection by slice direction and by columns of the case table; empty if no column has two groups."""
    groups = {model: by_column(with_tumour(slices), facts) for model, slices in scores.items()}
    first = next(iter(groups.values()))
    places = [(column, value) for column, values in first.items() for value in values]
    head = ("by", "value", "slices", "patients", *scores)
    note = "Slices with tumour. Directions are the axes of the stored volume; native frames are as scanned."
    tables = []
    for key, title, cell in (("strata_dice", "Dice", _dice), ("strata_detected", "Detected", _detected)):
        rows: list[tuple[Cell, ...]] = []
        for column, value in places:
            group = first[column][value]
            cells = (cell(own[column][value]) for own in groups.values())
            rows.append((column, value, len(group), n_patients(group), *cells))
        tables.append(Table(key, title, head, tuple(rows), note))
    return tables if places else []


def _positive(one: Scored) -> bool:
    """Whether anything was segmented."""
    return one.score.positive


def _dice(slices: Sequence[Scored]) -> Cell:
    """Dice as mean ± SD."""
    return _spread(spread(slices, lambda one: one.dice))


def _median(slices: Sequence[Scored]) -> Cell:
    """Median Dice."""
    return median(slices, lambda one: one.dice)


def _detected(slices: Sequence[Scored]) -> Cell:
    """Share of the slices whose contour shares a pixel with the truth."""
    return _percent(share(slices, lambda one: one.score.overlaps))


def _spread(found: tuple[float, float] | None) -> Cell:
    """Mean and SD as a cell."""
    return None if found is None else Spread(*found)


def _percent(found: float | None) -> Cell:
    """A share as a cell."""
    return None if found is None else Percent(found)


def _slices(scores: Scores) -> str:
    """The counts in words, as `412 slices with tumour of 6 patients`."""
    tumour = with_tumour(next(iter(scores.values())))
    return f"{len(tumour)} slices with tumour of {n_patients(tumour)} patients"


def _mix(scores: Scores) -> str:
    """The mix in words, as `412 slices with tumour and 90 without`."""
    slices = next(iter(scores.values()))
    return f"{len(with_tumour(slices))} slices with tumour and {len(without_tumour(slices))} without"
