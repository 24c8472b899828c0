"""No patient in both training and test, by name or by picture, whatever the data sets call them."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError, IusError
from training.io.files import written_aside
from training.io.receipt import write_json
from training.slicing.fingerprint import ALIKE, Fingerprint
from training.slicing.slices import read_slices

_NUMBERED_ANEW = (("ReMIND2Reg-", "ReMIND-"),)
"""Data sets that renumber another set's patients, with no published list of who is who."""
_BETWEEN = re.compile(r"[\s_\-\u2010-\u2015\u2212]+")
"""Blanks and every dash: spreadsheets and word processors make longer ones of a hyphen."""
_BESIDE_A_NUMBER = re.compile(r"(?<=[^\W\d])-(?=\d)|(?<=\d)-(?=[^\W\d])")
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_AS_MEASURED = re.compile(r"(\d+)\.0+")


class LeakError(IusError):
    """A patient in two places that have to be apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """A case's patient, and the fingerprint of its picture.

    Attributes:
        case: the case's name.
        patient: whose it is, by name.
        look: its picture's fingerprint; None for a sweep.
        sweep: sha256 of its sweep's file; empty without one.
        frames: digest of its sweep's pictures, which headers do not change; empty without one.
    """

    case: str
    patient: str
    look: Fingerprint | None = None
    sweep: str = ""
    frames: str = ""


def refuse_leaks(train: Iterable[Identity], test: Iterable[Identity]) -> None:
    """Stop where a patient stands in both, by name or by picture.

    Raises:
        LeakError: naming the two cases.
    """
    tested = list(test)
    for one in train:
        for other in tested:
            _refuse_one_patient(one, other)
            _refuse_unknown_kin(one, other)
            if _one_picture(one, other):
                raise LeakError(
                    f"{one.case} in training and {other.case} in the test set are the same picture: take one out."
                )


def patients_in_both(train: Iterable[Identity], test: Sequence[Identity]) -> set[str]:
    """The test's patients who stand in the training too, by name or by picture."""
    trained = list(train)
    named = {spelling(one.patient) for one in trained}
    return {
        other.patient
        for other in test
        if spelling(other.patient) in named or any(_one_picture(one, other) for one in trained)
    }


@cache
def spelling(patient: str) -> str:
    """A patient's name without what people write in two ways: capitals, blanks, hyphens, zeros before a number.

    `P07`, `p7`, `P 7` and `P-07` are one, and so are 7 and the 7.0 of a program that takes a column for measurements:
    tables of two sessions are rarely typed alike, and their pictures differ.
    """
    name = _BETWEEN.sub("-", unicodedata.normalize("NFKC", patient).casefold().strip())
    measured = _AS_MEASURED.fullmatch(name)
    return _LEADING_ZEROS.sub("", _BESIDE_A_NUMBER.sub("", measured[1] if measured else name))


def _refuse_one_patient(one: Identity, other: Identity) -> None:
    """Refuse a shared name, however it is written."""
    if spelling(one.patient) == spelling(other.patient):
        again = "" if one.patient == other.patient else f" as '{other.patient}'"
        raise LeakError(
            f"The patient {one.patient} is in training ({one.case}) and in the test set ({other.case}){again}: take "
            "one out."
        )


def _refuse_two_spellings(one: Identity, other: Identity) -> None:
    """Refuse a patient who is written in two ways."""
    if one.patient != other.patient and spelling(one.patient) == spelling(other.patient):
        raise LeakError(
            f"The patients '{one.patient}' ({one.case}) and '{other.patient}' ({other.case}) differ in spelling alone: "
            "write one patient in one way in the case table, and two in names that differ."
        )


def _refuse_unknown_kin(one: Identity, other: Identity) -> None:
    """Refuse two data sets where one renumbers the other's patients."""
    for anew, known in _NUMBERED_ANEW:
        both = sorted((one.patient, other.patient), key=lambda name: not name.startswith(anew))
        if both[0].startswith(anew) and both[1].startswith(known):
            raise LeakError(
                f"{both[0]} may be {both[1]}, as {anew[:-1]} numbers the patients of {known[:-1]} anew: "
                "use only one of the two sets."
            )


def refuse_twins(identities: Sequence[Identity]) -> None:
    """Stop if one patient has, or may have, two names: folds would put them on both sides.

    Raises:
        LeakError: naming the two cases.
    """
    for at, one in enumerate(identities):
        for other in identities[at + 1 :]:
            _refuse_unknown_kin(one, other)
            _refuse_two_spellings(one, other)
            if one.patient != other.patient and _one_picture(one, other):
                raise LeakError(
                    f"{one.case} of {one.patient} and {other.case} of {other.patient} are the same picture: "
                    "give both one patient in the case table, or take one out."
                )


def doubles(identities: Sequence[Identity]) -> list[tuple[Identity, Identity]]:
    """Pairs of cases of one patient that show one picture, whose slices count twice: no leak, but a wrong mean."""
    return [
        (one, other)
        for at, one in enumerate(identities)
        for other in identities[at + 1 :]
        if one.patient == other.patient and one.case != other.case and _one_picture(one, other)
    ]


def _one_picture(one: Identity, other: Identity) -> bool:
    """Whether two cases show the same picture, or hold one sweep: its file, or one that was made anonymous anew."""
    if (one.sweep and one.sweep == other.sweep) or (one.frames and one.frames == other.frames):
        return True
    return one.look is not None and other.look is not None and one.look.likeness(other.look) >= ALIKE


def write_look(look: Fingerprint, path: Path) -> None:
    """Write a fingerprint (JSON)."""
    write_json({name: {str(key): round(grey, 3) for key, grey in cells.items()}
                for name, cells in (("box", look.box), ("world", look.world))}, path)  # fmt: skip


def read_look(path: Path) -> Fingerprint:
    """Read a fingerprint.

    Raises:
        FormatError: if the file is damaged.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        box, world = ({int(key): float(grey) for key, grey in stored[name].items()} for name in ("box", "world"))
    except (ValueError, KeyError, AttributeError) as error:
        raise FormatError(f"{path} is damaged: delete it and run 'ius-train slice' again.") from error
    return Fingerprint(box, world)


def read_identities(store: Path) -> list[Identity]:
    """Everybody in a slice store.

    Raises:
        NotFoundError: if it is none.
        FormatError: if a file of it is damaged.
    """
    return identities_of(store, {row.case: row.patient for row in read_slices(store)})


def identities_of(store: Path, patients: Mapping[str, str]) -> list[Identity]:
    """The cases of a slice store, given whose they are.

    Raises:
        FormatError: if a file of the store is damaged.
    """
    return [
        Identity(case, patient, stored_look(store, case), stored_sweep(store, case), stored_frames(store, case))
        for case, patient in patients.items()
    ]


def stored_sweep(store: Path, case: str) -> str:
    """The sha256 of the sweep that a case was cut from; empty without one."""
    receipt = store / "cases" / f"{case}.json"
    files = json.loads(receipt.read_text(encoding="utf-8")).get("files", {}) if receipt.is_file() else {}
    return str(files.get("sweep", ""))


def write_frames(frames: NDArray[np.float32], path: Path) -> None:
    """Write the digest of a sweep's pictures (frames, rows, cols): 0 outside the sector, where names are burnt in."""
    digest = hashlib.sha256(f"{frames.shape}".encode())
    for frame in frames:
        digest.update(np.ascontiguousarray(frame).tobytes())
    with written_aside(path) as aside:
        aside.write_text(digest.hexdigest(), encoding="ascii")


def stored_frames(store: Path, case: str) -> str:
    """The digest of the pictures of the sweep that a case was cut from; empty without one, or in an earlier version."""
    path = frames_path(store, case)
    return path.read_text(encoding="ascii") if path.is_file() else ""


def frames_path(store: Path, case: str) -> Path:
    """Where a slice store keeps the digest of a case's sweep."""
    return store / "cases" / f"{case}-frames.sha256"


def stored_look(store: Path, case: str) -> Fingerprint | None:
    """A case's fingerprint in a slice store; None for a sweep."""
    path = look_path(store, case)
    return read_look(path) if path.is_file() else None


def look_path(store: Path, case: str) -> Path:
    """Where a slice store keeps a case's fingerprint."""
    return store / "cases" / f"{case}-look.json"
