"""The separate process for decoders, as the program sees it: whatever a file does there stays there.

Decoders in C abort, hang and fill the memory on damaged files. Each open source has one such process, with limits on
time and memory; an idle process is kept for the next source, and a lost one is replaced.
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
"""Number of uses after which a process is not kept: libraries leak memory."""
_ENTRY = "import sys; sys.path[:] = sys.argv[3:]; from inference.sources.worker_process import serve; serve(sys.argv)"
FROZEN = "--decode"
"""First argument with which the bundle starts as such a process."""
ALONE = (
    "protocol_whitelist;file,rtp,rtsp,rtsps,udp,tcp,tls,http,https,httpproxy,srt,crypto"
    "|format_whitelist;avi,asf,flv,live_flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mpeg,mpegts,mpegvideo,m4v,h264,hevc,"
    "mjpeg,mpjpeg,ogg,mxf,dv,ivf,rtsp,rtp,sdp"
    "|fpsprobesize;0"
)
"""No format that names other files, such as ffconcat and playlists. No rate is guessed: times are the file's own."""
_ENVIRONMENT = {
    "OPENCV_FFMPEG_LOGLEVEL": complaints.LEVEL,
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": ALONE,
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_IO_MAX_IMAGE_PIXELS": "100000000",
}


class WorkerLostError(Exception):
    """The process ended, hung or sent nonsense; it has been ended."""


class Worker:
    """One decoding process. All methods may be called from any thread; it works on one request at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reply: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
        self.uses = 1
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._memory, self._process = _started(theirs)
        # This also covers a source that nobody closes, and the end of the program.
        self._end = weakref.finalize(self, _end, self._socket, self._process)

    @property
    def alive(self) -> bool:
        """Whether the process can take requests."""
        return self._process.poll() is None

    def ask(self, request: Request, limit_s: float) -> tuple[Reply, list[NDArray[Any] | None]]:
        """Send a request and wait for its reply.

        Args:
            request: the request.
            limit_s: seconds after which the process is killed.

        Returns:
            The reply, and copies of the arrays that it names.

        Raises:
            IusError: what was wrong with the file, as the process reports it.
            WorkerLostError: if the process is lost.
        """
        with self._lock:
            try:
                self._socket.settimeout(limit_s)
                send(self._socket, Ask(limit_s, request))
                reply = self._reply.decode(receive(self._socket))
                places = (reply.pixels, reply.colour, reply.whole) if isinstance(reply, Shown) else ()
                arrays = taken(self._memory, places)
            except (OSError, msgspec.MsgspecError, ValueError) as error:
                ours = not self._end.alive
                if isinstance(error, ConnectionError):
                    with suppress(subprocess.TimeoutExpired):  # it ended by itself: how is worth a line in the log
                        self._process.wait(0.5)
                self.end()
                if not ours:
                    log.warning("the decoding process is lost (%s, exit code %s)", error, self._process.returncode)
                raise WorkerLostError(str(error)) from error
        if isinstance(reply, Failed):
            raise _error(reply)
        return reply, arrays

    def end(self) -> None:
        """End the process at once, and a request that waits for it; harmless when repeated."""
        self._end()


def _end(connection: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    with suppress(OSError):  # the process is gone already
        connection.shutdown(socket.SHUT_RDWR)  # closing alone wakes no thread that waits for a reply
    process.kill()
    connection.close()
    # A process that waits for a dead network drive cannot be killed until the drive answers: the system cleans it up.
    with suppress(subprocess.TimeoutExpired):
        process.wait(1.0)


_idle: deque[Worker] = deque()
"""The idle process, at most one. Without a lock, since a forgotten source may return its process from any thread."""


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
    """Have a process close what it has open, and keep it for the next source."""
    try:
        worker.ask(Release(), RELEASE_S)
    except (WorkerLostError, IusError):
        worker.end()
        return
    keep(worker)


def keep(worker: Worker) -> None:
    """Keep a process for the next source, which closes whatever is still open in it."""
    if not worker.alive:
        return
    if worker.uses >= USES:
        worker.end()
        return
    _idle.append(worker)
    while len(_idle) > 1:
        with suppress(IndexError):
            _idle.popleft().end()


def _error(reply: Failed) -> IusError:
    """The error reported by the process, as one of this program's own classes."""
    kind = getattr(errors, reply.error, SourceError)
    known = isinstance(kind, type) and issubclass(kind, IusError)
    sentence = _printable(reply.sentence)
    if kind is errors.ChoiceError:
        return errors.ChoiceError(sentence, tuple((number, _printable(words)) for number, words in reply.regions))
    return kind(sentence) if known else SourceError(sentence)


def _printable(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _command(*handed: str) -> list[str]:
    """The command that starts the process. The bundle has no Python to call and is itself the program (packaging/)."""
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
