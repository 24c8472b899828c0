"""The process in which model files are tried, from inside: it loads one and runs it once, within limits."""

import os
import re
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from inference.errors import ModelError
from inference.limits import alarm, calm, limit_memory
from inference.model.onnxruntime_session import RUN_ERRORS, onnxruntime_session
from inference.model.providers import CPU, Session, first_line

ROOM = 1 << 30
"""Bytes that a network may take beyond `COPIES` of its file: the full-size one of one fold takes 0.5 GB."""
COPIES = 4
"""Times a file's size that its weights take, as read, as parsed and as packed for the processor."""
LARGEST_PX = 1 << 24
"""A larger input is not made: no contract asks for one."""
LIMIT_S = 40.0
"""Longest trial, with the start of the process; loading and the pass have limits of their own, which are told apart."""
IDLE_S = 30.0
"""A process that nobody asks for so long ends."""
TOO_LARGE = "{} needs more memory than a model of its size may take, so it is not loaded: choose another model."
FAILS = "{} does not run on this computer: choose another model. {}."
_TIME = re.compile(r"terminate flag|takes too long")
"""In the messages about a pass that was ended at its limit."""
_MEMORY = re.compile(r"alloc|memory", re.IGNORECASE)
"""In ONNX Runtime's messages about memory that it does not get."""


class Ask(msgspec.Struct):
    """One trial; `size` bytes of the model follow it.

    Attributes:
        path: the file, for messages.
        threads: CPU threads of the network.
        faster: whether a graphics card may run it: then it may be slow here.
        size: bytes of the file.
    """

    path: str
    threads: int
    faster: bool
    size: int


def serve() -> None:
    """Answer each `Ask`, a line of JSON, with a line: empty, or the sentence that refuses the model."""
    calm()
    answers = _own_output()
    while line := sys.stdin.buffer.readline():
        alarm(LIMIT_S)
        ask = msgspec.json.decode(line, type=Ask)
        answers.write(msgspec.json.encode(refusal(ask, sys.stdin.buffer.read(ask.size))) + b"\n")
        answers.flush()
        alarm(IDLE_S)


def refusal(ask: Ask, data: bytes) -> str:
    """Why a model is not to be loaded; empty if it was loaded and run here."""
    name = Path(ask.path).name
    limit_memory(ROOM + COPIES * len(data))
    given_up: list[str] = []
    try:
        session = onnxruntime_session(Path(ask.path), data, CPU, ask.threads, given_up)
        if session is None:
            return FAILS.format(name, given_up[-1].rstrip("."))
        _run_once(session)
    except MemoryError:
        return TOO_LARGE.format(name)
    except ModelError as error:
        return TOO_LARGE.format(name) if _MEMORY.search(str(error)) else str(error)
    except RUN_ERRORS as error:
        if _MEMORY.search(str(error)):
            return TOO_LARGE.format(name)
        slow = _TIME.search(str(error))
        if slow and ask.faster:
            return ""
        how = "takes too long" if slow else f"failed ({first_line(error)})"
        return FAILS.format(name, f"Its first pass {how}")
    return ""


def _run_once(session: Session) -> None:
    """One pass over nothing; an input that no contract allows is left to the contract's check."""
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else []
    if shape and all(isinstance(side, int) for side in shape) and 0 < np.prod(shape, dtype=float) <= LARGEST_PX:
        session.run(None, {inputs[0].name: np.zeros(shape, np.float32)})


def _own_output() -> BinaryIO:
    """The way back to the program; whatever a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers
