"""The facts about the transformer that plans, trainer and exporter share; without torch, which takes seconds to import.

MONAI (Apache-2.0) is the extra `transformer`, and needed wherever such a network is trained or exported; an exported
file needs nothing of it.
"""

from importlib.util import find_spec

from inference.errors import NotFoundError

PLAN = "swin-unetr"
CLASS = "training.nnunet.swin_unetr.SwinUNETR2D"
"""Its name in plans.json."""
STAGES = 6
"""Five halvings: one into tokens of two pixels, four between the stages of attention. MONAI fixes their number."""
LEARNING_RATE = 3e-4
WEIGHT_DECAY = 5e-2
"""AdamW's, as nnU-Net trains its own transformers (its Primus trainers); its SGD at 0.01 is for convolutions."""


def halvings() -> list[list[int]]:
    """The strides of the stages, as nnU-Net's plans write them."""
    return [[1, 1]] + [[2, 2]] * (STAGES - 1)


def check_monai() -> None:
    """Refuse a network that could not be built, before anything begins.

    Raises:
        NotFoundError: if the package monai is not installed.
    """
    if find_spec("monai") is None:
        raise NotFoundError(f"The plan {PLAN} needs MONAI: pip install '.[transformer]', or choose another plan.")
