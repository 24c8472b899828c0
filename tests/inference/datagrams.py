"""A transport stream as datagrams of loopback, sent by a thread of this process, of which some may be lost."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BYTES = 1316
"""Seven packets of a transport stream."""


def _none() -> bool:
    return False


@contextmanager
def sent(clip: Path, port: int, seconds: float, loses: Callable[[], bool] = _none) -> Iterator[None]:
    """Send a file evenly within so many seconds, again and again; `loses` is asked of every datagram."""
    data, stop = clip.read_bytes(), threading.Event()
    pause_s = seconds * BYTES / len(data)

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            at = 0
            while not stop.wait(pause_s):
                if not loses():
                    sender.sendto(data[at : at + BYTES], ("127.0.0.1", port))
                at = at + BYTES if at + BYTES < len(data) else 0

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
