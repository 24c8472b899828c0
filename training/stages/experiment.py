"""`ius-train experiment`: run a declared experiment from data to report, on this machine or a cluster."""

import argparse
from pathlib import Path

from training.experiments import known
from training.stages.numbers import JOBS

WORDS = "run a declared experiment from its data to the report; interrupted anywhere, it goes on"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the experiment and the machine."""
    one.add_argument("name", help=f"{known()}, or a YAML file like them")
    one.add_argument("--work", type=Path, help="working folder, kept for resuming (default: work/NAME)")
    one.add_argument(
        "--jobs", type=JOBS, default=1, help="stages, or processes of one, at a time (default: %(default)s)"
    )
    one.add_argument("--executor", choices=("local", "slurm"), default="local", help="default: %(default)s")
    one.add_argument(
        "--profile", type=Path, metavar="DIR", help="Snakemake profile: what your cluster wants (account, partition)"
    )
    one.add_argument("--small", action="store_true", help="a trial run of minutes; its models are worth nothing")
    one.add_argument("--dry-run", action="store_true", help="only say what would be done")


def run(arguments: argparse.Namespace) -> None:
    """Run the experiment and print where its report is."""
    from training.experiments.declaration import find_experiment
    from training.workflow.run import Machine, run_experiment

    path = find_experiment(arguments.name)
    work = arguments.work or Path("work", f"{path.stem}-small" if arguments.small else path.stem)
    machine = Machine(arguments.jobs, arguments.executor, arguments.profile)
    report = run_experiment(path, work, machine, small=arguments.small, dry_run=arguments.dry_run)
    if not arguments.dry_run:
        print(report)
