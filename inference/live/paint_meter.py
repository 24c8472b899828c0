"""Measures what was really painted: frames, latency from capture to paint, pictures with another frame's contour."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from inference.frame import Frame

KEPT = 20_000
"""Latencies kept for the percentiles: about eleven minutes at 30 frames a second."""


@dataclass(frozen=True, slots=True)
class Painted:
    """One paint event: the frames that picture and contour belong to, and the time."""

    picture: Frame | None
    contour: Frame | None
    at: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of the latency from capture to paint, ms."""

    p50: float
    p95: float
    p99: float


class PaintMeter:
    """Gets every paint event; a frame painted twice counts once.

    Args:
        contours: True if each picture must have its own contour; False if it must have none.
    """

    def __init__(self, *, contours: bool = True) -> None:
        self._contours = contours
        self._latencies: deque[float] = deque(maxlen=KEPT)
        self._times: deque[float] = deque(maxlen=90)
        self._last: Frame | None = None
        self.reset()

    def reset(self) -> None:
        """Start over, for another source or model."""
        self._latencies.clear()
        self._times.clear()
        self.shown = 0
        self.mismatched = 0
        self.first_at: float | None = None
        self.last_at: float | None = None

    def record(self, painted: Painted) -> None:
        """Count one paint event."""
        frame = painted.picture
        if frame is None or frame is self._last:
            return
        self._last = frame
        self.shown += 1
        self.mismatched += painted.contour is not (frame if self._contours else None)
        self._latencies.append((painted.at - frame.captured_at) * 1e3)
        self._times.append(painted.at)
        self.first_at = painted.at if self.first_at is None else self.first_at
        self.last_at = painted.at

    @property
    def fps(self) -> float:
        """Frames shown per second, from the first paint to the last."""
        if self.first_at is None or self.last_at is None or self.last_at <= self.first_at:
            return 0.0
        return (self.shown - 1) / (self.last_at - self.first_at)

    @property
    def fps_now(self) -> float:
        """Frames shown per second over the last few seconds."""
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    @property
    def last_ms(self) -> float | None:
        """Latency from capture to paint of the newest frame, ms."""
        return self._latencies[-1] if self._latencies else None

    @property
    def latency(self) -> Latency | None:
        """The percentiles; None before the first frame."""
        if not self._latencies:
            return None
        p50, p95, p99 = np.percentile(np.array(self._latencies), [50, 95, 99])
        return Latency(float(p50), float(p95), float(p99))
