"""The review page served on this machine's loopback: decisions are written as they are made, planes drawn as asked."""

import re
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl

import msgspec
import numpy as np

from inference.errors import IusError, NotFoundError
from training.registration.by_hand import move
from training.registration.decisions import put, read_decisions
from training.registration.result import read_results
from training.registration.review_page import write_page
from training.registration.scene import read_scene

LIMIT_S = 30.0
"""A request that is not answered by then is dropped."""
_LARGEST = 1 << 16
_SCRIPT = re.compile(rb"<script>(.*)</script>", re.DOTALL)
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'"
"""Content security policy: no script in the page itself is run, however it came there."""


_Turn = Annotated[float, msgspec.Meta(ge=-500, le=500)]
_Six = tuple[_Turn, _Turn, _Turn, _Turn, _Turn, _Turn]


class _Made(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision as the page sends it; an empty one takes the decision back."""

    case: str
    decision: str
    note: str
    fingerprint: str


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plane that the page wants to draw: `by` is the move by hand, six numbers with commas, on from the result."""

    case: str
    plane: Literal["axial", "coronal", "sagittal"]
    at: Annotated[float, msgspec.Meta(ge=-500, le=500)]
    of: Literal["start", "result"]
    by: str = "0,0,0,0,0,0"


class _Moved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A move by hand that is to be kept."""

    case: str
    by: list[float]
    fingerprint: str


class ReviewServer(ThreadingHTTPServer):
    """Serves one page to whoever knows its address, which holds a secret; what is written is written one at a time.

    Args:
        folder: of `ius-train register`.
        page: the review page.
        port: 0 takes a free one.
        simulated: cases known to be simulated, for pages that are written anew.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, folder: Path, page: Path, port: int = 0, simulated: Collection[str] = ()) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.folder, self.page, self.secret = folder, page, secrets.token_urlsafe(16)
        self._simulated = simulated
        self.writing = threading.Lock()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/{self.secret}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that went away or was too slow."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # its base's own types differ

    def plane(self, query: str) -> bytes:
        """A plane as PNG.

        Raises:
            msgspec.MsgspecError: if the query is none.
            IusError: if there is no such case, or it cannot be shown.
        """
        asked = msgspec.convert(dict(parse_qsl(query)), _Asked, strict=False)
        self._known(asked.case)
        scene = read_scene(self.folder, asked.case)
        by = np.array(msgspec.convert(asked.by.split(","), _Six, strict=False))
        start = asked.of == "start"
        return scene.picture(asked.plane, asked.at, scene.start if start else scene.moved(by), start=start)

    def decide(self, body: bytes) -> None:
        """Write one decision.

        Raises:
            msgspec.MsgspecError: if it is none.
            IusError: if it is about another result than the one in the folder.
            OSError: if it cannot be written.
        """
        made = msgspec.json.decode(body, type=_Made)
        with self.writing:
            put(self.folder, made.case, made.decision, made.note, made.fingerprint)

    def move(self, body: bytes) -> None:
        """Keep a move by hand, and write the page anew.

        Raises:
            msgspec.MsgspecError: if it is none.
            IusError: if it cannot be made.
            OSError: if it cannot be written.
        """
        made = msgspec.json.decode(body, type=_Moved)
        self._known(made.case)
        with self.writing:
            move(self.folder, made.case, made.by, made.fingerprint)
            write_page(self.folder, read_results(self.folder), read_decisions(self.folder), self._simulated)

    def _known(self, case: str) -> None:
        """Refuse a case that the folder does not hold, before its name becomes a path."""
        if case not in {row.case for row in read_results(self.folder)}:
            raise NotFoundError(f"{self.folder} holds no registration of {case}.")


class _Handler(BaseHTTPRequestHandler):
    """GET gives the page, its script and its planes, POST takes a decision or a move by hand."""

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
        """The page, its script, or a plane."""
        wanted = self.path.removeprefix(f"/{self.server.secret}/")
        if wanted != self.path and wanted.startswith("plane?"):
            return self._told(lambda: self.server.plane(wanted.partition("?")[2]), "image/png")
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
        """Take a decision or a move; refuse one about another result than the one in the folder."""
        length = self.headers.get("Content-Length") or "0"
        root = f"/{self.server.secret}/"
        takes = {f"{root}decide": self.server.decide, f"{root}move": self.server.move}
        if self.path not in takes or not length.isdecimal() or int(length) > _LARGEST:
            return self._answer(HTTPStatus.NOT_FOUND, b"")
        body = self.rfile.read(int(length))
        return self._told(lambda: takes[self.path](body) or b"")

    def _told(self, make: Callable[[], bytes], kind: str = "text/plain; charset=utf-8") -> None:
        """Answer with what is made, or with the sentence why it cannot be."""
        try:
            body = make()
        except (msgspec.MsgspecError, UnicodeDecodeError, IusError) as error:
            return self._answer(HTTPStatus.CONFLICT, str(error).encode())
        except OSError as error:
            sentence = f"The folder cannot be written ({error.strerror}): check the disk and its rights."
            return self._answer(HTTPStatus.INSUFFICIENT_STORAGE, sentence.encode())
        return self._answer(HTTPStatus.OK, body, kind)

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
