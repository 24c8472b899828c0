"""Files waiting to go to an archive (PACS): each stays on disk until it is stored there (C-STORE; STOW-RS).

A file's name is its state, and the disk has each change of it before the next step: `UID.dcm` waits; `UID+begun.dcm`
is on its way, or was when the program was killed, so that the archive may have it; `sent/UID`, empty, has arrived.
`+names` says that the user lets it go although it may name a patient.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import time
from typing import Self
from urllib.parse import quote, unquote

from filelock import FileLock, Timeout
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.utils import get_expected_length

from inference.errors import ChoiceError, FormatError, OutputError
from inference.export.c_store import storing
from inference.export.delivery import Answer, Connecting, Post, Said
from inference.export.stow import WebNode
from inference.files import make_folder, replacing, settle
from inference.sources.archive import Node
from inference.sources.dicom_pixels import DAMAGE

_NAME = re.compile(r"([0-9]+(?:\.[0-9]+)*)(\+names)?(\+begun)?\.dcm")
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_ABANDONED_S = 86400.0
"""A file half copied by a program that was killed is removed after a day: until then somebody may be copying it."""
_BUSY = "Another program is sending these files now: wait until it has ended."


@dataclass(frozen=True, slots=True)
class Sent:
    """The result of one attempt to send.

    Attributes:
        taken: files that the service has stored; they are no longer in the outbox.
        left: files that wait for the next attempt.
        why: why they were not sent, one sentence; empty if none is left.
        again: how many of `taken` may have been stored before, under the same UID, since an earlier answer never came.
        warned: how many of `taken` were stored with a warning: not all of them as it was sent.
    """

    taken: int
    left: int
    why: str = ""
    again: int = 0
    warned: int = 0


@dataclass(frozen=True, slots=True)
class _File:
    """A waiting file, as its name tells it."""

    path: Path
    uid: str
    named: bool
    begun: bool

    @classmethod
    def at(cls, path: Path) -> Self | None:
        """None if the name is none of ours, such as that of a file half copied."""
        found = _NAME.fullmatch(path.name)
        return None if found is None else cls(path, found[1], bool(found[2]), bool(found[3]))

    def moved(self, folder: Path, *, begun: bool) -> Self:
        """The same file under the name of its new state, which the disk has taken."""
        name = f"{self.uid}{'+names' * self.named}{'+begun' * begun}.dcm"
        _rename(self.path, folder / name)
        return replace(self, path=folder / name, begun=begun)


class Outbox:
    """A folder of DICOM files that wait to be sent to one address.

    Args:
        folder: created if it is missing.

    Raises:
        OutputError: if it cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = make_folder(folder)

    def put(self, path: Path, *, identified: bool = False, again: bool = False) -> bool:
        """Copy a file into the outbox, so that it waits there whatever happens to this program or computer.

        Args:
            path: a DICOM file.
            identified: accept it even if it doesn't say that the patient's identity was removed.
            again: accept it even if it has arrived before.

        Returns:
            False if it has arrived before, and is not sent again.

        Raises:
            FormatError: if it is not a DICOM file, or ends before its last pixel.
            ChoiceError: if it may name a patient and `identified` is not set.
            OutputError: if it cannot be written.
        """
        dataset = _header(path)
        uid = str(dataset.SOPInstanceUID)
        _check(dataset, path.name, identified=identified)
        _check_whole(path)
        if any(one.uid == uid for one in self._files()):
            return True
        if again:
            self._arrived(uid).unlink(missing_ok=True)
        if self._arrived(uid).exists():
            return False
        named = dataset.get("PatientIdentityRemoved") != "YES"
        with replacing(self._folder / f"{uid}{'+names' * named}.dcm", settled=True) as aside:
            aside.write_bytes(path.read_bytes())
        return True

    def waiting(self) -> list[Path]:
        """The waiting files, oldest first."""
        return [one.path for one in self._files()]

    def send(self, node: "Node | WebNode") -> Sent:
        """Try to send every waiting file; only files that the service has stored leave the outbox."""
        if not self._files():
            return Sent(0, 0)
        with self._alone() as alone:
            if not alone:
                return Sent(0, len(self._files()), _BUSY)
            self._tidy()
            return self._sent(node.posting if isinstance(node, WebNode) else lambda headers: storing(node, headers))

    def take_over(self, other: "Outbox") -> None:
        """Let what waits in another outbox wait in this one."""
        with other._alone() as alone:
            if not alone:
                raise OutputError(_BUSY)
            mine = {one.uid for one in self._files()}
            for one in other._files():
                if one.uid not in mine and not self._arrived(one.uid).exists():
                    one.moved(self._folder, begun=False)

    def _sent(self, connecting: Connecting) -> Sent:
        files = self._files()
        ready, whys = _ready(files)
        if not ready:
            return Sent(0, len(files), whys[-1])
        taken = again = warned = 0
        try:
            with connecting([header for _, header in ready]) as post:
                for one, _ in ready:
                    answer = self._send(one, post)
                    whys += [answer.why] if answer.why else []
                    taken += not answer.why
                    again += one.begun and not answer.why
                    warned += answer.warned
        except OutputError as error:
            whys.append(str(error))
        return Sent(taken, len(files) - taken, whys[-1] if whys else "", again, warned)

    def _send(self, one: _File, post: Post) -> Answer:
        """Send one file, and keep or clear it by the answer, which is returned.

        Raises:
            OutputError: if nobody is there to send it to.
        """
        begun = one if one.begun else one.moved(self._folder, begun=True)
        try:
            answer = post(begun.path, begun.uid)
        except OutputError:
            begun.moved(self._folder, begun=one.begun)
            raise
        except OSError as error:
            begun.moved(self._folder, begun=one.begun)
            unread = f"{one.path.name} cannot be read ({error.strerror}): check the disk, and export it again."
            return Answer(Said.REFUSED, unread)
        if answer.said is Said.STORED:
            arrived = self._arrived(begun.uid)
            make_folder(arrived.parent)
            _rename(begun.path, arrived)
            with suppress(OSError):  # the next attempt to send empties it too
                os.truncate(arrived, 0)
        elif answer.said is Said.REFUSED:
            begun.moved(self._folder, begun=one.begun)  # an earlier attempt, without an answer, may have arrived
        return answer

    def _files(self) -> list[_File]:
        """The waiting files, oldest first; one that another program has just moved is left out."""
        found = list[tuple[int, _File]]()
        for path in self._folder.iterdir():
            one = _File.at(path)
            if one is not None:
                with suppress(FileNotFoundError):
                    found.append((path.stat().st_mtime_ns, one))
        return [one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].uid))]

    def _arrived(self, uid: str) -> Path:
        """What says that a file has arrived."""
        return self._folder / "sent" / uid

    def _tidy(self) -> None:
        """Clear away what a killed program left: a file half copied, and the content of one that has arrived."""
        with suppress(OSError):  # it only takes room
            for path in self._folder.glob(".*.dcm"):
                if path.stat().st_mtime < time() - _ABANDONED_S:
                    path.unlink()
            for path in self._folder.glob("sent/*"):
                if path.stat().st_size:
                    os.truncate(path, 0)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other program sends from here; the system lets go of the lock of one that was killed."""
        lock = FileLock(self._folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()


def outbox_to(root: Path, address: str) -> Outbox:
    """The outbox of one address, which is the name of its folder: nothing ever goes to another one.

    Raises:
        ChoiceError: if the address has another form than `node_of` reads.
        OutputError: if the folder cannot be created.
    """
    node_of(address)
    return Outbox(root / quote(address.rstrip("/"), safe="@"))


def outboxes(root: Path) -> list[tuple[str, Outbox]]:
    """Each address that files wait for, with its outbox."""
    if not root.is_dir():
        return []
    found = [(unquote(folder.name), folder) for folder in sorted(root.iterdir()) if folder.is_dir()]
    known = [(address, Outbox(folder)) for address, folder in found if _is_address(address)]
    return [(address, outbox) for address, outbox in known if outbox.waiting()]


def node_of(text: str) -> Node | WebNode:
    """The archive at `TITLE@HOST:PORT` (C-STORE) or `https://HOST/PATH` (STOW-RS).

    Raises:
        ChoiceError: if the text has another form.
    """
    return WebNode.parse(text) if text.startswith(("http://", "https://")) else Node.parse(text)


def _is_address(text: str) -> bool:
    try:
        node_of(text)
    except ChoiceError:
        return False
    return True


def _ready(files: Sequence[_File]) -> tuple[list[tuple[_File, Dataset]], list[str]]:
    """What can be sent, with its header; and why the others cannot, which does not keep these back."""
    ready, whys = list[tuple[_File, Dataset]](), list[str]()
    for one in files:
        try:
            header = _header(one.path)
            _check(header, one.path.name, identified=one.named)
        except (FormatError, ChoiceError) as error:
            whys.append(str(error))
        else:
            ready.append((one, header))
    return ready, whys


def _check(dataset: Dataset, name: str, *, identified: bool) -> None:
    """Refuse what may name a patient, unless the user lets it go."""
    if dataset.get("PatientIdentityRemoved") != "YES" and not identified:
        raise ChoiceError(
            f"{name} doesn't say that the patient's identity was removed, so it isn't sent: "
            "export it with everything outside the sector black, or say that it may go with names in it."
        )


def _check_whole(path: Path) -> None:
    """Refuse a file that was cut off within its pixels: an archive would take it, and count it as stored.

    Raises:
        FormatError: if it was.
    """
    try:
        dataset = dcmread(path)
        cut = "PixelData" in dataset and not dataset.file_meta.TransferSyntaxUID.is_compressed
        cut = cut and len(dataset.PixelData) < get_expected_length(dataset)
    except (InvalidDicomError, OSError, *DAMAGE) as error:
        raise FormatError(f"{path.name} is damaged: export or copy it again.") from error
    if cut:
        raise FormatError(f"{path.name} ends before its last pixel: export or copy it again.")


def _header(path: Path) -> Dataset:
    """A file's elements before its pixels, with the two UIDs by which it is asked for and, as a file here, is named."""
    try:
        header = dcmread(path, stop_before_pixels=True)
    except (InvalidDicomError, OSError, *DAMAGE) as error:
        raise FormatError(
            f"{path.name} is no DICOM file that can be read: give one that this program exported."
        ) from error
    if not all(_UID.fullmatch(str(header.get(keyword, ""))) for keyword in ("SOPInstanceUID", "SOPClassUID")):
        raise FormatError(f"{path.name} has no proper UID: give a file that this program exported.")
    return header


def _rename(path: Path, to: Path) -> None:
    """Rename a file, and wait until the disk has both names.

    Raises:
        OutputError: if it cannot be done; the file is where it was.
    """
    try:
        path.replace(to)
        for folder in {path.parent, to.parent}:
            settle(folder)
    except OSError as error:
        raise OutputError(f"The outbox {path.parent} cannot be written ({error.strerror}): check the disk.") from error
