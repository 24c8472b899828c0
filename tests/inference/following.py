"""What comes of a live source while it is followed: the next frame, or silence."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from inference.frame import Frame
from inference.latest import Latest
from inference.sources.base import FrameSource


@contextmanager
def following(source: FrameSource) -> Iterator[Latest[Frame]]:
    """The source's newest frame, taken in a thread as the stream does; closing ends it in time."""
    newest: Latest[Frame] = Latest()

    def take() -> None:
        for frame in source.frames():
            newest.put(frame)

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield newest
    finally:
        begun = monotonic()
        source.close()
        thread.join(5.0)
        assert not thread.is_alive()
        assert monotonic() - begun < 1.5


def wait_for(newest: Latest[Frame], within_s: float = 15.0) -> Frame:
    end, tick = monotonic() + within_s, threading.Event()
    while monotonic() < end:
        if (frame := newest.poll()) is not None:
            return frame
        tick.wait(0.005)
    raise AssertionError(f"no frame within {within_s} s")


def wait_for_silence(newest: Latest[Frame], for_s: float = 1.0) -> None:
    since, end, tick = monotonic(), monotonic() + 10.0, threading.Event()
    while monotonic() - since < for_s:
        assert monotonic() < end, "frames keep coming"
        if newest.poll() is not None:
            since = monotonic()
        tick.wait(0.005)
