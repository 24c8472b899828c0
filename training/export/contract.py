"""The contract of a trained nnU-Net folder: its recipe as the engine reads it."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from inference import contract as c
from inference.version import __version__
from training.export.training_facts import LabelOrigin, area_cutoff
from training.nnunet.results.checkpoint import Trained
from training.nnunet.results.plans import Plan, shown_labels, strides
from training.slicing.size_bands import MIN_RELIABLE_MM2, VERY_SMALL_MM2

MISMATCH_PER_MILLION = 200.0
"""How many mask pixels of the golden cases may differ on another device: GPUs round convolutions differently."""


def contract_of(
    trained: Trained,
    identity: c.Identity,
    population: c.Population,
    seen: c.Seen,
    scores: Mapping[c.Mode, c.Measured],
    label_origin: LabelOrigin,
) -> c.ModelContract:
    """The contract of a trained model, still without the proof and the hash of the golden cases.

    Args:
        trained: the model's plans, data set and checkpoints.
        identity: name, version, licence.
        population: the patients it was trained on.
        seen: the ranges of spacing, size and grey values met in training.
        scores: the scores measured in each mode.
        label_origin: where its labels come from.
    """
    limits = c.Reliability(
        min_reliable_area_mm2=MIN_RELIABLE_MM2,
        very_small_area_mm2=VERY_SMALL_MM2,
        fast=scores.get(c.Mode.FAST),
        thorough=scores.get(c.Mode.THOROUGH),
    )
    return c.ModelContract(
        schema=c.SCHEMA if _cavity(trained) is None else c.CAVITY_SCHEMA,
        identity=identity,
        input=_input(trained, seen),
        population=population,
        output=_output(trained),
        reliability=limits,
        provenance=_provenance(trained, label_origin),
        parity=(),
        reduction=None,
        self_test=c.SelfTest(mismatched_per_million=MISMATCH_PER_MILLION, golden_sha256=""),
    )


def _input(trained: Trained, seen: c.Seen) -> c.Input:
    """What the network must be fed, from the plans."""
    plan = trained.plan
    return c.Input(
        channels=tuple(trained.channels.values()),
        patch=trained.patch,
        divisor=_divisor(plan),
        transposed=trained.transposed,
        spacing_mm=plan.spacing,
        normalisation="z_score",
        mask_normalisation=plan.use_mask_for_norm[0],
        crop_to_nonzero=True,
        resampling_order=3,
        logit_resampling_order=1,
        tile_step=0.5,
        seen=seen,
    )


def _divisor(plan: Plan) -> tuple[int, int]:
    """The numbers that the sides of the patch must be divisible by: the products of the strides."""
    rows, cols = np.prod(np.asarray(strides(plan)), axis=0)
    return int(rows), int(cols)


def _output(trained: Trained) -> c.Output:
    """What the network returns."""
    return c.Output(
        labels=shown_labels(trained.dataset),
        tumour_index=1,
        activation="softmax",
        threshold=0.5,
        folds=len(trained.weights),
        mirror_axes=trained.mirror_axes,
        keep_largest=trained.keep_largest,
        cavity_index=_cavity(trained),
    )


def _cavity(trained: Trained) -> Literal[2] | None:
    """The cavity's label; None if the model knows none."""
    return 2 if c.CAVITY in shown_labels(trained.dataset) else None


def _provenance(trained: Trained, label_origin: LabelOrigin) -> c.Provenance:
    """How the model came to be."""
    return c.Provenance(
        nnunetv2=trained.receipt.versions.get("nnunetv2") or "version not recorded",
        trainer=trained.trainer,
        plans_sha256=trained.plans_sha256,
        checkpoint_sha256=trained.checkpoints,
        datasets=(str(trained.plans.get("dataset_name", "not recorded")),),
        area_cutoff_mm2=area_cutoff(trained),
        label_origin=label_origin,
        seed=trained.receipt.seed,
        exporter=f"ius {__version__}",
        precision="float32",
    )
