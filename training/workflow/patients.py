"""Whose an experiment is in its working folder: the case tables there say whether their patients are simulated."""

from pathlib import Path

import msgspec

from training.evaluation.population import PopulationError, simulated_cases
from training.experiments.declaration import Experiment, read_experiment


def declared_for(work: Path, path: Path, *, small: bool) -> Experiment:
    """Read a declaration as it applies to a working folder.

    One that is made for recorded patients can be rehearsed on simulated ones: it is of simulated patients then, so that
    its report says so.

    Args:
        work: the working folder, which holds the case tables that the declaration names.
        path: the declaration.
        small: apply its `small` part.

    Raises:
        PopulationError: if the tables hold both kinds of patients.
    """
    experiment = read_experiment(path, small=small)
    tables = [work / cohort.cases for cohort in experiment.cohorts.values() if cohort.cases]
    found = {kind for table in tables if table.is_file() for kind in simulated_cases(table).values()}
    if len(found) > 1:
        raise PopulationError(
            f"The case tables in {work} hold simulated and recorded patients, which never share a report: "
            "give each kind a working folder of its own."
        )
    return msgspec.structs.replace(experiment, simulated=True) if True in found else experiment
