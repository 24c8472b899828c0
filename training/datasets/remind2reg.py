"""ReMIND2Reg (Learn2Reg 2024/25, Zenodo 11387725): ReMIND's ultrasound after resection, resampled to MRI."""

import re
from pathlib import Path

from inference.errors import NotFoundError
from training.cohort.cases import Case
from training.datasets.files import checked

_ULTRASOUND = re.compile(r"ReMIND2Reg_(\d{3,4})_0000\.nii(\.gz)?")
_CHANNELS = ("0001", "0002")
"""Contrast-enhanced T1, then T2."""


def find_cases(root: Path) -> list[Case]:
    """All pairs, all excluded: the tumour is resected, and the set does not say which ReMIND patient each one is.

    Raises:
        NotFoundError: if there is no such folder, or it holds no pair.
    """
    found = []
    for path in sorted(checked(root).rglob("ReMIND2Reg_*")):
        named = _ULTRASOUND.fullmatch(path.name)
        if named is None:
            continue
        mri = (path.with_name(path.name.replace("_0000.", f"_{channel}.")) for channel in _CHANNELS)
        name = f"ReMIND2Reg-{int(named[1]):04d}"
        found.append(
            Case(
                name,
                name,
                dataset="ReMIND2Reg",
                us=path,
                mri=tuple(one for one in mri if one.is_file()),
                phase="after",
                exclude=True,
                reason="after resection; a patient of ReMIND, under another number",
            )
        )
    if not found:
        raise NotFoundError(f"{root} holds no file like ReMIND2Reg_0001_0000.nii.gz: is it the ReMIND2Reg folder?")
    return found
