"""A frozen live view: shows one outcome of the last half minute at a time, each contour on its own frame."""

from time import monotonic
from typing import TYPE_CHECKING

from inference.outcome import Outcome

if TYPE_CHECKING:
    from inference.live.ring import Held


class Review:
    """Steps through the outcomes that the ring held when the view was frozen; the stream goes on in the background.

    Args:
        held: at least one outcome; the review begins at the newest.
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
        """Show the outcome at `index`, oldest first, clipped to the range."""
        self.position = min(max(index, 0), len(self) - 1)

    def step(self, by: int) -> None:
        """Show the outcome `by` places away."""
        self.seek(self.position + by)

    def take(self) -> Outcome | None:
        """The outcome to show, given once per position; None if it is already on the screen."""
        if self._taken == self.position:
            return None
        self._taken = self.position
        return self._held.outcome(self.position)

    @property
    def behind_s(self) -> float:
        """How old the picture on the screen is, seconds."""
        return monotonic() - self._held.captured_at(self.position)


class FrozenView:
    """Chooses between the source's newest outcome and the one that the user is reviewing.

    Attributes:
        review: the last half minute while the view is frozen; None while it runs.
        newest: the source's own newest outcome while the view is frozen.
    """

    def __init__(self) -> None:
        self.review: Review | None = None
        self.newest: Outcome | None = None
        self._back: Outcome | None = None

    def freeze(self, held: "Held | None", shown: Outcome | None) -> bool:
        """Freeze the view, with `shown` as the newest live outcome. False if there is nothing to freeze."""
        if held is None or self.review is not None:
            return False
        self.newest, self.review = shown, Review(held)
        return True

    def thaw(self) -> bool:
        """Return to the running view. False if it is running already."""
        if self.review is None:
            return False
        # The frozen picture must not stay on screen with the live picture's number until the next frame comes.
        self.review, self._back = None, self.newest
        return True

    def forget(self) -> None:
        """Return to the running view and drop the earlier live outcome: it is from another source or before a sleep."""
        self.review = self.newest = self._back = None

    def behind(self, shown: Outcome | None) -> Outcome | None:
        """The source's own newest outcome, whatever is on the screen."""
        return shown if self.review is None else self.newest

    def choose(self, newest: Outcome | None) -> Outcome | None:
        """The outcome to put on the screen now, given the source's newest; None keeps the one that is shown."""
        if self.review is not None:
            self.newest = newest or self.newest
            return self.review.take()
        back, self._back = self._back, None
        return newest or back
