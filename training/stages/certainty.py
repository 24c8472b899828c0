"""`ius-train certainty`: measure what an exported model's probabilities are worth, and put that into its file."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from training.stages.patients import add_patients
from training.stages.settings import settings_of

WORDS = "calibrate an exported model's probability, learn which contours fail, and put both into its file"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the model, the slices, the file and the report."""
    one.add_argument("model", type=Path, help="an exported .onnx")
    one.add_argument("slices", type=Path, nargs="+", help="slice stores of patients that it was not trained on")
    one.add_argument("--data", required=True, help="which slices these are, in words: screens quote it")
    one.add_argument("--simulated", action="store_true", help="the patients are simulated")
    add_patients(one)
    one.add_argument(
        "--mode",
        choices=("fast", "thorough"),
        nargs="+",
        default=["fast"],
        help="each is measured for itself (default: fast)",
    )
    one.add_argument("--out", type=Path, required=True, help="the .onnx to write; may be the same file")
    one.add_argument("--report", type=Path, required=True, help="folder of the report")


def run(arguments: argparse.Namespace) -> None:
    """Measure, write report and file, and print the report."""
    from training.io.receipt import write_receipt

    put_certainty(
        arguments.model,
        arguments.slices,
        arguments.out,
        arguments.report,
        data=arguments.data,
        simulated=arguments.simulated,
        trained_on=arguments.trained_on,
        cases=arguments.cases,
        modes=arguments.mode,
    )
    inputs = [store / "slices.csv" for store in arguments.slices]
    write_receipt(arguments.report, "certainty", settings_of(arguments), inputs)
    print((arguments.report / "report.md").read_text(encoding="utf-8"))


def put_certainty(
    model: Path,
    stores: Sequence[Path],
    out: Path,
    report: Path,
    *,
    data: str,
    simulated: bool,
    trained_on: Sequence[Path] = (),
    cases: Sequence[Path] = (),
    modes: Sequence[str] = ("fast",),
) -> None:
    """Answer every slice with the model as it runs in the viewer, fit and measure, write report and file.

    Args:
        model: an exported .onnx.
        stores: slice stores of patients that it was not trained on.
        out: the .onnx to write; may be the same file.
        report: folder of the report.
        data: which slices these are, in words.
        simulated: whether the patients are simulated.
        trained_on: stores it was trained on.
        cases: case tables beside those that the slices were cut from.
        modes: `fast`, `thorough` or both.

    Raises:
        LeakError: if a patient was trained on, or has two names and would be in both halves.
        PopulationError: if simulated and real patients are mixed, or one kind is declared as the other.
        CertaintyError: if the slices are too few, or the model knows cavities.
    """
    from inference.contract import Mode
    from inference.model.engine import Engine
    from training.evaluation.certainty import CertaintyError, answer_all, measure
    from training.evaluation.certainty_page import write_certainty
    from training.evaluation.population import check_cases, population_of, tables_behind
    from training.export.certainty import store_certainty
    from training.slicing.leaks import read_identities, refuse_leaks, refuse_twins
    from training.slicing.slices import read_slices

    for training in trained_on:
        for store in stores:
            refuse_leaks(read_identities(training), read_identities(store))
    refuse_twins([identity for store in stores for identity in read_identities(store)])
    rows = [row for store in stores for row in read_slices(store)]
    population = population_of((row.origin for row in rows), simulated=simulated)
    for store in stores:
        check_cases([*cases, *tables_behind(store)], dict.fromkeys(row.case for row in read_slices(store)), population)
    engine = Engine.load(model)
    if engine.contract.output.cavity_index is not None:
        raise CertaintyError("Certainty is measured of models that know one tumour and no cavity: take such a model.")
    threshold = engine.contract.output.threshold
    measured = [
        measure(answer_all(engine, stores, mode), mode, data=data, simulated=simulated, threshold=threshold)
        for mode in map(Mode, dict.fromkeys(modes))
    ]
    for sentence in engine.fallbacks:
        print(sentence, file=sys.stderr)
    write_certainty(measured, report, population)
    store_certainty(model, engine.sha256, out, [one.certainty for one in measured])
