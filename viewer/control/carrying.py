"""Carries a corrected contour to the frames beside its own, behind the window. What it gives are proposals."""

from collections.abc import Iterator
from itertools import takewhile
from time import monotonic

from inference.frame import Frame
from inference.live.neighbours import Neighbours
from inference.outcome import NothingFound, Outcome, Tumour
from inference.readout.carrying import Carried, carried_on
from inference.readout.correction import Correction
from inference.readout.marks import Tone
from viewer.control.app_state import AppState

NOTHING_TO_CARRY = "Only a contour that you have corrected can be carried: A corrects the one that is shown."
ALONE = "There is no other frame beside this one."
BUSY = "A contour is being carried already."
CHANGED = "The picture beside this frame changes too much: the contour was carried to no frame."


class Carrying:
    """The contour being carried, and the proposals for this source's frames.

    Args:
        state: the state of the window.
    """

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._going: Correction | None = None
        self._done: list[Carried] | None = None

    def begin(self, made: Correction | None) -> None:
        """Start to carry this correction; say why not if that is impossible."""
        session = self._state.session
        neighbours = None if made is None else session.neighbours(made.frame)
        if made is None or not made.changed or not made.mask.any():
            self._say(NOTHING_TO_CARRY)
        elif neighbours is None or neighbours.count < 2:
            self._say(ALONE)
        elif self._going is not None:
            self._say(BUSY)
        else:
            self._going = made
            self._state.background.begin(lambda: self._carry(made, neighbours))

    def take_over(self) -> None:
        """Offer what has been carried, unless the source or the correction is another one by now."""
        made, done = self._going, self._done
        if made is None or done is None:
            return
        self._going = self._done = None
        kept = self._state.corrections.of(made.frame)
        if kept is not None and kept.mask is made.mask:
            self._state.proposals.offer(one for one in done if self._state.corrections.of(one.frame) is None)

    def proposed(self, shown: Outcome | None) -> Carried | None:
        """The proposal for what stands on the screen; None if there is none, or if the user has corrected it."""
        standing = self._state.session.standing(shown)
        if not isinstance(standing, Tumour | NothingFound) or self._state.corrections.of(standing.frame) is not None:
            return None
        return self._state.proposals.of(standing.frame)

    def _carry(self, made: Correction, neighbours: Neighbours) -> str:
        """Carry it both ways; runs behind the window, and ends with the source."""
        source, found = self._state.session.source, list[Carried]()
        try:

            def open_still(frames: Iterator[Frame]) -> Iterator[Frame]:
                return takewhile(lambda _: self._state.session.source is source, frames)

            before = list(carried_on(made, open_still(neighbours.before()), -1))
            later = list(carried_on(made, open_still(neighbours.later()), 1))
            found = [*before, *later]
        finally:
            self._done = found
        if not found:
            return CHANGED
        return (
            f"Carried to {len(before)} frames before and {len(later)} later, as long as the picture matched. "
            "None counts until you confirm it: step to it (← →), then Q."
        )

    def _say(self, sentence: str) -> None:
        self._state.view.picture_area.say(sentence, monotonic(), Tone.NOTICE)
