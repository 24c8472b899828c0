"""What has to be asked of Slurm before anything is submitted to it."""

import subprocess

from inference.errors import IusError

_ACCOUNTING = "slurmdbd"


class SlurmError(IusError):
    """There is no Slurm here that jobs can be submitted to."""


def status_options() -> list[str]:
    """Snakemake's options for how the state of jobs is asked for.

    Snakemake takes `sacct` where that command is installed. On a cluster without an accounting database it tells
    nothing, and Snakemake would wait for its answer for ever; `squeue` tells there.

    Raises:
        SlurmError: if Slurm's commands are not here, or its controller does not answer.
    """
    try:
        config = subprocess.run(
            ["scontrol", "show", "config"],  # noqa: S607 - where the cluster has put it
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except FileNotFoundError as error:
        raise SlurmError(
            "Slurm's commands are not on this computer: run this where 'sbatch' works, or leave out --executor."
        ) from error
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split())
        raise SlurmError(
            f"Slurm does not answer ({said}): wait until 'sinfo' lists its nodes, and run the same command again."
        ) from error
    kept = next((line for line in config.splitlines() if line.startswith("AccountingStorageType")), "")
    return [] if kept.strip().endswith(_ACCOUNTING) else ["--slurm-status-command", "squeue"]
