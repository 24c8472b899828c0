"""Numbers and times as the screen shows them."""

from datetime import UTC, datetime

from inference.readout.formatting import clock_words


def test_the_clock_is_no_time_elapsed() -> None:
    assert clock_words(datetime(2026, 3, 6, 14, 5, 9, tzinfo=UTC)) == "Fri 14:05"
