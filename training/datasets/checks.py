"""Reads every file of a case table once, so that a broken case shows up before hours are spent on it."""

from collections.abc import Iterable

from inference.errors import FormatError, IusError
from training.cohort.cases import Case
from training.cohort.mask_checks import check_mri_mask
from training.datasets.usable import judged
from training.io.progress import Bar
from training.registration.volume import read_image, read_placed
from training.slicing.frames import is_frame, read_frame
from training.slicing.volumes import read_cavity, read_pair, read_sweep, same_grid


def checked_files(cases: Iterable[Case]) -> list[Case]:
    """Return the cases; a case whose files are not what the table says is excluded, with the reason."""
    return [case if case.exclude else _checked(case) for case in Bar(list(cases), desc="check", unit="case")]


def _checked(case: Case) -> Case:
    """Check one case; exclude it if a check fails."""
    try:
        _check_ultrasound(case)
        _check_mri(case)
    except IusError as error:
        return judged(case, str(error))
    return case


def _check_ultrasound(case: Case) -> None:
    """Read the case's volume or frame and its sweep, with their masks."""
    if case.us and case.us_label and not is_frame(case.us):
        _refuse_swapped(case)
        _, mask = read_pair(case.us, case.us_label, may_be_empty=case.cavity_label is not None)
        if case.cavity_label:
            read_cavity(case.cavity_label, mask)
    elif case.us and case.us_label:
        read_frame(case.us, case.us_label)
    elif case.us:
        read_placed(case.us)
    if case.sweep and case.sweep_label:
        read_sweep(case.sweep, case.sweep_label)


def _refuse_swapped(case: Case) -> None:
    """Refuse a case whose ultrasound mask and MRI mask are swapped: each is on the other's grid."""
    if not (case.us and case.us_label and case.mri and case.mri_label):
        return
    us, us_label, mri_label = (read_image(path) for path in (case.us, case.us_label, case.mri_label))
    if not same_grid(us, us_label) and same_grid(us, mri_label):
        raise FormatError(
            f"{case.mri_label} is on the ultrasound's grid and {case.us_label} is not: swap the two masks."
        )


def _check_mri(case: Case) -> None:
    """Read the case's MRI, and check that the mask lies in the first."""
    images = [read_placed(path) for path in case.mri]
    if images and case.mri_label:
        check_mri_mask(images[0], read_placed(case.mri_label), case.mri_label)
