"""Scores one model against a slice store: summary.json for its contract, tables, figures and a page."""

from pathlib import Path
from typing import Any

from training.evaluation.baseline import Threshold, tune
from training.evaluation.cavity_table import cavity_sections
from training.evaluation.compare import score_store, write_report
from training.evaluation.detector_table import detector_sections
from training.evaluation.scoring import Segment, refuse_other_labels, segments
from training.evaluation.sections import few_section
from training.evaluation.summary import UNKNOWN, Mode, Origin, summarise, summarise_baseline
from training.io.files import alone_in
from training.io.receipt import write_json
from training.slicing.slices import read_slice, read_slices

MODEL = "model"
BASELINE = "threshold"


def evaluate(
    predictions: Path,
    store: Path,
    out: Path,
    *,
    data: str,
    simulated: bool,
    baseline_slices: Path | None = None,
    cases: tuple[Path, ...] = (),
    mode: Mode = "fast",
    jobs: int = 1,
    few: bool = False,
    origin: Origin = UNKNOWN,
) -> dict[str, Any]:
    """Score every slice of a store and write the report.

    Writes `summary.json` (what `export` puts into the contract) and all that `compare` writes for one model.

    Args:
        predictions: folder of `NAME.nii.gz` masks, one per slice.
        store: slice store with the true masks.
        out: folder of the report.
        data: the data, in words.
        simulated: whether the patients are simulated.
        baseline_slices: training slice store to tune a threshold on, which is scored beside the network.
        cases: case tables, beside those the store was cut from.
        mode: how the model predicted.
        jobs: number of scoring threads.
        few: show groups of fewer than five patients too, in a table of their own.
        origin: where the predictions come from.

    Returns:
        The content of `summary.json`.

    Raises:
        PopulationError: if simulated and real patients are mixed, or one kind is declared as the other.
    """
    models: dict[str, Segment] = {MODEL: segments(predictions)}
    threshold = None
    if baseline_slices is not None:
        threshold = tune(read_slices(baseline_slices), baseline_slices)
        models[BASELINE] = _threshold(threshold, store)
    evaluated = score_store(models, store, simulated=simulated, cases=cases, jobs=jobs)
    refuse_other_labels({MODEL: predictions}, evaluated.scores)
    summary = summarise(evaluated.scores[MODEL], data, simulated, mode, origin)
    if threshold is not None:
        summary["baseline"] = summarise_baseline(threshold, evaluated.scores[BASELINE])
    more = [few_section(evaluated)] if few else []
    more += cavity_sections({MODEL: predictions}, store, evaluated.rows, evaluated.population)
    more += detector_sections({MODEL: predictions}, store, evaluated.rows, evaluated.population)
    with alone_in(out):
        write_json(summary, out / "summary.json")
        write_report(
            evaluated, out, data=origin.told(data), title="Evaluation", more=more, beside=[out / "summary.json"]
        )
    return summary


def _threshold(threshold: Threshold, store: Path) -> Segment:
    """A function that makes the baseline's masks."""
    return lambda row: threshold.segment(read_slice(row.image(store)), row)
