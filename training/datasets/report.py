"""The report on the cases: which files were found, which are missing, and why a case is not used."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from training.cohort.cases import Case
from training.io.files import written_aside

_REMIND, _PAPERS_VOLUMES, _PAPERS_PATIENTS = "ReMIND", 103, 55
_PARTS = ("us", "us_label", "cavity_label", "sweep", "sweep_label", "mri", "mri_label", "landmarks")
_ALWAYS = ("us", "us_label", "mri", "mri_label")
"""Files that the report names when they are missing; a sweep and landmarks are extras."""


def told(cases: Sequence[Case]) -> str:
    """The report as text: one line per case, then one per data set."""
    width = max((len(case.case) for case in cases), default=0)
    lines = [f"{case.case:<{width}}  {_about(case)}" for case in cases]
    return "\n".join([*lines, "", *_totals(cases)])


def write_told(cases: Sequence[Case], path: Path) -> None:
    """Write the report as a text file."""
    with written_aside(path) as aside:
        aside.write_text(told(cases) + "\n", encoding="utf-8")


def _about(case: Case) -> str:
    """What was found for a case, what is missing, and why it is not used."""
    found = [
        name + (f" ({', '.join(path.name.partition('.')[0] for path in case.mri)})" if name == "mri" else "")
        for name in _PARTS
        if getattr(case, name)
    ]
    missing = [name for name in _ALWAYS if not getattr(case, name)]
    words = f"found: {', '.join(found) or 'nothing'}"
    if missing:
        words += f"; missing: {', '.join(missing)}"
    return f"{words}; not used: {case.reason or 'excluded'}" if case.exclude else words


def _totals(cases: Sequence[Case]) -> Iterator[str]:
    """The counts of each data set."""
    for dataset in dict.fromkeys(case.dataset for case in cases):
        ours = [case for case in cases if case.dataset == dataset]
        used = [case for case in ours if not case.exclude]
        patients = len({case.patient for case in used if case.patient})
        yield (
            f"{dataset or 'no data set'}: {len(ours)} found, {len(used)} used of {patients} patients; "
            f"{sum(bool(case.us_label) for case in used)} with an ultrasound mask, "
            f"{sum(bool(case.mri and case.mri_label) for case in used)} with an MRI mask"
        )
        if dataset == _REMIND:
            same = (len(used), patients) == (_PAPERS_VOLUMES, _PAPERS_PATIENTS)
            yield (
                f"The paper took {_PAPERS_VOLUMES} volumes of {_PAPERS_PATIENTS} patients of {_REMIND}"
                f"{', as here.' if same else f', here it is {len(used)} of {patients}: each reason stands above.'}"
            )
