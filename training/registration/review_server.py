"""The review page served on this machine's loopback, so that each decision is written as it is made."""

import re
import secrets
import socket
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec

from inference.errors import IusError
from training.registration.decisions import put

LIMIT_S = 30.0
"""A request that is not answered by then is dropped."""
_LARGEST = 1 << 16
_SCRIPT = re.compile(rb"<script>(.*)</script>", re.DOTALL)
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'"
"""Content security policy: no script in the page itself is run, however it came there."""


class _Made(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision as the page sends it; an empty one takes the decision back."""

    case: str
    decision: str
    note: str
    fingerprint: str


class ReviewServer(ThreadingHTTPServer):
    """Serves one page to whoever knows its address, which holds a secret; decisions are written one at a time.

    Args:
        folder: of `ius-train register`.
        page: the review page.
        port: 0 takes a free one.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, folder: Path, page: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.folder, self.page, self.secret = folder, page, secrets.token_urlsafe(16)
        self.writing = threading.Lock()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/{self.secret}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that went away or was too slow."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # its base's own types differ


class _Handler(BaseHTTPRequestHandler):
    """GET gives the page and its script, POST takes a decision."""

    server: ReviewServer

    def setup(self) -> None:
        """Begin a request, and end it when its time is up."""
        super().setup()
        self._limit = threading.Timer(LIMIT_S, self._drop)
        self._limit.daemon = True
        self._limit.start()

    def finish(self) -> None:
        """End a request."""
        self._limit.cancel()
        super().finish()

    def do_GET(self) -> None:
        """The page, or its script."""
        wanted = self.path.removeprefix(f"/{self.server.secret}/")
        if wanted not in ("", "page.js"):
            return self._answer(HTTPStatus.NOT_FOUND, b"")
        try:
            page = self.server.page.read_bytes()
        except OSError:
            return self._answer(HTTPStatus.NOT_FOUND, b"The page is gone: start 'ius-train review' again.")
        if wanted:
            script = _SCRIPT.search(page)
            return self._answer(HTTPStatus.OK, script[1] if script else b"", "text/javascript; charset=utf-8")
        page = _SCRIPT.sub(b'<script src="page.js"></script>', page)
        return self._answer(HTTPStatus.OK, page, "text/html; charset=utf-8")

    def do_POST(self) -> None:
        """Take a decision; refuse one about another result than the one in the folder."""
        length = self.headers.get("Content-Length") or "0"
        if self.path != f"/{self.server.secret}/decide" or not length.isdecimal() or int(length) > _LARGEST:
            return self._answer(HTTPStatus.NOT_FOUND, b"")
        try:
            made = msgspec.json.decode(self.rfile.read(int(length)), type=_Made)
            with self.server.writing:
                put(self.server.folder, made.case, made.decision, made.note, made.fingerprint)
        except (msgspec.MsgspecError, IusError) as error:
            return self._answer(HTTPStatus.CONFLICT, str(error).encode())
        except OSError as error:
            sentence = f"review.csv cannot be written ({error.strerror}): check the disk and its rights."
            return self._answer(HTTPStatus.INSUFFICIENT_STORAGE, sentence.encode())
        return self._answer(HTTPStatus.OK, b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's name
        """Log nothing: the page shows what was saved."""

    def _drop(self) -> None:
        with suppress(OSError):  # it has ended in this moment
            self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
