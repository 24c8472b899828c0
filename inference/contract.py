"""The model contract: one JSON value inside the .onnx that carries its whole recipe and its own proof.

Written by `training.export`, read here, by the same types. Reading is strict: a missing or unknown field, a wrong
type or another schema is a `ContractError` that names the field.
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

Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Side = Annotated[int, Meta(gt=0)]
Patch = Annotated[int, Meta(gt=0, le=4096)]
NetworkPixel = Annotated[float, Meta(ge=0.02, le=5)]
"""mm; no network for ultrasound sees finer or coarser pixels."""


class Mode(StrEnum):
    """How a frame is run through the network. Measured figures hold for one mode only."""

    FAST = "fast"
    """One pass: what keeps up with a live picture."""
    THOROUGH = "thorough"
    """The mean over all mirrors the training allowed, as nnU-Net predicts by default: for a picture that stands."""


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A group of fields; nothing may be added or left out."""


class Identity(_Group, frozen=True):
    """Who the model is. Its true identity is the sha256 of its file, computed at load."""

    name: str
    version: str
    created: str
    licence: str
    intended_use: str


class Seen(_Group, frozen=True):
    """Ranges (low, high) met in training; outside them the model was never tested."""

    spacing_mm: tuple[Positive, Positive]
    rows: tuple[Side, Side]
    cols: tuple[Side, Side]
    intensity: tuple[float, float]
    """0.5 and 99.5 percentiles of the training slices' non-zero grey values, over all slices."""


class Input(_Group, frozen=True):
    """What the network must be fed, in nnU-Net's own order."""

    channels: Annotated[tuple[str, ...], Meta(min_length=1, max_length=1)]
    patch: tuple[Patch, Patch]
    """(rows, cols) of the fixed input, after `transposed`."""
    divisor: tuple[Side, Side]
    transposed: bool
    """True if the network was trained on pictures with rows and columns exchanged."""
    spacing_mm: tuple[NetworkPixel, NetworkPixel]
    """(row, col) mm a pixel that the network expects, after `transposed`."""
    normalisation: Literal["z_score"]
    mask_normalisation: bool
    """nnU-Net's use_mask_for_norm: mean and SD over the non-zero pixels, the others stay 0."""
    crop_to_nonzero: bool
    resampling_order: Literal[3]
    logit_resampling_order: Literal[1]
    tile_step: Annotated[float, Meta(ge=0.1, le=1)]
    """As a share of the patch; smaller ones make endless tiles."""
    seen: Seen


class Population(_Group, frozen=True):
    """On whom the model was trained, shown to the user word for word."""

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


class Output(_Group, frozen=True):
    """What the network answers."""

    labels: dict[str, int]
    tumour_index: Annotated[int, Meta(ge=1)]
    activation: Literal["softmax"]
    threshold: Annotated[float, Meta(gt=0, lt=1)]
    folds: Side
    mirror_axes: tuple[Annotated[int, Meta(ge=0, le=1)], ...]
    keep_largest: bool


class BandScore(_Group, frozen=True):
    """Scores of one area band (low, high] in mm²; `high` None is without end; None where it was not measured."""

    band: tuple[Annotated[float, Meta(ge=0)], float | None]
    n_slices: Count
    n_patients: Count
    dice_mean: Share | None
    dice_sd: Annotated[float, Meta(ge=0)] | None
    dice_median: Share | None
    area_error_mean: float | None
    """Mean of (segmented - true) / true area; None by predicted area where tumour-free slices are in."""


class Measured(_Group, frozen=True):
    """What was measured, on what, in one mode."""

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
    """When to believe the contour."""

    min_reliable_area_mm2: Positive
    very_small_area_mm2: Positive
    fast: Measured | None
    """One pass, no mirrors."""
    thorough: Measured | None
    """Folds and mirrors."""

    def measured(self, mode: Mode) -> Measured | None:
        """What was measured in a mode, None where nothing was."""
        return self.fast if mode is Mode.FAST else self.thorough


class Provenance(_Group, frozen=True):
    """How the model came to be."""

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
    """Of the network's weights and planes in this file; bfloat16: the float32 network, to be computed
    in bfloat16 where the processor can."""


class ParityBand(_Group, frozen=True):
    """Parity on the slices whose reference mask has an area in (low, high] mm²; `high` None is without end."""

    band: tuple[Annotated[float, Meta(ge=0)], float | None]
    n_slices: Count
    dice_min: Share | None
    identical: Share | None
    area_delta_max_mm2: Annotated[float, Meta(ge=0)] | None


class Parity(_Group, frozen=True):
    """Proof that this file, in float32, says what nnU-Net's own predictor said."""

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
    """By the reference's area; empty in files of before this was kept."""
    logit_error_mean: Annotated[float, Meta(ge=0)] | None
    """Mean difference of a logit from PyTorch's, without sign; None where it was not measured."""
    logit_error_max: Annotated[float, Meta(ge=0)] | None
    device: str
    provider: str
    versions: dict[str, str]
    """Of the libraries that took part."""


class Reduction(_Group, frozen=True):
    """What fewer bits cost: this file against the same network in float32, on the same slices."""

    slices: str
    n_slices: Side
    dice_mean: Share
    """Of this file's masks to those in float32. Areas under 35 mm² count as 35 mm², since there one pixel decides."""
    dice_min: Share
    truth_dice_float32: Share
    """Mean Dice of the float32 masks to the true ones, over slices with tumour."""
    truth_dice: Share
    """The same of this file's masks."""
    calibration: str
    """On which slices the int8 ranges were taken, in words; empty for the others."""


class SelfTest(_Group, frozen=True):
    """How closely a device must reproduce the golden masks."""

    mismatched_per_million: Annotated[float, Meta(ge=0, le=1000)]
    """More than a device's rounding is another model."""
    golden_sha256: str


class ModelContract(_Group, frozen=True):
    """Everything the viewer needs to know of a model; no constant of the application repeats it."""

    schema: Literal[2]
    identity: Identity
    input: Input
    population: Population
    output: Output
    reliability: Reliability
    provenance: Provenance
    parity: tuple[Parity, ...]
    """One a mode; none only where no nnU-Net stands behind the file: test models made in code."""
    reduction: Reduction | None
    """None in float32."""
    self_test: SelfTest

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
        """What types cannot say."""
        for side, divisor in zip(self.input.patch, self.input.divisor, strict=True):
            if side % divisor:
                raise ContractError(
                    f"The contract's patch {self.input.patch} is no multiple of {self.input.divisor}: export again."
                )
        if sorted(self.output.labels.values()) != list(range(len(self.output.labels))):
            raise ContractError("The contract's labels are not numbered from 0 on: export the model again.")
        if self.output.tumour_index not in self.output.labels.values():
            raise ContractError("The contract's tumour index is not among its labels: export the model again.")
