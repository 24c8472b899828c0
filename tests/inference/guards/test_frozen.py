"""The scanner stands still, the signal doesn't."""

from dataclasses import replace

import numpy as np

from inference.alarms import Alarm
from inference.assets import demo_clip_path
from inference.frame import Frame
from inference.guards.frozen import AFTER_S, FrozenGuard
from inference.guards.thumbnail import Thumbnail
from inference.sources import open_source
from inference.sources.base import RecordedSource
from inference.sources.simulated import PhantomSource

PERIOD_S = 0.04


def live(source: RecordedSource, index: int, at: float) -> Frame:
    frame = source.read(index % len(source))
    return replace(frame, origin=replace(frame.origin, live=True), captured_at=at, index=index)


def test_a_picture_that_stands_still_is_frozen_after_its_threshold_and_not_before() -> None:
    source, guard = PhantomSource(count=4), FrozenGuard()
    for step in range(60):
        found = guard.look(Thumbnail.of(live(source, 0, step * PERIOD_S)))
        assert (found is not None) is (step * PERIOD_S >= AFTER_S)
    assert found is not None
    assert found.alarm is Alarm.FROZEN
    assert found.since == 0.0


def test_codec_noise_on_a_frozen_picture_hides_nothing() -> None:
    source, guard, random = PhantomSource(count=4), FrozenGuard(), np.random.default_rng(3)
    still = source.read(0).pixels.astype(np.int16)
    for step in range(40):
        noisy = np.where(still > 0, np.clip(still + random.integers(-3, 4, still.shape), 1, 255), 0).astype(np.uint8)
        found = guard.look(Thumbnail.of(replace(live(source, 0, step * PERIOD_S), pixels=noisy)))
    assert found is not None


def test_the_demonstration_clip_played_live_never_looks_frozen() -> None:
    source = open_source(str(demo_clip_path()))
    guard = FrozenGuard()
    assert not any(guard.look(Thumbnail.of(live(source, step, step * PERIOD_S))) for step in range(2 * len(source)))
    source.close()


def test_a_probe_held_still_over_living_speckle_is_not_frozen() -> None:
    source, guard, random = PhantomSource(count=4), FrozenGuard(), np.random.default_rng(5)
    still = source.read(0).pixels
    for step in range(60):
        speckle = np.clip(still * random.rayleigh(0.8, still.shape), 0, 255).astype(np.uint8)
        assert guard.look(Thumbnail.of(replace(live(source, 0, step * PERIOD_S), pixels=speckle))) is None


def test_a_paused_replay_is_no_frozen_scanner() -> None:
    source, guard = PhantomSource(count=4), FrozenGuard()
    assert all(guard.look(Thumbnail.of(replace(source.read(0), captured_at=step * 1.0))) is None for step in range(9))
