"""Sends DICOM files to an archive by C-STORE (PS3.4 B), all over one association."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.dataset import Dataset

from inference.errors import OutputError
from inference.export.delivery import ANSWER_S, REFUSED, STORED, Answer, Post, Said
from inference.sources.archive import CALLING, TIMEOUT_S, Node

if TYPE_CHECKING:
    from pynetdicom.association import Association

_SUCCESS, _WARNINGS = 0x0000, 0xB000
"""Status codes (PS3.4 Table B.2-1): stored; stored, but elements were coerced or discarded, or do not match."""
_BROKEN = "The connection to the archive broke: what it hasn't taken stays in the outbox, and is tried again."


@contextmanager
def storing(node: Node, headers: list[Dataset]) -> Iterator[Post]:
    """An association for these files.

    Args:
        node: the storage service.
        headers: of the files that will be sent.

    Raises:
        OutputError: if there is no such service, or it takes nothing from us.
    """
    from pynetdicom import AE  # takes a third of a second to import: only when sending

    entity = AE(ae_title=CALLING)
    entity.acse_timeout = entity.connection_timeout = TIMEOUT_S
    entity.dimse_timeout = entity.network_timeout = ANSWER_S
    for kind, syntax in {(one.SOPClassUID, one.file_meta.TransferSyntaxUID) for one in headers}:
        entity.add_requested_context(kind, syntax)
    if not node.answers:
        raise OutputError(f"{node.host}:{node.port} doesn't answer: check host, port and network.")
    association = entity.associate(node.host, node.port, ae_title=node.title)
    if not association.is_established:
        raise OutputError(f"{node.title} at {node.host} takes no files from {CALLING}: ask its administrator.")
    try:
        yield partial(_stored, association)
    finally:
        association.release()


def _stored(association: "Association", path: Path, _: str) -> Answer:
    """Send one file."""
    dataset = dcmread(path)
    if not association.is_established:
        raise OutputError(_BROKEN)
    try:
        status = association.send_c_store(dataset)
    except ValueError:
        return Answer(Said.REFUSED, f"The archive takes no {dataset.SOPClassUID.name}: ask its administrator.")
    except RuntimeError:
        return Answer(Said.UNKNOWN, _BROKEN)
    code = status.get("Status")
    if code is None:
        return Answer(Said.UNKNOWN, _BROKEN)
    if code == _SUCCESS:
        return STORED
    if code & 0xF000 == _WARNINGS:
        return Answer(Said.STORED, warned=True)
    return Answer(Said.REFUSED, REFUSED.format(f"{code:04X}"))
