"""The review page served on this machine's loopback, so that each decision is written as it is made."""

import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec

from inference.errors import IusError
from training.registration.decisions import put

_LARGEST = 1 << 16


class _Made(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision as the page sends it; an empty one takes the decision back."""

    case: str
    decision: str
    note: str
    fingerprint: str


class ReviewServer(HTTPServer):
    """Serves one page to whoever knows its address, which holds a secret; one request at a time.

    Args:
        folder: of `ius-train register`.
        page: the review page.
        port: 0 takes a free one.
    """

    def __init__(self, folder: Path, page: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.folder, self.page, self.secret = folder, page, secrets.token_urlsafe(16)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/{self.secret}/"


class _Handler(BaseHTTPRequestHandler):
    """GET gives the page, POST takes a decision."""

    server: ReviewServer

    def do_GET(self) -> None:
        """The page."""
        if self.path != f"/{self.server.secret}/":
            return self._answer(HTTPStatus.NOT_FOUND, b"")
        return self._answer(HTTPStatus.OK, self.server.page.read_bytes(), "text/html; charset=utf-8")

    def do_POST(self) -> None:
        """Take a decision; refuse one about another result than the one in the folder."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != f"/{self.server.secret}/decide" or length > _LARGEST:
            return self._answer(HTTPStatus.NOT_FOUND, b"")
        try:
            made = msgspec.json.decode(self.rfile.read(length), type=_Made)
            put(self.server.folder, made.case, made.decision, made.note, made.fingerprint)
        except (msgspec.MsgspecError, IusError) as error:
            return self._answer(HTTPStatus.CONFLICT, str(error).encode())
        return self._answer(HTTPStatus.OK, b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's name
        """Log nothing: the page shows what was saved."""

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
