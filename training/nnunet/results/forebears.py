"""The exported models whose weights a training continued or took in, and on how many patients they had learnt.

A training from nothing has none. An export names no patients, so that nobody can say whether a test holds one of them;
but it says how many they were, and whether they were simulated, and neither may get lost on the way.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from inference.contract import ModelContract
from inference.errors import FormatError
from inference.model.onnx_metadata import metadata_in

FOREBEARS = "forebears"
"""Key in receipt-fit.json."""


class Forebear(msgspec.Struct, frozen=True, kw_only=True):
    """An exported model that a training began from, or that was averaged in.

    Attributes:
        name: its name and version, as screens show them.
        n_patients: how many it was trained on; 0 if its file does not say.
        simulated: whether they were simulated.
    """

    name: str
    n_patients: int
    simulated: bool

    @property
    def words(self) -> str:
        """A sentence for the contract's population."""
        number, kind = self.n_patients or "an unrecorded number of", "simulated" if self.simulated else "real"
        return f"Its weights come in part from {self.name}, trained on {number} {kind} patients."


def forebear(export: Path) -> Forebear:
    """What an export says of itself.

    Raises:
        ContractError: if it carries no contract.
    """
    contract = ModelContract.from_metadata(metadata_in(export.read_bytes()))
    people = contract.population
    name = f"{contract.identity.name} {contract.identity.version}"
    return Forebear(name=name, n_patients=people.n_patients, simulated=people.simulated)


def entry(forebears: Sequence[Forebear]) -> dict[str, Any]:
    """The entry of a receipt, each model once; none if there are none."""
    return {FOREBEARS: msgspec.to_builtins(list(dict.fromkeys(forebears)))} if forebears else {}


def forebears_in(settings: Mapping[str, Any]) -> tuple[Forebear, ...]:
    """Those that a receipt's settings name.

    Raises:
        FormatError: if the entry is damaged.
    """
    try:
        return msgspec.convert(settings.get(FOREBEARS, []), tuple[Forebear, ...])
    except msgspec.ValidationError as error:
        raise FormatError(f"receipt-fit.json names no models under {FOREBEARS} ({error}): restore it.") from error
