"""Ultrasound of a study from an archive (PACS): found by C-FIND, fetched by C-GET (PS3.4 C), onto this computer's disk.

C-GET brings the files over the connection that we open. C-MOVE would need an open port here that the archive knows.
"""

import itertools
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from inference.errors import ChoiceError, OutputError, SourceError
from inference.files import make_folder, replacing
from inference.sources.dicom_pixels import DAMAGE

if TYPE_CHECKING:
    from pynetdicom import AE
    from pynetdicom.association import Association
    from pynetdicom.events import Event

CALLING = "IUS"
"""Our application entity title."""
TIMEOUT_S = 10.0
"""Limit for connecting and for each answer."""
FETCH_S = 120.0
"""Limit for the next file: an archive may have to bring it from a tape."""
ULTRASOUND = tuple(f"1.2.840.10008.5.1.4.1.1.{part}" for part in ("3", "3.1", "6", "6.1"))
"""Ultrasound image storage, of several frames and of one, retired and present (PS3.4 B.5)."""
SYNTAXES = tuple(
    f"1.2.840.10008.1.2{part}"
    for part in ("", ".1", ".2", ".1.99", ".5", *(f".4.{jpeg}" for jpeg in (50, 51, 57, 70, 80, 81, 90, 91)))
)
"""Each is offered by itself, so that no archive has to convert what it holds."""
FIND, GET = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.3"
"""Study root query/retrieve (PS3.4 C.6.2)."""
TWO_PATIENTS = "The studies of accession number {} are of several patients: give the study's UID (--study)."
UNSEARCHED = "The archive found studies of other accession numbers than {}: give the study's UID (--study)."
_TITLE = re.compile(r"([^@\\]{1,16})@([^@:/\s]+):(\d{1,5})")
_UID = re.compile(r"[0-9.]{1,64}")
_SUCCESS, _PENDING, _WARNING, _FULL, _WRONG = 0x0000, 0xFF00, 0xB000, 0xA700, 0xC000


@dataclass(frozen=True, slots=True)
class Node:
    """A DICOM service.

    Attributes:
        title: its application entity title.
        host: name or address.
        port: TCP.
    """

    title: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Node":
        """Read `TITLE@HOST:PORT`.

        Raises:
            ChoiceError: if the text has another form.
        """
        found = _TITLE.fullmatch(text)
        if found is None or not 0 < int(found[3]) < 65536:
            raise ChoiceError(f"'{text}' is no DICOM node: give TITLE@HOST:PORT, as in ARCHIVE@pacs:104.")
        return cls(found[1], found[2], int(found[3]))

    @property
    def answers(self) -> bool:
        """Whether a service listens there; if none does, pynetdicom leaks its socket."""
        try:
            socket.create_connection((self.host, self.port), TIMEOUT_S).close()
        except OSError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Series:
    """One ultrasound series, without the name of anybody.

    Attributes:
        study: its study's instance UID.
        uid: its own.
        number: its number in the study; empty if it has none.
        count: how many files it has; None if the archive does not say.
    """

    study: str
    uid: str
    number: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of one series.

    Attributes:
        files: those that are on the disk now, as they came: they name the patient.
        failed: how many the archive, or the disk, could not give.
        why: one sentence; empty if none failed.
    """

    files: tuple[Path, ...]
    failed: int
    why: str = ""


class OnePatient:
    """Tells whether all that is fetched is of one patient, whose name and number stay in here."""

    def __init__(self) -> None:
        self._first: str | None = None

    def admits(self, dataset: Dataset) -> bool:
        """Whether this is of the same patient as the first one that was asked about."""
        this = str(dataset.get("PatientID") or dataset.get("PatientName") or "").strip()
        self._first = this if self._first is None else self._first
        return this == self._first


def find(node: Node, *, study: str = "", accession: str = "") -> list[Series]:
    """The ultrasound series of a study, or of all studies with one accession number.

    Raises:
        ChoiceError: if neither or both are given, or hold a wildcard, which would match other patients.
        SourceError: if the archive cannot be asked, or gives studies of other numbers or of several patients.
    """
    if bool(study) == bool(accession):
        raise ChoiceError("Give either a study's UID or an accession number.")
    if (study and not _UID.fullmatch(study)) or set("*?\\") & set(accession):
        raise ChoiceError("A study is named by its whole UID or accession number, without * and ?.")
    with _associated(node, _entity((FIND, None))) as association:
        studies = [study] if study else [str(one.StudyInstanceUID) for one in _studies(association, accession)]
        return [series for one in studies for series in _series(association, one)]


def fetch(node: Node, series: Series, folder: Path, patient: OnePatient) -> Fetched:
    """Bring the files of one series into a folder, each whole or not at all, readable by their owner alone.

    Args:
        node: the archive.
        series: what is fetched; a file of another one is refused.
        folder: where the files go.
        patient: the one of all that is fetched together; a file of another one is refused.

    Raises:
        SourceError: if the archive cannot be asked.
    """
    files, refusals = list[Path](), list[str]()

    def take(event: "Event") -> int:
        strange = _strange(event.dataset, series, patient)
        if strange:
            refusals.append(strange)
            return _WRONG
        return _kept(event, folder, files, refusals)

    entity = _entity((GET, None), *((kind, syntax) for kind in ULTRASOUND for syntax in SYNTAXES))
    wanted = _identifier("SERIES", StudyInstanceUID=series.study, SeriesInstanceUID=series.uid)
    with _associated(node, entity, take) as association:
        last = Dataset()
        for status, _ in association.send_c_get(wanted, GET):
            last = status
    return Fetched(tuple(files), *_missing(last, series, len(files), refusals))


def series_folder(out: Path, series: Series) -> Path:
    """A folder for one series alone, which can be opened: the one that has it already, or a new one.

    Args:
        out: the folder of all that is fetched.
        series: gives its number to the name, `series-7`, since its UID would lead to the patient.

    Raises:
        OutputError: if it cannot be created.
    """
    name = f"series-{series.number}" if series.number.isdecimal() else "series"
    names = itertools.chain([name], (f"{name}-{place}" for place in itertools.count(2)))
    return make_folder(next(out / one for one in names if _is_for(out / one, series.uid)))


def _is_for(folder: Path, uid: str) -> bool:
    """Whether a folder holds nothing of another series."""
    file = next(folder.glob("*.dcm"), None) if folder.is_dir() else None
    if file is None:
        return not folder.is_file()
    try:
        return str(dcmread(file, specific_tags=["SeriesInstanceUID"]).get("SeriesInstanceUID")) == uid
    except (InvalidDicomError, OSError, *DAMAGE):
        return False


def _strange(dataset: Dataset, series: Series, patient: OnePatient) -> str:
    """Why this file does not belong to what is fetched; empty if it does."""
    if str(dataset.get("SeriesInstanceUID")) != series.uid:
        return "The archive sent a file of another series: ask its administrator."
    if not patient.admits(dataset):
        return "The archive sent files of several patients, and those of one are kept: ask its administrator."
    return ""


def _kept(event: "Event", folder: Path, files: list[Path], refusals: list[str]) -> int:
    """Write one file as it came; the status to answer with."""
    request: Any = event.request  # of C-STORE: only that event brings us here
    uid = str(request.AffectedSOPInstanceUID)
    if not _UID.fullmatch(uid):  # it becomes a file's name
        refusals.append("The archive sent a file without a proper UID: ask its administrator.")
        return _WRONG
    path = folder / f"{uid}.dcm"
    try:
        with replacing(path) as aside:
            aside.write_bytes(event.encoded_dataset())
    except OutputError as error:
        refusals.append(str(error))
        return _FULL
    files.append(path)
    return _SUCCESS


def _missing(last: Dataset, series: Series, came: int, refusals: list[str]) -> tuple[int, str]:
    """How many files did not come, and why: by the archive's last answer, and by what it said that it has."""
    status = last.get("Status")
    failed = int(last.get("NumberOfFailedSuboperations") or 0)
    failed = max(failed, (series.count or 0) - came)
    if failed == 0 and status in (_SUCCESS, _WARNING):
        return 0, ""
    ended = "the connection broke" if status is None else f"status {status:04X}"
    return max(failed, 1), refusals[0] if refusals else f"The archive did not give all files ({ended}): fetch again."


def _studies(association: "Association", accession: str) -> list[Dataset]:
    """The studies of one accession number, which is the archive's word for it alone.

    Raises:
        SourceError: if it gives others, or if they are of several patients, whom nothing on the screen tells apart.
    """
    keys = {"StudyInstanceUID": "", "AccessionNumber": accession, "PatientID": "", "PatientName": ""}
    found, patient = _found(association, _identifier("STUDY", **keys)), OnePatient()
    if any(str(one.get("AccessionNumber") or "").strip() != accession.strip() for one in found):
        raise SourceError(UNSEARCHED.format(accession))
    if not all(map(patient.admits, found)):
        raise SourceError(TWO_PATIENTS.format(accession))
    return found


def _series(association: "Association", study: str) -> Iterator[Series]:
    """The ultrasound series of one study; an archive may ignore that we ask for this one, and for ultrasound alone."""
    keys = {"StudyInstanceUID": study, "SeriesInstanceUID": "", "Modality": "US", "SeriesNumber": ""}
    for one in _found(association, _identifier("SERIES", **keys, NumberOfSeriesRelatedInstances="")):
        of_study = str(one.get("StudyInstanceUID") or study) == study
        if of_study and one.get("Modality") == "US" and one.get("SeriesInstanceUID"):
            number, count = one.get("SeriesNumber"), one.get("NumberOfSeriesRelatedInstances")
            said = "" if number is None else str(number)
            yield Series(study, str(one.SeriesInstanceUID), said, None if count in (None, "") else int(count))


def _found(association: "Association", wanted: Dataset) -> list[Dataset]:
    """Every match of a query.

    Raises:
        SourceError: if it failed, so that what was not found is never taken for what is not there.
    """
    found = list[Dataset]()
    for status, one in association.send_c_find(wanted, FIND):
        code = status.get("Status")
        if code is not None and code & _PENDING == _PENDING and one is not None:
            found.append(one)
        elif code != _SUCCESS:
            said = "the connection broke" if code is None else f"status {code:04X}"
            raise SourceError(f"The archive could not be searched ({said}): ask its administrator.")
    return found


def _identifier(level: str, **keys: str) -> Dataset:
    wanted = Dataset()
    wanted.QueryRetrieveLevel = level
    for name, value in keys.items():
        setattr(wanted, name, value)
    return wanted


def _entity(*contexts: tuple[str, str | None]) -> "AE":
    from pynetdicom import AE  # takes a third of a second to import

    entity = AE(ae_title=CALLING)
    entity.acse_timeout = entity.connection_timeout = TIMEOUT_S
    entity.dimse_timeout = entity.network_timeout = FETCH_S
    for kind, syntax in contexts:
        if syntax is None:
            entity.add_requested_context(kind)
        else:
            entity.add_requested_context(kind, syntax)
    return entity


@contextmanager
def _associated(node: Node, entity: "AE", take: "Callable[[Event], int] | None" = None) -> "Iterator[Association]":
    """An association with the archive; with `take`, files come over it.

    Raises:
        SourceError: if the archive cannot be asked.
    """
    from pynetdicom import build_role, evt

    if not node.answers:
        raise SourceError(f"{node.host}:{node.port} doesn't answer: check host, port and network.")
    association = entity.associate(
        node.host,
        node.port,
        ae_title=node.title,
        ext_neg=[] if take is None else [build_role(kind, scp_role=True) for kind in ULTRASOUND],
        evt_handlers=[] if take is None else [(evt.EVT_C_STORE, take)],
    )
    if not association.is_established:
        raise SourceError(f"{node.title} at {node.host} answers nothing to {CALLING}: ask its administrator.")
    try:
        yield association
    except ValueError as error:  # pynetdicom's, where the archive does not offer the service
        raise SourceError(f"{node.title} offers no such service (query, C-GET): ask its administrator.") from error
    finally:
        association.release()
