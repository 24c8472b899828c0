"""EASY-RESECT (Learn2Reg 2020 task 1, doi 10.11582/2020.00025): RESECT's patients again, all on one grid of 0.5 mm."""

from pathlib import Path

from inference.errors import NotFoundError
from training.cohort.cases import Case
from training.datasets.files import Index, checked
from training.datasets.origin import origin
from training.datasets.resect import MRI, Sequences, case_folder, case_names, case_number
from training.datasets.usable import judged


def find_cases(root: Path, masks: Path | None = None, sequences: Sequences = "both") -> list[Case]:
    """The volumes before resection; their patients are RESECT's.

    Args:
        root: the folder that holds `NIFTI/CaseN/CaseN-US-before-resize.nii`.
        masks: RESECT-SEG, whose FLAIR masks lie in the same world; its ultrasound masks are on another grid.
        sequences: the MRI to register.

    Raises:
        NotFoundError: if a folder is missing or holds no case.
    """
    folder = case_folder(checked(root))
    labels = case_folder(checked(masks)) if masks else None
    names = case_names(folder)
    if not names:
        raise NotFoundError(f"{root} holds no folder named NIFTI/Case1, NIFTI/Case2, …: is it the EASY-RESECT folder?")
    whose = origin(root, "EASY-RESECT", "RESECT")
    found = []
    for name in names:
        index = Index(folder / name, labels / name if labels else None)
        mri = (index.volume(f"{name}-{sequence}-resize") for sequence in MRI[sequences])
        case = Case(
            f"EASY-{whose.patients}-Case{case_number(name)}",
            f"{whose.patients}-Case{case_number(name)}",
            dataset=whose.dataset,
            us=index.volume(f"{name}-US-before-resize"),
            mri=tuple(filter(None, mri)),
            mri_label=index.volume(f"{name}-FLAIR-tumor"),
            phase="before",
            diagnosis="" if whose.simulated else "low-grade glioma",
            simulated=whose.simulated,
        )
        found.append(judged(case))
    return found
