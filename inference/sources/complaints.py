"""What decoders say about a picture on the terminal and nowhere else.

OpenCV ignores FFmpeg's errors: where FFmpeg refuses, as it does with every interlaced picture since version 8, OpenCV
returns uninitialised memory. It ignores libjpeg's too, which fills what is missing with grey. The decoding process
therefore reads what they write to the terminal.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from inference.errors import FormatError
from inference.sources.unnamed import unnamed_file

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LEVEL = "32"
"""FFmpeg's log level for what it informs of, as of the blocks it invented; OpenCV reads it from the environment."""
ERROR = 16
"""Its level for errors; a higher one is less serious."""

_MISSED = (b"Corrupt JPEG data", b"Premature end of JPEG file")
"""libjpeg's warnings (jerror.h). Bytes too many are one of the former, and harmless."""
_ENDS = (b"ended prematurely", b"partial file")
"""What FFmpeg says of a file that was cut short; the pictures before that are whole."""
_INVENTED = b"concealing "
"""What FFmpeg says of the blocks that it fills in a damaged picture, and calls no error."""
_CORRUPT = b"Packet corrupt"
_LOST = (_CORRUPT, b"RTP: missed", b"overrun")
"""What it says of packets that never came, and calls no error either."""
_LOCKED = re.compile(rb"\b40[13] \(?(Unauthorized|Forbidden)")
"""How a server of RTSP or HTTP refuses."""
_HEAD = re.compile(rb"^\[OPENCV:FFMPEG:(\d+)\]\s*")
"""OpenCV begins each of FFmpeg's lines so, with the level, and writes it apart."""
_SPILT = re.compile(rb"(\d+) extraneous bytes before marker 0x([0-9a-f]+)")
"""What libjpeg says of data that are left when the last block is decoded."""
SPARE = 16
"""So many bytes some encoders leave over."""
KEPT = 1 << 20
"""Bytes after which the file is emptied. Not each time: a decoder's threads write at any moment, also in between."""


class Complaints:
    """Captures standard output and error of this process from now on. Create only one per process."""

    def __init__(self) -> None:
        self._file = unnamed_file()
        self._read = 0
        if fcntl is not None:
            fcntl.fcntl(self._file.fileno(), fcntl.F_SETFL, os.O_APPEND)
        for place in (1, 2):
            os.dup2(self._file.fileno(), place)

    def new(self) -> bytes:
        """What was written since the last call."""
        size = os.fstat(self._file.fileno()).st_size
        if size <= self._read or not hasattr(os, "pread"):
            return b""
        said = os.pread(self._file.fileno(), min(size - self._read, 1 << 16), self._read)
        self._read = size
        if size > KEPT:
            self._file.truncate(0)
            self._read = 0
        return said

    def close(self) -> None:
        """Forget what was said; standard output and error have to lead elsewhere by then."""
        self._file.close()


_listening: list[Complaints] = []


def listen() -> None:
    """Start capturing; only for a process whose terminal nobody reads."""
    _listening.append(Complaints())


def listens() -> bool:
    """Whether what is said in this process is heard."""
    return bool(_listening)


def new() -> bytes:
    """What was said since the last call; nothing in a process that does not listen."""
    return b"".join(complaints.new() for complaints in _listening)


@contextmanager
def heard() -> Iterator[None]:
    """Listen for a while, in a program that has a terminal: whatever is said meanwhile is not shown there.

    For a program of one thread, as a command of the training is.
    """
    sys.stdout.flush()
    terminal = [(place, os.dup(place)) for place in (1, 2)]
    complaints = Complaints()
    _listening.append(complaints)
    try:
        yield
    finally:
        sys.stdout.flush()
        _listening.remove(complaints)
        for place, kept in terminal:
            os.dup2(kept, place)
            os.close(kept)
        complaints.close()


def check(said: bytes, name: str) -> None:
    """Raise an error if a conversion failed.

    Args:
        said: what was said during it.
        name: name of the file or stream, for the sentence.

    Raises:
        FormatError: if FFmpeg reported an error.
    """
    refuse_interlaced(said, name)
    if _errors(said):
        raise FormatError(f"A picture of {name} cannot be converted: convert the video to mp4.")


def refuse_interlaced(said: bytes, name: str) -> None:
    """Raise an error if a conversion failed because the picture is interlaced, as all of its file's are.

    Args:
        said: what was said during it.
        name: name of the file or stream, for the sentence.

    Raises:
        FormatError: if so.
    """
    if any(b"interlaced" in line for line in _errors(said)):
        raise FormatError(
            f"{name} is interlaced, which cannot be shown: set the recorder to progressive, or deinterlace the file "
            "(ffmpeg -i OLD -vf yadif NEW)."
        )


def is_damage(said: bytes) -> bool:
    """Whether FFmpeg met damage in what it decoded; a file's end is none."""
    return _INVENTED in said or any(not any(end in line for end in _ENDS) for line in _errors(said))


def is_short(said: bytes) -> bool:
    """Whether FFmpeg met the end of a file where the file says that there is more, or a packet that is not whole."""
    return any(words in said for words in (*_ENDS, _CORRUPT))


def is_loss(said: bytes) -> bool:
    """Whether FFmpeg met damage in what it decoded or received."""
    return is_damage(said) or any(words in said for words in _LOST)


def is_refused(said: bytes) -> bool:
    """Whether FFmpeg met another format than those it may open."""
    return b"not on whitelist" in said


def is_locked(said: bytes) -> bool:
    """Whether the sender let nobody in without a name and password, or not with the given ones."""
    return _LOCKED.search(said) is not None


def is_lossy(said: bytes) -> bool:
    """Whether libjpeg missed a part of a picture."""
    lines = (line for line in said.splitlines() if b"extraneous bytes" not in line)
    return any(words in line for line in lines for words in _MISSED)


def _errors(said: bytes) -> list[bytes]:
    """FFmpeg's lines about errors, and those of other libraries."""
    lines = ((_HEAD.match(line), line) for line in said.splitlines())
    words = (line[head.end() :] if head else line for head, line in lines if head is None or int(head[1]) <= ERROR)
    return [line for one in words if (line := one.strip())]


def is_partial(said: bytes, data: bytes) -> bool:
    """Whether a part of a JPEG is missing: libjpeg says so, or has data over that are no padding, as blocks went lost.

    Args:
        said: what was said while it was decoded.
        data: the JPEG.
    """
    if is_lossy(said):
        return True
    end = data.rfind(b"\xff\xd9")
    left = [(int(count), marker == b"d9") for count, marker in _SPILT.findall(said)]
    return any(count > SPARE and not (last and len(set(data[max(0, end - count) : end])) == 1) for count, last in left)


def is_torn(said: bytes) -> bool:
    """Whether libtiff could not unpack a page as it is written; OpenCV shows what was unpacked before."""
    lines = said.splitlines()
    return any(b"TIFF_Error" in line or (b"TIFF_Warning" in line and b"Decode:" in line) for line in lines)
