"""What decoders say about a picture on the terminal and nowhere else.

OpenCV ignores FFmpeg's errors: where FFmpeg refuses, as it does with every interlaced picture since version 8, OpenCV
returns uninitialised memory. It ignores libjpeg's too, which fills what is missing with grey. The decoding process
therefore reads what they write to the terminal.
"""

import os

from inference.errors import FormatError
from inference.sources.unnamed import unnamed_file

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LEVEL = "16"
"""FFmpeg's log level for errors; OpenCV reads it from the environment."""


_MISSED = (b"Corrupt JPEG data", b"Premature end of JPEG file")
"""libjpeg's warnings (jerror.h). Bytes too many are one of the former, and harmless."""


class Complaints:
    """Captures standard output and error of this process from now on. Create only one per process."""

    def __init__(self) -> None:
        self._file = unnamed_file()
        if fcntl is not None:
            fcntl.fcntl(self._file.fileno(), fcntl.F_SETFL, os.O_APPEND)
        for place in (1, 2):
            os.dup2(self._file.fileno(), place)

    def forget(self) -> None:
        """Discard what was captured so far."""
        self._file.truncate(0)

    def heard(self) -> bytes:
        """What was written since the last `forget`."""
        size = os.fstat(self._file.fileno()).st_size
        return os.pread(self._file.fileno(), min(size, 1 << 16), 0) if size and hasattr(os, "pread") else b""


_listening: list[Complaints] = []


def listen() -> None:
    """Start capturing; only for a process whose terminal nobody reads."""
    _listening.append(Complaints())


def forget() -> None:
    """Discard earlier messages; call before a picture is converted."""
    for complaints in _listening:
        complaints.forget()


def check(name: str) -> None:
    """Raise an error if the conversion failed; call after a picture was converted.

    Args:
        name: name of the file or stream, for the sentence.

    Raises:
        FormatError: if FFmpeg reported an error.
    """
    said = _heard()
    if b"interlaced" in said:
        raise FormatError(
            f"{name} is interlaced, which cannot be shown: set the recorder to progressive, or deinterlace the file "
            "(ffmpeg -i OLD -vf yadif NEW)."
        )
    if said:
        raise FormatError(f"A picture of {name} cannot be converted: convert the video to mp4.")


def lossy() -> bool:
    """Whether libjpeg missed a part of the picture that was decoded last."""
    said = _heard()
    return any(words in said for words in _MISSED) and b"extraneous bytes" not in said


def _heard() -> bytes:
    return b"".join(complaints.heard() for complaints in _listening)
