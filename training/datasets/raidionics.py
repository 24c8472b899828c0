"""Raidionics' tumour masks (Bouget et al. 2023) for MRI without an annotation; the program is not bundled."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from training.cohort.cases import Case
from training.datasets.files import VOLUME_SUFFIXES, checked

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
    for case in cases:
        wanting = case.us and case.mri and not case.mri_label
        yield _completed(case, folder) if wanting else case


def _completed(case: Case, folder: Path) -> Case:
    """The case with its mask, if there is one; a case excluded only for lack of it is then used again."""
    found = [path for name in (case.case, case.patient) for path in _masks(folder / name)]
    if not found:
        return case
    case = replace(case, mri_label=found[0])
    return replace(case, exclude=False, reason="") if case.reason == "no tumour mask" else case


def _masks(folder: Path) -> list[Path]:
    """The tumour masks that Raidionics wrote below a folder, without its probability maps."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.name.lower().endswith(VOLUME_SUFFIXES) and path.name.lower().partition(".")[0].endswith(_LABEL)
    ]
