"""Sends the live answer to other programs by OpenIGTLink, or withdraws it at once."""

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from inference.live.health import Condition, Health
from inference.outcome import Outcome
from inference.view_notes import ViewNotes

if TYPE_CHECKING:
    from inference.export.openigtlink_server import Broadcast


class Publisher:
    """Sends the answer that the screen may show as live, and withdraws it as soon as the screen may not.

    Args:
        server: the OpenIGTLink server; closed with the publisher. None sends nothing.
    """

    def __init__(self, server: "Broadcast | None" = None) -> None:
        self._server = server
        self._running = False

    def update(self, newest: Outcome | None, condition: Condition, notes: ViewNotes, of_phase: tuple[str, ...]) -> None:
        """Send the newest answer, or withdraw the last one.

        Args:
            newest: the source's own newest answer, if there is a new one; it is sent as it came, unflipped.
            condition: the condition of source and model.
            notes: the user's notes on the view; phase and marker go with every answer.
            of_phase: the result of `safety.of_phase` for this model.
        """
        if self._server is None:
            return
        self._server.notes, self._server.of_phase = sent_notes(notes), of_phase
        running = condition.health is Health.RUNNING and not condition.waiting
        if running and newest is not None:
            self._server.send(newest)
        if self._running and not running:
            self._server.withdraw(withdrawn_words(condition))
        self._running = running

    def sends_at(self, address: str) -> bool:
        """Whether what listens at this address is this publisher; may wait for a name server."""
        if self._server is None or not address.lower().startswith("igtl://"):
            return False
        from inference.export.openigtlink_server import PORT  # it is loaded already

        try:
            parts = urlsplit(address)
            same_port = self._server.address[1] == (parts.port or PORT)
        except ValueError:  # no port
            return False
        return same_port and _is_here(parts.hostname or "")

    def close(self) -> None:
        """Withdraw what was sent, and disconnect."""
        if self._server is not None:
            self._server.close()


def _is_here(host: str) -> bool:
    """Whether a host is this computer: only there can anybody listen."""
    try:
        with socket.socket(socket.AF_INET) as own:
            own.bind((host, 0))
    except (OSError, UnicodeError):
        return False
    return True


def sent_notes(notes: ViewNotes) -> dict[str, str]:
    """The user's notes on the view, in the form sent with every answer."""
    return {"phase": notes.phase.value, "probe_marker": notes.marker.value}


def withdrawn_words(condition: Condition) -> str:
    """Why the last answer is no longer valid, one sentence that names no patient: no file is named, for one."""
    return _WITHDRAWN.get(condition.health) or condition.sentence or "The source is not running."


_WITHDRAWN = {
    Health.EMPTY: "No source is open.",
    Health.OPENING: "Another source is being opened.",
    Health.REFUSED: "The source could not be opened.",
    Health.MODEL_REFUSED: "The model cannot be used.",
    Health.BROKEN: "The source cannot be read any more.",
    Health.LOADING: "The model is being loaded.",
    Health.RUNNING: "Nothing has been analysed yet since the source was opened, or since a sleep.",
    Health.PAUSED: "The replay is paused.",
    Health.STALE: "No new frame comes from the source.",
    Health.LOST: "The signal is lost: no new frame comes from the source.",
    Health.OLD: "The analysis does not keep up with the source.",
    Health.ENDED: "The source has ended.",
}
