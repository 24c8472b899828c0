"""Scores the slices of a store under several models, reading each true mask once."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError, NotFoundError
from inference.tables import write_lines
from training.evaluation.boxes import find_boxes
from training.evaluation.metrics import METRICS, Mask, Score, score_with_distances
from training.evaluation.strata import Scored
from training.io.files import written_aside
from training.io.progress import Bar
from training.slicing.slices import CAVITY, SliceRow, read_mask, read_slice, read_tumour

Segment = Callable[[SliceRow], NDArray[np.bool_]]
Scores = Mapping[str, Sequence[Scored]]
"""Model -> its scored slices, in the same order for all models."""
_COLUMNS = ("name", "case", "patient", "axis", "index", "row_mm", "col_mm")
_SCORES = ("true_mm2", "predicted_mm2", *(one.column for one in METRICS if one.column))


def segments(masks: Path | Sequence[Path]) -> Segment:
    """A function that reads one model's masks.

    Args:
        masks: folder of `NAME.nii.gz`, one per slice; with several folders (folds that validated on different patients)
            each mask is read from the folder that holds it.
    """
    return lambda row: read_mask(mask_file(masks, row), row)


def score_models(
    rows: Sequence[SliceRow], store: Path, models: Mapping[str, Segment], jobs: int = 1
) -> dict[str, list[Scored]]:
    """Score each model's mask of each slice.

    Args:
        rows: the slices.
        store: the slice store with the true masks.
        models: name -> the function that gives its masks.
        jobs: number of threads, so that reading and distances run in parallel; the scores do not depend on it.

    Raises:
        NotFoundError: if a model has no mask of a slice, which is not the same as an empty mask.
        FormatError: if a mask has another shape than the slice.
    """

    def score_row(row: SliceRow) -> list[Scored]:
        """Score one slice under every model."""
        true = read_tumour(row.label(store))
        return [_scored(segment(row), true, row) for segment in models.values()]

    with ThreadPoolExecutor(jobs) as pool:
        each = list(Bar(pool.map(score_row, rows), total=len(rows), desc="score", unit="slice"))
    return {name: [scored[at] for scored in each] for at, name in enumerate(models)}


def refuse_other_labels(masks: Mapping[str, Path | Sequence[Path]], scores: Scores) -> None:
    """Refuse masks that show no tumour anywhere and hold the cavity's label: somebody drew tumour as 2, not as 1.

    Where cavities were drawn in the slices too, a model that finds them alone is believed.

    Raises:
        FormatError: naming whose masks they are.
    """
    for name, one in masks.items():
        rows = [scored.row for scored in scores[name]]
        if any(each.score.positive or each.row.cavity_mm2 is not None for each in scores[name]):
            continue
        if any((read_slice(mask_file(one, row)) == CAVITY).any() for row in rows):
            raise FormatError(
                f"The masks of {name} hold the label {CAVITY} and no other, which is the resection cavity's: write "
                "tumour as 1."
            )


def _scored(predicted: Mask, true: Mask, row: SliceRow) -> Scored:
    """Score the outline of one slice, then its boxes."""
    return Scored(row, score_slice(predicted, true, row), find_boxes(predicted, true, row.row_mm * row.col_mm))


def score_slice(predicted: NDArray[np.bool_], true: NDArray[np.bool_], row: SliceRow) -> Score:
    """Score one slice, with HD95; the true mask decides the size.

    Raises:
        FormatError: if the masks differ in shape.
    """
    if predicted.shape != true.shape:
        raise FormatError(f"The prediction of {row.name} has the shape {predicted.shape}, its mask {true.shape}.")
    return score_with_distances(predicted, true, (row.row_mm, row.col_mm))


def write_scores(scores: Scores, path: Path) -> None:
    """Write slices.csv, one row per model and slice."""
    lines: list[list[object]] = [["model", *_COLUMNS, *_SCORES]]
    for model, scored in scores.items():
        for one in scored:
            about = [getattr(one.row, name) for name in _COLUMNS]
            lines.append([model, *about, *(getattr(one.score, name) for name in _SCORES)])
    with written_aside(path) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        write_lines(stream, lines)


def mask_file(masks: Path | Sequence[Path], row: SliceRow) -> Path:
    """The file of one slice's mask, in the one folder that holds it; a missing file is an error, not an empty mask.

    Raises:
        NotFoundError: if no folder holds it.
        FormatError: if two do.
    """
    folders = [masks] if isinstance(masks, Path) else list(masks)
    found = [path for folder in folders if (path := folder / f"{row.name}.nii.gz").is_file()]
    if not found:
        raise NotFoundError(
            f"{folders[0]} holds no prediction of the slice {row.name}: run 'ius-train predict' to its end."
        )
    if len(found) > 1:
        raise FormatError(f"{found[0]} and {found[1]} are of one slice: name one folder of predictions for it.")
    return found[0]
