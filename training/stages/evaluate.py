"""`ius-train evaluate`: score predictions against the store's masks."""

import argparse
from pathlib import Path

from training.stages.settings import settings_of

WORDS = "score predictions against the store's masks"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument("predictions", type=Path, help="folder of predicted masks")
    one.add_argument("slices", type=Path, help="slice store with the true masks")
    one.add_argument("--out", type=Path, required=True, help="folder of the report")
    one.add_argument("--data", required=True, help="on which data, in words")
    one.add_argument("--simulated", action="store_true", help="the patients are simulated")
    one.add_argument("--baseline", type=Path, metavar="SLICES", help="tune a threshold on these, score it beside")


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.evaluation.report import evaluate
    from training.receipt import write_receipt

    evaluate(
        arguments.predictions,
        arguments.slices,
        arguments.out,
        data=arguments.data,
        simulated=arguments.simulated,
        baseline_slices=arguments.baseline,
    )
    write_receipt(arguments.out, "evaluate", settings_of(arguments), [arguments.slices / "slices.csv"])
    print((arguments.out / "report.md").read_text())
