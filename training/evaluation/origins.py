"""What the receipts of `ius-train predict` tell of predictions: how they were made, and whether they are a test."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inference.errors import IusError
from training.evaluation.summary import Mode, Origin
from training.nnunet.predicted import check
from training.slicing.leaks import spelling
from training.slicing.slices import read_slices

RECEIPT = "receipt-predict.json"


class OriginError(IusError):
    """Predictions that cannot be scored together, or are no test of their model."""


def mode_of(folders: Iterable[Path], wanted: str | None = None) -> Mode:
    """The one mode of all predictions, since figures hold for one mode only; fast if no receipt states any.

    Args:
        folders: of the predictions.
        wanted: the mode that they are said to be of.

    Raises:
        OriginError: if they were made in two modes, in another mode than the named one, or some in an unknown one.
    """
    modes: dict[str, Path] = {}
    silent: list[Path] = []
    for folder in folders:
        told = _told(folder)
        if told is None:
            silent.append(folder)
        else:
            modes.setdefault(told.get("mode") or "fast", folder)
    for said, folder in modes.items():
        if wanted is not None and said != wanted:
            raise OriginError(
                f"{folder} was predicted in {said} mode, and is to be scored as {wanted}: add --mode {said}."
            )
    if len(modes) > 1:
        raise OriginError(
            f"{modes['fast']} was predicted in the fast mode and {modes['thorough']} in the thorough one: "
            "predict all models in one mode."
        )
    said = next(iter(modes), "fast")
    if modes and silent and wanted is None:
        raise OriginError(
            f"No receipt tells in which mode {silent[0]} was predicted, and the others were in the {said} one: if it "
            f"was too, add --mode {said}."
        )
    return "thorough" if (wanted or said) == "thorough" else "fast"


def origin_of(folder: Path, store: Path, *, training_patients: bool = False, apart: bool = False) -> Origin:
    """Where predictions come from, by their receipt; unknown without one.

    Args:
        folder: of the predictions.
        store: the slices that they are to be scored on.
        training_patients: whether patients that the model was trained on may be scored.
        apart: whether the slices are known to be apart from the model's training, whatever the receipt tells.

    Raises:
        OriginError: naming such patients, unless they may be.
        FormatError: if a mask is of another picture than the store's, or was changed since it was predicted.
    """
    check(store, folder)
    told = _told(folder) or {}
    known = {spelling(patient) for patient in told.get("seen_in_training") or ()}
    seen = sorted({row.patient for row in read_slices(store) if spelling(row.patient) in known})
    if seen and not training_patients:
        raise OriginError(
            f"The model of {folder} was trained on {seen[0]}"
            f"{f' and {len(seen) - 1} more of these patients' if len(seen) > 1 else ''}, so this is no test: score "
            "patients that no training had, or add --with-training-patients to have a report that says so."
        )
    unsure = not apart and told.get("training_known") is False
    return Origin(tuple(told.get("checkpoints") or ()), tuple(seen), unsure, told.get("largest_region_only"))


def _told(folder: Path) -> dict[str, Any] | None:
    """The settings in the predictions' receipt; None without one."""
    receipt = folder / RECEIPT
    if not receipt.is_file():
        return None
    settings: dict[str, Any] = json.loads(receipt.read_text(encoding="utf-8"))["settings"]
    return settings
