"""Runs all guards on every frame, and notes when their alarms begin and end."""

import logging
from collections import deque
from collections.abc import Sequence

from inference.alarms import Alarm, Event, Finding
from inference.contract import Seen
from inference.frame import Frame
from inference.guards.base import Guard
from inference.guards.thumbnail import ThumbnailMaker

log = logging.getLogger(__name__)

MOST_EVENTS = 4096
"""Events kept until `events` is called; beyond this the oldest are dropped."""


class Watch:
    """Shows every frame to every guard. Logs when alarms begin and end, without the source's name.

    Call `look` from one thread; `ringing` and `events` may be called from another.

    Args:
        guards: called in this order; the first that forbids the analysis gives the sentence.
    """

    def __init__(self, guards: Sequence[Guard]) -> None:
        self._guards = tuple(guards)
        self._thumbnail = ThumbnailMaker()
        self._ringing: dict[Alarm, Finding] = {}
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)

    def look(self, frame: Frame, seen: Seen | None = None) -> tuple[Finding, ...]:
        """What is wrong with this frame's signal; empty for a good frame.

        Args:
            frame: the source's next frame.
            seen: what the loaded model saw in training; None while no model is loaded.
        """
        thumbnail = self._thumbnail(frame, seen)
        found = tuple(finding for guard in self._guards if (finding := guard.look(thumbnail)) is not None)
        before, self._ringing = self._ringing, {finding.alarm: finding for finding in found}
        for alarm in sorted(self._ringing.keys() - before.keys()):
            self._note(Event(alarm, True, frame.captured_at, self._ringing[alarm].sentence))
        for alarm in sorted(before.keys() - self._ringing.keys()):
            self._note(Event(alarm, False, frame.captured_at, before[alarm].sentence))
        return found

    @property
    def ringing(self) -> tuple[Finding, ...]:
        """The alarms of the newest frame, with which a new record begins."""
        return tuple(self._ringing.values())

    def events(self) -> tuple[Event, ...]:
        """Alarms that began or ended since the last call, oldest first; each event is given once."""
        taken = []
        while self._events:
            taken.append(self._events.popleft())
        return tuple(taken)

    def _note(self, event: Event) -> None:
        self._events.append(event)
        if event.begins:
            log.warning("guard: %s", event.alarm.value)
        else:
            log.info("guard: %s is over", event.alarm.value)
