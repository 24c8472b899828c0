"""Files waiting to go to an archive (PACS): each stays on disk until it is stored there (C-STORE, PS3.4 B; STOW-RS)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from inference.errors import ChoiceError, FormatError, OutputError
from inference.export.stow import WebNode
from inference.files import replacing
from inference.sources.archive import CALLING, TIMEOUT_S, Node

if TYPE_CHECKING:
    from pynetdicom.association import Association

_SUCCESS, _WARNINGS = 0x0000, 0xB000
"""Status codes (PS3.4 Table B.2-1): stored; stored with a warning."""
_BROKEN = "The connection to the archive broke: what it hasn't taken stays in the outbox, try again."


@dataclass(frozen=True, slots=True)
class Sent:
    """The result of one attempt to send.

    Attributes:
        taken: files that the service has stored; they are no longer in the outbox.
        left: files that wait for the next attempt.
        why: why they were not sent, one sentence; empty if none is left.
    """

    taken: int
    left: int
    why: str = ""


class Outbox:
    """A folder of DICOM files that wait to be sent.

    Args:
        folder: created if it is missing.

    Raises:
        OutputError: if it cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"The folder {folder} cannot be made ({error.strerror}): choose another one.") from error
        self._folder = folder

    def put(self, path: Path, *, identified: bool = False) -> None:
        """Copy a file into the outbox.

        Args:
            path: a DICOM file.
            identified: accept it even if it doesn't say that the patient's identity was removed.

        Raises:
            FormatError: if it is not a DICOM file.
            ChoiceError: if it may name a patient and `identified` is not set.
        """
        dataset = _read(path)
        if dataset.get("PatientIdentityRemoved") != "YES" and not identified:
            raise ChoiceError(
                f"{path.name} doesn't say that the patient's identity was removed, so it isn't sent: "
                "export it with everything outside the sector black, or say that it may go with names in it."
            )
        with replacing(self._folder / f"{dataset.SOPInstanceUID}.dcm") as aside:
            aside.write_bytes(path.read_bytes())

    def waiting(self) -> list[Path]:
        """The waiting files, oldest first."""
        return sorted(self._folder.glob("*.dcm"), key=lambda path: (path.stat().st_mtime_ns, path.name))

    def send(self, node: "Node | WebNode") -> Sent:
        """Try to send every waiting file; only files that the service has stored leave the outbox."""
        paths = self.waiting()
        if not paths:
            return Sent(0, 0)
        return self._posted(node, paths) if isinstance(node, WebNode) else self._stored(node, paths)

    def _posted(self, node: WebNode, paths: list[Path]) -> Sent:
        """Send by STOW-RS."""
        taken, why = 0, ""
        for path in paths:
            try:
                refusal = node.refusal(path.read_bytes(), path.stem)
            except OutputError as error:
                why = str(error)
                break
            if refusal:
                why = refusal
            else:
                path.unlink()
                taken += 1
        return Sent(taken, len(paths) - taken, why)

    def _stored(self, node: Node, paths: list[Path]) -> Sent:
        """Send by C-STORE."""
        from pynetdicom import AE  # takes a third of a second to import: only when sending

        files = {path: _read(path) for path in paths}
        entity = AE(ae_title=CALLING)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = TIMEOUT_S
        for kind, syntax in {(one.SOPClassUID, one.file_meta.TransferSyntaxUID) for one in files.values()}:
            entity.add_requested_context(kind, syntax)
        if not node.answers:
            return Sent(0, len(paths), f"{node.host}:{node.port} doesn't answer: check host, port and network.")
        association = entity.associate(node.host, node.port, ae_title=node.title)
        if not association.is_established:
            return Sent(
                0, len(paths), f"{node.title} at {node.host} takes no files from {CALLING}: ask its administrator."
            )
        taken, why = 0, ""
        for path, dataset in files.items():
            refusal = _refusal(association, dataset)
            if refusal:
                why = refusal
            else:
                path.unlink()
                taken += 1
        association.release()
        return Sent(taken, len(paths) - taken, why)


def node_of(text: str) -> Node | WebNode:
    """The archive at `TITLE@HOST:PORT` (C-STORE) or `https://HOST/PATH` (STOW-RS).

    Raises:
        ChoiceError: if the text has another form.
    """
    return WebNode.parse(text) if text.startswith(("http://", "https://")) else Node.parse(text)


def _refusal(association: "Association", dataset: Dataset) -> str:
    """Why the service refused a file, one sentence; empty if it stored it."""
    try:
        status = association.send_c_store(dataset)
    except ValueError:
        return f"The archive takes no {dataset.SOPClassUID.name}: ask its administrator."
    except RuntimeError:
        return _BROKEN
    code = status.get("Status")
    if code is None:
        return _BROKEN
    if code == _SUCCESS or code & 0xF000 == _WARNINGS:
        return ""
    return f"The archive has refused a file (status {code:04X}): it stays in the outbox; ask its administrator."


def _read(path: Path) -> Dataset:
    try:
        return dcmread(path)
    except (InvalidDicomError, OSError) as error:
        raise FormatError(
            f"{path.name} is no DICOM file that can be read: give one that this program exported."
        ) from error
