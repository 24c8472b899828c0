"""Folds drawn over the patients of slice stores, always after a search for twins: the only way to draw them."""

from collections.abc import Sequence
from pathlib import Path

from training.cohort.folds import Folds, draw_folds
from training.slicing.leaks import read_identities, refuse_leaks, refuse_twins
from training.slicing.slices import read_slices


def check_stores(training: Sequence[Path], test: Sequence[Path] = ()) -> None:
    """Stop if one patient of the training has two names, or is in the test too.

    Raises:
        LeakError: naming the two cases.
        NotFoundError: if one of the folders is no slice store.
    """
    identities = [identity for store in training for identity in read_identities(store)]
    refuse_twins(identities)
    refuse_leaks(identities, [identity for store in test for identity in read_identities(store)])


def draw_store_folds(training: Sequence[Path], seed: int, test: Sequence[Path] = ()) -> Folds:
    """Draw five folds over all patients of the stores, each store's patients spread evenly over them.

    Args:
        training: slice stores; a model may use fewer of their slices.
        seed: of the draw.
        test: slice stores that no patient of the training may be in.

    Raises:
        LeakError: if one patient has two names, or is in the test too.
        FoldError: if there are fewer than five patients.
        NotFoundError: if one of the folders is no slice store.
    """
    check_stores(training, test)
    held = [{row.patient for row in read_slices(store)} for store in training]
    patients = sorted(set().union(*held))
    groups = {patient: " ".join(str(at) for at, own in enumerate(held) if patient in own) for patient in patients}
    return draw_folds(patients, seed, groups=groups)
