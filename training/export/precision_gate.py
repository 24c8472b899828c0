"""The cost of a lower precision: the file is compared with the same network in float32, and both with the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.contract import Reduction
from inference.dice import dice
from inference.errors import ModelError
from inference.model.engine import Engine
from inference.model.segmentation import mask_of
from training.export.samples import Sample
from training.slicing.size_bands import VERY_SMALL_MM2

MIN_DICE_MEAN = 0.99
MIN_DICE = 0.97
SMALLEST_MM2 = VERY_SMALL_MM2
"""The paper's smallest band. Smaller masks are compared as if they had this area: one pixel decides their Dice."""
MAX_TRUTH_LOSS = 0.005
"""How much the mean Dice to the truth may fall: about the random error of 200 slices."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One slice in both precisions.

    Attributes:
        name: the slice.
        dice: agreement of the reduced mask with the float32 one, by `agreement_in_area`.
        truth_dice_float32: Dice of the float32 mask to the true one; None on a tumour-free slice.
        truth_dice: the same for the reduced mask.
    """

    name: str
    dice: float
    truth_dice_float32: float | None
    truth_dice: float | None


def costs(reduced: Engine, full: Engine, samples: Sequence[Sample]) -> list[Cost]:
    """Segment every slice in both precisions.

    Raises:
        ModelError: if a slice has no true mask.
    """
    return [_cost(reduced, full, sample) for sample in samples]


def demand(found: Sequence[Cost], precision: str) -> None:
    """Refuse a precision that moves masks, or that costs accuracy.

    Raises:
        ModelError: with the table that shows why.
    """
    dices = [one.dice for one in found]
    full, reduced = _truth(found)
    failures = [
        words
        for failed, words in (
            (np.mean(dices) < MIN_DICE_MEAN, f"mean Dice to float32 {np.mean(dices):.4f}, wanted {MIN_DICE_MEAN}"),
            (min(dices) < MIN_DICE, f"least Dice to float32 {min(dices):.4f}, wanted {MIN_DICE}"),
            (reduced < full - MAX_TRUTH_LOSS, f"mean Dice to the truth {reduced:.4f}, in float32 {full:.4f}"),
        )
        if failed
    ]
    if failures:
        raise ModelError(
            f"In {precision} the model is not the same, so nothing was written: {'; '.join(failures)}. "
            f"Export it in float32.\n{table(found)}"
        )


def table(found: Sequence[Cost], rows: int = 20) -> str:
    """The slices that differ most, one line each."""
    worst = sorted(found, key=lambda one: one.dice)[:rows]
    head = f"{'slice':<32}{'Dice to float32':>17}{'to truth, float32':>19}{'to truth':>10}"
    return "\n".join(
        [
            head,
            *(
                f"{one.name:<32}{one.dice:>17.4f}{_cell(one.truth_dice_float32, 19)}{_cell(one.truth_dice, 10)}"
                for one in worst
            ),
        ]
    )


def certificate(found: Sequence[Cost], slices: str, calibration: str) -> Reduction:
    """Summarise the costs as the proof in the contract.

    Args:
        found: the costs, one per slice.
        slices: which slices were compared, in words.
        calibration: the slices that the int8 ranges were measured on, in words.
    """
    full, reduced = _truth(found)
    return Reduction(
        slices=slices,
        n_slices=len(found),
        dice_mean=float(np.mean([one.dice for one in found])),
        dice_min=min(one.dice for one in found),
        truth_dice_float32=full,
        truth_dice=reduced,
        calibration=calibration,
    )


def _cost(reduced: Engine, full: Engine, sample: Sample) -> Cost:
    """Segment one slice in both precisions."""
    if sample.truth is None:
        raise ModelError(f"The slice {sample.name} has no true mask: give a slice store with --verify.")
    ours, exact = (_mask(engine, sample) for engine in (reduced, full))
    same = agreement_in_area(ours, exact, sample.spacing_mm)
    if not sample.truth.any():
        return Cost(sample.name, same, None, None)
    return Cost(sample.name, same, dice(exact, sample.truth), dice(ours, sample.truth))


def _mask(engine: Engine, sample: Sample) -> NDArray[np.uint8]:
    """The mask of a slice, with the contract's post-processing."""
    margin = engine.segment(sample.pixels, sample.spacing_mm).margin
    return mask_of(margin, keep_largest=engine.contract.output.keep_largest)


def agreement_in_area(first: NDArray[np.uint8], second: NDArray[np.uint8], spacing_mm: tuple[float, float]) -> float:
    """Dice of two masks of one slice; if their areas add up to less than twice `SMALLEST_MM2`, they count as that much.

    A plain Dice is 0 if one mask is empty and the other has a single pixel. It would refuse every network that is
    undecided about one pixel of a tumour-free slice. This way `MIN_DICE` lets two small masks differ by 2.1 mm².

    Args:
        first: (rows, cols), 0/1.
        second: the same.
        spacing_mm: (row, col).
    """
    differing = int(np.count_nonzero((first > 0) != (second > 0)))
    total = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    least = 2 * SMALLEST_MM2 / (spacing_mm[0] * spacing_mm[1])
    return 1 - differing / max(total, least)


def _truth(found: Sequence[Cost]) -> tuple[float, float]:
    """Mean Dice to the truth, in float32 and in the reduced precision.

    Raises:
        ModelError: if no slice holds tumour.
    """
    pairs = [
        (one.truth_dice_float32, one.truth_dice)
        for one in found
        if one.truth_dice_float32 is not None and one.truth_dice is not None
    ]
    if not pairs:
        raise ModelError("No slice holds tumour, so that nothing is known of the loss: give others with --verify.")
    full, reduced = np.mean(pairs, axis=0)
    return float(full), float(reduced)


def _cell(value: float | None, width: int) -> str:
    """A figure, or a dash if there is none."""
    return f"{'-' if value is None else f'{value:.4f}':>{width}}"
