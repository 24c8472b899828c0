"""Plays a recorded source like a live one, at the pace of its own clock, with play, pause, step, scrub and speed."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

from inference.frame import Frame, Pixels, rescaled
from inference.source_info import SourceInfo
from inference.sources.base import Closing, RecordedSource, Whole, read_or_black
from inference.spacing import PixelSpacing

SWEEP_FPS = 20.0
"""Frames per second of sources without their own clock (volumes, folders): a display rate that says nothing of time."""
LONGEST_S = 0.5
"""An interruption of the source itself is played no longer than this, or than its mean step if that is longer."""


class Playback(Closing):
    """A `FrameSource` over a `RecordedSource`. Every method may be called from any thread.

    Args:
        source: the source to play; closed with the playback.
        fps: pace, frames per second; None takes the time from frame to frame on the source's own clock, or `SWEEP_FPS`
            if it has none.
        loop: whether to start again after the last frame rather than pause on it.
    """

    def __init__(self, source: RecordedSource, *, fps: float | None = None, loop: bool = True) -> None:
        self._source = source
        self._mean_s = 1.0 / (fps or source.info.fps or SWEEP_FPS)
        self._step_s, self._steady = self._mean_s, fps is not None
        self._before: tuple[int, float | None] = -1, None
        self._loop = loop
        self._changed, self._reading = threading.Condition(), threading.Lock()
        self._whole: Pixels | None = None
        self._playing = True
        self._closed = False
        self._speed = 1.0
        self._position = 0
        self._sought: int | None = 0
        self._given: PixelSpacing | None = None
        self._due = monotonic()

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._source)

    @property
    def info(self) -> SourceInfo:
        """The source's info, with the spacing in use."""
        info = self._source.info
        if self._given is None or info.scale_varies:
            return info
        return replace(info, spacing=self._given, no_spacing_reason="")

    @property
    def given(self) -> PixelSpacing | None:
        """The scale that was given while it plays; None if the source's own is in use."""
        return self._given

    @property
    def playing(self) -> bool:
        """Whether it is playing rather than paused."""
        return self._playing

    @property
    def position(self) -> int:
        """Index of the last delivered frame."""
        return self._position

    @property
    def speed(self) -> float:
        """Speed factor; 1 is the source's own pace."""
        return self._speed

    def play(self) -> None:
        """Play on; from the start if the last frame was reached."""
        with self._changed:
            self._playing = True
            self._due = monotonic()
            self._changed.notify()

    def pause(self) -> None:
        """Stay on the last delivered frame."""
        with self._changed:
            self._playing = False
            self._changed.notify()

    def seek(self, index: int) -> None:
        """Deliver frame `index` (clipped to the source) at once, and play on from there if playing."""
        with self._changed:
            self._sought = min(max(index, 0), len(self) - 1)
            self._changed.notify()

    def step(self, by: int) -> None:
        """Pause, and deliver the frame `by` places away."""
        with self._changed:
            self._playing = False
            self.seek((self._position if self._sought is None else self._sought) + by)

    def redeliver(self) -> None:
        """Deliver the current frame again, after a calibration or for another model."""
        with self._changed:
            self.seek(self._position if self._sought is None else self._sought)

    def set_speed(self, factor: float) -> None:
        """Play faster or slower than the source's own pace.

        Raises:
            ValueError: if the factor is not positive.
        """
        if not factor > 0:
            raise ValueError(f"a speed is positive, not {factor}")
        with self._changed:
            self._speed = factor
            self._changed.notify()

    def set_spacing(self, spacing: PixelSpacing | None) -> None:
        """Use this scale from the next frame on; None goes back to the source's own; see `SourceInfo.scale_varies`."""
        with self._changed:
            self._given = spacing
            self.redeliver()

    def whole(self) -> Pixels | None:
        """The delivered picture before the source masked parts of it; None for a source that masks nothing."""
        return self._whole

    def frames(self) -> Iterator[Frame]:
        """Yield each frame when it is due, until closed."""
        while (index := self._await_turn()) is not None:
            with self._reading:
                frame = self._scaled(read_or_black(self._source, index))
                self._whole = self._source.whole() if isinstance(self._source, Whole) else None
            if self._closed:
                return
            self._keep_pace(frame)
            yield replace(frame, captured_at=monotonic())

    def look_at(self, index: int) -> Frame:
        """Frame `index` as it would be delivered, without delivering it: the picture shown stays.

        Raises:
            IndexError: outside the source.
            SourceError: if this frame cannot be read.
        """
        with self._reading:
            return self._scaled(self._source.read(index))

    def close(self) -> None:
        """End `frames()` and close the source."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._source.close()

    def _scaled(self, frame: Frame) -> Frame:
        """The frame with the scale that was given; one from another depth of the same record keeps its own."""
        given, keeps = self._given, self._source.info.scale_varies and frame.spacing is not None
        return frame if given is None or keeps else rescaled(frame, given, "")

    def _keep_pace(self, frame: Frame) -> None:
        """Take the time from the frame before to this one for the time to the next: a mean would be slow motion.

        A record of ten seconds, an interruption of twenty and ten more has half its rate in the mean.
        """
        (number, time_s), self._before = self._before, (frame.index, frame.time_s)
        if self._steady or time_s is None or frame.time_s is None or frame.index != number + 1:
            return
        if (step_s := frame.time_s - time_s) > 0:
            self._step_s = min(step_s, max(LONGEST_S, self._mean_s))

    def _await_turn(self) -> int | None:
        """Wait until the next frame is due; None once closed."""
        with self._changed:
            while not self._closed:
                if self._sought is not None:
                    return self._deliver(self._sought)
                if not self._playing:
                    self._changed.wait()
                elif (early := self._due - monotonic()) > 0:
                    self._changed.wait(early)
                else:
                    return self._deliver((self._position + 1) % len(self))
            return None

    def _deliver(self, index: int) -> int:
        """Move on to `index` and set when the next is due."""
        self._sought = None
        self._position = index
        if index == len(self) - 1 and not self._loop:
            self._playing = False
        period = self._step_s / self._speed
        now = monotonic()
        # A late frame restarts the pace instead of being caught up, so no burst of frames follows a delay.
        self._due = self._due + period if now - self._due < period else now + period
        return index
