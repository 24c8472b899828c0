"""Shared by every test."""

import faulthandler
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType

import cv2
import numpy as np
import pyigtl
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from inference.sources.simulated import PhantomSource


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test with a limit of its own may take longer than `faulthandler_timeout`: its threads are no news before."""
    if item.get_closest_marker("timeout") is not None:
        faulthandler.cancel_dump_traceback_later()


# A machine that does other things too is slow now and then; what hangs is ended by pytest's own limit.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

WAITING = b"\nInterrupted: the summary follows once this test has ended.\n"


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Ctrl-C ends the run after the test that is running, which closes its windows and joins its threads.

    KeyboardInterrupt wherever Python stands would leave threads that nobody joins, so that the interpreter never ends,
    and Qt swallows it in a slot. So a second Ctrl-C raises it only where no Qt runs.
    """

    def interrupted(number: int, frame: FrameType | None) -> None:
        if session.shouldstop and "PySide6.QtWidgets" not in sys.modules:
            signal.default_int_handler(number, frame)
        session.shouldstop = "Ctrl-C"
        os.write(terminal, WAITING)

    # A copy, since a test that runs has its output redirected; and no buffer, which may be half written.
    terminal = os.dup(session.config.get_terminal_writer()._file.fileno())
    before = signal.signal(signal.SIGINT, interrupted)
    try:
        return (yield)
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(terminal)


SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; other people's, so not in it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is not here: real ultrasound beside the checkout")
    return SHARED_DATA


LEASED = """
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
held = [os.open(path, os.O_RDWR) for path in sys.argv[1:]]
for one in held:
    fcntl.fcntl(one, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def stalled() -> Iterator[Callable[..., None]]:
    """Makes files hang whoever opens them, as on a dead network drive; they can be looked at, and answer at the end.

    Another process holds a lease on them, which the system breaks after 45 s.
    """
    if sys.platform != "linux":
        pytest.skip("only Linux has leases")
    holders: list[subprocess.Popen[bytes]] = []

    def stall(*paths: Path) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-S", "-c", LEASED, *map(str, paths)]
        holders.append(subprocess.Popen(command, stdin=pipe, stdout=pipe))
        assert holders[-1].stdout is not None
        assert holders[-1].stdout.readline() == b"held\n"

    yield stall
    for holder in holders:
        holder.kill()
        holder.communicate()
    for thread in threading.enumerate():
        if thread.name.startswith("ius-disk"):  # they go on once the files answer
            thread.join(5.0)


SCALED = np.diag([0.2, 0.3, 1.0, 1.0])


def _free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A pyigtl server that sends the phantom's frames; `frozen`, the same one again and again; `silent`, none.

    After each it sends one of the device `other`, if it has a name. `depth` is written into the corner, with a ruler
    under it, as scanners do; `screen` is sent instead of all that.
    """

    def __init__(self, port: int, matrix: NDArray[np.float64] = SCALED, scale: int = 1) -> None:
        self.matrix, self._scale = matrix, scale
        self._server = pyigtl.OpenIGTLinkServer(port=port, local_server=True)
        self.frozen = self.silent = False
        self.depth = self.other = ""
        self.screen: NDArray[np.uint8] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        source, index = PhantomSource(rows=96, cols=128, count=40), 0
        while not self._stop.wait(0.02):
            if self.silent or not self._server.is_connected():
                continue
            pixels = np.kron(source.read(index % 40).pixels, np.ones((self._scale, self._scale), np.uint8))
            if self.screen is not None:
                pixels = np.clip(self.screen + (self.screen > 40) * np.uint8(index % 3), 0, 255).astype(np.uint8)
            if self.depth:
                cv2.putText(pixels, self.depth, (6, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 230, 2, cv2.LINE_AA)
                pixels[40:121:20, 6:16] = 200
            message = pyigtl.ImageMessage(pixels[None], ijk_to_world_matrix=self.matrix, device_name="Image")
            self._server.send_message(message, wait=False)
            if self.other:
                self._server.send_message(pyigtl.ImageMessage(pixels[None], device_name=self.other), wait=False)
            index += not self.frozen

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._server.stop()
        self._server.server_close()


@contextmanager
def _igtl(port: int, matrix: NDArray[np.float64] = SCALED, scale: int = 1) -> Iterator[Server]:
    server = Server(port, matrix, scale)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def free_port() -> Callable[..., int]:
    """Finds a port that nobody listens on."""
    return _free_port


@pytest.fixture(scope="session")
def igtl() -> Callable[..., AbstractContextManager[Server]]:
    """Runs an OpenIGTLink server on a port of loopback: a context manager."""
    return _igtl
