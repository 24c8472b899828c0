"""Bars say how long the whole will take, also where a part was done before."""

import io

from training.io.progress import Bar


def drawn(done: int, total: int | None, initial: int = 0) -> str:
    """A bar that has taken ten seconds so far."""
    with Bar(total=total, initial=initial, desc="cut", unit="case", file=io.StringIO()) as bar:
        bar.n = done
        bar.start_t -= 10
        return str(bar)


def test_the_whole_is_estimated_from_what_was_done_in_this_run():
    assert "[00:10 of about 00:40" in drawn(5, 20)
    assert "[00:10 of about 00:20" in drawn(15, 20, initial=10)


def test_nothing_is_estimated_from_nothing():
    assert "[00:10 of about ?" in drawn(0, 20)
    assert "[00:10 of about ?" in drawn(10, 20, initial=10)
