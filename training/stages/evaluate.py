"""`ius-train evaluate`: score predictions against the store's masks."""

import argparse
from pathlib import Path

from inference.errors import IusError
from training.stages.settings import settings_of

WORDS = "score predictions against the store's masks"
_FORMS = "Either 'evaluate PREDICTIONS SLICES', or 'evaluate NAME=PREDICTIONS ... --slices SLICES'"


class ArgumentError(IusError):
    """Arguments that do not go together."""


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument(
        "models",
        nargs="+",
        metavar="NAME=PREDICTIONS",
        help="a name and a folder of masks each; or PREDICTIONS SLICES for one model without a name",
    )
    one.add_argument("--slices", type=Path, metavar="STORE", help="slice store with the true masks")
    one.add_argument("--annotator", action="append", default=[], metavar="NAME=MASKS", help="another reader's masks")
    one.add_argument("--out", type=Path, required=True, help="folder of the report")
    one.add_argument("--data", required=True, help="on which data, in words")
    one.add_argument("--simulated", action="store_true", help="the patients are simulated")
    one.add_argument("--title", default="", help="of the report")
    one.add_argument(
        "--cases",
        type=Path,
        action="append",
        default=[],
        metavar="TABLE",
        help="case table, for strata; by default the one the slices were cut from",
    )
    one.add_argument("--margin", type=float, metavar="DICE", help="mean Dice within which two models count as equal")
    one.add_argument("--mode", choices=("fast", "thorough"), default="fast", help="how they predicted; default: fast")
    one.add_argument("--baseline", type=Path, metavar="SLICES", help="tune a threshold on these, score it beside")


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.receipt import write_receipt

    store = _one(arguments) if arguments.slices is None else _several(arguments)
    inputs = [store / "slices.csv", *arguments.cases]
    write_receipt(arguments.out, "evaluate", settings_of(arguments), inputs)
    print((arguments.out / "report.md").read_text())


def _one(arguments: argparse.Namespace) -> Path:
    """Score one model without a name; the slice store."""
    from training.evaluation.report import evaluate

    if len(arguments.models) != 2 or arguments.annotator or arguments.margin is not None:
        raise ArgumentError(f"{_FORMS}; annotators and a margin belong to the second form.")
    predictions, store = map(Path, arguments.models)
    evaluate(
        predictions,
        store,
        arguments.out,
        data=arguments.data,
        simulated=arguments.simulated,
        baseline_slices=arguments.baseline,
        cases=tuple(arguments.cases),
        mode=arguments.mode,
    )
    return store


def _several(arguments: argparse.Namespace) -> Path:
    """Score named models side by side; the slice store."""
    from training.evaluation.compare import compare

    if arguments.baseline is not None:
        raise ArgumentError("A baseline is scored beside one model only: use 'evaluate PREDICTIONS SLICES'.")
    compare(
        _named(arguments.models),
        arguments.slices,
        arguments.out,
        data=arguments.data,
        simulated=arguments.simulated,
        annotators=_named(arguments.annotator),
        title=arguments.title,
        cases=arguments.cases,
        margin=arguments.margin,
        mode=arguments.mode,
    )
    return Path(arguments.slices)


def _named(words: list[str]) -> dict[str, Path]:
    """`NAME=FOLDER` each, by name."""
    named: dict[str, Path] = {}
    for word in words:
        name, equals, folder = word.partition("=")
        if not equals or not name or not folder:
            raise ArgumentError(f"'{word}' is not NAME=FOLDER. {_FORMS}.")
        if name in named:
            raise ArgumentError(f"'{name}' is named twice: give each model its own name.")
        named[name] = Path(folder)
    return named
