"""Makes the sections of an evaluation's report, draws their figures and writes their tables as CSV."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.evaluation.box_table import TITLE, detected_boxes
from training.evaluation.example_figure import MOST_MODELS, draw_panels, example_table, examples
from training.evaluation.few_table import few_table
from training.evaluation.figures import (
    area_table,
    box_table,
    draw_boxes,
    draw_counts,
    draw_reliability,
    drawable,
    reliability_table,
)
from training.evaluation.page import Picture, Section
from training.evaluation.patient_tables import dice_of_patients, differences, each_patient, protocols
from training.evaluation.population import Population
from training.evaluation.scoring import Scores, Segment
from training.evaluation.slice_tables import (
    detection_table,
    free_table,
    median_table,
    metric_table,
    paper_table,
    predicted_table,
    strata_tables,
)
from training.evaluation.strata import n_patients, with_tumour, without_tumour
from training.evaluation.tables import Table
from training.slicing.slices import CARRIED, SliceRow

Draw = Callable[[Table, Path, Population], None]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The material of a report.

    Attributes:
        scores: the scores of every model and annotator.
        models: name -> the function that reads its masks.
        store: the slice store.
        facts: case -> column -> value, for the strata.
        population: the patients the slices are from.
        margin: difference of mean Dice within which two models count as equal, stated beforehand.
    """

    scores: Scores
    models: Mapping[str, Segment]
    store: Path
    facts: Mapping[str, Mapping[str, str]]
    population: Population
    margin: float | None

    @property
    def rows(self) -> list[SliceRow]:
        """The slices."""
        return [one.row for one in next(iter(self.scores.values()))]

    @property
    def counts(self) -> str:
        """How many slices of how many patients, and how many of their masks were not drawn on ultrasound."""
        slices = next(iter(self.scores.values()))
        tumour, free = len(with_tumour(slices)), len(without_tumour(slices))
        words = f"{len(slices)} slices of {n_patients(slices)} patients: {tumour} with tumour, {free} without."
        carried = [one for one in slices if one.row.origin == CARRIED]
        if not carried:
            return words
        return (
            f"{words} The truth of {len(carried)} of them ({n_patients(carried)} patients) was drawn on MRI and "
            "carried over: its own error is in every figure on them."
        )


def slice_sections(one: Evaluated, out: Path) -> list[Section]:
    """The sections with slices as the unit: by true area, detection, boxes, by segmented area, without tumour."""
    boxes, reliable = box_table(one.scores), reliability_table(one.scores)
    return [
        Section(
            "Dice by true area",
            one.population,
            pictures=(drawn(boxes, draw_boxes, out, one.population),) if drawable(boxes) else (),
            tables=(paper_table(one.scores), metric_table(one.scores), median_table(one.scores)),
        ),
        Section("Detection apart from delineation", one.population, tables=(detection_table(one.scores),)),
        Section(TITLE, one.population, tables=(detected_boxes(one.scores),)),
        Section(
            "By segmented area, as a viewer sees it",
            one.population,
            pictures=_reliability(reliable, out, one.population),
            tables=(predicted_table(one.scores),),
        ),
        Section("Slices without tumour", one.population, tables=(free_table(one.scores),)),
    ]


def patient_sections(one: Evaluated) -> list[Section]:
    """The sections with patients as the unit."""
    compared = differences(one.scores, one.margin)
    each = (dice_of_patients(one.scores), each_patient(one.scores))
    tables = (protocols(one.scores), *([compared] if compared else []), *each)
    strata = tuple(strata_tables(one.scores, one.facts))
    sections = [Section("Per patient", one.population, tables=tables)]
    return sections + ([Section("Strata", one.population, tables=strata)] if strata else [])


def few_section(one: Evaluated) -> Section:
    """The section of groups that are too small for the other tables."""
    table = few_table(one.scores, one.facts)
    return Section(table.title, one.population, tables=(table,))


def example_section(one: Evaluated, out: Path) -> list[Section]:
    """The section of Figures 6 and 8; empty if no slice holds tumour."""
    found = examples(one.scores, one.store, one.models)
    if not found:
        return []
    table = example_table(found)
    path = out / "figures" / f"{table.key}.png"
    draw_panels(found, list(one.scores), path, one.population)
    table.write_csv(path.with_suffix(".csv"))
    note = f"{table.note} Truth in green, true area above."
    if len(one.scores) > MOST_MODELS:
        note += " Of the models the first, the middle one and the last are shown."
    return [Section("Examples", one.population, pictures=(Picture(path, "Typical slices", note),))]


def area_section(one: Evaluated, out: Path) -> Section:
    """The section of Figure 3: how many slices of which area were scored."""
    table = area_table({"scored": one.rows})
    return Section("Slices", one.population, pictures=(drawn(table, draw_counts, out, one.population),))


def _reliability(table: Table, out: Path, population: Population) -> tuple[Picture, ...]:
    """The reliability figure, if any band has enough patients."""
    if not any(row[3] is not None for row in table.rows):
        return ()
    return (drawn(table, draw_reliability, out, population),)


def drawn(table: Table, draw: Draw, out: Path, population: Population) -> Picture:
    """Draw a table into `out/figures`, and write it as CSV beside the picture."""
    path = out / "figures" / f"{table.key}.png"
    draw(table, path, population)
    table.write_csv(path.with_suffix(".csv"))
    return Picture(path, table.title, table.note)


def tables_of(sections: Sequence[Section]) -> list[Table]:
    """Every table of the sections."""
    return [table for section in sections for table in section.tables]
