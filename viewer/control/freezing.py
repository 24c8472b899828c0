"""Freezing the view of a live source: the transport then moves through the frames that the session holds."""

from inference.live.review import Review
from inference.live.session import Session
from viewer.layout.layout import Layout


class Freezing:
    """The frozen view, if there is one.

    Args:
        session: holds the frozen frames.
        view: the layout whose transport follows.
    """

    def __init__(self, session: Session, view: Layout) -> None:
        self._session, self._view = session, view

    @property
    def review(self) -> Review | None:
        """The last half minute while the view is frozen; None while it runs."""
        return self._session.review

    def freeze(self) -> bool:
        """Freeze the view. False if there is nothing to freeze."""
        if not self._session.freeze():
            return False
        self._view.transport.set_source(self.review, live=True)
        return True

    def thaw(self) -> bool:
        """Return to the running view. False if it is already running."""
        if not self._session.thaw():
            return False
        self.put_away()
        return True

    def put_away(self) -> None:
        """Return the transport to the running view."""
        self._view.transport.set_source(None, live=True)
