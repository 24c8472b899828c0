"""Sets how often a slice is drawn in training: nnU-Net draws from a list, and a name listed twice comes twice."""

from collections.abc import Collection, Sequence

import numpy as np

from training.nnunet.dataset import DatasetError


def repeated(names: Sequence[str], small: Collection[str], times: int) -> list[str]:
    """The names, with those of `small` listed `times` times each, and the others once.

    Raises:
        DatasetError: if there is none to repeat.
    """
    if times > 1 and not any(name in small for name in names):
        raise DatasetError("No training slice has a small tumour to draw more often: lower --min-area, or the number.")
    return [name for name in names for _ in range(times if name in small else 1)]


def weighed(names: Sequence[str], free: Collection[str], share: float) -> list[str]:
    """The names, with tumour-free ones repeated or thinned out to be `share` of the list, and the others once each.

    Args:
        names: the names of the training slices.
        free: the names of the tumour-free ones.
        share: their share of the result, at least 0 and less than 1.

    Raises:
        DatasetError: if there is no tumour-free slice to draw, or only those.
    """
    tumours = [name for name in names if name not in free]
    empty = [name for name in names if name in free]
    if not 0 <= share < 1 or not tumours or (share > 0 and not empty):
        raise DatasetError(
            "A share of tumour-free slices lies from 0 to below 1 and needs both kinds: cut some with --negatives."
        )
    wanted = round(share / (1 - share) * len(tumours))
    return tumours + [empty[index] for index in (np.arange(wanted) * len(empty) // max(wanted, 1)) % max(len(empty), 1)]
