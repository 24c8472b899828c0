"""ReMIND (Juvekar et al. 2023, doi 10.7937/3RAG-D070): DICOM from TCIA, as TCIA's downloader lays it out."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inference.errors import FormatError, IusError, NotFoundError
from training.cohort.cases import Case
from training.datasets.cache import converted
from training.datasets.clinical import RECOGNISED, Clinical, Columns, read_clinical
from training.datasets.files import checked
from training.datasets.inclusion import AS_PUBLISHED, Inclusion
from training.datasets.origin import Origin, origin
from training.datasets.planes import read_segmentation, read_series, read_ultrasound
from training.datasets.remind_drawn import DrawnMasks
from training.datasets.resect import Sequences
from training.datasets.series import Series, find_series
from training.datasets.usable import judged

_PHASES = {"US_pre_dura": "pre-dura", "US_post_dura": "post-dura", "US_pre_imri": "pre-imri"}
AFTER = "pre-imri"
"""The phase after resection, before the intra-operative MRI."""
_SEGMENTATION = re.compile(r"(?P<structure>\w+) seg - MR ref: (?P<reference>.+)")
_SEQUENCE = {
    "flair": re.compile("flair", re.IGNORECASE),
    "ce-t1": re.compile("t1.*post", re.IGNORECASE),
}
_DURING = re.compile(r"intra[\s_-]?op", re.IGNORECASE)
"""The study of the operation, by its description: it may lie in two, one without ultrasound."""
_FOLDER = re.compile(r"ReMIND-\d+")


@dataclass(frozen=True, slots=True)
class Choice:
    """What to take from the data set.

    Attributes:
        cache: folder for the NIfTI files made from it.
        clinical: its clinical table; without it nobody knows which surgery was a patient's first.
        columns: titles of that table's columns, where they cannot be recognised.
        include: who is taken beyond the paper.
        sequences: the MRI to register; with `both`, a mask's own MRI where neither lies in its world, as T2-SPACE.
        convert_excluded: convert excluded volumes too, so that a person can take them back in.
        drawn: masks that others drew on its ultrasound; a volume after resection is taken with one of these alone.
    """

    cache: Path
    clinical: Path | None = None
    columns: Columns = RECOGNISED
    include: Inclusion = AS_PUBLISHED
    sequences: Sequences = "both"
    convert_excluded: bool = False
    drawn: DrawnMasks | None = None


def find_cases(root: Path, choice: Choice) -> list[Case]:
    """Every ultrasound volume of every patient; those that the paper did not take are excluded, with the reason.

    Raises:
        NotFoundError: if there is no such folder, no DICOM in it, or no clinical table.
        FormatError: if the clinical table cannot be read.
    """
    whose = origin(checked(root), "ReMIND")
    patients: dict[str, list[Series]] = defaultdict(list)
    for series in find_series(root):
        patients[series.patient].append(series)
    if not patients:
        raise NotFoundError(f"{root} holds no DICOM file (.dcm): is it the ReMIND folder?")
    clinical = read_clinical(choice.clinical, choice.columns) if choice.clinical else {}
    nobodys = patients.pop("", [])
    found = []
    for patient in sorted(patients):
        number = re.search(r"\d+$", patient)
        known = clinical.get(int(number.group())) if number else None
        found += list(_patient(patient, patients[patient], known, whose, choice))
    if choice.drawn is not None:
        found = choice.drawn.settled(found)
    return found + [_nobodys(series, at, whose) for at, series in enumerate(nobodys, start=1)]


def _nobodys(series: Series, number: int, whose: Origin) -> Case:
    """The case of a series whose header names no patient: it stays in the table, so that the user sees it."""
    folder = _FOLDER.search(str(series.files[0]))
    name = f"{whose.patients}-unreadable-{number}"
    reason = series.damage or f"no PatientID in {series.files[0]}"
    return Case(name, folder.group() if folder else "", dataset=whose.dataset, exclude=True, reason=reason)


def _patient(
    patient: str, series: Sequence[Series], clinical: Clinical | None, whose: Origin, choice: Choice
) -> Iterator[Case]:
    """One patient's ultrasound volumes."""
    name = f"{whose.patients}-{patient}" if whose.simulated else patient
    ultrasound = {one.study for one in series if one.modality == "US" or one.description in _PHASES}
    intra = ultrasound | {one.study for one in series if _DURING.search(one.study_said)}
    before = [one for one in series if one.study not in intra]
    seen: dict[str, int] = defaultdict(int)
    for one in series:
        if one.modality != "US" and one.description not in _PHASES:
            continue
        phase = _PHASES.get(one.description, "")
        stem = f"{name}-{phase or 'ultrasound'}"
        seen[stem] += 1
        case = Case(
            stem if seen[stem] == 1 else f"{stem}-{seen[stem]}",
            name,
            dataset=whose.dataset,
            phase=phase,
            first_surgery=clinical.first_surgery if clinical else None,
            diagnosis=clinical.diagnosis if clinical else "",
            simulated=whose.simulated,
        )
        reason = _unwanted(one, phase, clinical, whose, choice)
        if reason and not choice.convert_excluded:
            yield replace(case, exclude=True, reason=reason)
        else:
            yield _with_files(case, one, before, choice, reason)


def _unwanted(one: Series, phase: str, clinical: Clinical | None, whose: Origin, choice: Choice) -> str:
    """Why this volume is not taken; empty if it is. Simulated patients need no clinical table."""
    if not phase:
        return f"unknown series '{one.description}'"
    if phase == AFTER and not (choice.drawn is not None and "resection" in choice.include.wider):
        return (
            "US_pre_imri: after resection, before the intra-operative MRI; --include resection takes it where "
            "--remind-drawn has its mask"
        )
    if clinical is None:
        return (
            "" if whose.simulated else "not in the clinical table (--clinical): first surgery and diagnosis not known"
        )
    return clinical.unfit(choice.include)


def _with_files(case: Case, us: Series, before: Sequence[Series], choice: Choice, reason: str) -> Case:
    """The case with its volume, MRI and masks as NIfTI; excluded, with the reason, if one cannot be had.

    The mask before surgery tells nothing of a volume after resection, so that this gets none of MRI's.
    """
    folder = choice.cache / case.patient
    try:
        (file,) = us.files[:1]
        if len(us.files) != 1:
            raise FormatError(f"{file.parent} holds {len(us.files)} files, and a volume of ReMIND is one.")
        if choice.drawn is None and not choice.convert_excluded:
            _tumour(before, us)  # a volume without any mask is not worth converting
        case = replace(case, us=converted(folder / f"{case.case}.nii.gz", [file], lambda: read_ultrasound(file)))
        if choice.drawn is not None:
            case = choice.drawn.on(case)
        if case.phase == AFTER:
            return judged(case, reason)
        label, reference = _tumour(before, us)
        chosen = _chosen(before, reference, choice.sequences)
        mri = tuple(_volume(one, folder, before) for one in chosen)
        case = replace(case, mri=mri, mri_label=_mask(label, folder, before))
    except IusError as error:
        return judged(case, reason or ("" if case.us_label else str(error)))
    return judged(case, reason)


def _tumour(before: Sequence[Series], us: Series) -> tuple[Series, Series]:
    """The segmentation of the tumour before surgery and its MRI, matched by study and description, then by UID.

    Of several studies it is the one in the ultrasound's frame of reference, else the last before it. Only `tumor`
    counts: tumor_target, tumor_residual and the others are other structures.
    """
    found = []
    for series in before:
        named = _SEGMENTATION.fullmatch(series.description)
        if series.modality == "SEG" and named and named["structure"] == "tumor":
            found.append((series, _reference(series, named["reference"], before)))
    found = _of_one_study(found, us)
    drawn_on = [id(reference) for _, reference in found]
    twice = next((reference for _, reference in found if drawn_on.count(id(reference)) > 1), None)
    if twice is not None:
        raise FormatError(
            f"There are {drawn_on.count(id(twice))} segmentations of its tumour on '{twice.description}', and one "
            "alone would leave out what the others hold: join them, or leave one in the folder."
        )
    return min(found, key=lambda pair: pair[1].description)


_Mask = tuple[Series, Series]


def _of_one_study(masks: Sequence[_Mask], us: Series) -> list[_Mask]:
    """The masks of the one study that belongs to an ultrasound volume.

    Raises:
        NotFoundError: if there is none before it.
        FormatError: if neither frame of reference nor date tells which it is.
    """
    when = _when(us, [reference for _, reference in masks])
    before = [mask for mask in masks if not when or when[mask[1].study] < when[us.study]]
    if not before:
        raise NotFoundError("There is no segmentation of its tumour before surgery.")
    in_its_world = [mask for mask in before if us.world and mask[1].world == us.world]
    last = max((when[reference.study] for _, reference in before), default=None) if when else None
    on_the_last_day = [mask for mask in before if when and when[mask[1].study] == last]
    for chosen in (before, in_its_world, on_the_last_day):
        if len({reference.study for _, reference in chosen}) == 1:
            return chosen
    studies = len({reference.study for _, reference in before})
    raise FormatError(
        f"Its tumour is drawn in {studies} MRI studies before surgery, and neither the ultrasound's frame of reference "
        "nor the studies' dates tell which one belongs to it: leave one of them in the folder."
    )


def _when(us: Series, references: Sequence[Series]) -> dict[str, tuple[str, str]]:
    """When each study was, by its UID; empty where that is not known.

    One day for all is no day (ReMIND has 1982-12-25 for every study), and then the time of day tells nothing either.
    """
    series = [us, *references]
    days = {one.day for one in series}
    if "" in days or len(days) == 1:
        return {}
    timed = all(one.time for one in series)
    when = {one.study: (one.day, one.time if timed else "") for one in series}
    return {} if any(when[one.study] == when[us.study] for one in references) else when


def _reference(label: Series, description: str, series: Iterable[Series]) -> Series:
    """The one MRI that a segmentation was drawn on."""
    fitting = [
        one for one in series if one.modality == "MR" and one.study == label.study and one.description == description
    ]
    if not fitting:
        raise FormatError(f"Its segmentation's MRI '{description}' is not there: download the whole study.")
    named = [one for one in fitting if one.uid and one.uid in label.refers_to] if len(fitting) > 1 else fitting
    if len(named) != 1:
        raise FormatError(
            f"Its segmentation's MRI '{description}' is there {len(fitting)} times, and the segmentation names "
            f"{'several' if named else 'none'} of them by UID: leave one of them in the folder."
        )
    return named[0]


def _chosen(before: Sequence[Series], reference: Series, sequences: Sequences) -> list[Series]:
    """The MRI to register: one of each wanted sequence, in the same frame of reference as the mask's MRI."""
    if sequences == "own":
        return [reference]
    wanted = ("flair", "ce-t1") if sequences == "both" else (sequences,)
    world = [
        one for one in before if one.modality == "MR" and one.study == reference.study and one.world == reference.world
    ]
    chosen = []
    for sequence in wanted:
        fitting = [one for one in world if _SEQUENCE[sequence].search(one.description)]
        # The mask's own MRI first, then 3D before 2D.
        chosen += sorted(fitting, key=lambda one: (one is not reference, -len(one.files), one.description))[:1]
    if chosen:
        return chosen
    if sequences == "both":
        return [reference]
    raise NotFoundError(
        f"There is no {sequences} MRI in the world of its mask's, {reference.description}: --mri own takes that one."
    )


def _volume(series: Series, folder: Path, among: Sequence[Series]) -> Path:
    """Convert an MRI to NIfTI."""
    target = folder / f"{_file_name(series, among)}.nii.gz"
    return converted(target, series.files, lambda: read_series(series.files))


def _mask(series: Series, folder: Path, among: Sequence[Series]) -> Path:
    """Convert a segmentation to NIfTI."""
    target = folder / f"{_file_name(series, among)}.nii.gz"
    return converted(target, series.files, lambda: read_segmentation(series.files[0]))


def _file_name(series: Series, among: Sequence[Series]) -> str:
    """A series' description as a valid file name, with the end of its UID where another has the same."""
    name = re.sub(r"[^\w.-]+", "-", series.description)
    alone = sum(one.description == series.description for one in among) == 1
    uid = series.uid or series.study
    return name if alone or not uid else f"{name}-{uid[-12:].replace('.', '-')}"
