"""The paper's Figures 3 to 5 and 7, reliability by segmented area, and trends over the cut-off.

Each is drawn from a table that is written beside it as CSV, so that picture and figures can't differ.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.evaluation.figure_style import EDGE, colours, new_figure, save
from training.evaluation.metrics import METRICS, Score
from training.evaluation.population import Population
from training.evaluation.scoring import Scores
from training.evaluation.strata import (
    MIN_PATIENTS,
    Scored,
    in_band,
    n_patients,
    predicted_area,
    share,
    with_tumour,
)
from training.evaluation.tables import Cell, Percent, Table
from training.slicing.size_bands import BANDS, CUT_OFFS_MM2, band_words, within
from training.slicing.slices import SliceRow, larger_than

if TYPE_CHECKING:
    from matplotlib.lines import Line2D

_BOXED = {one.name: one.of for one in METRICS if one.boxed}
_BESIDE = {"textcoords": "offset points", "va": "center", "fontsize": 8}
_STATISTICS = ("slices", "mean", "median", "quartile 1", "quartile 3", "whisker low", "whisker high")


def box_table(scores: Scores) -> Table:
    """The numbers of Figures 5 and 7: each model's dot, line, box, whiskers (1.5 times the box, to the last slice)."""
    rows: list[tuple[Cell, ...]] = []
    for name, value in _BOXED.items():
        for model, slices in scores.items():
            rows.append((name, model, *_box(with_tumour(slices), value)))
    note = "Over slices with tumour. Dot: mean. Line: median. Box: quartiles. Whiskers: the last within 1.5 boxes."
    return Table("box_plots", ", ".join(_BOXED), ("metric", "model", *_STATISTICS), tuple(rows), note)


def draw_boxes(table: Table, path: Path, population: Population) -> None:
    """Draw `box_table`, a panel a metric, two in a row."""
    names, models = (list(dict.fromkeys(str(row[at]) for row in table.rows)) for at in (0, 1))
    lines_of_panels = math.ceil(len(names) / 2)
    figure = new_figure(9.2, 3.1 * lines_of_panels)
    colour = colours(models)
    panels = list(figure.subplots(lines_of_panels, 2, sharex=True, squeeze=False).flat)
    for unused in panels[len(names) :]:
        unused.remove()
    for axes, name in zip(panels, names, strict=False):
        lines = [row for row in table.rows if row[0] == name and row[3] is not None]
        at = [models.index(str(row[1])) for row in lines]
        keys = ("mean", "med", "q1", "q3", "whislo", "whishi")
        stats: list[dict[str, object]] = [{"fliers": [], **dict(zip(keys, row[3:], strict=True))} for row in lines]
        drawn = axes.bxp(
            stats,
            positions=at,
            widths=0.55,
            showfliers=False,
            showmeans=True,
            patch_artist=True,
            medianprops={"color": "black", "linewidth": 1.8},
            meanprops={"marker": "o", "markerfacecolor": "white", "markeredgecolor": "black", "markersize": 5},
            whiskerprops={"color": EDGE},
            capprops={"color": EDGE},
            boxprops={"edgecolor": EDGE},
        )
        for box, row in zip(drawn["boxes"], lines, strict=True):
            box.set_facecolor(colour[str(row[1])])
        axes.set(title=name, ylim=(-0.03, 1.03), xlim=(-0.6, len(models) - 0.4))
        slanted = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if len(models) > 4 else {}
        axes.set_xticks(range(len(models)), models, **slanted)
    save(figure, path, population)


def reliability_table(scores: Scores) -> Table:
    """By segmented area: the spread of Dice, with false contours at 0, and how often a tumour gets no contour."""
    rows: list[tuple[Cell, ...]] = []
    for model, slices in scores.items():
        tumour = with_tumour(slices)
        missed = share(tumour, lambda one: not one.score.positive)
        nothing = (len([one for one in slices if not one.score.positive]), *(None,) * (len(_STATISTICS) - 1))
        rows.append((model, "nothing", *nothing, None if missed is None else Percent(missed)))
        rows += [
            (model, band_words(band), *_box(in_band(slices, predicted_area, band), lambda one: one.dice), None)
            for band in BANDS
        ]
    note = (
        "Over all slices; a false contour counts as Dice 0. Dot: mean. Bar: quartiles. Miss rate: over tumour slices."
    )
    head = ("model", "segmented", *_STATISTICS, "miss rate")
    return Table("reliability", "Reliability by segmented area", head, tuple(rows), note)


def draw_reliability(table: Table, path: Path, population: Population) -> None:
    """Draw `reliability_table`: the miss rate on the left, Dice by segmented area on the right."""
    models = list(dict.fromkeys(str(row[0]) for row in table.rows))
    colour = colours(models)
    figure = new_figure(9.2, max(3.2, 0.9 + 0.33 * len(models)))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.9))
    bands = [band_words(band) for band in BANDS]
    for at, model in enumerate(models):
        own = {str(row[1]): row for row in table.rows if row[0] == model}
        missed = own["nothing"][-1]
        if isinstance(missed, Percent):
            left.barh(at, 100 * missed.share, 0.6, color=colour[model], edgecolor=EDGE)
            left.annotate(f"{100 * missed.share:.1f}", (100 * missed.share, at), (3, 0), **_BESIDE)
        shown = [(bands.index(words), row) for words, row in own.items() if words in bands and row[3] is not None]
        x = [place + (at - (len(models) - 1) / 2) * 0.8 / max(len(models), 3) for place, _ in shown]
        quartiles = ([row[end] for _, row in shown] for end in (5, 6))
        right.vlines(x, *quartiles, color=colour[model], linewidth=6 if len(models) < 7 else 4, alpha=0.5)
        right.plot(x, [row[3] for _, row in shown], "o", color=colour[model], markeredgecolor="black")
    left.set(title="Tumour slices missed, %", ylim=(len(models) - 0.4, -0.6))
    left.set_xlim(0, max(1.0, 1.18 * left.get_xlim()[1]))
    left.set_yticks(range(len(models)), models)
    left.grid(axis="x")
    left.grid(visible=False, axis="y")
    right.set(title="Dice by segmented area, models in the order of the left", ylim=(-0.03, 1.03))
    right.set(xlim=(-0.5, len(bands) - 0.5))
    right.set_xticks(range(len(bands)), bands)
    for edge in range(1, len(bands)):
        right.axvline(edge - 0.5, color="#e3e6ea", linewidth=0.8)
    save(figure, path, population)


def area_table(stores: Mapping[str, Sequence[SliceRow]]) -> Table:
    """The numbers of Figure 3: tumour slices by true area, in the ranges between the paper's cut-offs."""
    edges = (*CUT_OFFS_MM2, np.inf)
    ranges = list(itertools.pairwise(edges))
    rows: list[tuple[Cell, ...]] = [
        (band_words((low, high)), *(sum(within(row.area_mm2, (low, high)) for row in of) for of in stores.values()))
        for low, high in ranges
    ]
    head = ("true area", *stores)
    return Table("areas", "Tumour slices by area", head, tuple(rows), "Number of slices with tumour.")


def cutoff_table(stores: Mapping[str, Sequence[SliceRow]], cutoffs: Sequence[float] = CUT_OFFS_MM2) -> Table:
    """The numbers of Figure 4: tumour slices larger than each cut-off."""
    rows: list[tuple[Cell, ...]] = [
        (f"{cutoff:g}", *(sum(row.area_mm2 > 0 for row in larger_than(of, cutoff)) for of in stores.values()))
        for cutoff in cutoffs
    ]
    note = "Number of training slices with a tumour area above the cut-off."
    return Table("slices_per_cutoff", "Training slices per cut-off", ("cut-off mm²", *stores), tuple(rows), note)


def draw_counts(table: Table, path: Path, population: Population) -> None:
    """Draw `area_table` or `cutoff_table`: bars side by side, each with its number."""
    figure = new_figure(9.2, 3.4)
    axes = figure.subplots()
    names = table.head[1:]
    for at, name in enumerate(names):
        counts = [int(str(row[at + 1])) for row in table.rows]
        x = np.arange(len(counts)) + (at - (len(names) - 1) / 2) * 0.8 / len(names)
        bars = axes.bar(x, counts, 0.74 / len(names), color=colours(names)[name], edgecolor=EDGE, label=name)
        axes.bar_label(bars, padding=2, fontsize=7.5)
    axes.set_xticks(range(len(table.rows)), [str(row[0]).removesuffix(" mm²") for row in table.rows])
    axes.set(
        title=table.title, xlabel=table.head[0] if "mm²" in table.head[0] else f"{table.head[0]}, mm²", ylabel="slices"
    )
    axes.margins(y=0.12)
    if len(names) > 1:
        axes.legend()
    save(figure, path, population)


def _box(slices: Sequence[Scored], value: Callable[[Score], float | None]) -> tuple[Cell, ...]:
    """Number of slices, mean, median, quartiles and whiskers; only the number for fewer than five patients."""
    having = [one for one in slices if value(one.score) is not None]
    numbers = np.array([value(one.score) for one in having], float)
    if n_patients(having) < MIN_PATIENTS:
        return (len(having), *(None,) * (len(_STATISTICS) - 1))
    low, middle, high = (float(at) for at in np.percentile(numbers, (25, 50, 75)))
    reach = 1.5 * (high - low)
    inside = numbers[(numbers >= low - reach) & (numbers <= high + reach)]
    whiskers = (min(low, float(inside.min())), max(high, float(inside.max())))
    return (len(having), float(numbers.mean()), middle, low, high, *whiskers)


def drawable(table: Table) -> bool:
    """Whether there is anything to draw: at least one mean is given."""
    return any(isinstance(row[3], float) for row in table.rows)


def legend_handles(models: Mapping[str, str]) -> list["Line2D"]:
    """One coloured line per model, for a legend."""
    from matplotlib.lines import Line2D

    return [Line2D([], [], color=colour, linewidth=2, label=model) for model, colour in models.items()]
