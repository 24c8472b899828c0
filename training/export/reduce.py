"""An export in float32 -> the same model in a lower precision, without the folder it was trained in."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import onnx

from inference.contract import CAVITY_SCHEMA, SCHEMA, ModelContract
from inference.errors import ModelError
from inference.model import openvino_session
from inference.model.engine import Engine
from inference.model.providers import CPU
from training.export.onnx_file import read_again, write_export
from training.export.precision import Precision, calibration_samples
from training.export.proof import reduce
from training.export.samples import VERIFY_SLICES, read_samples
from training.slicing.leaks import read_identities, refuse_leaks


def reduce_export(
    model: Path, out: Path, verify: Path, precision: Precision, train: Sequence[Path] = ()
) -> ModelContract:
    """Write an exported model in a lower precision, and its card (`out` with .md), if its masks stay the same.

    Golden frames and the parity certificate are those of the float32 file. What it says of its own certainty is
    left out: that was measured in float32, and `ius-train certainty` measures it again.

    Args:
        model: an exported .onnx in float32.
        out: the .onnx to write.
        verify: a slice store with true masks, of patients that it was not trained on.
        precision: any but float32.
        train: slice stores of the training, whose patients may not be in `verify`; int8 takes its ranges from them.

    Returns:
        The contract as stored.

    Raises:
        LeakError: if a patient of `train` is in `verify`.
        ContractError: if the file has no contract, or one that cannot be read.
        ModelError: if it is no float32 file of tumours alone, the masks change or fit the truth less well, or this
            computer cannot prove the precision.
    """
    if out.resolve() == model.resolve():
        raise ModelError(f"{out} is the model itself, which is kept: name another file.")
    for store in train:
        refuse_leaks(read_identities(store), read_identities(verify))
    if precision is Precision.BFLOAT16:
        openvino_session.library()  # fails now, not after the comparison
    engine = Engine.load(model, providers=[CPU])
    contract, full = engine.contract, onnx.load_from_string(read_again(model, engine.sha256))
    if contract.provenance.precision != Precision.FLOAT32.value:
        raise ModelError(f"{model} is in {contract.provenance.precision} already: give the file in float32.")
    if contract.schema == CAVITY_SCHEMA:
        raise ModelError(f"The gate before {precision.value} compares tumours only: keep a cavity model in float32.")
    contract = msgspec.structs.replace(contract, schema=SCHEMA, certainty=())
    samples = read_samples(verify, VERIFY_SLICES)
    calibration = calibration_samples(train) if precision is Precision.INT8 else []
    reduced, sealed = reduce(full, contract, samples, verify.name, precision, calibration)
    write_export(reduced, sealed, out)
    return sealed
