"""The tables of boxes with scores, a head's beside those of masks; the tables of outlines know none of it."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from training.evaluation.page import Section
from training.evaluation.population import Population
from training.evaluation.ranked_boxes import RATES, Figures, Ranking, Slice, ranked
from training.evaluation.scoring import mask_file
from training.evaluation.tables import Cell, Table
from training.nnunet.boxes.table import HEAD, Found, read_boxes, sources
from training.slicing.boxes import Boxes, boxes_of
from training.slicing.size_bands import BANDS, all_within, band_words
from training.slicing.slices import SliceRow, read_tumour

Masks = Path | Sequence[Path]
LOOSE, STRICT = 0.3, 0.5
"""Intersection over union from which on a box fits."""
_BY = {True: "box head", False: "regions of its mask"}
_WAYS = (f"AP at {LOOSE:g}", f"AP at {STRICT:g}", *(f"found at {rate:g} false boxes a slice" for rate in RATES))
_NOTE = (
    "Boxes ranked by their score: a head's own, or of a mask's region its mean probability of tumour. AP: average "
    f"precision at an intersection over union of {LOOSE:g} or {STRICT:g}; found: share of true boxes at so many false "
    f"boxes a slice (FROC, at {LOOSE:g}), slices without tumour included. By size, a box that found one of another "
    "size is left out. Brackets: 95 % intervals over resampled patients."
)
_PAIRED = "The first's figure minus the second's on the same slices, with 95 % intervals over resampled patients."


def detector_sections(
    models: Mapping[str, Masks], store: Path, rows: Sequence[SliceRow], whose: Population
) -> list[Section]:
    """The section on boxes with scores; none if no model was predicted with `--boxes`.

    Args:
        models: name -> folder, or folders, of predictions.
        store: the slice store.
        rows: its slices.
        whose: the patients.

    Raises:
        FormatError: if boxes are of another picture than the store's.
        NotFoundError: if a slice has no boxes, which is not the same as none found.
    """
    told = {name: sources([masks] if isinstance(masks, Path) else masks) for name, masks in models.items()}
    if not any(told.values()):
        return []
    true = {row.name: boxes_of(read_tumour(row.label(store))) for row in rows}
    rankings: dict[tuple[str, str], tuple[Ranking, Ranking]] = {}
    for name, masks in models.items():
        for source in told[name]:
            slices = _slices(_found(masks, source, store, rows), true, rows)
            rankings[name, _BY[source == HEAD]] = ranked(slices, LOOSE), ranked(slices, STRICT)
    tables = [_table(rankings)]
    if len(rankings) > 1:
        tables.append(_pairs(rankings))
    return [Section(tables[0].title, whose, tables=tuple(tables))]


def _found(masks: Masks, source: str, store: Path, rows: Sequence[SliceRow]) -> dict[str, Found]:
    """What one model's boxes are in every slice, each read where its mask lies."""
    homes: dict[Path, dict[str, Path]] = {}
    for row in rows:
        homes.setdefault(mask_file(masks, row).parent, {})[row.name] = row.image(store)
    return {name: one for home, images in homes.items() for name, one in read_boxes(home, source, images).items()}


def _slices(
    found: Mapping[str, Found], true: Mapping[str, tuple[Boxes, np.ndarray]], rows: Sequence[SliceRow]
) -> list[Slice]:
    """Every slice's boxes."""
    return [
        Slice(row.patient, true[row.name][0], true[row.name][1] * row.row_mm * row.col_mm, found[row.name])
        for row in rows
    ]


def _table(rankings: Mapping[tuple[str, str], tuple[Ranking, Ranking]]) -> Table:
    """Every detector by size and over all."""
    head = ("model", "boxes of", "true region", "true boxes", "patients", *_WAYS)
    lines: list[tuple[Cell, ...]] = []
    for (name, by), (loose, strict) in rankings.items():
        for band in (*BANDS, (0.0, np.inf)):
            inside = all_within(loose.true_mm2, band)
            counts = (int(inside.sum()), len(np.unique(loose.true_owner[inside])))
            words = "total" if band not in BANDS else band_words(band)
            lines.append((name, by, words, *counts, *_cells(loose.figures(band), strict.figures(band))))
    return Table("ranked_boxes", "Boxes with scores: detection alone", head, tuple(lines), _NOTE)


def _cells(loose: Figures | None, strict: Figures | None) -> tuple[Cell, ...]:
    if loose is None or strict is None:
        return (None,) * len(_WAYS)
    return tuple(one.estimate() for one in (loose.precision, strict.precision, *loose.sensitivity))


def _pairs(rankings: Mapping[tuple[str, str], tuple[Ranking, Ranking]]) -> Table:
    """Every two detectors over all sizes."""
    each = {", ".join(key): (loose.figures(), strict.figures()) for key, (loose, strict) in rankings.items()}
    lines: list[tuple[Cell, ...]] = []
    for (first, one), (second, other) in combinations(each.items(), 2):
        differences = tuple(
            a.minus(b) if a is not None and b is not None else None for a, b in zip(one, other, strict=True)
        )
        lines.append((first, second, *_cells(*differences)))
    return Table(
        "ranked_boxes_paired", "Two detectors on the same slices", ("first", "second", *_WAYS), tuple(lines), _PAIRED
    )
