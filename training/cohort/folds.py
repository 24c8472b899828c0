"""Five folds in which a patient stands on one side only."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np

from inference.errors import FormatError, IusError, NotFoundError
from training.io.receipt import write_json

N_FOLDS = 5


class FoldError(IusError):
    """Folds that cannot be drawn, or that would put one patient on both sides."""


class Split(TypedDict):
    """One entry of nnU-Net's splits_final.json."""

    train: list[str]
    val: list[str]


Folds = tuple[frozenset[str], ...]
"""Groups of patients that share nobody."""


def draw_folds(
    patients: Iterable[str], seed: int, n_folds: int = N_FOLDS, groups: Mapping[str, str] | None = None
) -> Folds:
    """Deal the patients at random into `n_folds` folds whose sizes differ by one at most, and within each group too.

    The order in which patients come does not matter: the same patients, groups and seed give the same folds.

    Args:
        patients: all of them, before any cut-off: models then differ in their data alone.
        seed: of the draw.
        n_folds: how many.
        groups: patient -> label set (or any other stratum); None deals all as one.

    Raises:
        FoldError: if there are fewer patients than folds.
    """
    group_of = groups or {}
    unique = sorted(set(patients))
    if len(unique) < n_folds:
        raise FoldError(f"{n_folds} folds need at least {n_folds} patients, and there are {len(unique)}.")
    shuffled = [unique[i] for i in np.random.default_rng(seed).permutation(len(unique))]
    shuffled.sort(key=lambda patient: group_of.get(patient, ""))  # stable: at random within each group
    return tuple(frozenset(shuffled[i::n_folds]) for i in range(n_folds))


def split_slices(patient_of: Mapping[str, str], folds: Sequence[frozenset[str]]) -> list[Split]:
    """Turn patient folds into one split of slices a fold, in the form of nnU-Net's splits_final.json.

    Args:
        patient_of: slice name -> patient.
        folds: groups of patients that share nobody; patients without a slice may be in them.

    Raises:
        FoldError: if a patient is in no fold, or in two.
    """
    for patient in sorted(set(patient_of.values())):
        homes = sum(patient in fold for fold in folds)
        if homes != 1:
            raise FoldError(f"The patient {patient} is in {homes} folds, and has to be in exactly one.")
    return [
        Split(
            train=sorted(name for name, patient in patient_of.items() if patient not in fold),
            val=sorted(name for name, patient in patient_of.items() if patient in fold),
        )
        for fold in folds
    ]


def check_split(split: Split, fold: int) -> None:
    """Refuse a fold of which a cut-off has left nothing on one side: nnU-Net ends in a traceback there.

    Raises:
        FoldError: naming the side.
    """
    for names, use in ((split["train"], "train on"), (split["val"], "validate on")):
        if not names:
            raise FoldError(
                f"Fold {fold} has no slice to {use}: its patients have none above the cut-off. Lower the cut-off, "
                "add patients or draw the folds with another seed."
            )


def write_folds(folds: Folds, seed: int, path: Path) -> None:
    """Write folds as JSON."""
    write_json({"seed": seed, "folds": [sorted(fold) for fold in folds]}, path)


def read_folds(path: Path) -> Folds:
    """Read what `write_folds` wrote.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it does not list folds of patients.
    """
    if not path.is_file():
        raise NotFoundError(f"There are no folds at {path}: draw them with 'ius-train folds'.")
    try:
        return tuple(frozenset(map(str, fold)) for fold in json.loads(path.read_bytes())["folds"])
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path} does not list folds of patients: draw them with 'ius-train folds'.") from error
