"""Several models, and human readers, scored on the same slices and reported side by side."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inference.errors import IusError
from training.evaluation.cavity_table import cavity_sections
from training.evaluation.conventions import WORDS
from training.evaluation.detector_table import detector_sections
from training.evaluation.page import Page, Section
from training.evaluation.population import Population, check_cases, population_of, tables_behind
from training.evaluation.published import published
from training.evaluation.reader_tables import TAKEN, observers
from training.evaluation.scoring import Segment, refuse_other_labels, score_models, segments, write_scores
from training.evaluation.sections import (
    Evaluated,
    area_section,
    example_section,
    few_section,
    patient_sections,
    slice_sections,
    tables_of,
)
from training.evaluation.summary import UNKNOWN, Mode, Origin, summarise
from training.io.files import alone_in
from training.io.receipt import write_json
from training.slicing.slices import read_slices

Masks = Path | Sequence[Path]
"""A folder of masks `NAME.nii.gz`, or several folders that divide the slices among them."""
_NAME = re.compile(r"[^/\\\s:*?\"<>|][^/\\:*?\"<>|]*")


class ModelNameError(IusError):
    """Two models share a name, or a name cannot be a file's."""


def compare(
    models: Mapping[str, Masks],
    store: Path,
    out: Path,
    *,
    data: str,
    simulated: bool,
    annotators: Mapping[str, Masks] = {},
    title: str = "",
    cases: Iterable[Path] = (),
    margin: float | None = None,
    mode: Mode = "fast",
    jobs: int = 1,
    few: bool = False,
    first: Callable[[Evaluated], list[Section]] = lambda _: [],
    origins: Mapping[str, Origin] = {},
) -> dict[str, Any]:
    """Score models and human readers on every slice of a store, and write one report of them all.

    Writes `report.html`, `report.md`, `tables.json`, `tables/*.csv`, `figures/*.png` with a CSV beside each,
    `slices.csv`, and `summaries/MODEL.json` in the form that `export` takes. The same masks give the same bytes.

    Args:
        models: name -> folder of `NAME.nii.gz` masks, one per slice.
        store: slice store with the true masks.
        out: folder of the report.
        data: the data, in words.
        simulated: whether the patients are simulated; a report holds one kind only.
        annotators: other readers' masks in the same form, scored like models, in pairs and against the consensus.
        title: title of the report.
        cases: case tables, for strata and to refuse a mixed population, beside those the store was cut from.
        margin: difference of mean Dice within which two models count as equal; choose it before seeing the results.
        mode: how the models predicted.
        jobs: number of scoring threads.
        few: show groups of fewer than five patients too, in a table of their own.
        first: makes the sections that come before the others, once the scores are known.
        origins: name -> where its predictions come from.

    Returns:
        The content of `tables.json`: key -> title, note and rows.

    Raises:
        PopulationError: if simulated and real patients are mixed, or one kind is declared as the other.
        NotFoundError: if a mask is missing, which is not the same as an empty mask.
        FormatError: if a mask does not fit its slice.
        ModelNameError: if a name can't be used.
    """
    named = all_named(models, annotators)
    masks = {name: segments(one) for name, one in named.items()}
    evaluated = score_store(masks, store, simulated=simulated, cases=cases, margin=margin, jobs=jobs)
    refuse_other_labels(named, evaluated.scores)
    more = [few_section(evaluated)] if few else []
    more += cavity_sections(models, store, evaluated.rows, evaluated.population)
    more += detector_sections(models, store, evaluated.rows, evaluated.population)
    if annotators:
        table = observers(evaluated.rows, store, {name: masks[name] for name in annotators})
        more.append(Section("Readers", evaluated.population, tables=(table,)))
    seen = sorted({patient for origin in origins.values() for patient in origin.seen})
    said = Origin(seen=tuple(seen), unsure=any(origin.unsure for origin in origins.values())).told(data)
    with alone_in(out):
        summaries = {name: out / "summaries" / f"{name}.json" for name in models}
        for name, path in summaries.items():
            write_json(summarise(evaluated.scores[name], data, simulated, mode, origins.get(name, UNKNOWN)), path)
        return write_report(
            evaluated,
            out,
            data=said,
            title=title or "Comparison",
            first=first(evaluated),
            more=more,
            beside=summaries.values(),
        )


def score_store(
    models: Mapping[str, Segment],
    store: Path,
    *,
    simulated: bool,
    cases: Iterable[Path] = (),
    margin: float | None = None,
    jobs: int = 1,
) -> Evaluated:
    """Check whose slices they are, and score every model on each slice.

    Raises:
        PopulationError: if simulated and real patients are mixed, or one kind is declared as the other.
    """
    rows = read_slices(store)
    population = population_of((row.origin for row in rows), simulated=simulated)
    facts = check_cases([*tables_behind(store), *cases], dict.fromkeys(row.case for row in rows), population)
    return Evaluated(score_models(rows, store, models, jobs), models, store, facts, population, margin)


def write_report(
    evaluated: Evaluated,
    out: Path,
    *,
    data: str,
    title: str,
    first: Sequence[Section] = (),
    more: Sequence[Section] = (),
    quoted: tuple[str, ...] = ("cutoffs", "label_origin", "others"),
    beside: Iterable[Path] = (),
) -> dict[str, Any]:
    """Write the report.

    Args:
        evaluated: the scores.
        out: folder of the report.
        data: the data, in words.
        title: title of the report.
        first: sections that come before the others.
        more: sections after those on patients.
        quoted: published tables to quote, for recorded patients only.
        beside: what else was written into the folder for this report.

    Returns:
        The content of `tables.json`.
    """
    sections = [
        *first,
        *slice_sections(evaluated, out),
        *patient_sections(evaluated),
        *more,
        *example_section(evaluated, out),
        area_section(evaluated, out),
    ]
    if evaluated.population is Population.REAL:
        sections.append(published(quoted, evaluated.population))
    tables = tables_of(sections)
    content = {table.key: table.as_json() for table in tables}
    write_json(content, out / "tables.json")
    for table in tables:
        table.write_csv(out / "tables" / f"{table.key}.csv")
    write_scores(evaluated.scores, out / "slices.csv")
    written = [out / "tables.json", out / "slices.csv", *beside]
    Page(title, data, evaluated.counts, tuple(sections), WORDS).write(out, written)
    return content


def all_named(models: Mapping[str, Masks], annotators: Mapping[str, Masks]) -> dict[str, Masks]:
    """Models, then readers, by name; names are unique and valid as file names.

    Raises:
        ModelNameError: if a name cannot be a file's or is used twice, or if there is no model.
    """
    both = [*models, *annotators]
    for name in both:
        if not _NAME.fullmatch(name):
            raise ModelNameError(f"'{name}' cannot be a model's name: use letters, digits, '_', '+', '-' and spaces.")
    twice = set(models) & set(annotators)
    if twice:
        raise ModelNameError(f"'{min(twice)}' is a model and an annotator: give each its own name.")
    if len({name.casefold() for name in both}) < len(both):
        raise ModelNameError(
            f"Two of {', '.join(both)} differ in capitals alone, and would share a file on Windows and macOS: give "
            "each a name of its own."
        )
    if own := set(annotators) & set(TAKEN):
        raise ModelNameError(
            f"'{min(own)}' is what the table of readers calls its own: give the annotator another name."
        )
    if not both:
        raise ModelNameError("There is no model to score: name at least one folder of predictions.")
    return {**models, **annotators}
