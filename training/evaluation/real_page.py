"""Writes docs/REAL.md: models beside outlines drawn by eye, case by case and picture by picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from inference.model.engine import Engine
from inference.model.segmentation import mask_of
from training.evaluation.compare import compare
from training.evaluation.figure_style import new_figure
from training.evaluation.metrics import Mask, score
from training.evaluation.population import Population
from training.evaluation.scoring import segments
from training.io.files import written_aside
from training.nnunet.predict_onnx import predict_exported
from training.registration.volume import read_image
from training.slicing.by_eye import Outlines, volume_of, write_store
from training.slicing.slices import SliceRow, read_slice, read_tumour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TEST_CASES = ("Case4", "Case15", "Case24")
"""Real volumes that no training uses in any form."""
CREDIT = (
    "Pictures: RESECT, Y. Xiao, M. Fortin, G. Unsgård, H. Rivaz, I. Reinertsen, REtroSpective Evaluation of Cerebral "
    "Tumors, Med Phys 2017, doi 10.1002/mp.12268, CC BY 4.0; resampled to 0.5 mm, brightened, cut."
)
_COLOURS = ("#ffb000", "#ff5cd0", "#3fd0ff")
_BRIGHT = 110.0
_EVERY = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """One outlined slice and each model's Dice, which is NaN if nothing was outlined."""

    row: SliceRow
    certainty: str
    dice: Mapping[str, float]
    found_mm2: Mapping[str, float]


def write_page(
    models: Mapping[str, Path], outlines: Outlines, volumes: Path, work: Path, page: Path, notes: Sequence[str] = ()
) -> None:
    """Cut the outlined slices, predict them, write the report of `ius-train evaluate`, and write the page.

    Args:
        models: exported models by name.
        outlines: the outlines drawn by eye.
        volumes: folder of the real volumes.
        work: folder for `slices`, `masks-NAME` and `report`.
        page: the Markdown page to write, with `figures/real-CASE.png` beside it.
        notes: sentences above the pictures.

    Raises:
        NotFoundError: if a volume is missing.
        FormatError: if a volume is not the one that was outlined.
        ModelError: if a model does not run here.
    """
    store = work / "slices"
    rows = write_store(outlines, volumes, store)
    masks = {name: work / f"masks-{name}" for name in models}
    for name, model in models.items():
        predict_exported(model, [store], masks[name])
    compare(masks, store, work / "report", data=f"{outlines.data}; annotator: {outlines.annotator}", simulated=False)
    certain = {(v.case, one.index): str(one.certainty) for v in outlines.volumes for one in v.slices}
    seen = [_seen(row, certain[row.case, row.index], store, masks) for row in rows]
    painted = {name: _painted(model, outlines, volumes) for name, model in models.items()}
    for volume in outlines.volumes:
        own = [one for one in seen if one.row.case == volume.case]
        _draw(own, store, masks, page.parent / "figures" / f"real-{volume.case}.png")
    with written_aside(page) as aside:
        aside.write_text("\n".join(_lines(outlines, models, seen, painted, notes)) + "\n", encoding="utf-8")


def _seen(row: SliceRow, certainty: str, store: Path, masks: Mapping[str, Path]) -> Seen:
    """Score one slice under every model."""
    true = read_tumour(row.label(store))
    scores = {name: score(segments(folder)(row), true, row.row_mm * row.col_mm) for name, folder in masks.items()}
    dice = {name: float("nan") if one.dice is None else one.dice for name, one in scores.items()}
    return Seen(row, certainty, dice, {name: one.predicted_mm2 for name, one in scores.items()})


def _painted(model: Path, outlines: Outlines, volumes: Path) -> dict[str, float]:
    """Share of slices in which a model draws anything, over every third slice of each volume along k."""
    engine, shares = Engine.load(model), {}
    for volume in outlines.volumes:
        image = read_image(volume_of(volume, volumes))
        pixels, (col_mm, row_mm, _) = sitk.GetArrayFromImage(image).astype(np.float32), image.GetSpacing()
        shown = [plane for plane in pixels if plane.any()][::_EVERY]
        largest = engine.contract.output.keep_largest
        found = [mask_of(engine.segment(plane, (row_mm, col_mm)).margin, keep_largest=largest).any() for plane in shown]
        shares[volume.case] = float(np.mean(found))
    return shares


def case_dice(seen: Sequence[Seen], case: str, model: str) -> float | None:
    """Mean Dice over the slices of a case with a plain or likely outline; None if there are none."""
    dice = [one.dice[model] for one in seen if one.row.case == case and one.certainty in ("plain", "likely")]
    return float(np.mean(dice)) if dice else None


def _lines(
    outlines: Outlines,
    models: Mapping[str, Path],
    seen: Sequence[Seen],
    painted: Mapping[str, Mapping[str, float]],
    notes: Sequence[str],
) -> Iterator[str]:
    """The lines of the page."""
    names = list(models)
    yield "# What the bundled model does on real volumes"
    yield f"\n**{Population.BY_EYE.value}** Research use only."
    yield (
        f"\nAnnotator: {outlines.annotator}; drawn on {outlines.drawn}, before any training that is measured here, and "
        "never changed since (`training/slicing/by_eye.json`). What an outline encloses looks like tumour to "
        "someone who is no radiologist; whether it is one is not known. Not used to choose epochs."
    )
    yield f"\nData: {outlines.data}. Cases 4, 15 and 24 are in no training in any form.\n"
    yield "| case | in training | seen | " + " | ".join(f"Dice {name} | slices painted {name}" for name in names) + " |"
    yield "|---|---|---|" + "---|---|" * len(names)
    for volume in outlines.volumes:
        use = "no" if volume.case in TEST_CASES else "as a background"
        cells = [f"{_number(case_dice(seen, volume.case, n))} | {painted[n][volume.case]:.0%}" for n in names]
        yield f"| {volume.case.removeprefix('Case')} | {use} | {volume.seen} | {' | '.join(cells)} |"
    yield (
        "\nDice: mean over the case's outlines that are plain or likely; unsure ones are only drawn. Painted: share of "
        'the volume\'s slices along k, of every third, with any contour. "As a background": simulated tumours were '
        "painted into the volume for the training of models that say so, its own tumour ignored.\n"
    )
    for case in (TEST_CASES, tuple(v.case for v in outlines.volumes if v.case not in TEST_CASES)):
        means = [[case_dice(seen, one, name) for one in case] for name in names]
        given = [[value for value in row if value is not None] for row in means]
        words = "; ".join(f"{n} {np.mean(v):.2f} (least {min(v):.2f})" for n, v in zip(names, given, strict=True))
        label = "the three cases of no training" if case == TEST_CASES else "the other cases with an outline"
        yield f"- Mean of the cases, {label}: {words}."
    empty = [one for one in seen if not one.row.area_mm2]
    kept = "; ".join(f"{n} {sum(not one.found_mm2[n] for one in empty)} of {len(empty)}" for n in names)
    yield f"- Slices on which nothing is plainly visible, left without a contour: {kept}."
    yield from (f"- {note}" for note in notes)
    yield f"\nColours: outline white (dashed where unsure), {', '.join(_named(names))}. {CREDIT}"
    for volume in outlines.volumes:
        yield f"\n## {volume.case.replace('Case', 'Case ')}\n"
        yield f"{volume.seen}\n\n![{volume.case}](figures/real-{volume.case}.png)"


def _named(names: Sequence[str]) -> list[str]:
    """Each model with the name of its colour."""
    words = ("orange", "pink", "blue")
    return [f"{name} {word}" for name, word in zip(names, words, strict=False)]


def _draw(seen: Sequence[Seen], store: Path, masks: Mapping[str, Path], path: Path) -> None:
    """Draw all outlined slices of a case in a row, with the outline and the contours."""
    figure = new_figure(2.3 * len(seen), 2.6)
    for axis, one in zip(figure.subplots(1, len(seen), squeeze=False)[0], seen, strict=True):
        pixels, true = read_slice(one.row.image(store)), read_tumour(one.row.label(store))
        axis.imshow(pixels, cmap="gray", vmin=0, vmax=_BRIGHT, interpolation="nearest")
        _contour(axis, true, "white", "dashed" if one.certainty == "unsure" else "solid")
        for colour, (_, folder) in zip(_COLOURS, masks.items(), strict=False):
            _contour(axis, segments(folder)(one.row), colour, "solid")
        dice = ", ".join(f"{value:.2f}" for value in one.dice.values()) if true.any() else "-"
        axis.set_title(f"k {one.row.index}, {one.certainty}\nDice {dice}", fontsize=6)
        axis.set_axis_off()
    figure.supxlabel("RESECT, Xiao et al. 2017, CC BY 4.0, changed. By eye, no expert", fontsize=5)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as aside:
        figure.savefig(aside, dpi=110, format="png", metadata={"Software": None})


def _contour(axis: "Axes", mask: Mask, colour: str, style: str) -> None:
    """Draw a mask's border."""
    if mask.any():
        axis.contour(mask.astype(float), levels=[0.5], colors=[colour], linewidths=0.9, linestyles=[style])


def _number(value: float | None) -> str:
    """A score, or a dash if there is none."""
    return "-" if value is None else f"{value:.2f}"
