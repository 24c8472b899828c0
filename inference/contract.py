"""The model contract: one JSON value inside the .onnx with the model's whole recipe and its own proof.

`training.export` writes it and the engine reads it with the same types. Reading is strict: a missing or unknown field,
a wrong type or another schema raises a `ContractError` that names the field.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from inference.errors import ContractError

CONTRACT_KEY = "ius.contract"
"""Key of the contract in the ONNX `metadata_props`."""
GOLDEN_KEY = "ius.golden"
"""Key of the golden cases (see `inference.model.golden`)."""
SCHEMA: Final = 2
CERTAIN_SCHEMA: Final = 3
"""Schema of a contract that says how certain the model is, which programs of schema 2 cannot read."""
CAVITY_SCHEMA: Final = 4
"""Schema of a contract with a resection cavity beside the tumour; its model has no certainty."""
CAVITY: Final = "cavity"
"""The name of the one label that may stand beside background and tumour."""

Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Side = Annotated[int, Meta(gt=0)]
Patch = Annotated[int, Meta(gt=0, le=4096)]
NetworkPixel = Annotated[float, Meta(ge=0.02, le=5)]
"""mm; no network for ultrasound uses finer or coarser pixels."""


MOST_MISMATCHED = 1000.0
"""Of a million golden pixels: no rounding of a device changes as many."""
Temperature = Annotated[float, Meta(ge=0.1, le=10)]
"""Divides the logits. Beyond these a network's probability would mean nothing at all."""


class Mode(StrEnum):
    """How a frame is run through the network. Figures measured in one mode hold for that mode only."""

    FAST = "fast"
    """One pass, fast enough for a live picture."""
    THOROUGH = "thorough"
    """The mean over all mirrors that training allowed, as nnU-Net predicts by default: for a still picture."""


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A group of fields; none may be added or left out."""


class Identity(_Group, frozen=True):
    """The model's name and version. Its true identity is the sha256 of its file, computed when it is loaded."""

    name: str
    version: str
    created: str
    licence: str
    intended_use: str


class Seen(_Group, frozen=True):
    """Ranges (low, high) of the training data; outside them the model was never tested."""

    spacing_mm: tuple[Positive, Positive]
    rows: tuple[Side, Side]
    cols: tuple[Side, Side]
    intensity: tuple[float, float]
    """0.5 and 99.5 percentiles of the non-zero grey values of all training slices together."""


class Input(_Group, frozen=True):
    """The input that the network needs, in nnU-Net's own order."""

    channels: Annotated[tuple[str, ...], Meta(min_length=1, max_length=1)]
    patch: tuple[Patch, Patch]
    """(rows, cols) of the fixed input, after `transposed`."""
    divisor: tuple[Side, Side]
    transposed: bool
    """True if the network was trained on pictures with rows and columns exchanged."""
    spacing_mm: tuple[NetworkPixel, NetworkPixel]
    """(row, col) mm per pixel that the network expects, after `transposed`."""
    normalisation: Literal["z_score"]
    mask_normalisation: bool
    """nnU-Net's use_mask_for_norm: mean and SD over the non-zero pixels, the others stay 0."""
    crop_to_nonzero: bool
    resampling_order: Literal[3]
    logit_resampling_order: Literal[1]
    tile_step: Annotated[float, Meta(ge=0.1, le=1)]
    """As a share of the patch; a smaller step would make far too many tiles."""
    seen: Seen


class Population(_Group, frozen=True):
    """The patients on whom the model was trained, shown to the user word for word."""

    words: str
    phases: tuple[Literal["before_dura_opening", "dura_open", "resection"], ...]
    surgery: tuple[Literal["first", "reoperation"], ...]
    tumour_types: tuple[str, ...]
    grades: tuple[str, ...]
    sites: tuple[str, ...]
    scanners: tuple[str, ...]
    views: tuple[Literal["native", "slice"], ...]
    n_patients: Count
    simulated: bool


class Output(_Group, frozen=True, omit_defaults=True):
    """The network's output."""

    labels: dict[str, int]
    tumour_index: Annotated[int, Meta(ge=1)]
    activation: Literal["softmax"]
    threshold: Annotated[float, Meta(gt=0, lt=1)]
    folds: Side
    mirror_axes: tuple[Annotated[int, Meta(ge=0, le=1)], ...]
    keep_largest: bool
    """Of the tumour's pieces."""
    cavity_index: Literal[2] | None = None
    """The resection cavity's label, 2 beside tumour 1; left out by models that know none."""

    @property
    def planes(self) -> tuple[int, ...]:
        """The network's outputs in the engine's order: background, tumour and maybe cavity."""
        return (0, self.tumour_index) if self.cavity_index is None else (0, self.tumour_index, self.cavity_index)


class BandScore(_Group, frozen=True):
    """Scores of one area band (low, high] in mm²: open if `high` is None. A score of None was not measured."""

    band: tuple[Annotated[float, Meta(ge=0)], float | None]
    n_slices: Count
    n_patients: Count
    dice_mean: Share | None
    dice_sd: Annotated[float, Meta(ge=0)] | None
    dice_median: Share | None
    area_error_mean: float | None
    """Mean of (segmented - true) / true area; None for bands of predicted area that include tumour-free slices."""


class Measured(_Group, frozen=True):
    """The model's measured scores in one mode, and the data they were measured on."""

    data: str
    simulated: bool
    n_patients: Count
    n_slices: Count
    by_predicted_area: tuple[BandScore, ...]
    by_true_area: tuple[BandScore, ...]
    miss_rate: Share | None
    positive_rate: Share | None
    specificity: Share | None
    """Share of tumour-free slices without any contour."""
    specificity_35mm2: Share | None
    """Share of tumour-free slices without a contour above 35 mm²."""


class Reliability(_Group, frozen=True):
    """The limits up to which a contour is unreliable, and the measured scores."""

    min_reliable_area_mm2: Positive
    very_small_area_mm2: Positive
    fast: Measured | None
    """One pass, no mirrors."""
    thorough: Measured | None
    """The mean over folds and mirrors."""

    def measured(self, mode: Mode) -> Measured | None:
        """The scores measured in a mode; None if nothing was measured."""
        return self.fast if mode is Mode.FAST else self.thorough


class Provenance(_Group, frozen=True):
    """How the model was made."""

    nnunetv2: str
    trainer: str
    plans_sha256: str
    checkpoint_sha256: tuple[str, ...]
    datasets: tuple[str, ...]
    area_cutoff_mm2: float | None
    label_origin: Literal["us", "mri", "both", "simulated"]
    seed: int | None
    exporter: str
    precision: Literal["float32", "float16", "int8", "bfloat16"]
    """Precision of the network's weights and feature maps in this file. bfloat16 means the float32 network, to be
    computed in bfloat16 if the processor can."""


class ParityBand(_Group, frozen=True):
    """Parity on the slices whose reference mask has an area in (low, high] mm²; if `high` is None, the band is open."""

    band: tuple[Annotated[float, Meta(ge=0)], float | None]
    n_slices: Count
    dice_min: Share | None
    identical: Share | None
    area_delta_max_mm2: Annotated[float, Meta(ge=0)] | None


class Parity(_Group, frozen=True):
    """Proof that this file, in float32, gives the same answers as nnU-Net's own predictor."""

    mode: Literal["fast", "thorough"]
    reference: str
    settings: str
    slices: str
    n_slices: Side
    dice_min: Share
    dice_mean: Share
    identical: Share
    """Share of slices whose masks are identical."""
    area_delta_max_mm2: Annotated[float, Meta(ge=0)]
    by_area: tuple[ParityBand, ...]
    """By the reference's area; empty in older files, which did not keep this."""
    logit_error_mean: Annotated[float, Meta(ge=0)] | None
    """Mean absolute difference of a logit from PyTorch's; None if it was not measured."""
    logit_error_max: Annotated[float, Meta(ge=0)] | None
    device: str
    provider: str
    versions: dict[str, str]
    """Versions of the libraries used."""


class Reduction(_Group, frozen=True):
    """The cost of fewer bits: this file against the same network in float32, on the same slices."""

    slices: str
    n_slices: Side
    dice_mean: Share
    """Mean Dice of this file's masks with the float32 ones. Areas under 35 mm² count as 35 mm², since a single pixel
    decides there."""
    dice_min: Share
    truth_dice_float32: Share
    """Mean Dice of the float32 masks with the true ones, over slices with tumour."""
    truth_dice: Share
    """The same for this file's masks."""
    calibration: str
    """The slices on which the int8 ranges were calibrated, in words; empty for other precisions."""


class DiagramBin(_Group, frozen=True):
    """One bin of the reliability diagram: the pixels whose probability lies in it, of ten equal bins from 0 to 1."""

    pixels: Share
    """Share of all pixels."""
    probability: Share | None
    """Mean probability; None in an empty bin, as `tumour`."""
    tumour: Share | None
    """Share of the bin's pixels that are tumour."""


class Calibration(_Group, frozen=True):
    """How far the probability of a pixel is from the share of such pixels that are tumour."""

    temperature: Temperature
    """Divides the logits before the softmax. Monotone, so that no mask changes at a threshold of 0.5."""
    n_pixels: Side
    ece_before: Share
    """Expected calibration error at temperature 1: mean distance of probability and share over pixels in bins."""
    ece: Share
    ece_interval: tuple[Share, Share] | None
    """95 % bootstrap interval over patients; None for fewer than five."""
    ace_before: Share
    """Average calibration error at temperature 1: the same mean over bins, since most pixels lie in the lowest."""
    ace: Share
    diagram: tuple[DiagramBin, ...]


class QualityScore(StrEnum):
    """What foretells the quality of a contour (see `inference.model.quality`)."""

    MEAN_PROBABILITY = "mean_probability"
    EXPECTED_DICE = "expected_dice"
    SHARPNESS = "sharpness"


class FailurePrediction(_Group, frozen=True):
    """How well a score of the network's own probabilities tells the contours that fail. It speaks of contours only."""

    score: QualityScore
    threshold: Share
    """A contour with a lower score is likely to fail: a fifth of the contours on the slices with tumour."""
    n_contours: Side
    """Slices with tumour on which something was segmented; the figures below are theirs."""
    coverage: Share
    """Share of them above the threshold."""
    dice: Share
    """Mean Dice of all of them."""
    dice_above: Share | None
    """Mean Dice above the threshold; None if there are none."""
    dice_below: Share | None
    aurc: Share
    """Area under the curve of risk (1 - Dice) against coverage."""
    false_below: Share | None
    """Share of the contours on tumour-free slices that lie below the threshold; None if there are none."""
    curve: tuple[tuple[Share, Share], ...]
    """(coverage, mean Dice) as ever more contours are withheld, those of the lowest score first."""


class Certainty(_Group, frozen=True):
    """What the network's own probabilities are worth in one mode, measured on patients it was not fitted on."""

    mode: Mode
    data: str
    simulated: bool
    n_patients: Side
    n_slices: Side
    calibration: Calibration
    failure: FailurePrediction


class SelfTest(_Group, frozen=True):
    """How closely a device must reproduce the golden masks."""

    mismatched_per_million: Annotated[float, Meta(ge=0, le=MOST_MISMATCHED)]
    """The rounding of a device stays below this; more mismatches mean another model."""
    golden_sha256: str


class _Numbered(msgspec.Struct, frozen=True):
    schema: int = 0


def _schema_of(text: str) -> int:
    """The schema of a contract of any version; 0 if it names none."""
    try:
        return msgspec.json.decode(text, type=_Numbered).schema
    except msgspec.DecodeError:
        return 0


class ModelContract(_Group, frozen=True, omit_defaults=True):
    """Everything the viewer needs to know about a model; no constant in the application repeats it."""

    schema: Literal[2, 3, 4]
    """4 if the output has a cavity, 3 if `certainty` is there, else 2."""
    identity: Identity
    input: Input
    population: Population
    output: Output
    reliability: Reliability
    provenance: Provenance
    parity: tuple[Parity, ...]
    """One per mode; empty only for test models made in code, which no nnU-Net stands behind."""
    reduction: Reduction | None
    """None for a float32 file."""
    self_test: SelfTest
    certainty: tuple[Certainty, ...] = ()
    """One per mode in which it was measured; left out of files in which it was not, where nothing is foretold."""

    @property
    def title(self) -> str:
        """Name and version, and the precision of a file of fewer bits: it has the name of the one it was made of."""
        precision = self.provenance.precision
        return f"{self.identity.name} {self.identity.version}" + (
            "" if precision == "float32" else f", {precision} file"
        )

    def certainty_in(self, mode: Mode) -> Certainty | None:
        """What the probabilities of a mode are worth; None if that was not measured."""
        return next((one for one in self.certainty if one.mode is mode), None)

    def to_json(self) -> str:
        """The contract as the text stored under `CONTRACT_KEY`."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "ModelContract":
        """Read a contract strictly.

        Raises:
            ContractError: naming the field that is missing, unknown, or of the wrong type.
        """
        try:
            contract = msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError as error:
            if _schema_of(text) > CAVITY_SCHEMA:
                raise ContractError("The model is for a later version of this program: update the program.") from error
            raise ContractError(f"The model's contract cannot be read ({error}): export the model again.") from error
        contract._check()
        return contract

    @classmethod
    def from_metadata(cls, metadata: dict[str, str]) -> "ModelContract":
        """Read the contract out of an ONNX file's metadata.

        Raises:
            ContractError: if there is none, or it cannot be read.
        """
        if CONTRACT_KEY not in metadata:
            raise ContractError("This .onnx carries no ius contract: export it with `ius-train export`.")
        return cls.from_json(metadata[CONTRACT_KEY])

    def _check(self) -> None:
        """Check what the types cannot express."""
        if (self.schema == CERTAIN_SCHEMA) != bool(self.certainty):
            raise ContractError(f"The contract's certainty and its schema {self.schema} contradict: export again.")
        if len({one.mode for one in self.certainty}) < len(self.certainty):
            raise ContractError("The contract's certainty is there twice for one mode: export the model again.")
        for side, divisor in zip(self.input.patch, self.input.divisor, strict=True):
            if side % divisor:
                raise ContractError(
                    f"The contract's patch {self.input.patch} is no multiple of {self.input.divisor}: export again."
                )
        if sorted(self.output.labels.values()) != list(range(len(self.output.labels))):
            raise ContractError("The contract's labels are not numbered from 0 on: export the model again.")
        if self.output.cavity_index is None and len(self.output.labels) != 2:
            raise ContractError(
                f"The contract has the labels {', '.join(self.output.labels)}: export a model of background and one "
                "tumour, since whatever is neither would be counted as one of them."
            )
        if self.output.tumour_index not in self.output.labels.values():
            raise ContractError("The contract's tumour index is not among its labels: export the model again.")
        if self.output.labels.get("background") != 0:
            raise ContractError("The contract's label 0 is not background: export the model again.")
        if len(set(self.output.mirror_axes)) < len(self.output.mirror_axes):
            raise ContractError("The contract's mirror axes name one twice: export the model again.")
        self._check_cavity()

    def _check_cavity(self) -> None:
        """Check that a third label is the cavity, told apart as nnU-Net does: by the greatest logit."""
        output = self.output
        known = output.cavity_index is not None
        if (self.schema == CAVITY_SCHEMA) != known:
            raise ContractError(f"The contract's cavity and its schema {self.schema} contradict: export again.")
        told = (len(output.labels), output.labels.get(CAVITY), output.tumour_index, output.threshold, self.certainty)
        if known and told != (3, output.cavity_index, 1, 0.5, ()):
            raise ContractError(
                f"The contract has a cavity and the labels {', '.join(output.labels)}: export a model of background, "
                "one tumour (1) and cavity (2), with a threshold of 0.5 and no certainty."
            )
