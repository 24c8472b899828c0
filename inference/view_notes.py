"""The user's notes on the view: phase of surgery, flip and probe marker. Records store and restore them."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self


class Phase(StrEnum):
    """The phase of surgery, in the contract's own terms."""

    UNSET = "unset"
    BEFORE_DURA = "before_dura_opening"
    DURA_OPEN = "dura_open"
    RESECTION = "resection"

    @property
    def words(self) -> str:
        """The phase in the screen's words."""
        return _WORDS[self]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a phase from the command line: `before_dura`, `dura_open` or `resection`.

        Raises:
            ValueError: for any other word.
        """
        return cls("before_dura_opening" if text == "before_dura" else text)


_WORDS = {
    Phase.UNSET: "Phase not set",
    Phase.BEFORE_DURA: "Before dura opening",
    Phase.DURA_OPEN: "Dura open",
    Phase.RESECTION: "Resection started",
}


@dataclass(frozen=True, slots=True)
class Flip:
    """How the picture is flipped. Picture and contour go through the same mapping, so they always agree.

    Attributes:
        left_right: columns run from right to left.
        up_down: rows run from bottom to top.
    """

    left_right: bool = False
    up_down: bool = False

    @classmethod
    def parse(cls, words: str) -> Self:
        """Read a flip back from its `words`."""
        return cls("left-right" in words, "up-down" in words)

    @property
    def across(self) -> "Flip":
        """The same flip with left and right swapped once more."""
        return replace(self, left_right=not self.left_right)

    @property
    def over(self) -> "Flip":
        """The same flip with top and bottom swapped once more."""
        return replace(self, up_down=not self.up_down)

    @property
    def words(self) -> str:
        """The flip in words, for picture, exports and records; empty if nothing is flipped."""
        ways = [way for way, on in (("left-right", self.left_right), ("up-down", self.up_down)) if on]
        return f"FLIPPED {', '.join(ways)}" if ways else ""

    def letters(self, edges: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
        """Move the letters at the picture's (top, bottom, left, right) edges to where they are on the screen."""
        top, bottom, left, right = edges
        if self.up_down:
            top, bottom = bottom, top
        if self.left_right:
            left, right = right, left
        return top, bottom, left, right


AS_IT_CAME = Flip()


class Marker(StrEnum):
    """The top corner of the picture on which the probe's marker side is."""

    UNSET = "unset"
    LEFT = "left"
    RIGHT = "right"
    NONE = "none"
    """A slice has no probe."""

    @property
    def words(self) -> str:
        """The marker in words, for exports: its side of the unflipped picture."""
        if self in (Marker.LEFT, Marker.RIGHT):
            return f"Probe marker at the {self.value} of the picture as it came"
        return "Probe marker side not set" if self is Marker.UNSET else ""

    def seen(self, flip: Flip) -> "Marker":
        """The side of the screen it is on; applied a second time, it gives the picture's own side."""
        other = {Marker.LEFT: Marker.RIGHT, Marker.RIGHT: Marker.LEFT}
        return other.get(self, self) if flip.left_right else self

    @property
    def following(self) -> "Marker":
        """The marker after a click on it."""
        return Marker.RIGHT if self is Marker.LEFT else Marker.LEFT


@dataclass(frozen=True, slots=True)
class ViewNotes:
    """The user's notes on the view, which apply until the user changes them.

    Attributes:
        phase: the phase of surgery.
        flip: how the picture is flipped.
        marker: the probe's marker side.
    """

    phase: Phase = Phase.UNSET
    flip: Flip = AS_IT_CAME
    marker: Marker = Marker.UNSET

    def of_source(self, phase: str, flip: str, marker: str) -> "ViewNotes":
        """The notes for a newly opened source: a record's own notes; for any other source, only the phase is kept.

        Args:
            phase: a record's phase, in the contract's terms; empty for a source that cannot know it.
            flip: a record's flip, in words.
            marker: a record's marker side, left or right, or empty.
        """
        if not phase:
            return ViewNotes(self.phase)
        return ViewNotes(Phase(phase), Flip.parse(flip), Marker(marker) if marker else Marker.UNSET)
