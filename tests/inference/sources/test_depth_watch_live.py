"""The depth guard in a running source: its pictures are compared while they are whole, and the scale goes at once."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue

import cv2
import numpy as np
import pytest

from inference.alarms import Alarm
from inference.crop import Rect
from inference.errors import SourceError
from inference.frame import Frame, Pixels
from inference.guards.depth import DepthAlarm
from inference.guards.thumbnail import Thumbnail
from inference.live.guarded_source import GuardedSource
from inference.sources.depth_watch import DepthGuard
from inference.sources.live import Live, Picture
from inference.spacing import PixelSpacing, Provenance

TEXT = Rect(4, 250, 30, 66)
TYPED = PixelSpacing(0.2, 0.2, Provenance.TYPED)
OWN = PixelSpacing(0.3, 0.3, Provenance.MATRIX)


class Scripted(Live):
    """A screen that shows what a test puts on it, one picture at a time."""

    def __init__(self, first: Pixels, stated: PixelSpacing | None = None) -> None:
        self._script: SimpleQueue[Pixels | None] = SimpleQueue()
        self._stated_by_signal = stated
        self._script.put(first)
        super().__init__("scripted", TYPED)

    def _connect(self) -> "Scripted._Connection":
        if self._closed.is_set():
            raise SourceError("closed")
        return self._Connection(self)

    def show(self, picture: Pixels) -> Frame:
        """The frame that this picture becomes."""
        self._script.put(picture)
        return next(self.frames())

    def close(self) -> None:
        self._closed.set()
        self._script.put(None)
        super().close()

    class _Connection:
        def __init__(self, of: "Scripted") -> None:
            self._of = of

        def read(self) -> Picture | None:
            picture = self._of._script.get()
            stated = self._of._stated_by_signal
            return None if picture is None else Picture(picture, stated, "" if stated else "No scale.")

        def close(self) -> None:
            """Nothing to free."""


def screen(depth: str = "8.0", seed: int = 0) -> Pixels:
    """Speckle in a box, and the depth text far from it."""
    picture = np.zeros((240, 320), np.uint8)
    picture[20:230, 20:220] = np.clip(np.random.default_rng(seed).rayleigh(60, (210, 200)), 20, 255)
    cv2.putText(picture, depth, (256, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 230, 1, cv2.LINE_AA)
    return picture


Make = Callable[..., Scripted]


@pytest.fixture
def scripted() -> Iterator[Make]:
    made: list[Scripted] = []

    def make(stated: PixelSpacing | None = None) -> Scripted:
        source = Scripted(screen(), stated)
        made.append(source)
        assert next(source.frames()).depth_changed_at is None
        return source

    yield make
    for source in made:
        source.close()


def watched(source: Scripted) -> Scripted:
    whole = source.whole()
    assert whole is not None
    source.watch_depth(DepthGuard(whole, TEXT))
    return source


def test_frames_do_not_show_the_text_and_the_guard_sees_it_all_the_same(scripted: Make) -> None:
    source = watched(scripted())
    frame = source.show(screen(seed=1))
    assert not frame.pixels[TEXT.where].any()
    assert (frame.spacing, frame.depth_changed_at) == (TYPED, None)
    assert DepthAlarm().look(Thumbnail.of(frame)) is None
    frame = source.show(screen("9.0", seed=2))
    assert not frame.pixels[TEXT.where].any()
    assert (frame.spacing, frame.no_spacing_reason) == (None, Alarm.DEPTH.sentence)
    found = DepthAlarm().look(Thumbnail.of(frame))
    assert found is not None
    assert (found.alarm, found.since) == (Alarm.DEPTH, frame.captured_at)


def test_neither_the_old_depth_nor_the_signal_s_own_word_brings_the_scale_back(scripted: Make) -> None:
    source = watched(scripted(OWN))
    assert source.show(screen(seed=1)).spacing == TYPED
    assert source.show(screen("9.0")).spacing is None
    assert not source.depth_watched
    frame = source.show(screen())
    assert (frame.spacing, frame.no_spacing_reason) == (None, Alarm.DEPTH.sentence)


def test_a_new_mark_is_no_new_scale(scripted: Make) -> None:
    """After the depth was turned, nobody vouches for what the signal states until a scale is given."""
    source = scripted(OWN)
    guarded, whole = GuardedSource(source), source.whole()
    assert whole is not None
    guarded.watch([TEXT], whole)
    assert source.show(screen(seed=1)).spacing == OWN, "nothing was turned so far"
    guarded.watch([TEXT], whole)
    assert source.show(screen(seed=2)).spacing == OWN
    assert source.show(screen("9.0")).spacing is None
    turned = source.whole()
    assert turned is not None
    guarded.watch([TEXT], turned)
    assert guarded.depth_watched
    frame = source.show(screen("9.0", seed=3))
    assert (frame.spacing, frame.no_spacing_reason) == (None, Alarm.DEPTH.sentence)
    source.set_spacing(TYPED)
    assert source.show(screen("9.0", seed=4)).spacing == TYPED


def test_a_new_scale_takes_the_depth_that_is_there_now_for_right(scripted: Make) -> None:
    source = watched(scripted())
    source.show(screen("9.0"))
    source.set_spacing(OWN)
    assert source.depth_watched
    assert source.show(screen("9.0", seed=3)).spacing == OWN
    assert source.show(screen("8.0")).spacing is None


def test_a_new_scale_over_a_vanished_text_is_a_scale_nobody_watches(scripted: Make) -> None:
    source = watched(scripted())
    blank = screen()
    blank[TEXT.where] = 0
    assert source.show(blank).spacing is None
    source.set_spacing(OWN)
    assert not source.depth_watched


def test_what_is_not_watched_changes_nothing(scripted: Make) -> None:
    source = scripted()
    assert not source.depth_watched
    assert source.show(screen("9.0")).spacing == TYPED
    watched(source).watch_depth(None)
    assert source.show(screen("8.0")).spacing == TYPED
