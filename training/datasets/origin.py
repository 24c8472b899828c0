"""Which patients a folder holds: a published data set's or a simulated cohort's, each under its own prefix."""

import json
from dataclasses import dataclass
from pathlib import Path

from inference.errors import FormatError
from training.cohort.simulated import COHORT, refuse_half_simulated


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a folder's patients come from.

    Attributes:
        dataset: the data set's name.
        patients: prefix of the patient identifiers; data sets of the same people share it.
        simulated: True for a simulated cohort.
    """

    dataset: str
    patients: str
    simulated: bool = False


def origin(folder: Path, dataset: str, patients: str | None = None) -> Origin:
    """The data set's own origin, or the simulated cohort's if `folder` or one of the two above has a `cohort.json`.

    The prefix of simulated patients holds the cohort's kind and seed: Case1 of two cohorts is not one patient.

    Raises:
        FormatError: if cohort.json is damaged, or not there yet in a simulation that was stopped.
    """
    for above in (folder.absolute(), *folder.absolute().parents[:2]):
        path = above / COHORT
        refuse_half_simulated(above)
        if path.is_file():
            try:
                cohort = json.loads(path.read_text(encoding="utf-8"))
                name = f"Simulated-{cohort['kind']}-{cohort['seed']}"
            except (ValueError, KeyError, TypeError) as error:
                raise FormatError(f"{path} cannot be read: simulate the cohort again.") from error
            return Origin(f"{dataset} (simulated)", name, simulated=True)
    return Origin(dataset, patients or dataset)
