"""Runs an experiment with Snakemake in a working folder of its own, where an interrupted run resumes."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_type_hints

from inference.errors import FormatError, IusError, NotFoundError
from inference.files import make_folder
from training.experiments.declaration import Experiment, read_experiment
from training.io.ending import TELLS
from training.io.files import written_aside
from training.nnunet.settings import current_names
from training.workflow.commands import Commands
from training.workflow.patients import declared_for
from training.workflow.reviewed import forget_changed
from training.workflow.slurm import Node, check_jobs, nodes, status_options

SNAKEFILE = Path(__file__).with_name("Snakefile")
REPORT = Path("report", "report.html")
_TOLD = ".told"
_CLAIMED = ("cohorts", "slicing", "training", "seed", "simulated")
"""Parts of a declaration that everything in a working folder depends on; models and comparisons may be added later."""

_PROCESSES = 4
"""Processes of one stage on a cluster, where `jobs` counts the stages that run at a time."""


class ExperimentError(IusError):
    """The experiment did not finish."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that the stages run on.

    Attributes:
        jobs: cores of this machine, or jobs at a time on a cluster.
        executor: `local` or `slurm`.
        profile: a Snakemake profile with the cluster's settings: account, partition, status command.
    """

    jobs: int = 1
    executor: str = "local"
    profile: Path | None = None

    @property
    def processes(self) -> int:
        """Processes of one stage: all cores of this machine, or as many of a few as a cluster's nodes have."""
        if self.executor == "local":
            return self.jobs
        return min(_PROCESSES, max((node.cores for node in nodes()), default=_PROCESSES))

    def arguments(self) -> list[str]:
        """The machine as Snakemake's options."""
        profile = [] if self.profile is None else ["--profile", str(self.profile.resolve())]
        if self.executor == "local":
            return [*profile, "--cores", str(self.jobs), "--latency-wait", "5"]
        cluster = ["--executor", self.executor, "--jobs", str(self.jobs), "--latency-wait", "60"]
        return [*profile, *cluster, *status_options()]


def run_experiment(path: Path, work: Path, machine: Machine, *, small: bool = False, dry_run: bool = False) -> Path:
    """Run an experiment, or resume one that was interrupted.

    Args:
        path: its declaration.
        work: working folder, made if absent.
        machine: the machine that its stages run on.
        small: apply the declaration's `small` part.
        dry_run: only list the stages.

    Returns:
        The path of the report.

    Raises:
        NotFoundError: if a file that no stage makes is missing.
        OutputError: if the folder cannot be made.
        FormatError: if the folder holds another experiment's results.
        PopulationError: if its case tables hold simulated and recorded patients.
        ExperimentError: if a stage failed, or another process runs an experiment in this folder.
        SlurmError: if there is no Slurm to submit to, or none of its nodes is large enough for a training.
    """
    from filelock import FileLock, Timeout

    make_folder(work)
    _check_outside(path, work, small)
    _check_plugin(machine)
    _check_nodes(path, machine, small)
    # Snakemake's own lock outlives a killed process; this one does not.
    try:
        with FileLock(work / ".lock", timeout=0):
            _claim(path, work, small)
            for registered in (work / "registered").glob("*"):
                forget_changed(registered)
            succeeded, told = _snakemake(_arguments(path, work, machine, small, dry_run), work / _TOLD)
    except Timeout as error:
        raise ExperimentError(f"Another process runs an experiment in {work}: wait for it or stop it.") from error
    if not succeeded:
        why = told or "The experiment stopped, and the log above names the stage."
        raise ExperimentError(f"{why} Once the reason is gone, run the same command again: what is done is kept.")
    return work / REPORT


def _snakemake(arguments: list[str], told: Path) -> tuple[bool, str]:
    """Run Snakemake in this process, so that both end together; stages find this package from any folder.

    Returns:
        Whether all went well, and the sentence of a stage that failed, which Snakemake buries in its own lines.
    """
    from snakemake.cli import main

    told.unlink(missing_ok=True)
    os.environ[TELLS] = str(told.resolve())

    root = str(Path(__file__).resolve().parents[2])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    try:
        main(arguments)
    except SystemExit as end:
        return end.code in (None, 0), told.read_text(encoding="utf-8") if told.is_file() else ""
    return True, ""


def _check_outside(path: Path, work: Path, small: bool) -> None:
    """Stop before the first stage if a file that a later one needs is missing.

    Raises:
        NotFoundError: naming all missing files.
    """
    commands = Commands(read_experiment(path, small=small), path, small=small)
    missing = [name for name in commands.outside() if not (work / name).exists()]
    if missing:
        raise NotFoundError(
            f"{work} lacks {', '.join(missing)}, which no stage makes: put them there first; {path} says what they are."
        )


def _check_plugin(machine: Machine) -> None:
    """Say which extra is missing, before Snakemake does so with a traceback.

    Raises:
        ExperimentError: if Snakemake cannot submit to the cluster.
    """
    if machine.executor == "slurm" and find_spec("snakemake_executor_plugin_slurm") is None:
        raise ExperimentError(
            "Slurm needs an extra that is not installed here: .venv/bin/pip install -e '.[training,slurm]'."
        )


def _check_nodes(path: Path, machine: Machine, small: bool) -> None:
    """Refuse a training that no node of the cluster could run."""
    if machine.executor == "slurm":
        commands = Commands(read_experiment(path, small=small), path, small=small)
        models = commands.experiment.models
        check_jobs((Node(commands.fit_threads(one), commands.fit_memory(one)) for one in models), nodes())


def _claim(path: Path, work: Path, small: bool) -> None:
    """Mark the folder as this experiment's, or refuse it if it holds another experiment's results."""
    import msgspec

    experiment = declared_for(work, path, small=small)
    mark = work / "experiment.json"
    now = {name: getattr(experiment, name) for name in _CLAIMED}
    if mark.is_file() and _claimed(mark) != now:
        raise FormatError(f"{work} holds an experiment on other cohorts or settings: choose another folder for {path}.")
    with written_aside(mark) as aside:
        aside.write_bytes(msgspec.json.format(msgspec.json.encode(now), indent=2))


def _claimed(mark: Path) -> dict[str, object] | None:
    """What this or an earlier version claimed a folder for; None if the mark can no longer be read."""
    import msgspec

    hints = get_type_hints(Experiment)
    try:
        then = msgspec.json.decode(mark.read_bytes(), type=dict[str, Any])
        then["training"] = current_names(then["training"])
        return {name: msgspec.convert(then[name], hints[name]) for name in _CLAIMED}
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return None


def _arguments(path: Path, work: Path, machine: Machine, small: bool, dry_run: bool) -> list[str]:
    """Snakemake's command line."""
    config = [f"experiment={path.resolve()}", f"small={int(small)}", f"jobs={machine.processes}"]
    return [
        *("--snakefile", str(SNAKEFILE), "--directory", str(work)),
        *machine.arguments(),
        *("--rerun-incomplete", "--nolock", "--rerun-triggers", "mtime", "params", "input"),
        *(["--dry-run"] if dry_run else []),
        *("--config", *config),
    ]
