"""When in the operation a picture was taken. One key sets it; without it nothing is said about reliability."""

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
