"""A store of slices, cut case by case: resumable, with a list of the cases that could not be cut."""

import json
import os
import shutil
import sys
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from inference.errors import FormatError, IusError, NotFoundError
from inference.tables import read_rows, write_lines
from training.cohort.cases import Case
from training.io.files import written_aside
from training.io.progress import Bar
from training.io.receipt import sha256, write_json
from training.slicing.areas import areas_path, read_areas, write_areas
from training.slicing.cutting import Cutting, cut_case
from training.slicing.leaks import (
    doubles,
    frames_path,
    identities_of,
    look_path,
    read_identities,
    refuse_leaks,
    refuse_twins,
)
from training.slicing.slices import SliceRow, read_slices, write_slices

LEFT_OUT = "left-out.csv"
_TOLD_BY_FILES = ("masks", "sweeps")
"""Settings that choose the files of a case, whose hashes are kept."""
VERSION = 2
"""Increased when the same files give other slices, so that slices of older versions are cut again."""


def cut_cases(cases: Iterable[Case], store: Path, cutting: Cutting, apart_from: Iterable[Path] = ()) -> list[SliceRow]:
    """Cut every case that is not excluded into `store`; one that fails is reported, and the others go on.

    Writes `slices.csv`, `areas.csv` (every tumour slice of a volume under the three slicings) and `left-out.csv`. A
    case whose files and settings have not changed is not cut again. While a case is, there is no `slices.csv`. Slices
    of other cases that were cut into the store earlier are removed.

    Args:
        cases: the case table's.
        store: folder of the slices.
        cutting: how they are cut.
        apart_from: slice stores that may share no patient with this one.

    Raises:
        IusError: if not one case could be cut; its text is the first one's.
        LeakError: if one picture goes under two patients' names, or a patient is in another store too.
    """
    rows: list[SliceRow] = []
    left_out: dict[str, str] = {}
    wanted = [case for case in cases if not case.exclude]
    for case in Bar(wanted, desc="slice", unit="case"):
        try:
            rows += _cut_once(case, store, cutting)
        except IusError as error:
            left_out[case.case] = str(error)
            Bar.write(f"error: {case.case}: {error}", file=sys.stderr)
    if len(left_out) == len(wanted):
        raise IusError(
            next(iter(left_out.values()), "There is no case to cut: the table is empty, or all are excluded.")
        )
    _refuse_shared({row.case: row.patient for row in rows}, store, apart_from)
    _forget_others({row.case for row in rows}, store)
    write_slices(rows, store / "slices.csv")
    tables = [areas_path(store, case.case) for case in wanted if case.case not in left_out]
    write_areas((area for table in tables if table.is_file() for area in read_areas(table)), store / "areas.csv")
    _write_left_out(left_out, store / LEFT_OUT)
    return rows


def _forget_others(cases: Container[str], store: Path) -> None:
    """Remove the slices of cases that were cut earlier and are excluded, rejected or gone by now.

    Who reads the folder instead of the table would take them for patients of this store.
    """
    for receipt in sorted((store / "cases").glob("*.json")):
        table = receipt.with_suffix(".csv")
        if receipt.stem in cases or not table.is_file():
            continue
        receipt.unlink()
        (store / "slices.csv").unlink(missing_ok=True)  # it may list them
        _remove(read_slices(table), store)
        _forget_facts(store, receipt.stem)
        table.unlink()


def _forget_facts(store: Path, case: str) -> None:
    """Remove what was told of a case's pictures beside their slices."""
    for at in (look_path, frames_path, areas_path):
        at(store, case).unlink(missing_ok=True)


def _refuse_shared(patients: Mapping[str, str], store: Path, others: Iterable[Path]) -> None:
    """Stop before there is a table to train from; say where one patient's picture is in it twice."""
    identities = identities_of(store, patients)
    refuse_twins(identities)
    for one, again in doubles(identities):
        Bar.write(
            f"warning: {one.case} and {again.case} of {one.patient} are the same picture, so that its slices count "
            "twice in training and in means over slices: exclude one in the case table.",
            file=sys.stderr,
        )
    for other in others:
        refuse_leaks(identities, read_identities(other))


def read_left_out(store: Path) -> dict[str, str]:
    """Which cases could not be cut, and why."""
    with (store / LEFT_OUT).open(newline="", encoding="utf-8") as stream:
        return {row["case"]: row["reason"] for row in read_rows(stream)[1]}


def _write_left_out(left_out: Mapping[str, str], path: Path) -> None:
    """Write which cases could not be cut, and why."""
    with written_aside(path) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        write_lines(stream, [("case", "reason"), *left_out.items()])


def _cut_once(case: Case, store: Path, cutting: Cutting) -> list[SliceRow]:
    """One case's slices, cut now unless they are there already."""
    if not case.patient.strip():
        raise FormatError("It has no patient, and could stand on both sides of a split: write one in the case table.")
    files = _files(case, cutting)
    table, receipt = store / "cases" / f"{case.case}.csv", store / "cases" / f"{case.case}.json"
    key = _key(case, files, cutting)
    known = "sweep" not in files or frames_path(store, case.case).is_file()  # an earlier version knew it by its file
    if known and receipt.is_file() and json.loads(receipt.read_text(encoding="utf-8")) == key:
        return read_slices(table)
    receipt.unlink(missing_ok=True)
    (store / "slices.csv").unlink(missing_ok=True)  # of other masks than those that are there from now on
    _forget_facts(store, case.case)  # a frame that was a volume before has no areas, and a sweep no look
    if table.is_file():
        _remove(read_slices(table), store)
    rows = list(cut_case(case, files, store, cutting))
    write_slices(rows, table)
    write_json(key, receipt)
    return read_slices(table)


def _files(case: Case, cutting: Cutting) -> dict[str, Path]:
    """The files to cut, by their kind; a case that has only a sweep needs no volume."""
    files: dict[str, Path] = {}
    swept = cutting.sweeps and None not in (case.sweep, case.sweep_label) and cutting.masks.labels != "mri"
    if case.us and (case.us_label or not swept):
        label, origin = cutting.masks.of(case)
        files |= {"us": case.us, f"label-{origin}": label}
        files |= {"cavity": case.cavity_label} if case.cavity_label else {}
    if case.sweep and case.sweep_label and swept:
        files |= {"sweep": case.sweep, "sweep-label": case.sweep_label}
    if not files:
        raise NotFoundError("It has no ultrasound volume, and no sweep with a tumour mask.")
    return files


def _key(case: Case, files: Mapping[str, Path], cutting: Cutting) -> dict[str, object]:
    """What the slices of a case depend on."""
    for path in files.values():
        if not path.is_file():
            raise NotFoundError(f"There is no file {path}.")
    settings = {name: value for name, value in asdict(cutting).items() if name not in _TOLD_BY_FILES}
    hashes = {role: sha256(path) for role, path in files.items()}
    return {"version": VERSION, "patient": case.patient, "settings": settings, "files": hashes}


def _remove(rows: Sequence[SliceRow], store: Path) -> None:
    """Remove the slices of an earlier cutting, so that none is left without a line in the table."""
    for row in rows:
        row.image(store).unlink(missing_ok=True)
        row.label(store).unlink(missing_ok=True)


def join_stores(stores: Sequence[Path], out: Path) -> list[SliceRow]:
    """Make `out` a store of all slices of `stores`, in their order, by hard links (copies where there are none).

    Raises:
        FormatError: if two stores hold a slice of one name.
    """
    rows: dict[str, SliceRow] = {}
    (out / "slices.csv").unlink(missing_ok=True)  # of other slices than those that are there from now on
    for store in stores:
        for row in read_slices(store):
            if row.name in rows:
                raise FormatError(f"{store} and another store hold a slice named {row.name}: name their cases apart.")
            rows[row.name] = row
            for old, new in ((row.image(store), row.image(out)), (row.label(store), row.label(out))):
                link(old, new)
    write_slices(rows.values(), out / "slices.csv")
    return list(rows.values())


def link(old: Path, new: Path) -> None:
    """Give a file a second name (hard link); copy it where the file system has no links."""
    new.parent.mkdir(parents=True, exist_ok=True)
    new.unlink(missing_ok=True)
    try:
        os.link(old, new)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(old, new)
