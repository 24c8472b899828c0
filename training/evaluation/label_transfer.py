"""Measures label transfer: compares the MRI's mask, carried over, with the mask drawn on the same ultrasound volume.

The paper trains on transferred masks and never reports how well they fit. RESECT-SEG has both masks of 23 patients.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from inference.errors import FormatError, IusError, NotFoundError
from training.cohort.cases import Case, read_cases
from training.evaluation.metrics import Mask, Score, hd95_mm, score
from training.evaluation.page import Page, Section
from training.evaluation.patient_tables import estimate
from training.evaluation.population import Population, check_cases
from training.evaluation.tables import Cell, Percent, Table
from training.io.progress import Bar
from training.io.receipt import write_json
from training.registration.mapping import read_start
from training.registration.transfer import transfer
from training.registration.volume import as_volume, read_placed
from training.slicing.labels import read_review, refuse_other_files
from training.slicing.volumes import read_pair, same_grid

_WORDS = (
    "Both masks are compared voxel by voxel on the ultrasound's own grid, in 3D: Dice = 2 TP / (2 TP + FP + FN) with "
    "the mask drawn on the ultrasound as the truth.",
    "Before: the MRI's mask by navigation alone (the case table's start transform, else the files' common world). "
    "After: as 'ius-train register' carried it over, whatever the review decided.",
    "One volume a patient: of a patient with several, the first in the table counts in the means.",
    "A figure over fewer than five patients is not given (–).",
)


_UNIT = 1.0
"""The area of a pixel that `score` asks for: it means nothing in 3D, where we count voxels."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """How well one case's mask was transferred.

    Attributes:
        case: the case's name.
        patient: the case's patient.
        before: score against the ultrasound's mask by navigation alone.
        after: the same after registration, with HD95.
        voxel_mm3: volume of a voxel of the ultrasound's grid.
        centre_mm: distance of the two masks' centres after registration; None if the carried mask is out of view.
        decision: `accept` or `reject` in the review; empty if it was not reviewed.
    """

    case: str
    patient: str
    before: Score
    after: Score
    voxel_mm3: float
    centre_mm: float | None
    decision: str


def compare_labels(cases: Path, registered: Path, out: Path, *, data: str, simulated: bool) -> dict[str, Any]:
    """Measure every case that has both masks and was registered, and write `report.html`, `report.md`, `labels.json`.

    A case that cannot be measured is reported on stderr; the others go on.

    Args:
        cases: case table with us, us_label and mri_label.
        registered: folder that `ius-train register` wrote.
        out: folder of the report.
        data: the data, in words.
        simulated: whether the patients are simulated.

    Returns:
        The content of `labels.json`: key -> title, note and rows.

    Raises:
        PopulationError: if simulated and real patients are mixed, or one kind is declared as the other.
        NotFoundError: if no case could be measured.
    """
    chosen = [case for case in read_cases(cases) if case.us_label and case.mri_label and not case.exclude]
    population = Population.of(simulated)
    check_cases([cases], [case.case for case in chosen], population)
    measured = list(_each(chosen, registered))
    if not measured:
        raise NotFoundError(f"No case of {cases} has an ultrasound mask and an MRI mask registered in {registered}.")
    tables = (summary_table(measured), case_table(measured))
    content = {table.key: table.as_json() for table in tables}
    write_json(content, out / "labels.json")
    for table in tables:
        table.write_csv(out / "tables" / f"{table.key}.csv")
    patients = len({one.patient for one in measured})
    counts = f"{len(measured)} volumes of {patients} patients."
    Page("Label transfer", data, counts, (Section("Label transfer", population, tables=tables),), _WORDS).write(
        out, [out / "labels.json"]
    )
    return content


def case_table(measured: Sequence[Transferred]) -> Table:
    """The table of cases, one row each."""
    figures_head = ("Dice before", "Dice after", "precision", "recall", "HD95 mm", "centres mm")
    head = ("case", "patient", *figures_head, "MRI mask cm³", "US mask cm³", "review")
    rows: list[tuple[Cell, ...]] = []
    for one in measured:
        after = one.after
        volumes = tuple(n * one.voxel_mm3 / 1000 for n in (after.tp + after.fp, after.tp + after.fn))
        figures = (one.before.dice, after.dice, after.precision, after.recall, after.hd95_mm, one.centre_mm)
        rows.append((one.case, one.patient, *figures, *volumes, one.decision or "not reviewed"))
    note = "Precision to centres are after registration; centres: distance of the two masks' centres."
    return Table("cases", "Each case", head, tuple(rows), note)


def summary_table(measured: Sequence[Transferred]) -> Table:
    """Means over patients before and after registration, of all cases and of the accepted ones."""
    first = {one.patient: one for one in reversed(measured)}
    groups = {"all": list(first.values())[::-1]}
    accepted = [one for one in groups["all"] if one.decision == "accept"]
    groups |= {"accepted in the review": accepted} if len(accepted) < len(first) else {}
    rows: list[tuple[Cell, ...]] = []
    for words, group in groups.items():
        before, after = ([_dice(score) for score in of] for of in ([o.before for o in group], [o.after for o in group]))
        better = Percent(float(np.mean(np.array(after) > np.array(before)))) if estimate(after) else None
        rows.append((words, len(group), estimate(before), estimate(after), better))
    head = ("volumes", "patients", "Dice before", "Dice after", "better after")
    note = "Mean over patients [95 % interval], one volume each."
    return Table("label_transfer", "Label transfer", head, tuple(rows), note)


def _each(cases: Sequence[Case], registered: Path) -> Iterator[Transferred]:
    """Measure every case that can be measured."""
    decisions = read_review(registered)
    for case in Bar(cases, desc="labels", unit="case"):
        try:
            yield _measure(case, registered, decisions.get(case.case, ""))
        except IusError as error:
            Bar.write(f"error: {case.case}: {error}", file=sys.stderr)


def _measure(case: Case, registered: Path, decision: str) -> Transferred:
    """Measure one case."""
    label = registered / "labels" / f"{case.case}.nii.gz"
    if not label.is_file():
        raise NotFoundError(f"It has no registered MRI mask in {registered}: run 'ius-train register'.")
    if case.us is None or case.us_label is None or case.mri_label is None:
        raise NotFoundError("It has no ultrasound volume.")
    refuse_other_files(case, registered)
    us, true = read_pair(case.us, case.us_label)
    after = read_placed(label)
    if not same_grid(us, after):
        raise FormatError(f"{label} is not on the grid of {case.us}.")
    start = np.eye(4) if case.start is None else read_start(case.start, as_volume(us))
    before, _ = transfer(read_placed(case.mri_label), us, start)
    masks = [sitk.GetArrayViewFromImage(image) > 0 for image in (before, after, true)]
    spacing = us.GetSpacing()[::-1]
    return Transferred(
        case.case,
        case.patient,
        score(masks[0], masks[2], _UNIT),
        replace(score(masks[1], masks[2], _UNIT), hd95_mm=hd95_mm(masks[1], masks[2], spacing)),
        float(np.prod(spacing)),
        _between_centres(masks[1], masks[2], spacing),
        decision,
    )


def _between_centres(one: Mask, other: Mask, spacing: tuple[float, ...]) -> float | None:
    """Distance of two masks' centres, mm; None if one is empty."""
    if not one.any() or not other.any():
        return None
    centres = [np.argwhere(mask).mean(axis=0) * spacing for mask in (one, other)]
    return float(np.linalg.norm(centres[0] - centres[1]))


def _dice(one: Score) -> float:
    """Dice of two masks, of which at least one is not empty."""
    return one.dice or 0.0
