"""A process of its own for decoders, seen from the program: what a file does there ends there.

Decoders in C abort, hang and fill the memory on damaged files. Each open source has one such process, with limits on
time and memory; one that is idle is kept for the next source, and one that is lost is replaced.
"""

import logging
import mmap
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections import deque
from contextlib import suppress
from typing import Any

import msgspec
from numpy.typing import NDArray

from inference import errors
from inference.errors import IusError, SourceError
from inference.sources import complaints
from inference.sources.unnamed import unnamed_file
from inference.sources.wire import SHARED, Ask, Failed, Release, Reply, Request, Shown, receive, send, taken

log = logging.getLogger(__name__)

RELEASE_S = 2.0
"""Closing a file takes no time; a process that needs longer is not kept."""
USES = 200
"""A process is not kept for ever: libraries leak."""
_ENTRY = "import sys; sys.path[:] = sys.argv[3:]; from inference.sources.worker_process import serve; serve(sys.argv)"
FROZEN = "--decode"
"""The bundle's first argument that makes it such a process."""
ALONE = (
    "protocol_whitelist;file,rtp,rtsp,rtsps,udp,tcp,tls,http,https,httpproxy,srt,crypto"
    "|format_whitelist;avi,asf,flv,live_flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mpeg,mpegts,mpegvideo,m4v,h264,hevc,"
    "mjpeg,mpjpeg,ogg,mxf,dv,ivf,rtsp,rtp,sdp"
    "|fpsprobesize;0"
)
"""No format that names other files, such as ffconcat and playlists. A rate is not guessed: times are the file's own."""
_ENVIRONMENT = {
    "OPENCV_FFMPEG_LOGLEVEL": complaints.LEVEL,
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": ALONE,
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_IO_MAX_IMAGE_PIXELS": "100000000",
}


class WorkerLostError(Exception):
    """The process ended, hung or spoke nonsense; it is gone now."""


class Worker:
    """One decoding process. Every method may be called from any thread; one request is worked on at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reply: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
        self.uses = 1
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._memory, self._process = _started(theirs)
        # Also for a source that nobody closes, and when the program ends.
        self._end = weakref.finalize(self, _end, self._socket, self._process)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, request: Request, limit_s: float) -> tuple[Reply, list[NDArray[Any] | None]]:
        """Have something done.

        Args:
            request: what.
            limit_s: seconds after which the process is ended.

        Returns:
            The reply, and copies of the arrays that it speaks of.

        Raises:
            IusError: what was wrong with the file, as the process says.
            WorkerLostError: if it is lost.
        """
        with self._lock:
            try:
                self._socket.settimeout(limit_s)
                send(self._socket, Ask(limit_s, request))
                reply = self._reply.decode(receive(self._socket))
                places = (reply.pixels, reply.colour, reply.whole) if isinstance(reply, Shown) else ()
                arrays = taken(self._memory, places)
            except (OSError, msgspec.MsgspecError, ValueError) as error:
                if isinstance(error, ConnectionError):
                    with suppress(subprocess.TimeoutExpired):  # it ended by itself: how, is worth a line in the log
                        self._process.wait(0.5)
                self.end()
                log.warning("the decoding process is lost (%s, exit code %s)", error, self._process.returncode)
                raise WorkerLostError(str(error)) from error
        if isinstance(reply, Failed):
            raise _error(reply)
        return reply, arrays

    def end(self) -> None:
        """End the process at once; harmless when repeated. Nothing is lost: it writes no file but on request."""
        self._end()


def _end(connection: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    connection.close()
    process.kill()
    # One that waits for a dead network drive can't be killed before the drive answers: it is left to the system.
    with suppress(subprocess.TimeoutExpired):
        process.wait(1.0)


_idle: deque[Worker] = deque()
"""The idle process, at most one. Without a lock: a source that is forgotten gives its process back from anywhere."""


def borrow() -> Worker:
    """A process to open something in: the idle one, or a new one."""
    while _idle:
        with suppress(IndexError):  # another thread was faster
            worker = _idle.pop()
            if worker.alive:
                worker.uses += 1
                return worker
            worker.end()
    return Worker()


def give_back(worker: Worker) -> None:
    """Have a process close what it has open, and keep it for the next."""
    try:
        worker.ask(Release(), RELEASE_S)
    except (WorkerLostError, IusError):
        worker.end()
        return
    keep(worker)


def keep(worker: Worker) -> None:
    """Keep a process for the next, which closes what is open in it."""
    if not worker.alive:
        return
    if worker.uses >= USES:
        worker.end()
        return
    _idle.append(worker)
    while len(_idle) > 1:
        with suppress(IndexError):
            _idle.popleft().end()


def warm() -> None:
    """Start a process, so that the first file need not wait for it."""
    give_back(borrow())


def _error(reply: Failed) -> IusError:
    """The error that the process tells of, as one of this program's own."""
    kind = getattr(errors, reply.error, SourceError)
    known = isinstance(kind, type) and issubclass(kind, IusError)
    sentence = " ".join("".join(sign if sign.isprintable() else " " for sign in reply.sentence).split())
    return kind(sentence) if known else SourceError(sentence)


def _command(*handed: str) -> list[str]:
    """What starts the process. The bundle holds no Python to call: there it is the program itself (packaging/)."""
    if getattr(sys, "frozen", False):
        return [sys.executable, FROZEN, *handed]
    return [sys.executable, "-c", _ENTRY, *handed, *sys.path]


def _started(theirs: socket.socket) -> tuple[mmap.mmap, "subprocess.Popen[bytes]"]:
    """The process, and the memory shared with it."""
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = os.environ | _ENVIRONMENT
    if sys.platform == "win32":
        tag = f"ius-{os.getpid()}-{theirs.fileno()}"
        memory = mmap.mmap(-1, SHARED, tagname=tag)
        command = _command("-", tag)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, **quiet)  # noqa: S603 (our own)
        assert process.stdin is not None  # noqa: S101 (it was asked for)
        process.stdin.write(theirs.share(process.pid))
        process.stdin.close()
        return memory, process
    with unnamed_file() as file:
        os.ftruncate(file.fileno(), SHARED)
        memory = mmap.mmap(file.fileno(), SHARED)
        numbers = theirs.fileno(), file.fileno()
        command = _command(*map(str, numbers))
        process = subprocess.Popen(  # noqa: S603 (our own)
            command, stdin=subprocess.DEVNULL, env=environment, pass_fds=numbers, start_new_session=True, **quiet
        )
    return memory, process
