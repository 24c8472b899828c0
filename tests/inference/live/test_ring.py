"""The last half minute: lossless, bounded, each contour on its own frame."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.frame import Frame, Origin, Pixels, View
from inference.live.ring import Ring
from inference.outcome import Analysis, Failed, NotAnalysed, NothingFound, Outcome, Reason, Tumour, UnknownSpacing
from inference.spacing import PixelSpacing, Provenance

ANALYSIS = Analysis("threshold", "0" * 64, "CPU", 16.0, 14.0, demonstration=False)
SPACING = PixelSpacing(0.2, 0.3, Provenance.RULER)


def frame(index: int, at: float, dtype: type = np.uint8, shape: tuple[int, int] = (37, 53)) -> Frame:
    pixels: Pixels = np.random.default_rng(index).integers(0, 255, shape).astype(dtype)
    return Frame(index, pixels, SPACING, at, Origin("probe", View.NATIVE, live=True))


def tumour(index: int, at: float, dtype: type = np.uint8) -> Tumour:
    shown = frame(index, at, dtype)
    return Tumour(shown, ANALYSIS, (shown.pixels > 100).astype(np.uint8), ())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_comes_out_is_what_went_in(dtype: type) -> None:
    ring = Ring()
    given_in: list[Outcome] = [
        tumour(0, 0.0, dtype),
        NothingFound(frame(1, 0.1, dtype), ANALYSIS),
        Failed(frame(2, 0.2, dtype), "broke"),
        NotAnalysed(frame(3, 0.3, dtype), Reason.OFF, "off"),
        UnknownSpacing(replace(frame(4, 0.4, dtype), spacing=None), "no scale"),
    ]
    for outcome in given_in:
        ring.add(outcome)
    held = ring.held()
    for index, before in enumerate(given_in):
        after = held.outcome(index)
        assert type(after) is type(before)
        assert after.frame.pixels.dtype == dtype
        assert np.array_equal(after.frame.pixels, before.frame.pixels)
        assert (after.frame.index, after.frame.spacing) == (before.frame.index, before.frame.spacing)
        if isinstance(before, Tumour):
            assert isinstance(after, Tumour)
            assert np.array_equal(after.mask, before.mask)


@given(st.lists(st.floats(0.01, 3.0), min_size=1, max_size=60))
def test_it_holds_exactly_the_last_seconds(steps: list[float]) -> None:
    ring, now, times = Ring(seconds=5.0), 0.0, []
    for index, step in enumerate(steps):
        now += step
        times.append(now)
        ring.add(Failed(frame(index, now, shape=(2, 2)), "broke"))
    held = ring.held()
    assert [held.captured_at(index) for index in range(len(held))] == [at for at in times if at >= now - 5.0]


def test_memory_is_bounded_and_the_newest_stays() -> None:
    assert Ring()._largest == 400_000_000, "a half minute of 1280×720, and no gigabytes"
    ring = Ring(largest=6000)
    for index in range(50):
        ring.add(tumour(index, index * 0.01))
        assert ring.size <= 6000
    held = ring.held()
    assert 1 <= len(held) < 5
    assert held.outcome(len(held) - 1).frame.index == 49


def test_what_is_held_does_not_move_when_the_ring_goes_on() -> None:
    ring = Ring(seconds=1.0)
    ring.add(tumour(0, 0.0))
    held = ring.held()
    ring.add(tumour(1, 9.0))
    assert len(ring) == 1
    assert held.outcome(0).frame.index == 0
    ring.clear(9.5)
    assert (len(ring), ring.size) == (0, 0)
    ring.add(tumour(2, 9.4))  # the answer to a picture from before comes late
    assert len(ring) == 0
    ring.add(tumour(3, 9.5))
    assert len(ring) == 1


def test_memory_held_is_the_size_that_is_told() -> None:
    """Compressed bytes whose worst case stays allocated would hold some gigabytes in the name of 400 MB."""
    ring = Ring()
    pixels = np.zeros((720, 1280), np.uint8)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for index in range(20):
            ring.add(Failed(replace(frame(index, index / 25), pixels=pixels), "broke"))
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert ring.size < 20 * 2000
    assert held < 20 * 20_000
