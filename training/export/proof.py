"""The network with its golden cases and its proof inside, made on drafts that nobody sees."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import onnx

from inference import golden
from inference.contract import Mode, ModelContract, Parity
from inference.engine import Engine
from inference.errors import ModelError
from inference.golden import GoldenCase
from inference.providers import default_threads, open_session
from training.export import parity, reduction
from training.export.cases import golden_cases, insist
from training.export.checkpoint import Trained
from training.export.graph import seal, write_onnx
from training.export.network import to_onnx
from training.export.precision import Precision, calibration_tiles, to_float16, to_int8
from training.export.samples import Sample

MIRRORED_EVERY = 3
"""With mirrors every third slice is compared: each costs four passes."""
LOGIT_SLICES = 10
Proven = tuple[onnx.ModelProto, ModelContract]


def prove(
    trained: Trained, contract: ModelContract, samples: Sequence[Sample], slices: str, *, trial: bool = False
) -> Proven:
    """The float32 network, compared with nnU-Net's own predictor in every mode it has.

    Args:
        trained: plans, data set and checkpoints.
        contract: without its proof.
        samples: slices of the comparison.
        slices: the same in words.
        trial: accept a model that segments nothing, or something everywhere.

    Raises:
        ModelError: if it does not say what nnU-Net says.
    """
    model = to_onnx(trained)
    reference = parity.Reference(trained)
    masks = parity.predict_all(reference, samples)
    cases = golden_cases(reference, samples, masks)
    if not trial:
        insist(cases)
    seal(model, contract, cases)
    engine = draft(model)
    logits = parity.logit_error(engine, trained, samples[:LOGIT_SLICES])

    def proof(mode: Mode, some: Sequence[Sample], expected: Sequence[parity.Mask]) -> Parity:
        comparisons = parity.compare_all(engine, some, expected, mode)
        parity.demand(comparisons)
        return parity.summary(comparisons, mode, slices, engine, logits, keep_largest=trained.keep_largest)

    proofs = [proof(Mode.FAST, samples, masks)]
    if trained.mirror_axes:
        some = samples[::MIRRORED_EVERY]
        mirrored = parity.predict_all(parity.Reference(trained, Mode.THOROUGH), some)
        proofs.append(proof(Mode.THOROUGH, some, mirrored))
    return model, seal(model, msgspec.structs.replace(contract, parity=tuple(proofs)), cases)


def reduce(
    model: onnx.ModelProto,
    contract: ModelContract,
    samples: Sequence[Sample],
    slices: str,
    precision: Precision,
    calibration: Sequence[Sample],
) -> Proven:
    """The network in fewer bits, compared with itself in float32 and with the truth.

    Its golden masks are its own, since a device has to reproduce this file and not the other.

    Args:
        model: the proven float32 network with its metadata.
        contract: as sealed in it.
        samples: slices of the comparison, with their true masks.
        slices: the same in words.
        precision: float16 or int8.
        calibration: training slices on which int8 ranges are taken.

    Raises:
        ModelError: if the masks move, or fit the truth less well.
    """
    full = draft(model)
    if precision is Precision.INT8:
        reduced = to_int8(model, calibration_tiles(calibration, contract.input))
    else:
        reduced = to_float16(model)
    said = msgspec.structs.replace(contract.provenance, precision=precision.value)
    contract = msgspec.structs.replace(contract, provenance=said)
    cases = golden_of(model, contract)
    seal(reduced, contract, cases)
    engine = draft(reduced)
    found = reduction.costs(engine, full, samples)
    reduction.demand(found, precision.value)
    words = f"{len(calibration)} slices of the training set" if calibration else ""
    proof = reduction.certificate(found, slices, words)
    own = [_own(engine, case) for case in cases]
    return reduced, seal(reduced, msgspec.structs.replace(contract, reduction=proof), own)


def draft(model: onnx.ModelProto) -> Engine:
    """A sealed model on the CPU, whether or not it reproduces its golden masks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draft.onnx"
        write_onnx(model, path)
        session = open_session(path, "CPUExecutionProvider", default_threads(), [])
    if session is None:
        raise ModelError("ONNX Runtime does not run the exported network: check the versions of torch and onnxruntime.")
    return Engine(path, "", session)


def golden_of(model: onnx.ModelProto, contract: ModelContract) -> tuple[GoldenCase, ...]:
    """The golden cases in a sealed model."""
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    return golden.unpack(metadata, contract.self_test.golden_sha256)


def _own(engine: Engine, case: GoldenCase) -> GoldenCase:
    """The case with the mask that this engine makes of it."""
    mask = (engine.segment(case.pixels, case.spacing_mm).margin > 0).astype(np.uint8)
    return GoldenCase(case.pixels, case.spacing_mm, mask)
