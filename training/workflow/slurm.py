"""What is asked of Slurm before anything is submitted to it: how it tells of its jobs, and how large its nodes are."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from inference.errors import IusError

_ACCOUNTING = "slurmdbd"


class SlurmError(IusError):
    """There is no Slurm here that could run the jobs."""


@dataclass(frozen=True, slots=True)
class Node:
    """The cores and MB that a node has, or that a job asks for."""

    cores: int
    mb: int


def status_options() -> list[str]:
    """Snakemake's options for how the state of jobs is asked for.

    Snakemake takes `sacct` where that command is installed. On a cluster without an accounting database it tells
    nothing, and Snakemake would wait for its answer for ever; `squeue` tells there.

    Raises:
        SlurmError: if Slurm's commands are not here, or its controller does not answer.
    """
    config = _told("scontrol", "show", "config")
    kept = next((line for line in config.splitlines() if line.startswith("AccountingStorageType")), "")
    return [] if kept.strip().endswith(_ACCOUNTING) else ["--slurm-status-command", "squeue"]


def nodes() -> list[Node]:
    """The nodes that jobs can be submitted to; none if the cluster doesn't show them.

    Raises:
        SlurmError: as for `status_options`.
    """
    lines = _told("sinfo", "--Node", "--noheader", "--format=%c %m").splitlines()
    return [Node(*map(int, line.split())) for line in lines]


def check_jobs(jobs: Iterable[Node], known: list[Node]) -> None:
    """Refuse a job that fits on no node: Slurm may queue it for ever.

    Raises:
        SlurmError: naming what it asks for and the largest node.
    """
    for job in jobs:
        if known and not any(job.cores <= node.cores and job.mb <= node.mb for node in known):
            largest = max(known, key=lambda node: (node.cores, node.mb))
            raise SlurmError(
                f"A training asks for {job.cores} cores and {job.mb} MB, and no node has them (the largest: "
                f"{largest.cores} cores, {largest.mb} MB): declare fewer 'workers' in a YAML that extends this one."
            )


def _told(*words: str) -> str:
    """What a command of Slurm's prints."""
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own words
    except FileNotFoundError as error:
        raise SlurmError(
            "Slurm's commands are not on this computer: run this where 'sbatch' works, or leave out --executor."
        ) from error
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split())
        raise SlurmError(
            f"Slurm does not answer ({said}): wait until 'sinfo' lists its nodes, and run the same command again."
        ) from error
