"""Sends DICOM files to an archive over the web (STOW-RS, PS3.18 10.5), one a request, so that each is confirmed."""

import http.client
import os
import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydicom.dataset import Dataset

from inference.errors import ChoiceError, OutputError
from inference.export.delivery import ANSWER_S, REFUSED, Answer, Post, Said

TIMEOUT_S = 10.0
"""Limit for connecting."""
LARGEST = 1 << 20
"""Bytes of an answer that are read; that to one file is short."""
AUTHORIZATION = "IUS_STOW_AUTHORIZATION"
"""Environment variable with the Authorization header, as in `Bearer …`; no option, since anybody can list those."""
_OK, _ACCEPTED = 200, 202
_DENIED = (401, 403)
_BROKEN = 500
"""From here on the service itself says that it does not know what it has done."""


@dataclass(frozen=True, slots=True)
class WebNode:
    """A DICOMweb service.

    Attributes:
        host: name or address.
        port: TCP; None for the scheme's own.
        path: of the service, without /studies.
        encrypted: whether it is spoken to by https; its certificate is checked.
    """

    host: str
    port: int | None
    path: str
    encrypted: bool

    @classmethod
    def parse(cls, text: str) -> "WebNode":
        """Read `https://HOST[:PORT]/PATH`.

        Raises:
            ChoiceError: if the text has another form.
        """
        parts = urlsplit(text)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or "@" in parts.netloc:
            raise ChoiceError(
                f"This is no address of a DICOMweb service: give https://HOST/PATH, and a password in {AUTHORIZATION}."
            )
        return cls(host, port, parts.path.rstrip("/"), parts.scheme == "https")

    @contextmanager
    def posting(self, _: list[Dataset]) -> Iterator[Post]:
        """Each file goes over a connection of its own."""
        yield lambda path, uid: self.answer(path.read_bytes(), uid)

    def answer(self, content: bytes, uid: str) -> Answer:
        """Store one file.

        Args:
            content: the file, with its preamble.
            uid: its SOP instance UID.

        Raises:
            OutputError: if the service cannot be reached; nothing was sent then.
        """
        connection = self._connected()
        try:
            status, said = self._posted(connection, content)
        except (OSError, http.client.HTTPException):
            return Answer(Said.UNKNOWN, f"The connection to {self.host} broke: what it hasn't taken is tried again.")
        finally:
            connection.close()
        if status in _DENIED:
            given = AUTHORIZATION in os.environ
            why = "doesn't accept what stands in" if given else "takes nothing without a password, which belongs into"
            return Answer(Said.REFUSED, f"{self.host} {why} {AUTHORIZATION} (status {status}): ask its administrator.")
        if status not in (_OK, _ACCEPTED):
            return Answer(Said.REFUSED if status < _BROKEN else Said.UNKNOWN, REFUSED.format(status))
        # A redirect, a proxy and a page that asks for a name may all answer 200, and none of them stores anything.
        unconfirmed = Answer(Said.UNKNOWN, f"{self.host} doesn't confirm what was sent: check the address.")
        return stored(said, uid) or unconfirmed

    def _connected(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self.encrypted else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=TIMEOUT_S)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            raise OutputError(
                f"{self.host} shows a certificate that this computer doesn't trust: ask its administrator."
            ) from error
        except OSError as error:
            raise OutputError(f"{self.host} doesn't answer: check address and network.") from error
        connection.sock.settimeout(ANSWER_S)
        return connection

    def _posted(self, connection: http.client.HTTPConnection, content: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        border = secrets.token_hex(16)
        head = f"--{border}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        headers = {"Content-Type": f'multipart/related; type="application/dicom"; boundary={border}'}
        headers |= {"Accept": "application/dicom+json"}
        if AUTHORIZATION in os.environ:
            headers["Authorization"] = os.environ[AUTHORIZATION]
        body = head + content + f"\r\n--{border}--\r\n".encode()
        connection.request("POST", f"{self.path}/studies", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(LARGEST)


def stored(answer: bytes, uid: str) -> Answer | None:
    """What an answer (DICOM JSON, PS3.18 I.2) says of this instance; None if it is not among those that were stored."""
    try:
        told = Dataset.from_json(answer.decode())
        named = told.get("ReferencedSOPSequence") or []
        found = [one for one in named if one.get("ReferencedSOPInstanceUID") == uid]
        return Answer(Said.STORED, warned="WarningReason" in found[0]) if found else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
