"""Holding the view of a live source: what is reviewed, and what goes on behind it."""

from inference.live.review import Review
from inference.live.session import Session
from inference.outcome import Outcome
from inference.source_info import SourceInfo
from viewer.layout.layout import Screen
from viewer.readout.formatting import mode_words
from viewer.style import theme


class Freezing:
    """The frozen view, if there is one, with the live picture inset.

    Args:
        session: what is open.
        view: whose transport and inset follow.

    Attributes:
        review: the last half minute while the view is frozen; None while it runs.
    """

    def __init__(self, session: Session, view: Screen) -> None:
        self._session, self._view = session, view
        self.review: Review | None = None
        self._live: Outcome | None = None
        self._back: Outcome | None = None

    def freeze(self, shown: Outcome | None) -> bool:
        """Hold the view, with `shown` as the newest live outcome. False where there is nothing to hold."""
        held = self._session.held()
        if held is None or self.review is not None:
            return False
        self._live, self.review = shown, Review(held)
        self._view.transport.set_source(self.review, live=True)
        if not self._view.stage.two_panes:  # there the live picture stands beside it
            self._view.stage.inset.show()
            self._view.stage.inset.raise_()
        return True

    def thaw(self) -> bool:
        """Back to the running view. False where it runs already."""
        if self.review is None:
            return False
        # The frozen picture must not stand under the number of the running one until the next frame comes.
        self.review, self._back = None, self._live
        self._view.stage.inset.clear()
        self._view.transport.set_source(None, live=True)
        return True

    def forget(self) -> None:
        """Another source: what was live before is nothing to go back to."""
        self.thaw()
        self._back = None

    def behind(self, shown: Outcome | None) -> Outcome | None:
        """The newest outcome of the source itself, whatever is on the screen."""
        return shown if self.review is None else self._live

    def choose(self, newest: Outcome | None) -> Outcome | None:
        """What to put on the screen now, given what the source has new; None leaves what is there."""
        if self.review is not None:
            self._show_inset(newest, self._session.info)
            return self.review.take()
        back, self._back = self._back, None
        return newest or back

    def _show_inset(self, newest: Outcome | None, info: SourceInfo | None) -> None:
        inset = self._view.stage.inset
        if newest is not None and info is not None:
            inset.show_frame(newest.frame, info.levels)
            self._live = newest
        words, ink, _ = mode_words(info, self._session.condition(self._live))
        inset.show_state(words, getattr(theme, ink.upper()))
