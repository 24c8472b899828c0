"""What goes to other programs by OpenIGTLink: the live answer, or at once nothing."""

from typing import TYPE_CHECKING

from inference.live.health import Condition, Health
from inference.outcome import Outcome
from inference.view_notes import Marker, Phase

if TYPE_CHECKING:
    from inference.export.openigtlink_server import Broadcast


class Outlet:
    """Sends what the screen may show as running, and withdraws it as soon as it may not.

    Args:
        server: the OpenIGTLink server; closed with the outlet. None sends nothing.
    """

    def __init__(self, server: "Broadcast | None" = None) -> None:
        self._server = server
        self._running = False

    def update(self, newest: Outcome | None, condition: Condition, phase: Phase, marker: Marker) -> None:
        """Take the newest answer, if there is one, under this condition; pictures go out as they came, unflipped."""
        if self._server is None:
            return
        self._server.notes = {"phase": phase.value, "probe_marker": marker.value}
        running = condition.health is Health.RUNNING
        if running and newest is not None:
            self._server.send(newest)
        if self._running and not running:
            self._server.withdraw(condition.sentence or f"The sender's source is {condition.health.value}.")
        self._running = running

    def close(self) -> None:
        """Withdraw what was sent, and hang up."""
        if self._server is not None:
            self._server.close()
