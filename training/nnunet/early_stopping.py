"""Early stopping as in the paper's released trainer."""

from dataclasses import dataclass

PATIENCE = 30
"""Epochs without a lower validation loss after which training stops (Faanes et al.)."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Early stopping on the raw validation loss of each epoch.

    A lower loss resets the count, a higher one adds to it, and an equal one does neither, as in the released trainer.

    Attributes:
        lowest: the lowest loss so far.
        waited: epochs with a higher loss since then.
        limit: how many such epochs end the training.
    """

    lowest: float = float("inf")
    waited: int = 0
    limit: int = PATIENCE

    def after(self, loss: float) -> "Patience":
        """The state after one more epoch's validation loss; a NaN counts as higher."""
        if loss < self.lowest:
            return Patience(loss, 0, self.limit)
        return self if loss == self.lowest else Patience(self.lowest, self.waited + 1, self.limit)

    @property
    def exhausted(self) -> bool:
        """Whether training should stop."""
        return self.waited >= self.limit
