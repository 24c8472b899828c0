"""Registration of a cohort: each pair on its own, in several processes, resumable, with metrics and flags."""

import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from inference.errors import FormatError, IusError, NotFoundError
from training.io.progress import Bar
from training.io.receipt import sha256, write_receipt
from training.registration.align import Alignment, Metric, align
from training.registration.deformation import Deformation
from training.registration.inputs import Inputs, read_inputs
from training.registration.mapping import FIELD
from training.registration.output import record_of, record_path, write_output, write_record
from training.registration.pairs import Pair
from training.registration.pictures import FOLDER, picture_paths
from training.registration.refine import Refine, keep, refine
from training.registration.result import Registered, write_results

VERSION = 4
"""Increased when the same files give other results, so that results of older versions are computed again."""
REFINED = 1
"""The same of refinements."""


def register(
    pairs: Sequence[Pair], out: Path, metric: Metric, jobs: int = 1, refinement: Refine = "none"
) -> list[Registered]:
    """Register every pair; one that fails is reported, and the others go on.

    Writes OUT/transforms/CASE.txt and .tfm, or CASE.nii.gz for a deformation, OUT/labels/CASE.nii.gz,
    OUT/pictures/CASE/ (for the review), OUT/cases/CASE.json (by which it resumes), OUT/registration.csv and the
    receipt. A case whose files and metric are those of its last run is not registered again. A start that deforms is
    kept as it is, whatever the metric.

    Raises:
        FormatError: if there is nothing to register.
        IusError: if not one case could be registered; its text is the first one's.
    """
    if not pairs:
        raise FormatError("There is no case to register: the table is empty, or all are excluded.")
    began = time.monotonic()
    rows = []
    for row in Bar(_each(pairs, out, metric, refinement, jobs), total=len(pairs), unit="case", desc="register"):
        rows.append(row)
        if row.error:
            Bar.write(f"error: {row.case}: {row.error}", file=sys.stderr)
        if row.refused or row.refined_mm is not None:
            Bar.write(_told(row), file=sys.stderr)
    if all(row.error for row in rows):
        raise IusError(rows[0].error)
    write_results(rows, out)
    done = [pair for pair, row in zip(pairs, rows, strict=True) if not row.error]
    settings = {"metric": metric, "refine": refinement, "jobs": jobs, "seconds": round(time.monotonic() - began, 1)}
    write_receipt(out, "register", settings, [path for pair in done for path in pair.files])
    return rows


def _told(row: Registered) -> str:
    """What became of a refinement, in a line."""
    if row.refused:
        return f"not refined: {row.case}: {row.refused}"
    change = "" if row.volume_change_percent is None else f", the tumour's volume by {row.volume_change_percent:+.1f} %"
    return f"{row.kind}: {row.case}: moved by at most {row.refined_mm:.1f} mm{change}"


def _each(pairs: Sequence[Pair], out: Path, metric: Metric, refinement: Refine, jobs: int) -> Iterator[Registered]:
    """The rows, in the pairs' order."""
    work = partial(_register, out=out, metric=metric, refinement=refinement)
    if min(jobs, len(pairs)) == 1:
        yield from map(work, pairs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(pairs)), context, initializer=_one_thread) as pool:
        yield from pool.map(work, pairs)


def _one_thread() -> None:
    """One thread each: the processes already share the cores."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def _register(pair: Pair, out: Path, metric: Metric, refinement: Refine) -> Registered:
    """One pair, unless it is done already."""
    try:
        key = _key(pair, metric, refinement)
        row = _done(pair, out, key)
        if row is None:
            inputs = read_inputs(pair)
            found = _found(inputs, metric, refinement)
            row = write_output(out, pair.case, inputs, found, metric)
            before = {} if found.deformation is None else {"linear": found.matrix.tolist()}
            write_record(record_of(pair, key, row) | before, out, pair.case)
    except IusError as error:
        return Registered(pair.case, metric, error=str(error))
    return row


def _found(inputs: Inputs, metric: Metric, refinement: Refine) -> Alignment:
    """The registration, then its refinement."""
    if isinstance(inputs.start, Deformation):
        return keep(inputs.us, inputs.mris, inputs.start)
    found = align(inputs.us, inputs.mris, inputs.start, metric)
    return refine(inputs.us, inputs.mris, found, metric, refinement)


def _key(pair: Pair, metric: Metric, refinement: Refine) -> dict[str, object]:
    """What a result depends on."""
    if pair.us is None or not pair.mris:
        raise NotFoundError(f"The case has no {'MRI' if pair.us else 'ultrasound volume'}: nothing to register.")
    if refinement != "none" and metric == "none" and pair.start is None:
        raise FormatError("There is no registration to refine: leave --metric none out, or give the case a start.")
    for path in pair.files:
        if not path.is_file():
            raise NotFoundError(f"There is no file {path}.")
    roles = {"us": [pair.us], "mri": pair.mris, "label": [pair.label], "start": [pair.start]}
    hashes = {role: [sha256(path) for path in paths if path] for role, paths in roles.items()}
    refined = {} if refinement == "none" else {"refine": [refinement, REFINED]}
    return {"version": VERSION, "metric": metric, **refined, **hashes}


def _done(pair: Pair, out: Path, key: dict[str, object]) -> Registered | None:
    """The result of an earlier run on the same files, if it is whole; one that a person has moved since is kept."""
    receipt = record_path(out, pair.case)
    stem = out / "transforms" / pair.case
    field = stem.with_name(f"{pair.case}{FIELD}")
    linear = [stem.with_name(f"{pair.case}{ending}") for ending in (".txt", ".tfm")]
    written = [field, receipt] if field.is_file() else [*linear, receipt]
    if pair.label is not None:
        written.append(out / "labels" / f"{pair.case}.nii.gz")
    written += picture_paths(out / FOLDER, pair.case).values()
    if not all(path.is_file() for path in written):
        return None
    stored = json.loads(receipt.read_text(encoding="utf-8"))
    return Registered(**stored["result"]) if stored["key"] == key else None
