"""A trained nnU-Net folder -> one .onnx with its recipe and its proof; nothing is written unless the proof holds."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from inference.contract import CAVITY, Identity, ModelContract, Population
from inference.errors import ModelError
from inference.model import openvino_session
from inference.safety import INTENDED_USE
from training.export import training_facts as facts
from training.export.contract import contract_of
from training.export.input_ranges import seen_in_training
from training.export.onnx_file import write_export
from training.export.precision import Precision, calibration_samples
from training.export.proof import prove, reduce
from training.export.samples import VERIFY_SLICES, draw_samples, read_samples
from training.nnunet.results.checkpoint import Trained, read_trained
from training.nnunet.results.plans import shown_labels
from training.nnunet.results.postprocessing import Postprocessing
from training.nnunet.settings import Fold
from training.slicing.slices import HALF_KNOWN, PAINTED, PSEUDO


def export_model(
    model: Path,
    out: Path,
    *,
    folds: tuple[Fold, ...] = (0,),
    verify: Path | None = None,
    evaluation: Sequence[Path] = (),
    name: str,
    version: str = "1",
    simulated: bool = False,
    train: Sequence[Path] = (),
    population: str | None = None,
    label_origin: facts.LabelOrigin | None = None,
    licence: str = "Apache-2.0",
    checkpoint: str = "best",
    postprocessing: Postprocessing | None = None,
    precision: Precision = Precision.FLOAT32,
    trial: bool = False,
    spacing_mm: tuple[float, float] | None = None,
) -> ModelContract:
    """Export a model, check it against nnU-Net's own predictor, and write the .onnx and its card (`out` with .md).

    Args:
        model: nnU-Net's results folder of one model, or a zip of it.
        out: the .onnx to write.
        folds: the folds whose logits are averaged.
        verify: slices of the parity check: a slice store or a folder of 2D NIfTI; None takes simulated blobs.
        evaluation: `summary.json` files of `ius-train evaluate`, one per mode; without any, the scores are left out.
        name: the model's name, as screens show it.
        version: its version.
        simulated: whether it was trained on simulated patients.
        train: the slice stores of its training; without any, those that its fit receipt names.
        population: JSON file of the contract's population, or a published one's name; needed unless it is simulated.
        label_origin: where its labels come from; needed where neither the slices of its training tell it, nor
            `simulated`.
        licence: of the model.
        checkpoint: `best` or `final`.
        postprocessing: what cross-validation chose; needed if only a pickle says so.
        precision: the precision it runs in; a lower one is refused if it costs accuracy.
        spacing_mm: (row, col) of a pixel of the training pictures, if those state no scale: PNG, JPEG, TIFF.
        trial: accept a model that segments nothing, or something everywhere, as a trial run's model does.

    Returns:
        The contract as stored.

    Raises:
        ModelError: if the folder cannot be exported, the file's masks are not nnU-Net's, or this computer cannot
            prove the precision.
    """
    if precision is Precision.BFLOAT16:
        openvino_session.library()  # fails now, not after hours of proof
    trained = read_trained(model, folds, checkpoint, postprocessing, spacing_mm)
    if precision is not Precision.FLOAT32 and CAVITY in shown_labels(trained.dataset):
        raise ModelError(f"The gate before {precision.value} compares tumours only: export a cavity model in float32.")
    if precision is not Precision.FLOAT32 and verify is not None:
        _refuse_trained_on(trained, verify)
    stores = facts.training_stores(trained, train)
    origin = _label_origin(trained, stores, label_origin or ("simulated" if simulated else None))
    today = datetime.now(UTC).date().isoformat()
    identity = Identity(name=name, version=version, created=today, licence=licence, intended_use=INTENDED_USE)
    people = facts.read_population(population) if population else _simulated(trained, stores, simulated)
    if simulated and not people.simulated:
        raise ModelError(f"{population} says that its patients are real, and --simulated that they are not: give one.")
    people = facts.with_start(people, trained)
    calibration = calibration_samples(stores) if precision is Precision.INT8 else []
    scores = facts.read_measured(evaluation, trained)
    contract = contract_of(trained, identity, people, seen_in_training(trained, stores), scores, origin)
    samples = read_samples(verify, VERIFY_SLICES) if verify else draw_samples(VERIFY_SLICES, seed=0)
    slices = verify.name if verify else "simulated blobs"
    network, sealed = prove(trained, contract, samples, slices, trial=trial)
    if precision is not Precision.FLOAT32:
        network, sealed = reduce(network, sealed, samples, slices, precision, calibration)
    write_export(network, sealed, out)
    return sealed


def _refuse_trained_on(trained: Trained, verify: Path) -> None:
    """Refuse to measure what fewer bits cost on patients of the training: the card states that Dice to the truth.

    Raises:
        ModelError: naming one.
    """
    stores = [verify] if (verify / "slices.csv").is_file() else []  # a folder of pictures has no truth
    if seen := trained.trained_on.among(stores):
        raise ModelError(
            f"{verify} holds slices of {seen[0]}, whom the model was trained on, and what fewer bits cost would be "
            "measured on them: give slices of others with --verify."
        )


def _label_origin(trained: Trained, stores: Sequence[Path], said: facts.LabelOrigin | None) -> facts.LabelOrigin:
    """Where the labels come from: as the slices of the training say, or the user where they do not.

    Raises:
        ModelError: if nothing tells it, or the two contradict each other.
    """
    known = None if said == "simulated" else facts.label_origin_of(trained, stores)
    if said is None and known is None:
        raise ModelError("The contract has to say where the labels come from: us, mri, both or simulated.")
    if said is not None and known not in (None, said):
        raise ModelError(
            f"The labels of the training's slices are of {known}, not of {said}: leave --label-origin out."
        )
    return said or known or "simulated"


def _simulated(trained: Trained, stores: Sequence[Path], simulated: bool) -> Population:
    """The population of a simulated training; for real patients the user has to state it."""
    if not simulated:
        raise ModelError(
            "The contract has to say on whom the model was trained: name a file with --population, for "
            "which 'ius-train export --population-template FILE' writes a template."
        )
    rows = [row for row, _ in facts.training_rows(trained, stores)]
    native = any(row.axis == "native" for row in rows)
    painted, marked = (sorted({row.patient for row in rows if row.origin == one}) for one in (PAINTED, PSEUDO))
    simulated_ones = len({row.patient for row in rows} - {row.patient for row in rows if row.origin in HALF_KNOWN})
    return facts.simulated_population(simulated_ones, native=native, painted=painted, marked=marked)
