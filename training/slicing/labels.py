"""Which mask of a case is cut: the ultrasound's own, or the MRI's, carried over and accepted by a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inference.errors import FormatError, NotFoundError
from training.cohort.cases import Case
from training.io.receipt import sha256
from training.registration.decisions import ACCEPT, Verdict, read_decision, read_decisions
from training.registration.output import read_record, refuse_unfinished

Labels = Literal["us", "mri", "both"]
Origin = Literal["us", "mri"]


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Where masks are taken from.

    Attributes:
        labels: `us`, `mri`, or `both`: the ultrasound's own where there is one, else MRI's.
        registered: the folder of `ius-train register`; None where only `us` is wanted.
    """

    labels: Labels = "us"
    registered: Path | None = None

    def of(self, case: Case) -> tuple[Path, Origin]:
        """The mask of the case's volume, and where it was drawn.

        Raises:
            NotFoundError: if the case has none of that origin, or none that a person accepted.
            FormatError: if review.csv cannot be read, or the case table names other files than were registered.
        """
        if self.labels != "mri" and case.us_label:
            return case.us_label, "us"
        if self.labels == "us":
            raise NotFoundError("It has no tumour mask on its ultrasound.")
        if self.registered is None:
            raise NotFoundError("Its mask is MRI's: name the folder of 'ius-train register' with --registered.")
        label = _transferred(case.case, self.registered)
        refuse_other_files(case, self.registered)
        return label, "mri"


def _transferred(case: str, folder: Path) -> Path:
    """The mask on the ultrasound's grid, if its registration was accepted."""
    label = folder / "labels" / f"{case}.nii.gz"
    if not label.is_file():
        raise NotFoundError(
            f"It has no registered MRI mask in {folder}: run 'ius-train register', and read its errors."
        )
    refuse_unfinished(folder, case)
    one = read_decision(folder, case)
    if one is None:
        raise NotFoundError(f"Nobody has looked at its registration: run 'ius-train review {folder}'.")
    if one.decision != ACCEPT:
        raise NotFoundError("Its registration was rejected in the review.")
    return label


def refuse_other_files(case: Case, folder: Path) -> None:
    """Refuse a mask that was carried over with other files than the case has now.

    Raises:
        NotFoundError: if its registration was not finished.
        FormatError: naming the one that is another.
    """
    refuse_unfinished(folder, case.case)
    key = read_record(folder, case.case)["key"]
    files = {"us": [case.us], "mri": case.mri, "label": [case.mri_label], "start": [case.start]}
    for role, named in files.items():
        there = [path for path in named if path is not None and path.is_file()]
        if there and role in key and key[role] != [sha256(path) for path in there]:
            names = " and ".join(map(str, there))
            raise FormatError(f"{names} is not what was registered: run 'ius-train register', and review it.")


def read_review(folder: Path) -> Mapping[str, Verdict]:
    """What a person decided about each registration as it is now; empty before any review.

    Raises:
        FormatError: if review.csv is damaged, or decides something else.
    """
    return {case: one.decision for case, one in read_decisions(folder).items()}
