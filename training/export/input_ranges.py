"""Ranges of spacing, size and grey values met in training: from the slices, or else from nnU-Net's files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from inference.contract import Seen
from inference.errors import ModelError
from training.export.training_facts import training_rows
from training.nnunet.results.checkpoint import Trained
from training.slicing.slices import SliceRow, read_slice

_READ = 200
"""How many slices are read for the range of grey values, evenly spread."""
_PERCENTILES = (0.5, 99.5)


class _Grey(msgspec.Struct, frozen=True):
    """Grey values inside the tumour, one channel."""

    percentile_00_5: float
    percentile_99_5: float


class _Fingerprint(msgspec.Struct, frozen=True):
    """The fields needed from dataset_fingerprint.json; the slice axis comes first."""

    spacings: tuple[tuple[float, float, float], ...]
    shapes_after_crop: tuple[tuple[int, int, int], ...]
    foreground_intensity_properties_per_channel: dict[str, _Grey]


class _Medians(msgspec.Struct, frozen=True):
    """What plans.json keeps of the fingerprint; its axes are in the network's order."""

    original_median_spacing_after_transp: tuple[float, float, float]
    original_median_shape_after_transp: tuple[float, float, float]
    foreground_intensity_properties_per_channel: dict[str, _Grey]


def seen_in_training(trained: Trained, stores: Sequence[Path] = ()) -> Seen:
    """Ranges that the model met in training.

    Args:
        trained: the model.
        stores: its slice stores; without any, nnU-Net's fingerprint, with sizes after the crop and grey values of the
            tumour; without that too, as in published zips, the medians in plans.json, as ranges without width.

    Raises:
        ModelError: if neither file holds the ranges.
    """
    if stores:
        return _in_slices(training_rows(trained, stores))
    try:
        return _in_fingerprint(trained.fingerprint) if trained.fingerprint else _in_plans(trained)
    except (msgspec.ValidationError, ValueError, KeyError) as error:
        raise ModelError(
            f"{trained.folder} does not say on which slices it was trained ({error}): name them with --train."
        ) from error


def _in_slices(used: Sequence[tuple[SliceRow, Path]]) -> Seen:
    """The ranges over the slices of one or several stores."""
    rows = [row for row, _ in used]
    spacings = [mm for row in rows for mm in (row.row_mm, row.col_mm)]
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _READ)).round().astype(int))
    grey: NDArray[np.float64] = np.concatenate([_inside(used[at][0].image(used[at][1])) for at in chosen])
    low, high = np.percentile(grey, _PERCENTILES)
    return Seen(
        spacing_mm=(min(spacings), max(spacings)),
        rows=(min(row.rows for row in rows), max(row.rows for row in rows)),
        cols=(min(row.cols for row in rows), max(row.cols for row in rows)),
        intensity=(float(low), float(high)),
    )


def _in_fingerprint(fingerprint: dict[str, Any]) -> Seen:
    """Ranges from nnU-Net's fingerprint."""
    found = msgspec.convert(fingerprint, _Fingerprint)
    spacings = [mm for spacing in found.spacings for mm in spacing[1:]]
    rows, cols = ([shape[axis] for shape in found.shapes_after_crop] for axis in (1, 2))
    grey = found.foreground_intensity_properties_per_channel["0"]
    return Seen(
        spacing_mm=(min(spacings), max(spacings)),
        rows=(min(rows), max(rows)),
        cols=(min(cols), max(cols)),
        intensity=(grey.percentile_00_5, grey.percentile_99_5),
    )


def _in_plans(trained: Trained) -> Seen:
    """The medians, as ranges without width."""
    old = trained.plans.get("foreground_intensity_properties_by_modality")  # its name in the first releases of v2
    found = msgspec.convert({"foreground_intensity_properties_per_channel": old, **trained.plans}, _Medians)
    sides = [round(side) for side in found.original_median_shape_after_transp[1:]]
    rows, cols = reversed(sides) if trained.transposed else sides
    spacing = found.original_median_spacing_after_transp[1:]
    grey = found.foreground_intensity_properties_per_channel["0"]
    return Seen(
        spacing_mm=(min(spacing), max(spacing)),
        rows=(rows, rows),
        cols=(cols, cols),
        intensity=(grey.percentile_00_5, grey.percentile_99_5),
    )


def _inside(path: Path) -> NDArray[np.float64]:
    """The non-zero grey values of a slice."""
    pixels = np.asarray(read_slice(path), np.float64)
    return np.asarray(pixels[pixels != 0], np.float64)
