"""The tables in an experiment's report: its models, the quality of its labels, each comparison's Dice."""

import json
from pathlib import Path
from typing import Any

from inference.tables import read_rows
from training.cohort.cases import read_cases
from training.evaluation.label_transfer import compare_labels
from training.evaluation.tables import Cell, Estimate, Percent, Spread, Table
from training.experiments.declaration import Experiment
from training.workflow.commands import Commands

_SHARES = ("PP", "better after")
"""Columns of shares, which are plain numbers in JSON."""


def model_table(experiment: Experiment, commands: Commands) -> Table:
    """A table of what each model was trained on and for how long."""
    rows: list[tuple[Cell, ...]] = []
    for name in experiment.models:
        folder = commands.model_folder(name)
        for fold in experiment.folds(name):
            split = json.loads((commands.raw_folder(name) / "splits_final.json").read_text(encoding="utf-8"))[fold]
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
    """A table of how well the transferred MRI labels agree with those drawn on ultrasound; None without both."""
    rows: list[tuple[Cell, ...]] = []
    note = ""
    for name, cohort in experiment.cohorts.items():
        table = Path(cohort.cases or f"tables/{name}.csv")
        if cohort.labels == "mri" and any(case.us_label and case.mri_label for case in read_cases(table)):
            out = Path("report", f"labels-{name}")
            found = compare_labels(table, Path("registered", name), out, data=name, simulated=experiment.simulated)[
                "label_transfer"
            ]
            line = found["rows"][0]
            note = found["note"]
            rows.append((name, *(_cell(key, value) for key, value in list(line.items())[1:])))
    if not rows:
        return None
    head = ("cohort", "patients", "Dice before", "Dice after", "better after")
    return Table("labels", "MRI's labels against the ultrasound's", head, tuple(rows), note)


def comparison_table(name: str) -> Table:
    """A comparison's Dice by true area, as in its own report."""
    rows = [
        tuple(_cell(key, value) for key, value in line.items()) for line in _rows(name, "dice_by_true_area").values()
    ]
    content = _tables(name)["dice_by_true_area"]
    return Table(f"{name}-dice", content["title"], tuple(content["rows"][0]), tuple(rows), content["note"])


def _tables(comparison: str) -> dict[str, Any]:
    """Read a comparison's tables.json."""
    content: dict[str, Any] = json.loads(Path("report", comparison, "tables.json").read_text(encoding="utf-8"))
    return content


def _rows(comparison: str, key: str) -> dict[str, dict[str, Any]]:
    """The rows of one of a comparison's tables, by model."""
    return {line["model"]: line for line in _tables(comparison)[key]["rows"]}


def _cell(key: str, value: Any) -> Cell:  # noqa: ANN401 - JSON
    """A cell restored from its JSON value."""
    if isinstance(value, dict):
        return Spread(**value) if "sd" in value else Estimate(**value)
    return Percent(value) if key in _SHARES and value is not None else value


def _progress(fold: Path) -> list[dict[str, str]]:
    """Read the epochs of a training."""
    with (fold / "progress.csv").open(newline="", encoding="utf-8") as stream:
        return read_rows(stream)[1]
