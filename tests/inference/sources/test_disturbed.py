"""The fake scanner: a live source like any other, and deterministic in what it is told to do."""

from collections.abc import Iterator

import numpy as np
import pytest

from inference.errors import ChoiceError, SourceError
from inference.frame import Frame
from inference.sources import is_live, open_live
from inference.sources.base import LiveSource
from inference.sources.disturbances import NAMED, disturb, doppler, drawn, larger, lifted, tinted
from inference.sources.disturbed import DisturbedSource, screens


@pytest.fixture
def source() -> Iterator[DisturbedSource]:
    with DisturbedSource(120, 160, fps=50) as made:
        yield made


def until_disturbed(source: DisturbedSource) -> Frame:
    """The first frame with the disturbances in force."""
    for frame in source.frames():
        if source.disturbed_at is not None and frame.captured_at >= source.disturbed_at:
            return frame
    raise AssertionError("the source ended")


def test_it_is_live_simulated_and_knows_its_scale(source: DisturbedSource) -> None:
    live: LiveSource = source
    frame = next(live.frames())
    assert frame.origin.live
    assert frame.origin.simulated
    assert frame.spacing is not None


def test_it_shows_what_it_is_told_from_the_next_picture_on(source: DisturbedSource) -> None:
    assert next(source.frames()).colour is None
    source.disturb(tinted, doppler)
    assert until_disturbed(source).colour is not None
    source.disturb(tinted)
    assert until_disturbed(source).colour is None


def test_unplugged_it_sends_nothing_and_plugged_in_it_goes_on(source: DisturbedSource) -> None:
    before = next(source.frames()).index
    source.unplug()
    source.plug()
    assert next(source.frames()).index > before


def test_another_size_ends_it(source: DisturbedSource) -> None:
    source.disturb(larger)
    with pytest.raises(SourceError, match="160 × 120 to 240 × 180"):
        list(source.frames())


@pytest.mark.parametrize("name", NAMED)
def test_no_disturbance_changes_what_it_was_given_and_every_one_shows(name: str) -> None:
    clean, moved = screens(240, 320, count=2)
    picture, reference = clean.picture.copy(), drawn(clean)
    made = NAMED[name]()
    disturb(clean, made)
    shown = drawn(disturb(moved if name == "frozen" else clean, made))
    assert np.array_equal(clean.picture, picture)
    assert shown.ndim == 3
    assert shown.shape != reference.shape or not np.array_equal(shown, drawn(moved if name == "frozen" else clean))


def test_the_command_line_asks_for_it_by_name() -> None:
    assert is_live("simulated:?disturb=lifted")
    with open_live("simulated:?disturb=tinted,doppler") as opened:  # type: ignore[attr-defined]
        assert isinstance(opened, DisturbedSource)
        assert until_disturbed(opened).colour is not None or next(opened.frames()).colour is not None
    with pytest.raises(ChoiceError, match="no disturbance 'rain'"):
        open_live("simulated:?disturb=rain")
    with pytest.raises(ChoiceError, match="no number"):
        open_live("simulated:?disturb=lifted&at=soon")


def test_rings_are_bright_at_the_face_and_gone_below() -> None:
    clean = screens(240, 320, count=1)[0]
    rings = disturb(clean, lifted)
    near, deep = ((clean.depth >= low) & (clean.depth < high) for low, high in ((0.0, 0.02), (0.6, 0.9)))
    assert rings.picture[near].mean() > 150
    assert rings.picture[deep].mean() < 6
