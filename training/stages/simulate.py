"""`ius-train simulate`: write a cohort of simulated patients in the published layouts."""

import argparse
from pathlib import Path

WORDS = "write a cohort of simulated patients in the published layouts"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the cohort and its size."""
    one.add_argument("--patients", type=int, default=30, help="how many (default: %(default)s)")
    one.add_argument("--out", type=Path, required=True, help="folder of the cohort")
    one.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    one.add_argument(
        "--cohort",
        choices=("train", "sealed", "mini", "test6", "even", "hard", "sealed-hard", "resected"),
        default="train",
        help="default: %(default)s",
    )
    one.add_argument("--mri", action="store_true", help="with MRI, its tumour mask, landmarks and a simulated reader")
    one.add_argument(
        "--label-error", choices=("none", "low", "high"), help="brain shift and MRI label error (with --mri; low)"
    )
    one.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    one.add_argument("--small", action="store_true", help="coarse volumes and short sweeps, for a trial run")


def run(arguments: argparse.Namespace) -> None:
    """Simulate the cohort."""
    from training.io.files import alone_in
    from training.simulation import CohortError
    from training.simulation.cohort import simulate_cohort

    if arguments.label_error and not arguments.mri:
        raise CohortError("A label error is the MRI's: add --mri.")
    with alone_in(arguments.out):
        simulate_cohort(
            out=arguments.out,
            patients=arguments.patients,
            seed=arguments.seed,
            cohort=arguments.cohort,
            jobs=arguments.jobs,
            small=arguments.small,
            label_error=(arguments.label_error or "low") if arguments.mri else None,
        )
