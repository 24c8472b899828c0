"""A sleep of the computer is told from a hiccup, by two clocks."""

import pytest

from inference.live.standstill import JUMP_S, Standstill


@pytest.mark.parametrize(
    ("passed", "by_the_clock", "noticed"),
    [(0.016, 0.016, ""), (1.9, 1.9, ""), (0.02, 3600.0, "slept"), (0.02, -5.0, "slept"), (3600.0, 3600.0, "still")],
)
def test_a_sleep_is_told_from_a_hiccup(passed: float, by_the_clock: float, noticed: str) -> None:
    standstill = Standstill()
    assert standstill.look(100.0, 5000.0) == ""
    said = standstill.look(100.0 + passed, 5000.0 + by_the_clock)
    assert (noticed in said) if noticed else said == ""
    assert standstill.look(100.0 + passed + JUMP_S / 2, 5000.0 + by_the_clock + JUMP_S / 2) == ""
