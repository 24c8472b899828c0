"""Sends what waits in the outbox, again and again by itself, for as long as the program runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Self

from inference.errors import IusError
from inference.readout.formatting import counted
from inference.readout.marks import Tone

if TYPE_CHECKING:
    from inference.export.outbox import Outbox, Sent

FIRST_S, LONGEST_S = 10.0, 600.0
"""The pause after the first attempt that left something; each further one is twice as long, up to the longest."""
LOOK_S = 5.0
"""How often is looked for new files."""
LEAVE_S = 2.0
"""An archive that does not answer does not keep the program from ending: what was begun is told from what was not."""


@dataclass(slots=True)
class _Turn:
    """When an address is tried again, the pauses from then on, and what was last said of it."""

    pauses: Iterator[float]
    due: float = 0.0
    why: str = ""
    waiting: set[str] = field(default_factory=set)


class Courier:
    """Tries every address that files wait for; what is new for one is tried at once.

    Args:
        root: the folder of the outboxes.
        say: is told, in the courier's thread, what has arrived, and, once for each reason, why something has not.
        first_s: the first pause.
    """

    def __init__(self, root: Path, say: Callable[[str, Tone], None], *, first_s: float = FIRST_S) -> None:
        self._root, self._say, self._first_s = root, say, first_s
        self._stop = threading.Event()
        self._turns = dict[str, _Turn]()
        self._thread = threading.Thread(target=self._run, name="ius-courier", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End after the file that is on its way."""
        self._stop.set()
        self._thread.join(LEAVE_S)

    def _run(self) -> None:
        while not self._stop.wait(min(self._first_s, LOOK_S)):
            if self._root.is_dir():  # else nothing was ever sent from here, and the libraries for it stay unloaded
                from inference.export.outbox import outboxes

                with suppress(OSError):  # a folder that cannot be looked into now, or that somebody has just removed
                    for address, outbox in outboxes(self._root):
                        self._try(address, outbox)

    def _try(self, address: str, outbox: "Outbox") -> None:
        turn, now = self._turns.setdefault(address, _Turn(pauses(self._first_s))), monotonic()
        waiting = {path.name.partition("+")[0] for path in outbox.waiting()}
        if self._stop.is_set() or (now < turn.due and waiting <= turn.waiting):
            return
        sent = _sent(address, outbox)
        if sent.taken or not sent.left:
            turn.pauses = pauses(self._first_s)
        turn.due, turn.waiting = monotonic() + next(turn.pauses), waiting
        for sentence, tone in told(address, sent, turn.why):
            self._say(sentence, tone)
        turn.why = sent.why


def told(address: str, sent: "Sent", known: str = "") -> Iterator[tuple[str, Tone]]:
    """What a person has to know of an attempt to send, in sentences.

    Args:
        address: the archive.
        sent: how it went.
        known: the reason that was said before, which is not said again.
    """
    if sent.taken:
        odd = f" {counted(sent.again, 'file')} may have arrived before: look for doubles." if sent.again else ""
        if sent.warned:
            odd += f" The archive warns that it did not keep all of {counted(sent.warned, 'file')}: compare there."
        yield f"{counted(sent.taken, 'file')} sent to {address}.{odd}", Tone.NOTICE if odd else Tone.NEUTRAL
    if sent.left and sent.why != known:
        yield (
            f"{counted(sent.left, 'file')} for {address} still in the outbox, and tried again. {sent.why}",
            Tone.NOTICE,
        )


def attempts(address: str, outbox: "Outbox", first_s: float = FIRST_S) -> "Iterator[Sent]":
    """Try until nothing waits, with growing pauses; each attempt's result."""
    for pause_s in pauses(first_s):
        sent = _sent(address, outbox)
        yield sent
        if not sent.left:
            return
        sleep(pause_s)


def pauses(first_s: float = FIRST_S) -> Iterator[float]:
    """Seconds between one attempt and the next: twice as long each time, up to the longest."""
    pause_s = first_s
    while True:
        yield pause_s
        pause_s = min(pause_s * 2, LONGEST_S)


def _sent(address: str, outbox: "Outbox") -> "Sent":
    from inference.export.outbox import Sent, node_of

    try:
        return outbox.send(node_of(address))
    except IusError as error:
        return Sent(0, len(outbox.waiting()), str(error))
