"""Numbers and times as the screen shows them."""

from datetime import UTC, datetime

import pytest

from inference.readout.formatting import clock_words, share_words


def test_the_clock_is_no_time_elapsed() -> None:
    assert clock_words(datetime(2026, 3, 6, 14, 5, 9, tzinfo=UTC)) == "Fri 14:05"


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0 %"),
        (0.0004, "<\u00a01\u00a0%"),
        (0.006, "1 %"),
        (0.994, "99 %"),
        (0.9996, ">\u00a099\u00a0%"),
        (1.0, "100 %"),
    ],
)
def test_only_none_is_0_and_only_all_is_100_per_cent(share: float, words: str) -> None:
    assert share_words(share) == words
