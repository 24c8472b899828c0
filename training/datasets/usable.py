"""Whether a case has the files that every stage needs, and if not, which are missing."""

from dataclasses import replace

from training.cohort.cases import Case


def judged(case: Case, reason: str = "") -> Case:
    """The case, excluded if a reason is given or if it lacks something."""
    why = reason or lacking(case)
    return replace(case, exclude=True, reason=why) if why else case


def lacking(case: Case) -> str:
    """Why a case cannot be sliced; empty if a picture has a mask, or its MRI has one to carry over."""
    if (case.us and case.us_label) or (case.sweep and case.sweep_label) or (case.us and case.mri and case.mri_label):
        return ""
    if not case.us and not case.sweep:
        return "no ultrasound volume"
    return "no tumour mask" if case.mri or not case.mri_label else "no tumour mask, and no MRI to carry the MRI's over"
