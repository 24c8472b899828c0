"""A live view frozen: the last half minute, one outcome of it on the screen, each contour on its own frame."""

from time import monotonic
from typing import TYPE_CHECKING

from inference.outcome import Outcome

if TYPE_CHECKING:
    from inference.live.ring import Held


class Review:
    """Moves over what the ring held when the view was frozen; the stream goes on behind it.

    Args:
        held: at least one outcome; begins at the newest.
    """

    playing = False
    speed = 1.0

    def __init__(self, held: "Held") -> None:
        self._held = held
        self.position = len(held) - 1
        self._taken: int | None = None

    def __len__(self) -> int:
        """Number of outcomes."""
        return len(self._held)

    def seek(self, index: int) -> None:
        """Show the outcome at `index`, oldest first, clipped to what there is."""
        self.position = min(max(index, 0), len(self) - 1)

    def step(self, by: int) -> None:
        """Show the outcome `by` places away."""
        self.seek(self.position + by)

    def take(self) -> Outcome | None:
        """The outcome to show, once a position; None if it is on the screen already."""
        if self._taken == self.position:
            return None
        self._taken = self.position
        return self._held.outcome(self.position)

    @property
    def behind_s(self) -> float:
        """How old the picture on the screen is, seconds."""
        return monotonic() - self._held.captured_at(self.position)
