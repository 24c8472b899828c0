"""How long a run lasts, as typed after a command."""

import argparse

LONGEST_S = 1e6
"""Eleven days; timers count milliseconds in 32 bits."""


def duration_s(text: str) -> float:
    """Parse seconds.

    Raises:
        argparse.ArgumentTypeError: if it is no number of seconds that can be waited for.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_S:  # nan is neither
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds up to {LONGEST_S:.0f}, as in 60")
    return seconds
