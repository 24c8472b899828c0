"""The paper's Figures 6 and 8: slices with the true contour, each model's contour, the true area and the Dice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.evaluation.figure_style import TRUTH, colours, new_figure, save
from training.evaluation.figures import legend_handles
from training.evaluation.population import Population
from training.evaluation.scoring import Scores, Segment
from training.evaluation.strata import Scored, in_band, true_area, with_tumour
from training.evaluation.tables import Table
from training.slicing.size_bands import BANDS, MIN_RELIABLE_MM2
from training.slicing.slices import SliceRow, read_slice, read_tumour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_MODELS = 5
"""With more contours than this on one picture, readers cannot tell them apart."""
_MARGIN_MM = 12.0
_BAR_MM = 10.0
_RANGES = (*BANDS[:2], (MIN_RELIABLE_MM2, 600.0), (600.0, float("inf")))


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One slice with its masks.

    Attributes:
        row: the slice.
        image: grey values (rows, cols).
        true: true mask (rows, cols).
        masks: model -> its mask (rows, cols).
        dice: model -> Dice.
    """

    row: SliceRow
    image: NDArray[np.float32]
    true: NDArray[np.bool_]
    masks: Mapping[str, NDArray[np.bool_]]
    dice: Mapping[str, float | None]


def choose(scores: Scores) -> list[int]:
    """Positions of one typical slice per range of true area: the one whose mean Dice over the models is the median.

    Nobody picks the slices, so neither the best nor the worst are favoured. Each is of another patient where possible.
    """
    first = next(iter(scores.values()))
    place = {one.row.name: at for at, one in enumerate(first)}
    chosen: list[int] = []
    seen: set[str] = set()
    for low, high in _RANGES:
        group = [place[one.row.name] for one in in_band(with_tumour(first), true_area, (low, high))]
        fresh = [at for at in group if first[at].row.patient not in seen] or group
        if fresh:
            ranked = sorted(fresh, key=lambda at: (_mean_dice(scores, at), first[at].row.name))
            chosen.append(ranked[len(ranked) // 2])
            seen.add(first[chosen[-1]].row.patient)
    return chosen


def examples(scores: Scores, store: Path, models: Mapping[str, Segment]) -> list[Example]:
    """Read the chosen slices again, with the mask of every model that is shown."""
    shown = spread_out(list(scores))
    first = next(iter(scores.values()))
    found = []
    for at in choose(scores):
        row = first[at].row
        masks = {name: models[name](row) for name in shown}
        dice = {name: scores[name][at].score.dice for name in shown}
        found.append(Example(row, read_slice(row.image(store)), read_tumour(row.label(store)), masks, dice))
    return found


def spread_out(models: Sequence[str]) -> list[str]:
    """All models, or if there are too many, the first, the middle one and the last."""
    if len(models) <= MOST_MODELS:
        return list(models)
    return [models[0], models[len(models) // 2], models[-1]]


def example_table(found: Sequence[Example]) -> Table:
    """A table of the slices that are shown."""
    rows = [(one.row.name, one.row.patient, one.row.axis, one.row.area_mm2, *one.dice.values()) for one in found]
    head = ("slice", "patient", "direction", "true area mm²", *(found[0].dice if found else ()))
    note = "One slice for each range of area: the one whose mean Dice over the models is the median of its range."
    return Table("examples", "Examples", head, tuple(rows), note)


def draw_panels(found: Sequence[Example], models: Sequence[str], path: Path, population: Population) -> None:
    """Draw the examples side by side at one scale: the truth in green, each model in its colour of the other figures.

    Args:
        found: the example slices.
        models: all models, shown here or not.
        path: the PNG to write.
        population: whose slices they are.
    """
    colour = {name: line for name, line in colours(models).items() if name in found[0].masks}
    half = max(max(_reach(one)) for one in found) / 2
    lines = 0.2 * len(colour) + 0.1
    figure = new_figure(2.9 * len(found), 3.7 + lines)
    axes = figure.subplots(2, len(found), squeeze=False, height_ratios=(2.9, lines))
    for above, below, one in zip(*axes, found, strict=True):
        _draw(above, one, colour, half)
        _list_dice(below, one, colour)
    figure.legend(handles=legend_handles({"truth": TRUTH, **colour}), loc="outside upper left", ncols=len(colour) + 1)
    save(figure, path, population)


def _draw(axes: "Axes", one: Example, colour: Mapping[str, str], half: float) -> None:
    """Draw one slice, in mm around the middle of all masks; the truth on top."""
    rows, cols = one.image.shape
    extent = (0, cols * one.row.col_mm, rows * one.row.row_mm, 0)
    top = float(np.percentile(one.image[one.image > 0], 99.5)) if (one.image > 0).any() else 1.0
    axes.imshow(one.image, cmap="gray", vmin=0, vmax=top, extent=extent, interpolation="bilinear")
    for name, mask in one.masks.items():
        _outline(axes, mask, one.row, colour[name], 1.3)
    _outline(axes, one.true, one.row, TRUTH, 2.0)
    middle_y, middle_x = _middle(one)
    left, low = middle_x - 0.92 * half, middle_y + 0.9 * half
    axes.plot([left, left + _BAR_MM], [low, low], color="white", linewidth=2)
    axes.annotate(f"{_BAR_MM:g} mm", (left, low), (0, 4), textcoords="offset points", color="white", fontsize=7)
    axes.set(xlim=(middle_x - half, middle_x + half), ylim=(middle_y + half, middle_y - half), facecolor="black")
    axes.set(xticks=[], yticks=[], title=f"{one.row.area_mm2:.0f} mm²")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _outline(axes: "Axes", mask: NDArray[np.bool_], row: SliceRow, colour: str, width: float) -> None:
    """Draw a mask's contour; the mask is padded, so that the contour closes at the picture's border."""
    if mask.any():
        padded = np.pad(mask.astype(np.float32), 1)
        x = (np.arange(padded.shape[1]) - 0.5) * row.col_mm
        y = (np.arange(padded.shape[0]) - 0.5) * row.row_mm
        axes.contour(x, y, padded, levels=[0.5], colors=[colour], linewidths=width)


def _list_dice(axes: "Axes", one: Example, colour: Mapping[str, str]) -> None:
    """Write each model's Dice below the slice."""
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(len(one.dice), 0))
    for at, (name, dice) in enumerate(one.dice.items()):
        words = "nothing segmented" if not one.masks[name].any() else f"Dice {dice:.2f}"
        axes.text(0.0, at + 0.5, "●", color=colour[name], va="center")
        axes.text(0.07, at + 0.5, f"{name}: {words}", va="center", fontsize=8)


def _marked(one: Example) -> NDArray[np.bool_]:
    """Pixels in any mask."""
    return np.asarray(np.any([one.true, *one.masks.values()], axis=0))


def _bounds(one: Example) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first and the last marked (row, col), mm."""
    where = np.argwhere(_marked(one)) * (one.row.row_mm, one.row.col_mm)
    return where.min(axis=0), where.max(axis=0)


def _reach(one: Example) -> tuple[float, float]:
    """Height and width of all masks together, with a margin, mm."""
    first, last = _bounds(one)
    height, width = last - first + 2 * _MARGIN_MM
    return float(height), float(width)


def _middle(one: Example) -> tuple[float, float]:
    """The middle of all masks together, (row, col) mm."""
    first, last = _bounds(one)
    row, col = (first + last) / 2
    return float(row), float(col)


def _mean_dice(scores: Scores, at: int) -> float:
    """Mean Dice of one slice over the models."""
    values: list[Scored] = [slices[at] for slices in scores.values()]
    return float(np.mean([one.score.dice or 0.0 for one in values]))
