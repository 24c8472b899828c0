"""The review page served on this machine's loopback: decisions are written as they are made, planes drawn as asked."""

import secrets
from collections.abc import Callable, Collection
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
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

_LARGEST = 1 << 16


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


class ReviewServer(HTTPServer):
    """Serves one page to whoever knows its address, which holds a secret; one request at a time.

    Args:
        folder: of `ius-train register`.
        page: the review page.
        port: 0 takes a free one.
        simulated: cases known to be simulated, for pages that are written anew.
    """

    def __init__(self, folder: Path, page: Path, port: int = 0, simulated: Collection[str] = ()) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.folder, self.page, self.secret = folder, page, secrets.token_urlsafe(16)
        self._simulated = simulated

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/{self.secret}/"

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
        return scene.picture(asked.plane, asked.at, scene.start if asked.of == "start" else scene.moved(by))

    def move(self, body: bytes) -> None:
        """Keep a move by hand, and write the page anew.

        Raises:
            msgspec.MsgspecError: if it is none.
            IusError: if it cannot be made.
        """
        made = msgspec.json.decode(body, type=_Moved)
        self._known(made.case)
        move(self.folder, made.case, made.by, made.fingerprint)
        write_page(self.folder, read_results(self.folder), read_decisions(self.folder), self._simulated)

    def _known(self, case: str) -> None:
        """Refuse a case that the folder does not hold, before its name becomes a path."""
        if case not in {row.case for row in read_results(self.folder)}:
            raise NotFoundError(f"{self.folder} holds no registration of {case}.")


class _Handler(BaseHTTPRequestHandler):
    """GET gives the page and its planes, POST takes a decision or a move by hand."""

    server: ReviewServer

    def do_GET(self) -> None:
        """The page, or a plane."""
        if self.path.startswith(f"/{self.server.secret}/plane?"):
            return self._told(lambda: self.server.plane(self.path.partition("?")[2]), "image/png")
        if self.path != f"/{self.server.secret}/":
            return self._answer(HTTPStatus.NOT_FOUND, b"")
        return self._answer(HTTPStatus.OK, self.server.page.read_bytes(), "text/html; charset=utf-8")

    def do_POST(self) -> None:
        """Take a decision or a move; refuse one about another result than the one in the folder."""
        length = int(self.headers.get("Content-Length") or 0)
        root = f"/{self.server.secret}/"
        if self.path not in (f"{root}decide", f"{root}move") or length > _LARGEST:
            return self._answer(HTTPStatus.NOT_FOUND, b"")
        body = self.rfile.read(length)
        take = self.server.move if self.path == f"{root}move" else self._decide
        return self._told(lambda: take(body) or b"")

    def _decide(self, body: bytes) -> None:
        """Write one decision."""
        made = msgspec.json.decode(body, type=_Made)
        put(self.server.folder, made.case, made.decision, made.note, made.fingerprint)

    def _told(self, make: Callable[[], bytes], kind: str = "text/plain; charset=utf-8") -> None:
        """Answer with what is made, or with the sentence why it cannot be."""
        try:
            body = make()
        except (msgspec.MsgspecError, IusError) as error:
            return self._answer(HTTPStatus.CONFLICT, str(error).encode())
        return self._answer(HTTPStatus.OK, body, kind)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's name
        """Log nothing: the page shows what was saved."""

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
