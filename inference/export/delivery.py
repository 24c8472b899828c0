"""What an archive says to one file: the words that both ways of sending share."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from pydicom.dataset import Dataset


class Said(Enum):
    """What is known of a file after it was sent."""

    STORED = auto()
    """The archive says that it has it."""
    REFUSED = auto()
    """The archive says that it has it not."""
    UNKNOWN = auto()
    """Nothing that can be believed was said: it may have it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An archive's answer to one file.

    Attributes:
        said: what is known of the file now.
        why: why it does not count as stored, one sentence; empty if it does.
        warned: the archive has stored it with a warning: not all of it as it was sent.
    """

    said: Said
    why: str = ""
    warned: bool = False


STORED = Answer(Said.STORED)
ANSWER_S = 120.0
"""How long an archive may take over a file before the connection counts as broken, and all of it is sent again."""
REFUSED = "The archive has refused a file (status {}): it stays in the outbox; ask its administrator."

Post = Callable[[Path, str], Answer]
"""Sends one file, given with its SOP instance UID. Raises `OutputError` if nothing was sent, since nobody is there."""
Connecting = Callable[[list[Dataset]], AbstractContextManager[Post]]
"""Connects for these files, known by their headers. Raises `OutputError` if nobody is there."""
