"""Dice and positive predictions against the area cut-off of the training slices, as in the paper's Table 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inference.errors import FormatError
from training.evaluation.figure_style import colours, new_figure, save
from training.evaluation.population import Population
from training.evaluation.scoring import Scores
from training.evaluation.strata import Scored, in_band, share, spread, true_area, with_tumour
from training.evaluation.tables import Cell, Percent, Table
from training.slicing.size_bands import BANDS, band_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOGETHER = "all"
"""The entry of a run in which the folds predicted together: it is no fold, and in no mean over them."""
MEAN = "mean"
"""The entry in the fold column for the average over folds."""
_HEAD = ("series", "cut-off mm²", "fold", *(band_words(band) for band in BANDS), "total", "PP", "detected")
_DOT: dict[str, Any] = {"linewidth": 0, "markersize": 4, "alpha": 0.55}
_MARKS: dict[str, dict[str, Any]] = {"detected": {"marker": "s", "dashes": (3, 1.5)}}
_LINE: dict[str, Any] = {"linewidth": 2.2}


@dataclass(frozen=True, slots=True)
class Run:
    """One cell of an experiment's grid.

    Attributes:
        model: its name, such as `MRI_200`.
        cutoff_mm2: training slices have more tumour than this.
        fold: the fold's number, or `all` if the folds predicted together.
        predictions: folder of `NAME.nii.gz` masks.
        series: runs of one series share a line in a figure, for instance one size of the label error; by default the
            part of the model's name before the last `_`.
    """

    model: str
    cutoff_mm2: float
    fold: str
    predictions: Path
    series: str = ""

    @property
    def line(self) -> str:
        """The name of the run's line in a figure."""
        return self.series or self.model.rpartition("_")[0] or self.model


def check_lines(runs: Sequence[Run]) -> None:
    """Refuse two models on one point of a line: their mean would pass for the mean over folds.

    Raises:
        FormatError: naming them.
    """
    on: dict[tuple[str, float], str] = {}
    for run in runs:
        other = on.setdefault((run.line, run.cutoff_mm2), run.model)
        if other != run.model:
            raise FormatError(
                f"{other} and {run.model} would share the line {run.line} at {run.cutoff_mm2:g} mm²: name the line of "
                "each in a column series."
            )


def run_names(runs: Sequence[Run]) -> dict[str, Run]:
    """The runs by name: the model's name, with the fold if the model has several."""
    several = {run.model for run in runs if sum(other.model == run.model for other in runs) > 1}
    return {f"{run.model} fold {run.fold}" if run.model in several else run.model: run for run in runs}


def trend_table(scores: Scores, runs: Mapping[str, Run]) -> Table:
    """Mean Dice by true area, PP and detection of each run, and the mean over folds if there are several."""
    rows: list[tuple[Cell, ...]] = []
    cells = dict.fromkeys((run.line, run.cutoff_mm2) for run in runs.values())
    for series, cutoff in sorted(cells):
        own = {name: run for name, run in runs.items() if (run.line, run.cutoff_mm2) == (series, cutoff)}
        figures = [_figures(scores[name]) for name in own]
        shown = int(cutoff) if cutoff.is_integer() else cutoff
        rows += [(series, shown, run.fold, *each) for run, each in zip(own.values(), figures, strict=True)]
        folds = [each for run, each in zip(own.values(), figures, strict=True) if run.fold.lower() != TOGETHER]
        if len(folds) > 1:
            rows.append((series, shown, MEAN, *map(_mean, zip(*folds, strict=True))))
    note = (
        "Mean Dice over slices with tumour, by true area; PP: anything was segmented; detected: contour and truth "
        "share a pixel. Slices that are scored are never cut off."
    )
    return Table("trend", "Against the cut-off", _HEAD, tuple(rows), note)


def draw_trend(table: Table, path: Path, population: Population) -> None:
    """Draw `trend_table`: a line through the means over folds, and a dot for each fold."""
    cutoffs = sorted({float(str(row[1])) for row in table.rows})
    series = list(dict.fromkeys(str(row[0]) for row in table.rows))
    one = len(series) == 1
    dice = ("total", *(band_words(band) for band in BANDS)) if one else ("total",)
    rates = ("PP", "detected") if one else ("PP",)
    figure = new_figure(9.2, 3.8)
    for axes, columns, top in zip(figure.subplots(1, 2), (dice, rates), (1.0, 100.0), strict=True):
        lines = {name if one else of: (of, _HEAD.index(name)) for of in series for name in columns}
        for name, colour in colours(lines).items():
            _draw_line(axes, [row for row in table.rows if row[0] == lines[name][0]], lines[name][1], name, colour)
        axes.set_xticks(range(len(cutoffs)), [f"{cutoff:g}" for cutoff in cutoffs])
        axes.set(xlabel="training slices with more than … mm² of tumour", xlim=(-0.4, len(cutoffs) - 0.6))
        axes.set_ylim(-0.03 * top, 1.03 * top)
        axes.legend(fontsize=8)
    left, right = figure.axes
    left.set_title("Mean Dice" if one else "Mean Dice over all tumour slices")
    right.set_title("Tumour slices, %" if one else "Positive predictions, %")
    save(figure, path, population)


def _draw_line(axes: "Axes", rows: Sequence[tuple[Cell, ...]], column: int, name: str, colour: str) -> None:
    """Draw one line through the means, with a dot for each fold, or through single folds if there is no mean."""
    cutoffs = sorted({float(str(row[1])) for row in rows})
    averaged = {row[1] for row in rows if row[2] == MEAN}
    known = [row for row in rows if row[column] is not None]
    line = [row for row in known if row[2] == MEAN or row[1] not in averaged]
    for of, style in (([row for row in known if row not in line], _DOT), (line, _LINE | {"label": name})):
        x = [cutoffs.index(float(str(row[1]))) for row in of]
        y = [_height(row[column]) for row in of]
        axes.plot(x, y, color=colour, **_MARKS.get(name, {"marker": "o"}), **style)


def _height(cell: Cell) -> float:
    """The y value of a figure; shares are in percent."""
    return 100 * cell.share if isinstance(cell, Percent) else float(str(cell))


def _figures(slices: Sequence[Scored]) -> tuple[Cell, ...]:
    """Mean Dice by band and over all bands, PP, detection."""
    tumour = with_tumour(slices)
    groups = [*(in_band(tumour, true_area, band) for band in BANDS), tumour]
    means = [found[0] if (found := spread(group, lambda one: one.dice)) else None for group in groups]
    rates = (share(tumour, lambda one: one.score.positive), share(tumour, lambda one: one.score.overlaps))
    return (*means, *(None if rate is None else Percent(rate) for rate in rates))


def _mean(cells: Sequence[Cell]) -> Cell:
    """The mean of the folds' figures; None if one is missing."""
    values = [_value(cell) for cell in cells]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    mean = float(np.mean(known))
    return Percent(mean) if isinstance(cells[0], Percent) else mean


def _value(cell: Cell) -> float | None:
    """A cell's number."""
    if isinstance(cell, Percent):
        return cell.share
    return cell if isinstance(cell, float) else None
