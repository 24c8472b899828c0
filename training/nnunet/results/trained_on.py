"""The patients that a model was trained on, from the receipts of its folds; they cannot test the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.errors import IusError
from training.io.receipt import placed
from training.nnunet.results.files import ModelFiles, find_model
from training.nnunet.results.forebears import Forebear, forebear, forebears_in
from training.nnunet.settings import Fold
from training.slicing.leaks import patients_in_both, read_identities, spelling
from training.slicing.slices import read_slices

PATIENTS = "train_patients"
"""Key in receipt-fit.json: the patients of a fold's training slices, and of the training that it started from."""
START_KNOWN = "start_patients_known"
"""Another key: whether receipts told all patients of the training that it started from."""
START_STORES = "start_slices"
"""And another: the slice stores of that training, by whose pictures its patients are known again."""


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """The patients that a model's folds were trained on.

    Attributes:
        patients: their names.
        stores: the slice stores of the training that still exist.
        complete: False if a fold has no receipt that names its patients, or started from weights whose patients no
            receipt tells.
        forebears: the exports that a fold's weights come from in part.
        start_stores: the stores of the trainings that it started from, as far as they exist.
        gone: stores of either that are not there, with whose pictures nothing can be compared.
    """

    patients: frozenset[str]
    stores: tuple[Path, ...]
    complete: bool
    forebears: tuple[Forebear, ...] = ()
    start_stores: tuple[Path, ...] = ()
    gone: tuple[Path, ...] = ()

    def among(self, stores: Sequence[Path]) -> list[str]:
        """The stores' patients that the model was trained on, found by name or by picture, sorted."""
        tested = [one for store in stores for one in read_identities(store)]
        names = {spelling(patient) for patient in self.patients}
        known = [one for store in (*self.stores, *self.start_stores) for one in read_identities(store)]
        trained = [one for one in known if spelling(one.patient) in names]
        by_name = {one.patient for one in tested if spelling(one.patient) in names}
        return sorted(by_name | patients_in_both(trained, tested))


def trained_on(model: Path, folds: Sequence[Fold]) -> TrainedOn:
    """The training patients of a model's folds.

    Raises:
        ModelError: if there is no such model, or a receipt is damaged.
    """
    return told_by_receipts(find_model(model), folds)


def behind(start: Path) -> TrainedOn:
    """The patients behind a fold's checkpoint with its receipt, or the export itself, from which a training starts.

    Raises:
        ModelError: if the receipt is damaged.
        ContractError: if an export carries no contract.
    """
    if start.suffix == ".onnx":  # it may be gone when a training is resumed
        return TrainedOn(frozenset(), (), False, (forebear(start),) if start.is_file() else ())
    folder, kind, fold = start.parent, *start.parent.name.partition("_")[::2]
    if kind != "fold" or not (fold.isdecimal() or fold == "all") or not (folder / "receipt-fit.json").is_file():
        return TrainedOn(frozenset(), (), complete=False)
    return trained_on(folder.parent, ["all" if fold == "all" else int(fold)])


def told_by_receipts(files: ModelFiles, folds: Sequence[Fold]) -> TrainedOn:
    """The training patients, from a model's files in a folder or a zip."""
    patients: set[str] = set()
    stores: dict[Path, None] = {}
    starts: dict[Path, None] = {}
    gone: dict[Path, None] = {}
    complete, forebears = bool(folds), dict[Forebear, None]()
    for fold in folds:
        receipt = files.json(f"fold_{fold}/receipt-fit.json", needed=False)
        told = receipt.get("settings") or {}
        named, before = (stores_in(receipt, files.path / f"fold_{fold}", key) for key in ("slices", START_STORES))
        there = [store for store in named if (store / "slices.csv").is_file()]
        started = [store for store in before if (store / "slices.csv").is_file()]
        starts |= dict.fromkeys(started)
        gone |= dict.fromkeys(store for store in (*named, *before) if store not in (*there, *started))
        own = _patients(told, there)
        patients |= own
        stores |= dict.fromkeys(there)
        forebears |= dict.fromkeys(forebears_in(told))
        complete = complete and bool(own) and (not told.get("start") or bool(told.get(START_KNOWN)))
    return TrainedOn(frozenset(patients), tuple(stores), complete, tuple(forebears), tuple(starts), tuple(gone))


def stores_in(receipt: Mapping[str, Any], folder: Path, key: str = "slices") -> list[Path]:
    """The slice stores that a fold's receipt in `folder` names, whether they are still there or not."""
    named = (receipt.get("settings") or {}).get(key)
    listed = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    return [placed(str(store), receipt, folder) for store in listed]


def _patients(told: dict[str, Any], stores: Sequence[Path]) -> set[str]:
    """The patients that the receipt names; for a receipt of an earlier version, all patients of its stores."""
    if PATIENTS in told:
        return set(map(str, told[PATIENTS]))
    try:
        return {row.patient for store in stores for row in read_slices(store)}
    except IusError:
        return set()
