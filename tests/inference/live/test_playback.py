"""A recorded source played like a live one, in real threads."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

import numpy as np
import pytest

from inference.frame import Frame
from inference.live.playback import Playback
from inference.source_info import SourceInfo
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance


class Viewer:
    """Takes frames in a thread, as the stream does, and lets a test wait for one."""

    def __init__(self, playback: Playback) -> None:
        self.playback = playback
        self.frames: list[Frame] = []
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for frame in self.playback.frames():
            with self._came:
                self.frames.append(frame)
                self._came.notify_all()

    def wait(self, count: int) -> list[int]:
        """The indices seen, once there are `count`."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.frames) >= count, timeout=5), [f.index for f in self.frames]
            return [frame.index for frame in self.frames]

    def close(self) -> None:
        self.playback.close()
        self._thread.join(2)
        assert not self._thread.is_alive()


def _phantom(count: int = 12, **kwargs: object) -> PhantomSource:
    return PhantomSource(rows=32, cols=48, spacing_mm=(0.5, 0.4), count=count, **kwargs)  # type: ignore[arg-type]


@pytest.fixture
def viewers() -> Iterator[list[Viewer]]:
    opened: list[Viewer] = []
    yield opened
    for viewer in opened:
        viewer.close()


def _play(viewers: list[Viewer], playback: Playback) -> Viewer:
    viewers.append(Viewer(playback))
    return viewers[-1]


def test_plays_in_order_and_starts_again(viewers: list[Viewer]) -> None:
    viewer = _play(viewers, Playback(_phantom(4), fps=500))
    assert viewer.wait(9)[:9] == [0, 1, 2, 3, 0, 1, 2, 3, 0]


def test_without_loop_it_rests_on_the_last_frame(viewers: list[Viewer]) -> None:
    playback = Playback(_phantom(4), fps=500, loop=False)
    viewer = _play(viewers, playback)
    assert viewer.wait(4) == [0, 1, 2, 3]
    playback.seek(2)
    assert viewer.wait(5) == [0, 1, 2, 3, 2]
    assert not playback.playing
    playback.play()
    assert viewer.wait(6) == [0, 1, 2, 3, 2, 3]


def test_pause_step_and_scrub(viewers: list[Viewer]) -> None:
    playback = Playback(_phantom(), fps=0.001)
    viewer = _play(viewers, playback)
    viewer.wait(1)
    playback.pause()
    playback.step(1)
    assert viewer.wait(2) == [0, 1]
    playback.step(-5)
    assert viewer.wait(3) == [0, 1, 0]
    playback.seek(99)
    assert viewer.wait(4) == [0, 1, 0, 11]
    playback.redeliver()
    assert viewer.wait(5) == [0, 1, 0, 11, 11]
    assert not playback.playing


def test_steps_add_up_even_before_the_first_is_shown() -> None:
    playback = Playback(_phantom())
    for _ in range(3):
        playback.step(2)
    assert next(iter(playback.frames())).index == 6
    playback.close()


def test_keeps_the_source_s_pace_and_speed(viewers: list[Viewer]) -> None:
    playback = Playback(_phantom(200), fps=100)
    playback.set_speed(2)
    started = monotonic()
    _play(viewers, playback).wait(60)
    assert 0.28 < monotonic() - started < 1.5
    with pytest.raises(ValueError, match="positive"):
        playback.set_speed(0)


class Interrupted(PhantomSource):
    """A hundred frames a second, with an interruption of ten seconds in the middle: ten a second in the mean."""

    @property
    def info(self) -> SourceInfo:
        return replace(super().info, fps=119 / (1.19 + 10.0))

    def read(self, index: int) -> Frame:
        return replace(super().read(index), time_s=index / 100 + (10.0 if index >= 60 else 0.0))


def test_an_interruption_makes_no_slow_motion_of_the_rest(viewers: list[Viewer]) -> None:
    viewer = _play(viewers, Playback(Interrupted(rows=32, cols=48, spacing_mm=(0.5, 0.4), count=120)))
    viewer.wait(2)
    started = monotonic()
    viewer.wait(110)
    assert monotonic() - started < 4.0, "at the mean rate it is ten seconds"


def test_a_calibration_reaches_the_current_frame(viewers: list[Viewer]) -> None:
    source = PhantomSource(rows=32, cols=32, spacing_mm=None, count=5)
    playback = Playback(source, fps=0.001)
    viewer = _play(viewers, playback)
    viewer.wait(1)
    typed = PixelSpacing(0.2, 0.3, Provenance.TYPED)
    playback.set_spacing(typed)
    viewer.wait(2)
    before, after = viewer.frames[:2]
    assert (before.spacing, after.spacing) == (None, typed)
    assert before.no_spacing_reason
    assert not after.no_spacing_reason
    assert playback.info.spacing == typed


def test_frames_carry_the_time_they_were_delivered(viewers: list[Viewer]) -> None:
    viewer = _play(viewers, Playback(_phantom(), fps=200))
    viewer.wait(5)
    times = [frame.captured_at for frame in viewer.frames[:5]]
    assert times == sorted(times)
    assert monotonic() - times[0] < 5


def test_close_ends_a_playback_that_waits(viewers: list[Viewer]) -> None:
    playback = Playback(_phantom(), fps=0.001)
    viewer = _play(viewers, playback)
    viewer.wait(1)
    viewer.close()
    viewer.close()


def test_the_phantom_repeats_itself_exactly() -> None:
    first, second = _phantom(speckle=0.2), _phantom(speckle=0.2)
    np.testing.assert_array_equal(first.read(3).pixels, second.read(3).pixels)
    with pytest.raises(IndexError):
        first.read(12)
