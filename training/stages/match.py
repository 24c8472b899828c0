"""`ius-train match`: give simulated volumes the grey levels and the texture of recorded ones."""

import argparse
from pathlib import Path

from training.stages.numbers import SEED
from training.stages.settings import settings_of

WORDS = "give simulated volumes the grey levels and the texture of recorded ones, for training"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the simulated cases and the recorded volumes."""
    one.add_argument("cases", type=Path, help="case table of simulated patients")
    one.add_argument(
        "--like", type=Path, nargs="+", required=True, metavar="VOLUME", help="recorded ultrasound, one drawn a case"
    )
    one.add_argument("--out", type=Path, required=True, help="folder of the volumes and their cases.csv")
    one.add_argument("--seed", type=SEED, default=1, help="of the draws (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Match the volumes and write their case table."""
    from inference.errors import IusError
    from training.cohort.cases import read_cases
    from training.io.receipt import write_receipt
    from training.simulation.matched import TABLE, match_cases

    if arguments.cases.resolve() == (arguments.out / TABLE).resolve():
        raise IusError(f"{arguments.cases} would be replaced by the matched cases: give --out another folder.")
    matched = match_cases(read_cases(arguments.cases), arguments.like, arguments.out, arguments.seed)
    write_receipt(arguments.out, "match", settings_of(arguments), [arguments.cases, *arguments.like], arguments.seed)
    print(f"{len(matched)} volumes: {arguments.out / TABLE}")
