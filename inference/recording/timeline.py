"""The settings at each frame of a record: phase, flip, alarms of the guards, and the user's mark."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.recording.schema import Event, EventKind


@dataclass(frozen=True, slots=True)
class Setting:
    """The settings at one frame.

    Attributes:
        phase: phase of surgery, in the contract's terms; empty if never set.
        flip: how the picture was flipped on the screen, in words; empty if it was not.
        marker: side of the unflipped picture on which the probe's marker is: left or right; empty if never set.
        guards: alarms in force.
        overruled: alarms that the user calls false.
        wrong: whether the user marked its contour as wrong.
    """

    phase: str = ""
    flip: str = ""
    marker: str = ""
    guards: tuple[str, ...] = ()
    wrong: bool = False
    overruled: tuple[str, ...] = ()


def settings(events: Iterable[Event], times_s: Sequence[float]) -> list[Setting]:
    """The settings of each frame: those last set before it was captured.

    Args:
        events: the record's events, in any order.
        times_s: when each frame was captured, seconds since the record began.
    """
    ordered = sorted(events, key=lambda event: event.at_s)
    wrong = {event.number for event in ordered if event.kind is EventKind.WRONG}
    found, phase, flip, marker, ringing, overruled, following = [], "", "", "", list[str](), "", 0
    for number, at_s in enumerate(times_s):
        while following < len(ordered) and ordered[following].at_s <= at_s:
            event, following = ordered[following], following + 1
            match event.kind:
                case EventKind.PHASE:
                    phase = event.words
                case EventKind.FLIP:
                    flip = event.words
                case EventKind.MARKER:
                    marker = event.words
                case EventKind.OVERRULED:
                    overruled = event.words
                case EventKind.GUARD_BEGIN:
                    ringing.append(event.words)
                case EventKind.GUARD_END if event.words in ringing:
                    ringing.remove(event.words)
        found.append(Setting(phase, flip, marker, tuple(ringing), number in wrong, tuple(overruled.split())))
    return found
