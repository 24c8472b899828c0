"""Mirroring of the picture on the screen: of what is shown, never of what is analysed or measured."""

from dataclasses import dataclass, replace
from typing import Self


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
