"""Holding the view of a live source: transport and inset follow what the session holds."""

from inference.live.review import Review
from inference.live.session import Moment, Session
from inference.readout.formatting import mode_words
from viewer.layout.layout import Layout
from viewer.style import theme


class Freezing:
    """The frozen view, if there is one, with the live picture inset.

    Args:
        session: holds the view.
        view: whose transport and inset follow.
    """

    def __init__(self, session: Session, view: Layout) -> None:
        self._session, self._view = session, view

    @property
    def review(self) -> Review | None:
        """The last half minute while the view is frozen; None while it runs."""
        return self._session.review

    def freeze(self) -> bool:
        """Hold the view. False where there is nothing to hold."""
        if not self._session.freeze():
            return False
        self._view.transport.set_source(self.review, live=True)
        if not self._view.picture_area.two_panes:  # there the live picture stands beside it
            self._view.picture_area.inset.show()
            self._view.picture_area.inset.raise_()
        return True

    def thaw(self) -> bool:
        """Back to the running view. False where it runs already."""
        if not self._session.thaw():
            return False
        self.put_away()
        return True

    def put_away(self) -> None:
        """Inset and transport of a view that is frozen no more."""
        self._view.picture_area.inset.clear()
        self._view.transport.set_source(None, live=True)

    def show_inset(self, moment: Moment) -> None:
        """Bring the inset to this moment."""
        inset, info = self._view.picture_area.inset, self._session.info
        if moment.answer is not None and info is not None:
            inset.show_frame(moment.answer.frame, info.levels)
        words, ink, _ = mode_words(info, moment.live)
        inset.show_state(words, theme.INKS[ink])
