"""Predictions scored against a slice store: summary.json for the model's contract, tables, a page."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from inference.errors import FormatError, NotFoundError
from training.evaluation.baseline import TUNING_AREA_MM2, Threshold, tune
from training.evaluation.metrics import score
from training.evaluation.strata import (
    Scored,
    by_band,
    n_patients,
    paper_columns,
    patients,
    predicted_area,
    share,
    summary,
    true_area,
)
from training.files import written_aside
from training.receipt import write_json
from training.slices import NATIVE, SliceRow, read_slice, read_slices

SMALL_MM2 = 35.0
SIMULATED = "Simulated patients: a demonstration, never evidence of clinical accuracy."
_COLUMNS = ("name", "case", "patient", "axis", "index", "row_mm", "col_mm")
_SCORES = ("true_mm2", "predicted_mm2", "dice", "precision", "recall")
Segment = Callable[[SliceRow], NDArray[np.bool_]]


def evaluate(
    predictions: Path, store: Path, out: Path, *, data: str, simulated: bool, baseline_slices: Path | None = None
) -> dict[str, Any]:
    """Score every slice of a store and write the report.

    Writes `summary.json` (what `export` puts into the contract), `tables.json`, `slices.csv`, `patients.csv`,
    `report.md` and `report.html`.

    Args:
        predictions: folder of `NAME.nii.gz` masks, one a slice.
        store: slice store with the true masks.
        out: folder of the report.
        data: on which data, in words.
        simulated: whether the patients are simulated.
        baseline_slices: training slice store on which a threshold is tuned, scored beside the network.

    Returns:
        The content of `summary.json`.
    """
    rows = read_slices(store)
    scored = score_slices(rows, store, lambda row: _prediction(predictions, row))
    report = summarise(scored, data, simulated)
    if baseline_slices is not None:
        report["baseline"] = _baseline(rows, store, baseline_slices)
    tables = {name: paper_columns(group) for name, group in _groups(scored).items()}
    write_json(report, out / "summary.json")
    write_json(tables, out / "tables.json")
    _write_slices(scored, out / "slices.csv")
    _write_patients(scored, out / "patients.csv")
    _write_pages(report, tables, out)
    return report


def score_slices(rows: Sequence[SliceRow], store: Path, segment: Segment) -> list[Scored]:
    """Score what `segment` makes of each slice."""
    scored = []
    for row in tqdm(rows, desc="score", unit="slice"):
        true = read_slice(row.label(store)) > 0
        predicted = segment(row)
        if predicted.shape != true.shape:
            raise FormatError(f"The prediction of {row.name} has the shape {predicted.shape}, its mask {true.shape}.")
        scored.append(Scored(row, score(predicted, true, row.row_mm * row.col_mm)))
    return scored


def summarise(scored: Sequence[Scored], data: str, simulated: bool) -> dict[str, Any]:
    """The content of summary.json, without a baseline.

    `positive_rate`: share of tumour slices with a contour; `miss_rate`: share without. `specificity`: share of
    tumour-free slices without a contour; `specificity_35mm2`: with none above 35 mm². `tumour_where_silent` in `data`:
    share of the slices without a contour that do hold tumour, which depends on the mix. `by_predicted_area` holds
    tumour-free slices with a false contour, at Dice 0.
    """
    tumour = [one for one in scored if one.score.has_tumour]
    free = [one for one in scored if not one.score.has_tumour]
    silent = [one for one in scored if not one.score.positive]
    return {
        "data": {
            "name": data,
            "simulated": simulated,
            "n_slices": len(scored),
            "n_patients": n_patients(scored),
            "n_tumour_slices": len(tumour),
            "n_tumour_free_slices": len(free),
            "n_native_frames": sum(one.row.axis == NATIVE for one in scored),
            "tumour_where_silent": share(silent, lambda one: one.score.has_tumour),
        },
        "mode": "fast",
        "by_predicted_area": by_band(scored, predicted_area),
        "by_true_area": by_band(tumour, true_area),
        "miss_rate": share(tumour, lambda one: not one.score.positive),
        "positive_rate": share(tumour, lambda one: one.score.positive),
        "specificity": share(free, lambda one: not one.score.positive),
        "specificity_35mm2": share(free, lambda one: one.score.predicted_mm2 <= SMALL_MM2),
        "baseline": None,
    }


def _prediction(folder: Path, row: SliceRow) -> NDArray[np.bool_]:
    """The predicted mask of one slice; a missing file is an error, not an empty mask."""
    path = folder / f"{row.name}.nii.gz"
    if not path.is_file():
        raise NotFoundError(
            f"{folder} holds no prediction of the slice {row.name}: run 'ius-train predict' to its end."
        )
    return np.asarray(read_slice(path) > 0)


def _baseline(rows: Sequence[SliceRow], store: Path, training_store: Path) -> dict[str, Any]:
    """A tuned threshold, and its scores on the same slices."""
    threshold = tune(read_slices(training_store), training_store)
    scored = score_slices(rows, store, lambda row: _thresholded(threshold, row, store))
    large = [one for one in scored if one.score.true_mm2 > TUNING_AREA_MM2]
    free = [one for one in scored if not one.score.has_tumour]
    return {
        "method": "threshold on the smoothed frame, tuned on the training patients",
        **asdict(threshold),
        "by_true_area": by_band([one for one in scored if one.score.has_tumour], true_area),
        "dice_mean_above_200mm2": summary(large)["dice_mean"],
        "specificity": share(free, lambda one: not one.score.positive),
    }


def _thresholded(threshold: Threshold, row: SliceRow, store: Path) -> NDArray[np.bool_]:
    """The baseline's mask of one slice."""
    return threshold.segment(read_slice(row.image(store)), row)


def _groups(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """All slices, then those of volumes and native frames, then tumours over 200 mm² in each."""
    native = [one for one in scored if one.row.axis == NATIVE]
    volume = [one for one in scored if one.row.axis != NATIVE]
    groups = {"all": list(scored), "volume slices": volume, "native frames": native}
    large = {
        f"{name}, over 200 mm²": [one for one in group if one.score.true_mm2 > 200] for name, group in groups.items()
    }
    return groups | large


def _write_slices(scored: Sequence[Scored], path: Path) -> None:
    """One row a slice."""
    with written_aside(path) as aside, aside.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow((*_COLUMNS, *_SCORES))
        for one in scored:
            writer.writerow(
                [getattr(one.row, name) for name in _COLUMNS] + [getattr(one.score, name) for name in _SCORES]
            )


def _write_patients(scored: Sequence[Scored], path: Path) -> None:
    """One row a patient: means over the slices with tumour, Dice of the largest one, tumour-free slices apart."""
    with written_aside(path) as aside, aside.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ("patient", "tumour_slices", "dice_mean", "dice_of_largest", "free_slices", "free_without_contour")
        )
        for patient, slices in patients(scored).items():
            tumour = [one for one in slices if one.score.has_tumour]
            free = [one for one in slices if not one.score.has_tumour]
            dice = [one.score.dice for one in tumour if one.score.dice is not None]
            largest = max(tumour, key=true_area).score.dice if tumour else None
            mean = float(np.mean(dice)) if dice else None
            quiet = sum(not one.score.positive for one in free)
            writer.writerow((patient, len(tumour), mean, largest, len(free), quiet))


def _write_pages(report: dict[str, Any], tables: dict[str, dict[str, Any]], out: Path) -> None:
    """The same tables as Markdown and as a page."""
    parts = list(_tables(report, tables))
    notes = [report["data"]["name"], *([SIMULATED] if report["data"]["simulated"] else [])]
    notes += ["Research use only. Not for diagnosis or treatment."]
    markdown = ["# Evaluation", *notes, *(f"## {title}\n\n{_markdown(head, rows)}" for title, head, rows in parts)]
    with written_aside(out / "report.md") as aside:
        aside.write_text("\n\n".join(markdown) + "\n")
    body = [f"<p>{escape(note)}</p>" for note in notes]
    body += [f"<h2>{escape(title)}</h2>{_html(head, rows)}" for title, head, rows in parts]
    style = "body{font:15px sans-serif;margin:2em}td,th{padding:.3em .8em;text-align:right}"
    with written_aside(out / "report.html") as aside:
        aside.write_text(
            f"<!doctype html><meta charset=utf-8><title>Evaluation</title><style>{style}</style><h1>Evaluation</h1>"
            + "".join(body)
        )


def _tables(report: dict[str, Any], tables: dict[str, dict[str, Any]]) -> list[tuple[str, list[str], list[list[str]]]]:
    """(title, head, rows) of each table."""
    columns = ["n_slices", "n_patients", "dice_mean", "dice_sd", "dice_median", "area_error_mean"]
    bands = ["band mm²", *columns]
    found = [
        (title, bands, [[_band(line["band"]), *(_cell(line[name]) for name in columns)] for line in report[key]])
        for title, key in (("By predicted area", "by_predicted_area"), ("By true area", "by_true_area"))
    ]
    rates = ["positive_rate", "miss_rate", "specificity", "specificity_35mm2"]
    found.append(("Detection", rates, [[_cell(report[name]) for name in rates]]))
    names = list(next(iter(tables.values())))
    found.append(
        (
            "Slices with tumour",
            ["group", *names],
            [[key, *(_cell(line[n]) for n in names)] for key, line in tables.items()],
        )
    )
    if report["baseline"]:
        cells = {key: value for key, value in report["baseline"].items() if key != "by_true_area"}
        found.append(("Baseline", list(cells), [[_cell(value) for value in cells.values()]]))
    return found


def _band(band: list[float | None]) -> str:
    """`(35, 200]`; `(200, ∞)`."""
    return f"({band[0]:g}, ∞)" if band[1] is None else f"({band[0]:g}, {band[1]:g}]"


def _cell(value: object) -> str:
    """A figure with three decimals; a dash where there is none."""
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _html(head: list[str], rows: list[list[str]]) -> str:
    """An HTML table."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"
