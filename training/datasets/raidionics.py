"""Raidionics' tumour masks (Bouget et al. 2023) for MRI without an annotation; the program is not bundled."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from inference.errors import FormatError
from training.cohort.cases import Case
from training.datasets.files import VOLUME_SUFFIXES, checked
from training.datasets.usable import judged
from training.io.files import the_one

_LABEL = ("labels_tumor", "annotation-tumor")
"""How the file names of its two programs end: raidionicsseg, raidionicsrads."""
HOW = (
    "run Raidionics (github.com/raidionics) on each MRI, one output folder a case named like the case, "
    "and give their parent folder with --raidionics"
)


def with_masks(cases: Iterable[Case], folder: Path) -> Iterator[Case]:
    """The cases; one with MRI but no MRI mask gets the mask from `folder/CASE/…` or `folder/PATIENT/…`.

    Raises:
        NotFoundError: if there is no such folder.
    """
    checked(folder)
    listed = list(cases)
    for case in listed:
        wanting = case.us and case.mri and not case.mri_label
        sessions = {one.mri for one in listed if one.patient == case.patient and one.mri}
        yield _completed(case, folder, one_session=len(sessions) == 1) if wanting else case


def _completed(case: Case, folder: Path, *, one_session: bool) -> Case:
    """The case with its mask, if there is one; a case excluded only for lack of it is then used again.

    A patient's mask is of one MRI, and not of another session's.
    """
    lacks = case.reason == "no tumour mask"
    try:
        mask = the_one(_masks(folder / case.case))
        if mask is None and one_session:
            mask = the_one(_masks(folder / case.patient))
    except FormatError as error:
        return judged(case, str(error)) if lacks or not case.exclude else case
    if mask is None:
        return case
    case = replace(case, mri_label=mask)
    return replace(case, exclude=False, reason="") if lacks else case


def _masks(folder: Path) -> list[Path]:
    """The tumour masks that Raidionics wrote below a folder, without its probability maps."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.name.lower().endswith(VOLUME_SUFFIXES) and path.name.lower().partition(".")[0].endswith(_LABEL)
    ]
