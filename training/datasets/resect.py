"""RESECT (Xiao et al. 2017) and RESECT-SEG (Behboodi et al. 2024), as they lie on disk."""

import re
from pathlib import Path

from inference.errors import NotFoundError
from training.cases import Case

_CASE = re.compile(r"case(\d+)", re.IGNORECASE)


def find_cases(resect: Path, resect_seg: Path, sweeps: Path | None = None) -> list[Case]:
    """Cases of the volumes before resection, in numerical order.

    Args:
        resect: the folder that holds `NIFTI/CaseN/US/CaseN-US-before.nii.gz`, or `NIFTI` itself.
        resect_seg: the folder that holds `CaseN/CaseN-US-before-tumor.nii.gz`.
        sweeps: the folder that holds `CaseN/CaseN-sweep.dcm` and `CaseN-sweep-tumor.nii.gz` (simulated cohorts).

    Returns:
        One case a patient; one without a tumour mask is kept, excluded, with the reason.

    Raises:
        NotFoundError: if a folder is missing or holds no case.
    """
    for folder in filter(None, (resect, resect_seg, sweeps)):
        if not folder.is_dir():
            raise NotFoundError(f"There is no folder {folder}.")
    volumes = resect / "NIFTI" if (resect / "NIFTI").is_dir() else resect
    names = sorted((path.name for path in volumes.iterdir() if _CASE.fullmatch(path.name)), key=_number)
    if not names:
        raise NotFoundError(f"{resect} holds no folder named NIFTI/Case1, NIFTI/Case2, …: is it the RESECT folder?")
    return [_case(name, volumes, resect_seg, sweeps) for name in names]


def _number(name: str) -> int:
    """The case's number; RESECT's numbers are not consecutive."""
    return int(_CASE.sub(r"\1", name))


def _case(name: str, volumes: Path, labels: Path, sweeps: Path | None) -> Case:
    """One patient's files; the case's name is the patient's, as RESECT has one volume before resection a patient."""
    us = _existing(volumes / name / "US" / f"{name}-US-before.nii.gz")
    us_label = _existing(labels / name / f"{name}-US-before-tumor.nii.gz")
    sweep = _existing(sweeps / name / f"{name}-sweep.dcm") if sweeps else None
    sweep_label = _existing(sweeps / name / f"{name}-sweep-tumor.nii.gz") if sweeps else None
    reason = "" if us and us_label else f"no {'tumour mask' if us else 'ultrasound volume'} before resection"
    return Case(name, name, us, us_label, sweep, sweep_label, exclude=bool(reason), reason=reason)


def _existing(path: Path) -> Path | None:
    """The path, or None where there is no such file."""
    return path if path.is_file() else None
