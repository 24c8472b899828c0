"""`ius-train evaluate`: score predictions against the store's masks."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from inference.errors import IusError
from training.stages.numbers import JOBS, within
from training.stages.patients import add_patients
from training.stages.settings import settings_of

if TYPE_CHECKING:
    from training.evaluation.summary import Origin

WORDS = "score predictions against the store's masks"
_FORMS = "Use 'PREDICTIONS SLICES', or 'NAME=PREDICTIONS ... --slices SLICES', or '--grid GRID.csv --slices SLICES'"


class ArgumentError(IusError):
    """The arguments do not go together."""


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the predictions, the truth and the report."""
    one.add_argument(
        "models",
        nargs="*",
        metavar="NAME=PREDICTIONS",
        help="a name and a folder of masks each; or PREDICTIONS SLICES for one model without a name",
    )
    one.add_argument("--slices", type=Path, metavar="STORE", help="slice store with the true masks")
    one.add_argument(
        "--grid",
        type=Path,
        metavar="CSV",
        help="an experiment's model, cutoff_mm2, fold, predictions, instead of names",
    )
    one.add_argument(
        "--training", action="append", default=[], metavar="NAME=SLICES", help="with --grid: a store trained on"
    )
    one.add_argument("--note", action="append", default=[], metavar="WORDS", help="with --grid: a sentence at the top")
    one.add_argument("--annotator", action="append", default=[], metavar="NAME=MASKS", help="another reader's masks")
    one.add_argument("--out", type=Path, required=True, help="folder of the report")
    one.add_argument("--data", required=True, help="on which data, in words")
    one.add_argument("--simulated", action="store_true", help="the patients are simulated")
    one.add_argument("--title", default="", help="of the report")
    add_patients(one)
    one.add_argument(
        "--with-training-patients",
        action="store_true",
        help="score patients that a model was trained on too; the report says so, and 'export' refuses such scores",
    )
    one.add_argument(
        "--margin", type=within(0.0, 1.0), metavar="DICE", help="mean Dice within which two models count as equal"
    )
    one.add_argument("--mode", choices=("fast", "thorough"), help="how they predicted (default: as their receipts say)")
    one.add_argument(
        "--few", action="store_true", help="groups of fewer than five patients too, in a table of their own, marked"
    )
    one.add_argument("--jobs", type=JOBS, default=1, help="threads that score; default: %(default)s")
    one.add_argument("--baseline", type=Path, metavar="SLICES", help="tune a threshold on these, score it beside")


def run(arguments: argparse.Namespace) -> None:
    """Score the predictions, write the report and print it."""
    from training.io.receipt import write_receipt

    if arguments.grid is None and (arguments.training or arguments.note):
        raise ArgumentError(
            "--training and --note are of a --grid: name what other models were trained on with --trained-on, and say "
            "in --data what a reader has to know."
        )
    store = _store(arguments)
    if arguments.out.resolve() == store.resolve():
        raise ArgumentError(f"{store} has a slices.csv, and so has a report: give --out a folder of its own.")
    _refuse_leaks([*arguments.trained_on, *([arguments.baseline] if arguments.baseline else [])], store)
    if arguments.slices is None:
        _one(arguments, store)
    else:
        _several(arguments)
    inputs = [store / "slices.csv", *arguments.cases, *([arguments.grid] if arguments.grid else [])]
    write_receipt(arguments.out, "evaluate", settings_of(arguments), inputs)
    print((arguments.out / "report.md").read_text(encoding="utf-8"))


def _store(arguments: argparse.Namespace) -> Path:
    """The slice store to score on, whichever way it was given."""
    if arguments.slices is not None:
        return Path(arguments.slices)
    for_several = arguments.annotator or arguments.title or arguments.margin is not None
    if len(arguments.models) != 2 or arguments.grid or for_several:
        raise ArgumentError(f"{_FORMS}; annotators, a margin and a title need --slices.")
    return Path(arguments.models[1])


def _refuse_leaks(trained_on: list[Path], store: Path) -> None:
    """Stop if a scored patient was trained on, or a threshold was tuned on."""
    from training.slicing.leaks import read_identities, refuse_leaks

    for training in trained_on:
        refuse_leaks(read_identities(training), read_identities(store))


def _origin(folder: Path, store: Path, arguments: argparse.Namespace) -> "Origin":
    """Where predictions come from; stores named as the training's were compared with the scored one by then."""
    from training.evaluation.origins import origin_of

    allowed = arguments.with_training_patients
    return origin_of(folder, store, training_patients=allowed, apart=bool(arguments.trained_on))


def _one(arguments: argparse.Namespace, store: Path) -> None:
    """Score one unnamed model."""
    from training.evaluation.origins import mode_of
    from training.evaluation.report import evaluate

    predictions = Path(arguments.models[0])
    arguments.mode = mode_of([predictions], arguments.mode)
    evaluate(
        predictions,
        store,
        arguments.out,
        data=arguments.data,
        simulated=arguments.simulated,
        baseline_slices=arguments.baseline,
        cases=tuple(arguments.cases),
        mode=arguments.mode,
        jobs=arguments.jobs,
        few=arguments.few,
        origin=_origin(predictions, store, arguments),
    )


def _several(arguments: argparse.Namespace) -> None:
    """Score named models, or a grid of them, side by side."""
    from training.evaluation.compare import all_named, compare
    from training.evaluation.grid import compare_grid, read_grid
    from training.evaluation.origins import mode_of

    if arguments.baseline is not None:
        raise ArgumentError("A baseline is scored beside one model only: use 'evaluate PREDICTIONS SLICES'.")
    how = {name: getattr(arguments, name) for name in ("data", "simulated", "title", "cases", "margin", "jobs", "few")}
    how["annotators"] = named_folders(arguments.annotator)
    origin = partial(_origin, store=arguments.slices, arguments=arguments)
    if arguments.grid is None:
        named = named_folders(arguments.models)
        all_named(named, how["annotators"])  # before any file is read, so that a wrong name shows at once
        how["mode"] = arguments.mode = mode_of(named.values(), arguments.mode)
        origins = {name: origin(folder) for name, folder in named.items()}
        compare(named, arguments.slices, arguments.out, origins=origins, **how)
    elif arguments.models:
        raise ArgumentError(f"Models are named by the grid or one by one, not both. {_FORMS}.")
    else:
        grid, training = read_grid(arguments.grid), named_folders(arguments.training)
        how["mode"] = arguments.mode = mode_of((one.predictions for one in grid), arguments.mode)
        how["origins"] = {one.predictions: origin(one.predictions) for one in grid}
        compare_grid(grid, arguments.slices, arguments.out, training=training, notes=arguments.note, **how)


def named_folders(words: list[str]) -> dict[str, Path]:
    """Parse words like `NAME=FOLDER` to name -> folder."""
    named: dict[str, Path] = {}
    for word in words:
        name, equals, folder = word.partition("=")
        if not equals or not name or not folder:
            raise ArgumentError(f"'{word}' is not NAME=FOLDER. {_FORMS}.")
        if name in named:
            raise ArgumentError(f"'{name}' is named twice: give each model its own name.")
        named[name] = Path(folder)
    return named
