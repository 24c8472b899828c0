"""Which pictures a video holds and when each is shown, found on opening, and without decoding where that is safe.

A container's own count and rate are guesses or missing, and it seeks by that rate: with a dropped picture or a variable
rate it shows another picture than the one asked for. The times of the pictures are exact.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

import cv2

from inference.sources import complaints
from inference.sources.packets import Size, codec_of, extradata, packet_of, size_of

ENDED = 3
"""This many grabs in a row without a picture are the end; a single one is a damaged picture."""

LAST = 3
"""FFmpeg says of so many grabs up to the end that the file is cut short; before, it may be two recordings in one."""

AHEAD = 16
"""Most pictures that any codec decodes before it shows one (H.264, A.3.1: max_dec_frame_buffering)."""
MARGIN = 1
"""Pictures that a decoder may hold back beyond what the order of the pictures needs."""

Opener = Callable[..., cv2.VideoCapture]
"""Opens the video; takes OpenCV's properties as an optional list."""


@dataclass(frozen=True, slots=True)
class VideoIndex:
    """The pictures of a video in the order in which they are shown.

    Attributes:
        times_ms: time of each picture since the first one; rising.
        keys: numbers of the pictures that can be decoded without another; the first is 0.
        placed: each picture has a time of its own, which identifies it after a seek; otherwise only reading from the
            beginning identifies a picture.
        changed: number of the first picture of another size, and that size; None if all have one size.
        ahead: a decoder of one thread has never decoded a picture more than this many after the one it shows.
        short: the file ends within a picture or before its last one, or the last ones cannot be decoded.
    """

    times_ms: tuple[float, ...]
    keys: tuple[int, ...]
    placed: bool = True
    changed: tuple[int, Size] | None = None
    ahead: int = AHEAD
    short: bool = False

    def __len__(self) -> int:
        """Number of pictures of the first size."""
        return len(self.times_ms) if self.changed is None else self.changed[0]

    @property
    def rising(self) -> bool:
        """Whether the times of all pictures rise, so that they are the file's own clock."""
        return all(earlier < later for earlier, later in pairwise(self.times_ms[: len(self)]))

    @property
    def usual_step_ms(self) -> float | None:
        """The usual time from one picture to the next; None if it is not known of most."""
        steps = [later - earlier for earlier, later in pairwise(self.times_ms[: len(self)]) if later > earlier]
        return median(steps) if 2 * len(steps) > len(self) else None

    def key_of(self, number: int) -> int:
        """The number of the last key picture up to a picture."""
        return self.keys[bisect_right(self.keys, number) - 1]

    def cut(self, count: int) -> "VideoIndex":
        """The same index, cut to `count` pictures, since those behind cannot be decoded."""
        keys = tuple(key for key in self.keys if key < count)
        return replace(self, times_ms=self.times_ms[:count], keys=keys, short=True)


def listed(opener: Opener) -> VideoIndex:
    """The index from the compressed pictures alone: about 0.02 ms each."""
    capture = opener([cv2.CAP_PROP_FORMAT, -1])
    codec, head = codec_of(capture), extradata(capture)
    times: list[float] = []
    keys: list[float] = []
    sizes: dict[bytes, Size | None] = {}
    change: tuple[int, Size] | None = None
    first: Size | None = None
    complaints.new()
    said: deque[bytes] = deque(maxlen=LAST)
    while capture.grab():
        said.append(complaints.new())
        now = time_ms(capture)
        times.append(now)
        if capture.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME):
            keys.append(now)
        stated = b"" if codec is None or change is not None else codec.size_bytes(packet_of(capture))
        if codec is None or not stated:
            continue
        if stated not in sizes:
            sizes[stated] = size_of(codec, head + packet_of(capture))
        first = first or sizes[stated]
        if (size := sizes[stated]) not in (None, first) and size is not None:
            change = len(times) - 1, size
    capture.release()
    said.append(complaints.new())
    return replace(_sorted(times, keys, change), short=complaints.is_short(b"".join(said)))


def decoded(opener: Opener, like: VideoIndex) -> VideoIndex:
    """The index from decoding every picture once: slow, and exact whatever the container says.

    Args:
        opener: opens the video.
        like: the index from the compressed pictures, which knows keys and sizes.
    """
    capture = opener()
    times: list[float] = []
    missed = 0
    while missed < ENDED:
        grabbed = capture.grab()
        missed = 0 if grabbed else missed + 1
        if grabbed:
            times.append(time_ms(capture))
    capture.release()
    keys = {like.times_ms[key] for key in like.keys}
    changed = like.changed
    drops = [number for number, (one, next_) in enumerate(pairwise(times), 1) if next_ <= one]
    if changed is not None:
        # Where the clock begins anew with the other size, a decoder loses the pictures that it has not shown yet.
        before = like.times_ms[changed[0]]
        number = sum(time < before for time in times) if like.placed else min([changed[0], *drops[:1]])
        changed = number, changed[1]
    rising = not drops
    kept = tuple(number for number, time in enumerate(times) if number == 0 or (rising and time in keys))
    return VideoIndex(tuple(times), kept, rising, changed, like.ahead, like.short)


def time_ms(capture: cv2.VideoCapture) -> float:
    """Time at which the last grabbed picture is shown, to the microsecond."""
    return round(capture.get(cv2.CAP_PROP_POS_MSEC), 3)


def _sorted(times: list[float], keys: list[float], change: tuple[int, Size] | None) -> VideoIndex:
    """Sorted by the time they are shown; as they came, if two have the same time."""
    if len(set(times)) < len(times):
        return VideoIndex(tuple(times), (0,), placed=False, changed=change)
    shown = sorted(times)
    place = {time: number for number, time in enumerate(shown)}
    numbers = sorted(place[key] for key in keys)
    changed = None if change is None else (place[times[change[0]]], change[1])
    early = [place[time] - coming for coming, time in enumerate(times)]
    ahead = max(early, default=0) - min(early, default=0) + MARGIN
    kept = tuple(numbers) if numbers[:1] == [0] else (0, *numbers)
    return VideoIndex(tuple(shown), kept, changed=changed, ahead=ahead)
