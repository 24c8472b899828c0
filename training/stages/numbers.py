"""Numbers on the command line, within their limits: one that makes no sense is refused before anything is read."""

import argparse
import math
from collections.abc import Callable
from typing import TypeVar

N = TypeVar("N", int, float)


def within(least: N, most: N | None = None) -> Callable[[str], N]:
    """A parser of whole numbers, or of any where `least` is a float, from the least one to the most."""
    kind = type(least)
    words = "a whole number, " if kind is int else ""
    words += f"{least:g} or more" if most is None else f"{least:g} to {most:g}"

    def parse(text: str) -> N:
        try:
            value = kind(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} will not do: give {words}") from error
        if not least <= value < math.inf or (most is not None and value > most):  # NaN is not at least anything
            raise argparse.ArgumentTypeError(f"{text!r} will not do: give {words}")
        return value

    return parse


JOBS, SEED = within(1), within(0)
