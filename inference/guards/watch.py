"""All guards together."""

import logging
from collections.abc import Sequence

from inference.frame import Frame
from inference.guards.base import Alarm, Finding, Guard

log = logging.getLogger(__name__)


class Watch:
    """Shows every frame to every guard. Begins and ends of alarms are logged, without the source's name.

    Args:
        guards: asked in this order; the first that forbids the analysis gives the sentence.
    """

    def __init__(self, guards: Sequence[Guard]) -> None:
        self._guards = tuple(guards)
        self._ringing: frozenset[Alarm] = frozenset()

    def look(self, frame: Frame) -> tuple[Finding, ...]:
        """What is wrong with this frame's signal; nothing on a good one."""
        found = tuple(finding for guard in self._guards if (finding := guard.look(frame)) is not None)
        ringing = frozenset(finding.alarm for finding in found)
        for alarm in sorted(ringing - self._ringing):
            log.warning("guard: %s", alarm.value)
        for alarm in sorted(self._ringing - ringing):
            log.info("guard: %s is over", alarm.value)
        self._ringing = ringing
        return found
