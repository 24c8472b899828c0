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


class FrozenView:
    """Decides between the source's newest outcome and the one that the user looks back at.

    Attributes:
        review: the last half minute while the view is frozen; None while it runs.
        newest: the source's own newest outcome while the view is frozen.
    """

    def __init__(self) -> None:
        self.review: Review | None = None
        self.newest: Outcome | None = None
        self._back: Outcome | None = None

    def freeze(self, held: "Held | None", shown: Outcome | None) -> bool:
        """Hold the view, with `shown` as the newest live outcome. False where there is nothing to hold."""
        if held is None or self.review is not None:
            return False
        self.newest, self.review = shown, Review(held)
        return True

    def thaw(self) -> bool:
        """Back to the running view. False where it runs already."""
        if self.review is None:
            return False
        # The frozen picture must not stand under the number of the running one until the next frame comes.
        self.review, self._back = None, self.newest
        return True

    def forget(self) -> None:
        """Back to the running view, and to nothing that was live before: of another source, or before a sleep."""
        self.review = self.newest = self._back = None

    def behind(self, shown: Outcome | None) -> Outcome | None:
        """The newest outcome of the source itself, whatever is on the screen."""
        return shown if self.review is None else self.newest

    def choose(self, newest: Outcome | None) -> Outcome | None:
        """The outcome to put on the screen now, given the source's newest; None leaves what is there."""
        if self.review is not None:
            self.newest = newest or self.newest
            return self.review.take()
        back, self._back = self._back, None
        return newest or back
