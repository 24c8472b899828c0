"""Tries a model file in a process of its own, before it is loaded in the program's.

A graph of four kilobytes can ask for terabytes, loop for ever or crash the runtime: then it does so there.
"""

import logging
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from inference.errors import ModelError
from inference.model.time_limit import limited
from inference.model.trial_process import FAILS, LIMIT_S, Ask

log = logging.getLogger(__name__)

_ENTRY = "import sys; sys.path[:] = sys.argv[1:]; from inference.model.trial_process import serve; serve()"
FROZEN = "--try-model"
"""First argument with which the bundle starts as such a process."""


class _Trier:
    """One such process, used by one thread at a time."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(_command(), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)  # noqa: S603
        # This also covers the end of the program.
        self.end = weakref.finalize(self, _end, self._process)

    def ask(self, question: bytes, data: bytes) -> tuple[bytes, bool]:
        """The line with which it answers, empty if it is lost; and whether it was given up."""
        with limited(LIMIT_S, self._process.kill) as given_up:
            to, back = _pipes(self._process)
            with suppress(BrokenPipeError):
                to.write(question)
                to.write(data)
                to.flush()
            answer = back.readline()
        if not answer:
            self.end()
        return answer, given_up.is_set()


_idle: deque[_Trier] = deque(maxlen=1)
"""A process that is kept for the next model; it ends itself when none comes."""
_passed: set[str] = set()
"""Hashes of the models that were tried and may be loaded."""


def demand_harmless(path: Path, data: bytes, sha256: str, threads: int, *, faster: bool = False) -> None:
    """Return once a model has been loaded and run in a process of its own, within limits of memory and time.

    Args:
        path: the file, for messages.
        data: its bytes.
        sha256: their hash; what has passed once is not tried again.
        threads: CPU threads of the network.
        faster: whether a graphics card may run it: then it may be slow on the processor.

    Raises:
        ModelError: if it takes too much memory or time, crashes, or does not run.
    """
    if sha256 in _passed:
        return
    sentence = _answer(Ask(str(path), threads, faster, len(data)), data)
    if sentence:
        raise ModelError(sentence)
    _passed.add(sha256)


def _answer(ask: Ask, data: bytes) -> str:
    """The sentence that refuses the model; empty if nothing speaks against it."""
    question, name = msgspec.json.encode(ask) + b"\n", Path(ask.path).name
    for trier in _triers():
        answer, given_up = trier.ask(question, data)
        if answer:
            _idle.append(trier)
            return msgspec.json.decode(answer, type=str)
        if given_up:
            return FAILS.format(name, "It was given up while it was tried")
    log.warning("a model ended the process that tried it")
    return FAILS.format(name, "It crashes what runs models")


def _triers() -> Iterator[_Trier]:
    """The idle process, which may end itself at this very moment; then a new one."""
    with suppress(IndexError):
        yield _idle.pop()
    try:
        yield _Trier()
    except OSError as error:
        raise ModelError(
            f"Models cannot be tried here ({error.strerror}): close other programs and try again."
        ) from error


def _command() -> list[str]:
    """The command that starts the process. The bundle has no Python to call and is itself the program (packaging/)."""
    if getattr(sys, "frozen", False):
        return [sys.executable, FROZEN]
    return [sys.executable, "-c", _ENTRY, *sys.path]


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[BinaryIO, BinaryIO]:
    assert process.stdin is not None  # noqa: S101 (both were asked for)
    assert process.stdout is not None  # noqa: S101
    return process.stdin, process.stdout  # type: ignore[return-value]


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait(1.0)
    for pipe in _pipes(process):
        with suppress(OSError):  # what was not written stays unwritten
            pipe.close()
