"""Which mask of a case is cut: the ultrasound's own, or MRI's, carried over and accepted by a person."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inference.errors import FormatError, NotFoundError
from training.cases import Case

Labels = Literal["us", "mri", "both"]
Origin = Literal["us", "mri"]
_DECISIONS = ("accept", "reject")


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
            FormatError: if review.csv cannot be read.
        """
        if self.labels != "mri" and case.us_label:
            return case.us_label, "us"
        if self.labels == "us":
            raise NotFoundError("It has no tumour mask on its ultrasound.")
        if self.registered is None:
            raise NotFoundError("Its mask is MRI's: name the folder of 'ius-train register' with --registered.")
        return _transferred(case.case, self.registered), "mri"


def _transferred(case: str, folder: Path) -> Path:
    """The mask on the ultrasound's grid, if its registration was accepted."""
    label = folder / "labels" / f"{case}.nii.gz"
    if not label.is_file():
        raise NotFoundError(
            f"It has no registered MRI mask in {folder}: run 'ius-train register', and read its errors."
        )
    decision = read_review(folder).get(case)
    if decision is None:
        raise NotFoundError(f"Nobody has looked at its registration: run 'ius-train review {folder}'.")
    if decision != "accept":
        raise NotFoundError("Its registration was rejected in the review.")
    return label


def read_review(folder: Path) -> Mapping[str, str]:
    """What a person decided about each registration, `accept` or `reject`; empty before any review.

    Raises:
        FormatError: if review.csv is damaged, or decides something else.
    """
    path = folder / "review.csv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        if not {"case", "decision"} <= set(reader.fieldnames or ()):
            raise FormatError(f"{path} is not a review: its columns are case, decision and note.")
        decided = {row["case"]: (row["decision"] or "").strip().lower() for row in reader}
    wrong = next((case for case, decision in decided.items() if decision not in (*_DECISIONS, "")), None)
    if wrong is not None:
        raise FormatError(f"{path} says '{decided[wrong]}' of {wrong}: write accept or reject, or leave it empty.")
    return {case: decision for case, decision in decided.items() if decision}
