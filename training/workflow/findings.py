"""What the report of a whole experiment shows: its models, the quality of its labels, the trend over the cut-off."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from training.cases import read_cases
from training.evaluation.palette import colours, new_figure, save
from training.evaluation.population import Population
from training.evaluation.tables import Cell, Percent, Spread, Table
from training.experiments.declaration import Experiment
from training.workflow.commands import Commands

_CUTOFF = re.compile(r"(\D+)_(\d+)")


def model_table(experiment: Experiment, commands: Commands) -> Table:
    """What each model was trained on and for how long."""
    rows: list[tuple[Cell, ...]] = []
    for name in experiment.models:
        folder = commands.model_folder(name)
        for fold in experiment.folds(name):
            split = json.loads((commands.raw_folder(name) / "splits_final.json").read_text())[fold]
            epochs = _progress(folder / f"fold_{fold}")
            best = max(epochs, key=lambda row: float(row["pseudo_dice_smoothed"]))
            rows.append(
                (
                    name,
                    fold,
                    len(split["train"]),
                    len(split["val"]),
                    len(epochs),
                    int(best["epoch"]) + 1,
                    float(epochs[-1]["train_loss"]),
                    float(epochs[-1]["val_loss"]),
                )
            )
    head = ("model", "fold", "slices", "validated on", "epochs", "best epoch", "training loss", "validation loss")
    note = (
        "The best epoch is that of nnU-Net's smoothed Dice over validation batches; its checkpoint is the one scored."
    )
    return Table("models", "Models", head, tuple(rows), note)


def label_table(experiment: Experiment) -> Table | None:
    """How well MRI's labels, once carried over, agree with those drawn on the ultrasound, where there are both."""
    rows: list[tuple[Cell, ...]] = []
    for name, cohort in experiment.cohorts.items():
        if cohort.labels == "mri":
            table = Path(cohort.cases or f"tables/{name}.csv")
            dice = list(_label_dice(table, Path("registered", name, "labels")))
            if dice:
                low, high = min(dice), max(dice)
                rows.append((name, len(dice), Spread(float(np.mean(dice)), float(np.std(dice))), low, high))
    if not rows:
        return None
    note = "Dice of whole volumes, over patients: MRI's mask after registration against the ultrasound's own."
    head = ("cohort", "patients", "Dice", "lowest", "highest")
    return Table("labels", "MRI's labels against the ultrasound's", head, tuple(rows), note)


def trend_table(experiment: Experiment) -> Table | None:
    """Dice and share of slices with a contour over the cut-off, in every comparison of several cut-offs."""
    rows: list[tuple[Cell, ...]] = []
    for name, comparison in experiment.comparisons.items():
        found = [(match, model) for model in comparison.models if (match := _CUTOFF.fullmatch(model))]
        if comparison.choose_on or len({match[1] for match, _ in found}) != 1 or len(found) < 2:
            continue
        dice = _rows(name, "dice_by_true_area")
        for match, model in found:
            line = dice[model]
            rows.append(
                (name, float(match[2]), *(_spread(line[key]) for key in list(line)[1:-1]), _percent(line["PP"]))
            )
    if not rows:
        return None
    words = list(next(iter(dice.values())))[1:]
    head = ("comparison", "cut-off mm²", *words)
    note = "Mean ± SD over slices with tumour, by their true area in mm²; PP: share of them with a contour."
    return Table("trend", "The cut-off", head, tuple(rows), note)


def draw_trend(table: Table, path: Path, population: Population) -> None:
    """Draw `trend_table`: mean Dice over all slices on the left, PP on the right, one line a comparison."""
    figure = new_figure(9.2, 3.6)
    left, right = figure.subplots(1, 2)
    names = list(dict.fromkeys(str(row[0]) for row in table.rows))
    for name, colour in colours(names).items():
        rows = [row for row in table.rows if row[0] == name]
        at = range(len(rows))
        left.plot(
            at, [cell.mean if isinstance(cell := row[-2], Spread) else np.nan for row in rows], "o-", color=colour
        )
        shares = [100 * cell.share if isinstance(cell := row[-1], Percent) else np.nan for row in rows]
        right.plot(at, shares, "o-", color=colour, label=name)
        for axes in (left, right):
            axes.set_xticks(list(at), [f"{row[1]:g}" for row in rows])
            axes.set_xlabel("cut-off of the training slices, mm²")
    left.set_title("Mean Dice of slices with tumour")
    right.set_title("Slices with a contour, %")
    left.set_ylim(0, 1)
    right.set_ylim(0, 103)
    right.legend(loc="lower right")
    save(figure, path, population)


def comparison_table(name: str) -> Table:
    """A comparison's Dice by true area, as its own report has it."""
    rows = [
        tuple(_cell(key, value) for key, value in line.items()) for line in _rows(name, "dice_by_true_area").values()
    ]
    content = _tables(name)["dice_by_true_area"]
    return Table(f"{name}-dice", content["title"], tuple(content["rows"][0]), tuple(rows), content["note"])


def _tables(comparison: str) -> dict[str, Any]:
    """A comparison's tables.json."""
    content: dict[str, Any] = json.loads(Path("report", comparison, "tables.json").read_text())
    return content


def _rows(comparison: str, key: str) -> dict[str, dict[str, Any]]:
    """The lines of one of its tables, by model."""
    return {line["model"]: line for line in _tables(comparison)[key]["rows"]}


def _cell(key: str, value: Any) -> Cell:  # noqa: ANN401 - JSON
    """A cell as it was before it was JSON."""
    if isinstance(value, dict):
        return _spread(value)
    return _percent(value) if key == "PP" else value


def _spread(value: dict[str, float] | None) -> Spread | None:
    """Mean ± SD."""
    return None if value is None else Spread(value["mean"], value["sd"])


def _percent(value: float | None) -> Percent | None:
    """A share."""
    return None if value is None else Percent(value)


def _progress(fold: Path) -> list[dict[str, str]]:
    """A training's epochs."""
    with (fold / "progress.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def _label_dice(table: Path, labels: Path) -> Iterator[float]:
    """Volume Dice of each case that has both masks."""
    import SimpleITK as sitk  # noqa: N813

    for case in read_cases(table):
        carried = labels / f"{case.case}.nii.gz"
        if case.us_label is not None and carried.is_file():
            one, other = (sitk.GetArrayFromImage(sitk.ReadImage(str(path))) > 0 for path in (case.us_label, carried))
            yield 2 * float((one & other).sum()) / float(one.sum() + other.sum())
