"""RESECT (Xiao et al. 2017) and RESECT-SEG (Behboodi et al. 2024), as they lie on disk."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from inference.errors import NotFoundError
from training.cohort.cases import Case
from training.datasets.files import Index, checked
from training.datasets.origin import Origin, origin
from training.datasets.usable import judged

Sequences = Literal["flair", "ce-t1", "both", "own"]
"""`own` is the sequence that the mask was drawn on."""
_CASE = re.compile(r"case(\d+)", re.IGNORECASE)
_PHASES = ("before", "during", "after")
"""Of a patient's volumes. RESECT-SEG has the tumour before resection and the cavity (`-resection`) afterwards. What is
left of the tumour (`-during-tumor`, `-after-tumor`) is the user's to draw; simulated cohorts have it."""
MRI = {"flair": ("FLAIR",), "ce-t1": ("T1",), "both": ("FLAIR", "T1"), "own": ("FLAIR",)}
"""The mask was drawn on FLAIR, so FLAIR comes first; T1 is with contrast, in the same coordinates as FLAIR."""


def find_cases(
    resect: Path, resect_seg: Path | None = None, sweeps: Path | None = None, sequences: Sequences = "both"
) -> list[Case]:
    """Every volume of every patient, in numerical order; those without a tumour mask are excluded.

    Args:
        resect: the folder that holds `NIFTI/CaseN/{US,MRI,Landmarks}`, or `NIFTI` itself, or `CaseN` with all files, or
            `images/{US,MRI}` and `labels`, as torch_em downloads it.
        resect_seg: the folder that holds `CaseN/CaseN-US-before-tumor.nii.gz`; if None, masks lie beside the images.
        sweeps: the folder that holds `CaseN/CaseN-sweep.dcm` and `CaseN-sweep-tumor.nii.gz` (simulated cohorts).
        sequences: the MRI to register.

    Returns:
        The cases; one that cannot be used is listed but excluded, with the reason.

    Raises:
        NotFoundError: if a folder is missing or holds no case.
    """
    for folder in filter(None, (resect, resect_seg, sweeps)):
        checked(folder)
    indices = _indices(resect, case_folder(resect_seg) if resect_seg else None, sweeps)
    if not indices:
        raise NotFoundError(f"{resect} holds no folder named NIFTI/Case1, NIFTI/Case2, …: is it the RESECT folder?")
    whose = origin(resect, "RESECT")
    return [case for name, index in indices.items() for case in _patient(name, index, whose, sequences)]


def _indices(resect: Path, labels: Path | None, sweeps: Path | None) -> dict[str, Index]:
    """The files of each patient, in numerical order."""
    together = resect / "images", resect / "labels"
    if all(folder.is_dir() for folder in together):
        index = Index(*together, labels, sweeps)
        return dict.fromkeys(_numerical(path.name.partition("-")[0] for path in together[0].rglob("*")), index)
    volumes = case_folder(resect)
    folders = [folder for folder in (volumes, labels, sweeps) if folder]
    return {name: Index(*(folder / name for folder in folders)) for name in case_names(volumes)}


def case_folder(root: Path) -> Path:
    """The folder that holds the cases: `root`, or the subfolder that the published archives have."""
    inside = [root / name for name in ("NIFTI", "RESECT_segmentation", "dataset") if (root / name).is_dir()]
    return inside[0] if inside else root


def case_names(folder: Path) -> list[str]:
    """The folders named CaseN in numerical order; RESECT's numbers are not consecutive."""
    return _numerical(path.name for path in folder.iterdir() if path.is_dir())


def _numerical(names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if _CASE.fullmatch(name)}, key=case_number)


def case_number(name: str) -> int:
    """The number N in CaseN."""
    return int(_CASE.sub(r"\1", name))


def _patient(name: str, index: Index, whose: Origin, sequences: Sequences) -> Iterator[Case]:
    """One patient's volumes; the one before resection is listed even if it is missing, so that the user sees it."""
    patient = f"{whose.patients}-Case{case_number(name)}"
    for phase in _PHASES:
        us, before = index.volume(f"{name}-US-{phase}"), phase == "before"
        if us is None and (not before or (whose.simulated and index.volume(f"{name}-US-during"))):
            continue
        tumour = index.volume(f"{name}-US-{phase}-tumor")
        case = Case(
            patient if before else f"{patient}-{phase}",
            patient,
            dataset=whose.dataset,
            us=us,
            us_label=tumour,
            cavity_label=None if before else index.volume(f"{name}-US-{phase}-resection"),
            sweep=index.file(f"{name}-sweep.dcm") if before else None,
            sweep_label=index.volume(f"{name}-sweep-tumor") if before else None,
            # From before surgery: its tumour is not what a later volume shows.
            mri=tuple(filter(None, (index.volume(f"{name}-{one}") for one in MRI[sequences]))) if before else (),
            mri_label=index.volume(f"{name}-FLAIR-tumor") if before else None,
            landmarks=index.file(f"{name}-MRI-beforeUS.tag") if before else None,
            phase=phase,
            first_surgery=None,
            diagnosis="low-grade glioma" if not whose.simulated else "",
            simulated=whose.simulated,
        )
        unknown = not before and tumour is None
        yield judged(case, f"{phase} resection: nobody drew what is left of its tumour" if unknown else "")
