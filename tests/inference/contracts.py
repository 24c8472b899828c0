"""What a model says of itself: contracts with measured figures, for the window's tests. Fixtures, named in conftest."""

import msgspec
import pytest

from inference import contract as c
from inference.contract import ModelContract
from inference.safety import INTENDED_USE


def score(band: tuple[float, float | None], dice: float | None) -> c.BandScore:
    return c.BandScore(
        band=band, n_slices=120, n_patients=6, dice_mean=dice, dice_sd=0.14, dice_median=dice, area_error_mean=None
    )


@pytest.fixture
def measured() -> c.Measured:
    bands = (score((0, 35), 0.11), score((35, 200), 0.42), score((200, None), 0.78))
    return c.Measured(
        data="sealed cohort B",
        simulated=True,
        n_patients=6,
        n_slices=360,
        by_predicted_area=bands,
        by_true_area=bands,
        miss_rate=0.12,
        positive_rate=0.88,
        specificity=0.83,
        specificity_35mm2=0.9,
    )


SMALL_INPUT = c.Input(
    channels=("US",),
    patch=(32, 48),
    divisor=(1, 1),
    transposed=False,
    spacing_mm=(0.5, 0.4),
    normalisation="z_score",
    mask_normalisation=False,
    crop_to_nonzero=True,
    resampling_order=3,
    logit_resampling_order=1,
    tile_step=0.5,
    seen=c.Seen(spacing_mm=(0.1, 1.0), rows=(1, 999), cols=(1, 999), intensity=(0, 255)),
)
"""A few tiles a picture, rows and columns of different lengths: for laws of preprocessing and its way back."""


@pytest.fixture
def contract(measured: c.Measured) -> ModelContract:
    """A contract of a model trained on simulation, with measured figures on simulation."""
    return ModelContract(
        schema=c.SCHEMA,
        identity=c.Identity(
            name="threshold", version="1", created="2025-01-01", licence="Apache-2.0", intended_use=INTENDED_USE
        ),
        input=c.Input(
            channels=("iUS",),
            patch=(256, 256),
            divisor=(32, 32),
            transposed=False,
            spacing_mm=(0.3, 0.3),
            normalisation="z_score",
            mask_normalisation=False,
            crop_to_nonzero=True,
            resampling_order=3,
            logit_resampling_order=1,
            tile_step=0.5,
            seen=c.Seen(spacing_mm=(0.1, 0.5), rows=(200, 800), cols=(200, 800), intensity=(0.0, 255.0)),
        ),
        population=c.Population(
            words="Simulated patients with one supratentorial glioma, before dura opening.",
            phases=("before_dura_opening",),
            surgery=("first",),
            tumour_types=("glioma",),
            grades=("2", "3", "4"),
            sites=("simulated",),
            scanners=("simulated",),
            views=("native", "slice"),
            n_patients=40,
            simulated=True,
        ),
        output=c.Output(
            labels={"background": 0, "tumour": 1},
            tumour_index=1,
            activation="softmax",
            threshold=0.5,
            folds=1,
            mirror_axes=(),
            keep_largest=False,
        ),
        reliability=c.Reliability(min_reliable_area_mm2=200, very_small_area_mm2=35, fast=measured, thorough=None),
        provenance=c.Provenance(
            nnunetv2="2.8.1",
            trainer="nnUNetTrainer",
            plans_sha256="0" * 64,
            checkpoint_sha256=("0" * 64,),
            datasets=("simulated",),
            area_cutoff_mm2=None,
            label_origin="simulated",
            seed=1,
            exporter="1",
            precision="float32",
        ),
        parity=(),
        reduction=None,
        self_test=c.SelfTest(mismatched_per_million=100, golden_sha256="0" * 64),
    )


@pytest.fixture
def clinical(contract: ModelContract, measured: c.Measured) -> ModelContract:
    """The same model, had it been trained and measured on patients, on slices of volumes."""
    population = msgspec.structs.replace(contract.population, simulated=False, views=("slice",))
    reliability = msgspec.structs.replace(
        contract.reliability, fast=msgspec.structs.replace(measured, simulated=False, data="clinic A")
    )
    return msgspec.structs.replace(contract, population=population, reliability=reliability)
