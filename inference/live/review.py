"""A frozen live view: shows one outcome of the last half minute at a time, each contour on its own frame."""

from bisect import bisect_left, bisect_right
from time import monotonic
from typing import TYPE_CHECKING

from inference.outcome import Outcome

if TYPE_CHECKING:
    from inference.live.ring import Held

HELD_S = 30.0
"""How far back a frozen view goes."""


class Review:
    """Steps and plays through the outcomes that the ring held when the view was frozen; the stream goes on meanwhile.

    Args:
        held: at least one outcome; the review begins at the newest, standing.
    """

    speed = 1.0

    def __init__(self, held: "Held") -> None:
        self.held = held
        self._times = held.times
        self._position = len(held) - 1
        self._taken: int | None = None
        self._playing_since: tuple[float, float] | None = None
        """When it began to play, and when the picture from which it plays was captured; both `time.monotonic()`."""

    def __len__(self) -> int:
        """Number of outcomes."""
        return len(self.held)

    @property
    def playing(self) -> bool:
        """Whether it plays rather than stands."""
        self._advance()
        return self._playing_since is not None

    @property
    def position(self) -> int:
        """Place of the outcome to show, oldest first."""
        self._advance()
        return self._position

    def play(self) -> None:
        """Play at the pace at which the pictures came, from the oldest if the newest is shown."""
        if len(self) > 1:
            self._play_from(0 if self._position == len(self) - 1 else self._position)

    def pause(self) -> None:
        """Stay at the outcome that is shown."""
        self._advance()
        self._playing_since = None

    def seek(self, index: int) -> None:
        """Show the outcome at `index`, clipped to the range; play on from there if it plays."""
        index = min(max(index, 0), len(self) - 1)
        if self._playing_since is not None:
            self._play_from(index)
        self._position = index

    def seek_time(self, captured_at: float) -> None:
        """Show the outcome whose frame was captured nearest to this time, `time.monotonic()` seconds."""
        after = min(bisect_left(self._times, captured_at), len(self) - 1)
        before = max(after - 1, 0)
        nearer = captured_at - self._times[before] < self._times[after] - captured_at
        self.seek(before if nearer else after)

    def step(self, by: int) -> None:
        """Stand, and show the outcome `by` places away."""
        self.pause()
        self.seek(self._position + by)

    def take(self) -> Outcome | None:
        """The outcome to show, given once per position; None if it is already on the screen."""
        self._advance()
        if self._taken == self._position:
            return None
        self._taken = self._position
        return self.held.outcome(self._position)

    @property
    def behind_s(self) -> float:
        """How old the picture on the screen is, seconds."""
        return monotonic() - self.held.captured_at(self.position)

    def _play_from(self, index: int) -> None:
        self._position = index
        self._playing_since = monotonic(), self.held.captured_at(index)

    def _advance(self) -> None:
        """Move on to the newest outcome that is due; stand at the last one, which must not pass for the live one."""
        if self._playing_since is None:
            return
        began, captured_at = self._playing_since
        due = bisect_right(self._times, captured_at + monotonic() - began) - 1
        self._position = min(max(due, self._position), len(self) - 1)
        if self._position == len(self) - 1:
            self._playing_since = None


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
