"""Puts what a model's probabilities are worth into its exported file; network, masks and golden cases stay."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import onnx

from inference.contract import CERTAIN_SCHEMA, Certainty, ModelContract
from training.export.onnx_file import read_again, seal, write_export
from training.export.proof import golden_of


def store_certainty(model: Path, sha256: str, out: Path, certainty: Sequence[Certainty]) -> ModelContract:
    """Write the model with this certainty, in place of what it had, and its card (`out` with .md).

    Args:
        model: an exported .onnx.
        sha256: of the file that was measured.
        out: the .onnx to write; may be the same file.
        certainty: one per mode, at least one.

    Returns:
        The contract as stored.

    Raises:
        ModelError: if the model was replaced since.
    """
    network = onnx.load_from_string(read_again(model, sha256))
    contract = ModelContract.from_metadata({entry.key: entry.value for entry in network.metadata_props})
    cases = golden_of(network, contract)
    changed = msgspec.structs.replace(contract, schema=CERTAIN_SCHEMA, certainty=tuple(certainty))
    sealed = seal(network, changed, cases)
    write_export(network, sealed, out)
    return sealed
