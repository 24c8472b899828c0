"""Builds the network with its golden cases and its proof inside, working on drafts that are never written out."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import onnx

from inference.contract import MOST_MISMATCHED, Input, Mode, ModelContract, Parity
from inference.errors import ModelError
from inference.model import golden
from inference.model.engine import Engine, trust
from inference.model.golden import GoldenCase
from inference.model.providers import CPU, OPENVINO, default_threads
from inference.model.session import open_session
from training.export import parity
from training.export import precision_gate as reduction
from training.export.golden_cases import golden_cases, insist
from training.export.network import to_onnx
from training.export.onnx_file import seal, write_onnx
from training.export.precision import Precision, calibration_tiles, to_float16, to_int8
from training.export.samples import Sample
from training.nnunet.results.checkpoint import Trained

MIRRORED_EVERY = 3
"""In thorough mode only every third slice is compared, since each costs four passes."""
LOGIT_SLICES = 10
Proven = tuple[onnx.ModelProto, ModelContract]


def prove(
    trained: Trained, contract: ModelContract, samples: Sequence[Sample], slices: str, *, trial: bool = False
) -> Proven:
    """Build the float32 network and compare it with nnU-Net's own predictor in every mode it has.

    Args:
        trained: plans, data set and checkpoints.
        contract: the contract, still without its proof.
        samples: the slices to compare.
        slices: the same in words.
        trial: accept a model that segments nothing, or something everywhere.

    Raises:
        ModelError: if its masks are not nnU-Net's.
    """
    model = to_onnx(trained)
    reference = parity.Reference(trained)
    masks = parity.predict_all(reference, samples)
    cases = golden_cases(reference, samples, masks)
    if not trial:
        insist(cases, cavity=contract.output.cavity_index is not None)
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
    """Reduce the network's precision, and compare it with itself in float32 and with the truth.

    Args:
        model: the proven float32 network with its metadata.
        contract: the contract sealed in it.
        samples: the slices to compare, with their true masks.
        slices: the same in words.
        precision: any but float32.
        calibration: training slices that the int8 ranges are measured on.

    Raises:
        ModelError: if the masks change, or fit the truth less well, or if bfloat16 does not run here.
    """
    full, cases = draft(model), golden_of(model, contract)
    reduced = _in_fewer_bits(model, contract.input, precision, calibration)
    said = msgspec.structs.replace(contract.provenance, precision=precision.value)
    contract = msgspec.structs.replace(contract, provenance=said)
    seal(reduced, contract, cases)
    engine = draft(reduced, OPENVINO if precision is Precision.BFLOAT16 else CPU)
    found = reduction.costs(engine, full, samples)
    reduction.demand(found, precision.value)
    words = f"{len(calibration)} slices of the training set" if calibration else ""
    contract = msgspec.structs.replace(contract, reduction=reduction.certificate(found, slices, words))
    own = [_own(engine, case) for case in cases]
    if precision is not Precision.BFLOAT16:
        # A device has to reproduce the masks of this file, not of the float32 one.
        return reduced, seal(reduced, contract, own)
    return reduced, seal(reduced, for_both(contract, engine, own, cases), cases)


def _in_fewer_bits(
    model: onnx.ModelProto, recipe: Input, precision: Precision, calibration: Sequence[Sample]
) -> onnx.ModelProto:
    """The graph for a precision; for bfloat16 the graph stays as it is, since OpenVINO does the rounding."""
    if precision is Precision.INT8:
        return to_int8(model, calibration_tiles(calibration, recipe))
    if precision is Precision.FLOAT16:
        return to_float16(model)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def for_both(
    contract: ModelContract, engine: Engine, own: Sequence[GoldenCase], cases: Sequence[GoldenCase]
) -> ModelContract:
    """The contract of a bfloat16 file; its golden masks stay nnU-Net's, since some devices run it in float32.

    Its self-test allows what float32 may differ, plus twice what bfloat16 changes here, since another processor adds
    in another order. The golden masks have to pass the gate too, so this is far less than a black or shifted mask.

    Args:
        contract: the contract as for a file that runs in bfloat16 only.
        engine: the network in bfloat16.
        own: the golden cases with the masks that this engine makes.
        cases: the golden cases with nnU-Net's masks.

    Raises:
        ModelError: if the golden masks do not pass, or would not where the file is loaded.
    """
    pairs = zip(own, cases, strict=True)
    least = min(reduction.agreement_in_area(mine.mask, case.mask, case.spacing_mm) for mine, case in pairs)
    if least < reduction.MIN_DICE:
        raise ModelError(
            f"In bfloat16 a golden frame has a Dice of {least:.4f} to nnU-Net's mask, wanted {reduction.MIN_DICE}, so "
            "nothing was written. Export it in float32."
        )
    allowed = contract.self_test.mismatched_per_million + 2 * engine.self_test.mismatched_per_million
    if allowed > MOST_MISMATCHED or engine.self_test.tissue_off > golden.TISSUE_SHARE:
        raise ModelError(
            f"In bfloat16 the golden masks are not nnU-Net's closely enough for a self-test ({engine.self_test.words}),"
            " so nothing was written. Export it in float32."
        )
    test = msgspec.structs.replace(contract.self_test, mismatched_per_million=allowed)
    return msgspec.structs.replace(contract, self_test=test)


def draft(model: onnx.ModelProto, provider: str = CPU) -> Engine:
    """Load a sealed model on a provider, without asking for its golden masks or that it ends in the time of a trial.

    Raises:
        ModelError: if it does not run there.
    """
    reasons: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draft.onnx"
        write_onnx(model, path)
        session = open_session(path, provider, default_threads(), reasons)
    if session is None:
        raise ModelError(f"The exported network does not run here, so nothing was written. {' '.join(reasons)}")
    trust(session)
    return Engine(path, "", session)


def golden_of(model: onnx.ModelProto, contract: ModelContract) -> tuple[GoldenCase, ...]:
    """The golden cases stored in a sealed model."""
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    return golden.unpack(metadata, contract.self_test.golden_sha256)


def _own(engine: Engine, case: GoldenCase) -> GoldenCase:
    """The case with the mask that this engine makes."""
    mask = engine.segment(case.pixels, case.spacing_mm).margin.mask()
    return GoldenCase(case.pixels, case.spacing_mm, mask)
