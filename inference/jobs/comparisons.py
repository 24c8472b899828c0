"""The true mask of the frame on the screen, read outside the window's thread: its drive may be slow, or gone."""

from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from inference.errors import SourceError
from inference.one_thread import OneThread
from inference.outcome import Outcome
from inference.readout.screen_state import Comparison

if TYPE_CHECKING:
    from inference.live.truth import Truth  # loads OpenCV: only with a source that has true masks

AT_ONCE_S = 0.05
"""How long the window waits, so that a mask is painted with its frame; a mask of a local file takes a few ms."""


class Comparisons:
    """Compares each frame that is shown with its true mask, once. Call every method from one thread, the window's."""

    def __init__(self) -> None:
        self._pool = OneThread("ius-truth")
        self._reading: Future[Comparison] | None = None
        self._outcome: Outcome | None = None
        self._truth: Truth | None = None
        self._found = Comparison()

    def of(self, outcome: Outcome | None, truth: "Truth | None") -> Comparison:
        """What is known of this outcome's truth by now; nothing while its mask is being read.

        Args:
            outcome: the one on the screen.
            truth: the open recording's; None if none was given.
        """
        if outcome is not self._outcome or truth is not self._truth:
            self._ask(outcome, truth)
        if self._reading is not None and self._reading.done():
            self._found, self._reading = self._reading.result(), None
        return self._found

    def close(self) -> None:
        """Wait for the mask that is being read, unless its drive is dead."""
        self._pool.shutdown(cancel_futures=True)

    def _ask(self, outcome: Outcome | None, truth: "Truth | None") -> None:
        self._outcome, self._truth, self._found = outcome, truth, Comparison()
        stuck = self._reading is not None and not self._reading.cancel() and not self._reading.done()
        self._reading = None
        if outcome is not None and truth is not None:
            self._reading = self._pool.submit(_compared, truth, outcome)
            wait([self._reading], 0.0 if stuck else AT_ONCE_S)


def _compared(truth: "Truth", outcome: Outcome) -> Comparison:
    try:
        outlines, score = truth.outlines(outcome.frame.index), truth.dice(outcome)
    except SourceError as error:
        return Comparison(words=str(error))
    dice = "" if score is None else f": Dice {score:.2f} on this frame"
    return Comparison(outlines, f"true contour (pink){dice}")
