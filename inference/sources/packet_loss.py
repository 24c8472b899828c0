"""From where to where the pictures of a stream may be smeared, because packets of it never came.

A codec builds each picture on those before it. Decoders fill what is missing with something plausible and go on, so
that the smear stays until a key picture. FFmpeg says on the terminal what it missed. A decoder that has met damage is
not trusted again (a corner of a later key picture was seen to stay wrong): a new one begins at the next key picture.

A transport stream counts its packets modulo 16 (ISO/IEC 13818-1, 2.4.3.3), and a burst may swallow just so many. It
then swallows whole pictures, which a decoder does not miss, but the clock does.
"""

from collections import deque

from inference.sources.complaints import is_loss

STEPS = 50
"""Steps of the clock that are remembered; before so many, nothing is known of its pace."""
SKIPPED = 1.5
"""A step this many times as long as nine of ten remembered ones leaves a picture out."""


class PacketLoss:
    """Tells whether the pictures of a stream are whole.

    Call `packet` for each compressed picture, and `decoded` for each picture that comes out, some packets later.

    Args:
        numbered: whether its protocol numbers all packets, so that FFmpeg misses every one that is lost.
    """

    def __init__(self, *, numbered: bool) -> None:
        self._numbered = numbered
        self._last_ms: float | None = None
        self._steps: deque[float] = deque(maxlen=STEPS)
        self._smeared = self._doubtful = self._lost_before = False

    def packet(self, at_ms: float, said: bytes, *, key: bool) -> bool:
        """Whether a new decoder must begin at this compressed picture, from which on all is whole again.

        Args:
            at_ms: its time, milliseconds.
            said: what FFmpeg wrote while it was received; also of the packet after it, which it has begun to read.
            key: whether it can be decoded without any other.
        """
        lost_before, self._lost_before = self._lost_before, is_loss(said)
        self._doubtful = self._lost_before or lost_before
        skipped = self._skips(at_ms) and not self._numbered
        self._smeared |= self._lost_before or skipped
        return self._smeared and key and not self._doubtful

    def begins(self) -> None:
        """A new decoder begins at the last compressed picture."""
        self._smeared = self._doubtful

    def decoded(self, said: bytes) -> bool:
        """Whether a decoded picture may be smeared; `said` is what FFmpeg wrote while it was decoded."""
        self._smeared |= is_loss(said)
        return self._smeared

    def _skips(self, at_ms: float) -> bool:
        """Whether a picture is missing before this one."""
        last, self._last_ms = self._last_ms, at_ms
        if last is None:
            return False
        step, known = at_ms - last, sorted(self._steps)
        self._steps.append(step)
        return len(known) == STEPS and 0 < SKIPPED * known[STEPS * 9 // 10] < step
