"""How late a picture of a stream is, judged by the stream's own clock."""

from collections import deque

LATE_S = 0.5
"""A picture this much later than others of its stream is old, and is not shown as live."""


class Lateness:
    """How much later a picture arrives than the fastest ones of its stream in the last minute.

    The two clocks drift apart by far less than `LATE_S` a minute, so only one minute is remembered.

    Args:
        clocked: whether the stream's times are the sender's; if not, only the backlog at the start is recognised.
        joined: whether one joins a stream under way, which begins with a backlog of pictures. If not, a clock that goes
            back is that of a replay which begins anew.
    """

    MINUTE_S = 60.0
    JUMP_S = 10.0

    def __init__(self, *, clocked: bool, joined: bool = True) -> None:
        self._clocked = clocked
        self._last: tuple[float, float] | None = None
        self._joined, self._caught_up = joined, not joined
        self._offsets: deque[tuple[float, float]] = deque()

    def late(self, stream_s: float, now: float) -> bool:
        """Whether the picture with this stream time, which has just arrived, is an old one."""
        streamed, waited = (0.0, 0.0) if self._last is None else (stream_s - self._last[0], now - self._last[1])
        first, self._last = self._last is None, (stream_s, now)
        if not self._caught_up:
            # Pictures from the backlog come as fast as they are decoded, live ones at the sender's pace.
            self._caught_up = not first and streamed <= 2 * waited
            return not self._caught_up
        if streamed == 0:
            return False  # a stream without times, such as bare H.264
        anew = not self._joined and streamed < -LATE_S
        jumped = anew or abs(streamed - waited) > self.JUMP_S
        return self._clocked and self._behind(stream_s, now, jumped=jumped) > LATE_S

    def _behind(self, stream_s: float, now: float, *, jumped: bool) -> float:
        """Seconds behind the fastest picture of the last minute; starts again if the sender's clock was set."""
        offset = now - stream_s
        if jumped:
            self._offsets.clear()
        while self._offsets and self._offsets[0][0] < now - self.MINUTE_S:
            self._offsets.popleft()
        while self._offsets and self._offsets[-1][1] >= offset:
            self._offsets.pop()
        self._offsets.append((now, offset))
        return offset - self._offsets[0][1]
