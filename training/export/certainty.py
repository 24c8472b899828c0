"""Puts what a model's probabilities are worth into its exported file; network, masks and golden cases stay."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import onnx

from inference.contract import CERTAIN_SCHEMA, Certainty, ModelContract
from training.export.onnx_file import seal, write_export
from training.export.proof import golden_of


def store_certainty(model: Path, out: Path, certainty: Sequence[Certainty]) -> ModelContract:
    """Write the model with this certainty, in place of what it had, and its card (`out` with .md).

    Args:
        model: an exported .onnx.
        out: the .onnx to write; may be the same file.
        certainty: one per mode, at least one.

    Returns:
        The contract as stored.
    """
    network = onnx.load(model)
    contract = ModelContract.from_metadata({entry.key: entry.value for entry in network.metadata_props})
    cases = golden_of(network, contract)
    changed = msgspec.structs.replace(contract, schema=CERTAIN_SCHEMA, certainty=tuple(certainty))
    sealed = seal(network, changed, cases)
    ModelContract.from_json(sealed.to_json())  # read as strictly as the viewer will, before anything is written
    write_export(network, sealed, out)
    return sealed
