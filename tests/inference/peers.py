"""Another program that shows the mask it got last: pyigtl's client, in a process of its own.

It leaves sockets behind whenever it connects anew, which would be warnings of ours.
"""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inference.export.openigtlink_server import MASK

_CODE = f"""
import sys, pyigtl
client = pyigtl.OpenIGTLinkClient("127.0.0.1", int(sys.argv[1]))
while True:
    message = client.wait_for_message({MASK!r}, timeout=1)
    if message is not None:
        print(int(message.image.sum()), flush=True)
"""


class MaskPeer:
    """The peer; connects as soon as somebody listens.

    Attributes:
        pixels: how many its last mask has; None before the first.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process, self._changed = process, threading.Condition()
        self.pixels: int | None = None
        self.reading = threading.Thread(target=self._read)
        self.reading.start()

    def shows(self, wanted: Callable[[int], bool], within_s: float = 10.0) -> None:
        """Wait until its last mask has so many pixels."""
        with self._changed:
            shown = self._changed.wait_for(lambda: self.pixels is not None and wanted(self.pixels), within_s)
        assert shown, f"the peer still shows {self.pixels} pixels of mask"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self.pixels = int(line)
                self._changed.notify()


@contextmanager
def mask_peer(port: int) -> Iterator[MaskPeer]:
    command = [sys.executable, "-c", _CODE, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
    with process:
        peer = MaskPeer(process)
        try:
            yield peer
        finally:
            process.kill()
            peer.reading.join()
