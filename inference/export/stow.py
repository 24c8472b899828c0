"""Sends DICOM files to an archive over the web (STOW-RS, PS3.18 10.5), one a request, so that each is confirmed."""

import http.client
import os
import secrets
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydicom.dataset import Dataset

from inference.errors import ChoiceError, OutputError

TIMEOUT_S = 10.0
"""Limit for connecting and for each answer."""
LARGEST = 1 << 20
"""Bytes of an answer that are read; that to one file is short."""
AUTHORIZATION = "IUS_STOW_AUTHORIZATION"
"""Environment variable with the Authorization header, as in `Bearer …`; no option, since anybody can list those."""
_OK, _ACCEPTED = 200, 202
_DENIED = (401, 403)


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

    def refusal(self, content: bytes, uid: str) -> str:
        """Store one file.

        Args:
            content: the file, with its preamble.
            uid: its SOP instance UID.

        Returns:
            Why the service has not stored it, one sentence; empty if it says that it has.

        Raises:
            OutputError: if the service cannot be reached.
        """
        status, answer = self._posted(content)
        if status in _DENIED:
            return f"{self.host} takes nothing without a password (status {status}): put it into {AUTHORIZATION}."
        if status not in (_OK, _ACCEPTED):
            return f"The archive has refused a file (status {status}): it stays in the outbox; ask its administrator."
        # A redirect, a proxy and a page that asks for a name may all answer 200, and none of them stores anything.
        return "" if stored(answer, uid) else f"{self.host} doesn't confirm what was sent: check the address."

    def _posted(self, content: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        kind = http.client.HTTPSConnection if self.encrypted else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=TIMEOUT_S)
        border = secrets.token_hex(16)
        head = f"--{border}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        headers = {"Content-Type": f'multipart/related; type="application/dicom"; boundary={border}'}
        headers |= {"Accept": "application/dicom+json"}
        if AUTHORIZATION in os.environ:
            headers["Authorization"] = os.environ[AUTHORIZATION]
        try:
            connection.request(
                "POST", f"{self.path}/studies", head + content + f"\r\n--{border}--\r\n".encode(), headers
            )
            answer = connection.getresponse()
            return answer.status, answer.read(LARGEST)
        except ssl.SSLCertVerificationError as error:
            raise OutputError(
                f"{self.host} shows a certificate that this computer doesn't trust: ask its administrator."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise OutputError(f"{self.host} doesn't answer: check address and network.") from error
        finally:
            connection.close()


def stored(answer: bytes, uid: str) -> bool:
    """Whether an answer (DICOM JSON, PS3.18 I.2) names this instance among those that were stored."""
    try:
        told = Dataset.from_json(answer.decode())
        named = told.get("ReferencedSOPSequence") or []
        return any(one.get("ReferencedSOPInstanceUID") == uid for one in named)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
