"""Which graphics card a network runs on, and how much of its memory it may take."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Placement:
    """Which card, and how much of its memory, since navigation software on the same card needs the rest.

    Attributes:
        device: number of the card in CUDA's order, from 0.
        memory_mib: most MiB that the network may take; None is no limit.

    Raises:
        ValueError: if the number is negative, or the memory is less than 1 MiB.
    """

    device: int = 0
    memory_mib: int | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that no card has."""
        if self.device < 0 or (self.memory_mib is not None and self.memory_mib < 1):
            raise ValueError(f"{self} is no place on a graphics card")


FIRST_CARD = Placement()


def add_placement(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a card; `placement_of` reads them."""
    parser.add_argument("--device", type=_from(0), default=0, metavar="N", help="graphics card, from 0")
    parser.add_argument(
        "--gpu-memory",
        type=_from(1),
        metavar="MIB",
        help="of the graphics card's memory at most; navigation beside it needs the rest",
    )


def placement_of(arguments: argparse.Namespace) -> Placement:
    """The chosen card and memory."""
    return Placement(arguments.device, arguments.gpu_memory)


def _from(least: int) -> Callable[[str], int]:
    """A parser of whole numbers from `least` up."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is no whole number from {least}")
        return int(text)

    return number
