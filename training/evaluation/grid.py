"""One report of an experiment's grid of models, cut-offs and folds, as in the paper's two experiments."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inference.errors import FormatError, NotFoundError
from training.evaluation.compare import Masks, compare
from training.evaluation.cutoff_trend import Run, check_lines, draw_trend, run_names, trend_table
from training.evaluation.figures import area_table, cutoff_table, draw_counts
from training.evaluation.page import Section
from training.evaluation.population import Population
from training.evaluation.sections import Evaluated, drawn
from training.evaluation.summary import Mode, Origin
from training.io.spreadsheet import read_table
from training.slicing.slices import read_slices

_NEEDED = ("model", "cutoff_mm2", "fold", "predictions")


def read_grid(path: Path) -> list[Run]:
    """Read a grid: a CSV with the columns model, cutoff_mm2, fold (a number or `all`), predictions and maybe series.

    Predictions are folders, relative to the file's own.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if a column is missing or a cell cannot be read.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no grid at {path}.")
    titles, rows = read_table(path)
    missing = [name for name in _NEEDED if name not in titles]
    if missing:
        raise FormatError(f"{path} is not a grid: the column {missing[0]} is missing.")
    return [_run(row, path) for row in rows]


def compare_grid(
    runs: Sequence[Run],
    store: Path,
    out: Path,
    *,
    data: str,
    simulated: bool,
    annotators: Mapping[str, Masks] = {},
    training: Mapping[str, Path] = {},
    notes: Sequence[str] = (),
    title: str = "",
    cases: Iterable[Path] = (),
    margin: float | None = None,
    mode: Mode = "fast",
    jobs: int = 1,
    few: bool = False,
    origins: Mapping[Path, Origin] = {},
) -> dict[str, Any]:
    """Write the report of a grid: sections on what the grid varies, then everything that `compare` writes.

    With several cut-offs, it shows Dice, PP and detection against the cut-off. With the training stores, it shows how
    many slices of which area they hold and how many are left at each cut-off (the paper's Figures 3 and 4).

    Args:
        runs: the grid; in the tables each fold is a model of its own, in the figures a dot beside the mean over folds.
        store: slice store with the true masks, without an area cut-off.
        out: folder of the report.
        data: the data, in words.
        simulated: whether the patients are simulated.
        annotators: other readers' masks.
        training: label origin -> slice store of the training.
        notes: sentences at the top, for instance that the cut-off was chosen on these same patients.
        title: title of the report.
        cases: case tables, beside those the store was cut from.
        margin: difference of mean Dice within which two models count as equal.
        mode: how the models predicted.
        jobs: number of scoring threads.
        few: show groups of fewer than five patients too, in a table of their own.
        origins: folder of predictions -> where they come from.

    Returns:
        The content of `tables.json`.

    Raises:
        FormatError: if two runs of the grid are the same, or two models would be averaged as folds.
        PopulationError: if simulated and real patients are mixed, or one kind is declared as the other.
    """
    named = run_names(runs)
    if len(named) < len(runs):
        raise FormatError("The grid names a model and fold twice: give each run its own.")
    trend = len({run.cutoff_mm2 for run in runs}) > 1
    if trend:
        check_lines(runs)
    masks = {name: run.predictions for name, run in named.items()}

    def first(evaluated: Evaluated) -> list[Section]:
        """The grid's own sections."""
        population = evaluated.population
        sections = [_training(training, runs, out, population)] if training else []
        if trend:
            table = trend_table({name: evaluated.scores[name] for name in named}, named)
            picture = drawn(table, draw_trend, out, population)
            sections.insert(0, Section(table.title, population, (picture,), (table,), tuple(notes)))
        elif notes:
            sections.insert(0, Section("What was compared", population, words=tuple(notes)))
        return sections

    return compare(
        masks,
        store,
        out,
        data=data,
        simulated=simulated,
        annotators=annotators,
        title=title or "Experiment",
        cases=cases,
        margin=margin,
        mode=mode,
        jobs=jobs,
        few=few,
        first=first,
        origins={name: origins[run.predictions] for name, run in named.items() if run.predictions in origins},
    )


def _training(stores: Mapping[str, Path], runs: Sequence[Run], out: Path, population: Population) -> Section:
    """The section of Figures 3 and 4 on the training slices."""
    rows = {name: read_slices(store) for name, store in stores.items()}
    cutoffs = sorted({run.cutoff_mm2 for run in runs})
    left = cutoff_table(rows, cutoffs)
    areas = area_table(rows)
    areas = areas.renamed("training_areas", "Training slices by area")
    pictures = (drawn(areas, draw_counts, out, population), drawn(left, draw_counts, out, population))
    return Section("Training slices", population, pictures, (left,))


def _run(row: Mapping[str, str], path: Path) -> Run:
    """One line of the grid."""
    try:
        cutoff = float(row["cutoff_mm2"])
    except ValueError as error:
        raise FormatError(f"{path}: the cut-off of {row['model']} is not a number: '{row['cutoff_mm2']}'.") from error
    return Run(row["model"], cutoff, row["fold"], path.parent / row["predictions"], row.get("series") or "")
