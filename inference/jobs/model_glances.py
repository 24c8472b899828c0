"""What model files say of themselves, read without loading a network: a card at a glance, to choose by."""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.contract import ModelContract, Population
from inference.errors import ContractError, SourceError
from inference.jobs.newest import Newest
from inference.patience import in_time
from inference.readout.formatting import counted

GONE = "This file cannot be read any more: is its drive connected?"
GLANCE_S = 2.0
"""How long a file may take to answer; the list waits for each, and so does the end of the program."""
VIEWS = {"native": "native frames", "slice": "slices of 3D volumes"}


@dataclass(frozen=True, slots=True)
class ModelGlance:
    """One model file at a glance.

    Attributes:
        path: the file.
        name: name and version of the model; the file's name if it says none.
        words: on whom it was trained; or why it cannot be used.
        contract: what it says of itself; None if it says nothing that can be read.
    """

    path: Path
    name: str
    words: str
    contract: ModelContract | None = None

    @property
    def usable(self) -> bool:
        """Whether it has a contract. Whether it works on this computer is only known once it is loaded."""
        return self.contract is not None


class ModelGlances(Newest[tuple[ModelGlance, ...]]):
    """Reads model files in the background, and answers only the newest request."""

    def __init__(self) -> None:
        super().__init__("ius-models")

    def ask(self, paths: Sequence[Path]) -> None:
        """Start looking at these files."""
        self.begin(lambda: tuple(map(glance_at, paths)))


def glance_at(path: Path) -> ModelGlance:
    """What a model file says of itself; its weights are stepped over."""
    try:
        contract = in_time(lambda: _contract_in(path), GLANCE_S, GONE)
    except (OSError, ValueError, SourceError):  # an empty file cannot be mapped
        return ModelGlance(path, path.name, GONE)
    except ContractError as error:
        return ModelGlance(path, path.name, str(error))
    return ModelGlance(path, contract.title, _words(contract.population), contract)


def _contract_in(path: Path) -> ModelContract:
    from inference.model.onnx_metadata import metadata_in

    if not path.is_file():
        raise FileNotFoundError
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return ModelContract.from_metadata(metadata_in(data))


def _words(population: Population) -> str:
    patients = counted(population.n_patients, "simulated patient" if population.simulated else "patient")
    views = ", ".join(VIEWS[view] for view in population.views)
    phases = ", ".join(phase.replace("_", " ") for phase in population.phases)
    return " · ".join(part for part in (patients, views, phases) if part)
