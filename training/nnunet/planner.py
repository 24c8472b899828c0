"""nnU-Net's own planners, one for 30 frames a second on a laptop without a GPU, and one for a transformer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import ExperimentPlanner
from nnunetv2.experiment_planning.experiment_planners.residual_unets.residual_encoder_unet_planners import (
    nnUNetPlannerResEncL,
    nnUNetPlannerResEncM,
    nnUNetPlannerResEncXL,
)
from numpy.typing import NDArray

from training.nnunet import transformer
from training.nnunet.names import plans_name


@dataclass(frozen=True, slots=True)
class Shape:
    """The input and the size of a network.

    Attributes:
        features: channels per stage; each stage halves the picture.
        side: side of the square patch in pixels.
        spacing_mm: side of a pixel. 256 pixels of 0.35 mm are 90 mm: RESECT boxes reach 80 mm, and a disc of 200 mm² is
            46 pixels wide.
    """

    features: tuple[int, ...] = (8, 16, 32, 64, 128, 256)
    side: int = 256
    spacing_mm: float = 0.35


SHAPES = {
    "realtime": Shape(),
    "realtime-half": Shape(side=128, spacing_mm=0.7),
    "realtime-half-wide": Shape(features=(16, 32, 64, 128, 256, 512), side=128, spacing_mm=0.7),
    "realtime-coarse": Shape(side=192, spacing_mm=0.47),
    "realtime-narrow": Shape(features=(6, 12, 24, 48, 96, 192)),
    "realtime-wide": Shape(features=(12, 24, 48, 96, 192, 256)),
    "realtime-shallow": Shape(features=(8, 16, 32, 64, 128)),
    "realtime-deep": Shape(features=(8, 16, 32, 64, 128, 256, 256)),
}
"""All see the same 90 mm. `realtime` takes about 0.93 GMAC per frame and has 1.95 M parameters; the others vary its
width, depth and resolution (training/LOG.md compares them)."""


class RealTimePlanner(ExperimentPlanner):  # type: ignore[misc]
    """The 2D plan with a fixed patch, spacing and network; nnU-Net chooses the rest."""

    shape = Shape()

    def determine_fullres_target_spacing(self) -> NDArray[np.float64]:
        """(slice, row, col) mm; the slice axis stays unchanged, since 2D images have none."""
        slice_mm = super().determine_fullres_target_spacing()[0]
        return np.array([slice_mm, self.shape.spacing_mm, self.shape.spacing_mm])

    def generate_data_identifier(self, configuration_name: str) -> str:
        """Plans with the same spacing share the preprocessed slices, since nothing else in the plan changes them."""
        return f"ius_{self.shape.spacing_mm:g}mm_{configuration_name}"

    def get_plans_for_configuration(self, *args: object, **kwargs: object) -> dict[str, Any]:
        """nnU-Net's configuration with our patch and network in place of its own."""
        plan: dict[str, Any] = super().get_plans_for_configuration(*args, **kwargs)
        stages = len(self.shape.features)
        plan["patch_size"] = [self.shape.side, self.shape.side]
        plan["architecture"]["arch_kwargs"].update(
            n_stages=stages,
            features_per_stage=list(self.shape.features),
            kernel_sizes=[[3, 3]] * stages,
            strides=[[1, 1]] + [[2, 2]] * (stages - 1),
            n_conv_per_stage=[2] * stages,
            n_conv_per_stage_decoder=[2] * (stages - 1),
        )
        return plan


class SwinPlanner(ExperimentPlanner):  # type: ignore[misc]
    """nnU-Net's 2D plan with a transformer in place of its U-Net, and a patch that can be halved five times."""

    feature_size = 24

    def generate_data_identifier(self, configuration_name: str) -> str:
        """The slices are preprocessed as for `full`, and shared with it."""
        return f"nnUNetPlans_{configuration_name}"

    def get_plans_for_configuration(self, *args: object, **kwargs: object) -> dict[str, Any]:
        """nnU-Net's configuration with the transformer; its batch was planned for the U-Net's memory."""
        plan: dict[str, Any] = super().get_plans_for_configuration(*args, **kwargs)
        whole = 2 ** (transformer.STAGES - 1)
        # At least two: instance normalisation needs more than one pixel in the last stage.
        plan["patch_size"] = [whole * max(2, round(side / whole)) for side in plan["patch_size"]]
        plan["architecture"] = {
            "network_class_name": transformer.CLASS,
            "arch_kwargs": {"strides": transformer.halvings(), "feature_size": self.feature_size},
            "_kw_requires_import": [],
        }
        return plan


PLANNERS = {
    "full": ExperimentPlanner,
    "resenc-m": nnUNetPlannerResEncM,
    "resenc-l": nnUNetPlannerResEncL,
    "resenc-xl": nnUNetPlannerResEncXL,
    transformer.PLAN: SwinPlanner,
}
"""`--plan` -> its planner; the others are shapes of `RealTimePlanner`."""


def planner(plan: str, dataset_id: int, variant: str = "") -> ExperimentPlanner:
    """The planner for `--plan`."""
    name = plans_name(plan, variant)
    if plan in PLANNERS:
        return PLANNERS[plan](dataset_id, plans_name=name)
    ours = RealTimePlanner(dataset_id, plans_name=name)
    ours.shape = SHAPES[plan]
    return ours
