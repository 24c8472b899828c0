"""Five folds in which a patient stands on one side only."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

import numpy as np

from inference.errors import IusError

N_FOLDS = 5


class FoldError(IusError):
    """Folds that cannot be drawn, or that would put one patient on both sides."""


class Split(TypedDict):
    """One entry of nnU-Net's splits_final.json."""

    train: list[str]
    val: list[str]


def draw_folds(patients: Iterable[str], seed: int, n_folds: int = N_FOLDS) -> tuple[frozenset[str], ...]:
    """Deal the patients at random into `n_folds` groups whose sizes differ by one at most.

    The order in which patients come does not matter: the same patients and seed give the same folds.

    Raises:
        FoldError: if there are fewer patients than folds.
    """
    unique = sorted(set(patients))
    if len(unique) < n_folds:
        raise FoldError(f"{n_folds} folds need at least {n_folds} patients, and there are {len(unique)}.")
    shuffled = [unique[i] for i in np.random.default_rng(seed).permutation(len(unique))]
    return tuple(frozenset(shuffled[i::n_folds]) for i in range(n_folds))


def split_slices(patient_of: Mapping[str, str], folds: Sequence[frozenset[str]]) -> list[Split]:
    """Turn patient folds into one split of slices a fold, in the form of nnU-Net's splits_final.json.

    Args:
        patient_of: slice name -> patient.
        folds: groups of patients that share nobody.

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
