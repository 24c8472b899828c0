"""Registration of a cohort: each pair on its own, in several processes, resumable, with metrics and flags."""

import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from inference.errors import FormatError, IusError, NotFoundError
from training.cohort.mask_checks import check_mri_mask
from training.io.files import written_aside
from training.io.progress import Bar
from training.io.receipt import sha256, write_json, write_receipt
from training.registration.align import Metric, align
from training.registration.pairs import Pair
from training.registration.pictures import FOLDER, picture_paths, write_pictures
from training.registration.result import Registered, flags, write_results
from training.registration.transfer import transfer
from training.registration.transforms import read_transform, write_transform
from training.registration.volume import as_volume, read_image

VERSION = 3
"""Increased when the same files give other results, so that results of older versions are computed again."""


def register(pairs: Sequence[Pair], out: Path, metric: Metric, jobs: int = 1) -> list[Registered]:
    """Register every pair; one that fails is reported, and the others go on.

    Writes OUT/transforms/CASE.txt and .tfm, OUT/labels/CASE.nii.gz, OUT/pictures/CASE/ (for the review),
    OUT/cases/CASE.json (by which it resumes), OUT/registration.csv and the receipt. A case whose files and metric are
    those of its last run is not registered again.

    Raises:
        FormatError: if there is nothing to register.
        IusError: if not one case could be registered; its text is the first one's.
    """
    if not pairs:
        raise FormatError("There is no case to register: the table is empty, or all are excluded.")
    began = time.monotonic()
    rows = []
    for row in Bar(_each(pairs, out, metric, jobs), total=len(pairs), unit="case", desc="register"):
        rows.append(row)
        if row.error:
            Bar.write(f"error: {row.case}: {row.error}", file=sys.stderr)
    if all(row.error for row in rows):
        raise IusError(rows[0].error)
    write_results(rows, out)
    done = [pair for pair, row in zip(pairs, rows, strict=True) if not row.error]
    settings = {"metric": metric, "jobs": jobs, "seconds": round(time.monotonic() - began, 1)}
    write_receipt(out, "register", settings, [path for pair in done for path in pair.files])
    return rows


def _each(pairs: Sequence[Pair], out: Path, metric: Metric, jobs: int) -> Iterator[Registered]:
    """The rows, in the pairs' order."""
    work = partial(_register, out=out, metric=metric)
    if min(jobs, len(pairs)) == 1:
        yield from map(work, pairs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(pairs)), context, initializer=_one_thread) as pool:
        yield from pool.map(work, pairs)


def _one_thread() -> None:
    """One thread each: the processes already share the cores."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def _register(pair: Pair, out: Path, metric: Metric) -> Registered:
    """One pair, unless it is done already."""
    try:
        if pair.us is None or not pair.mris:
            raise NotFoundError(f"The case has no {'MRI' if pair.us else 'ultrasound volume'}: nothing to register.")
        key = _key(pair, metric)
        receipt = out / "cases" / f"{pair.case}.json"
        row = _done(pair, out, receipt, key)
        if row is None:
            row = _register_now(pair, pair.us, out, metric)
            write_json({"key": key, "result": asdict(row)}, receipt)
    except IusError as error:
        return Registered(pair.case, metric, error=str(error))
    return row


def _key(pair: Pair, metric: Metric) -> dict[str, object]:
    """What a result depends on."""
    for path in pair.files:
        if not path.is_file():
            raise NotFoundError(f"There is no file {path}.")
    roles = {"us": [pair.us], "mri": pair.mris, "label": [pair.label], "start": [pair.start]}
    hashes = {role: [sha256(path) for path in paths if path] for role, paths in roles.items()}
    return {"version": VERSION, "metric": metric, **hashes}


def _done(pair: Pair, out: Path, receipt: Path, key: dict[str, object]) -> Registered | None:
    """The result of an earlier run on the same files, if it is whole."""
    written = [out / "transforms" / f"{pair.case}.txt", out / "transforms" / f"{pair.case}.tfm", receipt]
    if pair.label is not None:
        written.append(out / "labels" / f"{pair.case}.nii.gz")
    written += picture_paths(out / FOLDER, pair.case).values()
    if not all(path.is_file() for path in written):
        return None
    stored = json.loads(receipt.read_text())
    return Registered(**stored["result"]) if stored["key"] == key else None


def _register_now(pair: Pair, us_file: Path, out: Path, metric: Metric) -> Registered:
    """Read, align, write."""
    us, mris = read_image(us_file), [read_image(path) for path in pair.mris]
    label = None if pair.label is None else read_image(pair.label)
    if label is not None and pair.label is not None:
        check_mri_mask(mris[0], label, pair.label)
    start = None if pair.start is None else read_transform(pair.start)
    us_volume, mri_volumes = as_volume(us), [as_volume(mri) for mri in mris]
    found = align(us_volume, mri_volumes, start, metric)
    mask, inside = (None, None) if label is None else transfer(label, us, found.matrix)
    if mask is not None:
        with written_aside(out / "labels" / f"{pair.case}.nii.gz") as aside:
            sitk.WriteImage(mask, str(aside), useCompression=True)
    shown = None if mask is None else as_volume(mask)
    write_pictures(out / FOLDER, pair.case, us_volume, mri_volumes[0], shown, found.matrix)
    write_transform(found.matrix, out / "transforms" / pair.case)
    return Registered(
        case=pair.case,
        metric=metric,
        similarity_start=round(found.similarity_start, 6),
        similarity=round(found.similarity, 6),
        shift_mm=round(found.shift_mm, 3),
        rotation_deg=round(found.rotation_deg, 3),
        overlap_percent=round(found.overlap_percent, 2),
        label_inside_percent=None if inside is None else round(inside, 2),
        flags=" ".join(flags(found, inside)),
    )
