"""nnU-Net's own planner, and one whose network a laptop without a GPU can run at 30 frames a second."""

from typing import Any

import numpy as np
from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import ExperimentPlanner
from numpy.typing import NDArray

from training.nnunet.names import PLANS

FEATURES = (8, 16, 32, 64, 128, 256)
"""About 0.93 GMAC a frame of 256 x 256, 1.95 M parameters."""


class RealTimePlanner(ExperimentPlanner):  # type: ignore[misc]
    """The 2D plan with a fixed patch, a fixed spacing and eight base features; all else is nnU-Net's choice."""

    side = 256
    spacing_mm = 0.35
    """256 pixels of 0.35 mm are 90 mm: RESECT boxes reach 80 mm, and a disc of 200 mm² is 46 pixels wide."""

    def determine_fullres_target_spacing(self) -> NDArray[np.float64]:
        """(slice, row, col) mm: the slice axis stays what it is, since 2D images have none."""
        slice_mm = super().determine_fullres_target_spacing()[0]
        return np.array([slice_mm, self.spacing_mm, self.spacing_mm])

    def get_plans_for_configuration(self, *args: object, **kwargs: object) -> dict[str, Any]:
        """nnU-Net's configuration with our patch and network in place of its own."""
        plan: dict[str, Any] = super().get_plans_for_configuration(*args, **kwargs)
        stages = len(FEATURES)
        plan["patch_size"] = [self.side, self.side]
        plan["architecture"]["arch_kwargs"].update(
            n_stages=stages,
            features_per_stage=list(FEATURES),
            kernel_sizes=[[3, 3]] * stages,
            strides=[[1, 1]] + [[2, 2]] * (stages - 1),
            n_conv_per_stage=[2] * stages,
            n_conv_per_stage_decoder=[2] * (stages - 1),
        )
        return plan


class HalfPlanner(RealTimePlanner):
    """The real-time plan at half its resolution: the same field of view and network, a quarter of the time."""

    side = 128
    spacing_mm = 0.7


_PLANNERS = {"full": ExperimentPlanner, "realtime": RealTimePlanner, "realtime-half": HalfPlanner}


def planner(plan: str, dataset_id: int) -> ExperimentPlanner:
    """The planner behind `--plan full|realtime|realtime-half`."""
    return _PLANNERS[plan](dataset_id, plans_name=PLANS[plan])
