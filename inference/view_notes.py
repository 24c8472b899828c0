"""What the user has said of the view: phase of surgery, flip, probe marker. Records keep it and bring it back."""

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
        """The phase as the screen says it."""
        return _WORDS[self]

    @property
    def following(self) -> "Phase":
        """The phase that one press of the key leads to; after the last comes the first."""
        phases = list(Phase)
        return phases[(phases.index(self) + 1) % len(phases)]

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
    """Which way the picture is turned over. Picture and contour pass through the same mapping, so that they agree.

    Attributes:
        left_right: columns run from right to left.
        up_down: rows run from bottom to top.
    """

    left_right: bool = False
    up_down: bool = False

    @classmethod
    def parse(cls, words: str) -> Self:
        """Read `words` of a flip back."""
        return cls("left-right" in words, "up-down" in words)

    @property
    def across(self) -> "Flip":
        """The same, turned over left to right once more."""
        return replace(self, left_right=not self.left_right)

    @property
    def over(self) -> "Flip":
        """The same, turned over top to bottom once more."""
        return replace(self, up_down=not self.up_down)

    @property
    def words(self) -> str:
        """For the picture, exports and records; empty where nothing is turned over."""
        ways = [way for way, on in (("left-right", self.left_right), ("up-down", self.up_down)) if on]
        return f"FLIPPED {', '.join(ways)}" if ways else ""

    def letters(self, edges: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
        """Letters at (top, bottom, left, right) of the picture, where they stand on the screen."""
        top, bottom, left, right = edges
        if self.up_down:
            top, bottom = bottom, top
        if self.left_right:
            left, right = right, left
        return top, bottom, left, right


AS_IT_CAME = Flip()


class Marker(StrEnum):
    """At which top corner of the picture the probe's marker side is."""

    UNSET = "unset"
    LEFT = "left"
    RIGHT = "right"
    NONE = "none"
    """A slice has no probe."""

    @property
    def words(self) -> str:
        """For exports, of the picture as it came."""
        if self in (Marker.LEFT, Marker.RIGHT):
            return f"Probe marker at the {self.value} of the picture as it came"
        return "Probe marker side not set" if self is Marker.UNSET else ""

    def seen(self, flip: Flip) -> "Marker":
        """On which side of the screen it is; the same again gives the picture's own side."""
        other = {Marker.LEFT: Marker.RIGHT, Marker.RIGHT: Marker.LEFT}
        return other.get(self, self) if flip.left_right else self

    @property
    def following(self) -> "Marker":
        """What a click on the marker leads to."""
        return Marker.RIGHT if self is Marker.LEFT else Marker.LEFT


@dataclass(frozen=True, slots=True)
class ViewNotes:
    """What the user has said of the view; it holds until the user says otherwise.

    Attributes:
        phase: of surgery.
        flip: how the picture is turned over.
        marker: the probe's marker side.
    """

    phase: Phase = Phase.UNSET
    flip: Flip = AS_IT_CAME
    marker: Marker = Marker.UNSET

    def of_source(self, phase: str, flip: str, marker: str) -> "ViewNotes":
        """The notes on a newly opened source: what a record says of itself; elsewhere only the phase holds on.

        Args:
            phase: of a record, in the contract's terms; empty for a source that cannot know it.
            flip: of a record, in words.
            marker: of a record, left or right, or empty.
        """
        if not phase:
            return ViewNotes(self.phase)
        return ViewNotes(Phase(phase), Flip.parse(flip), Marker(marker) if marker else Marker.UNSET)
