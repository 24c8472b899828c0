"""Where on a graphics card a network may run."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Placement:
    """Which card, and how much of its memory: navigation software beside it needs the rest.

    Attributes:
        device: the card's number as CUDA counts, from 0.
        memory_mib: MiB that the network may take at most; None is no limit.

    Raises:
        ValueError: if one is negative, or there is no memory at all.
    """

    device: int = 0
    memory_mib: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no card has."""
        if self.device < 0 or (self.memory_mib is not None and self.memory_mib < 1):
            raise ValueError(f"{self} is no place on a graphics card")


FIRST_CARD = Placement()


def add_placement(parser: argparse.ArgumentParser) -> None:
    """Let a command choose the card; `placement_of` reads the choice."""
    parser.add_argument("--device", type=_from(0), default=0, metavar="N", help="graphics card, from 0")
    parser.add_argument(
        "--gpu-memory",
        type=_from(1),
        metavar="MIB",
        help="of the graphics card's memory at most; navigation beside it needs the rest",
    )


def placement_of(arguments: argparse.Namespace) -> Placement:
    """What was chosen."""
    return Placement(arguments.device, arguments.gpu_memory)


def _from(least: int) -> Callable[[str], int]:
    """Reads a whole number that is not less than this."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is no whole number from {least}")
        return int(text)

    return number
