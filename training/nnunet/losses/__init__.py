"""Losses other than nnU-Net's own, one file each.

To add a loss, add a file with a function `changed` here, and its name to `LOSSES`. The command line, an experiment's
YAML and the trainer then know it.
"""

from importlib import import_module
from typing import Any

NNUNET = "nnunet"
"""nnU-Net's own Dice and cross-entropy."""
LOSSES = (NNUNET, "slice-dice", "component-dice", "tversky", "focal", "ml1-ace")
"""The values of `--loss`; slice-dice is in the file slice_dice.py, and so on."""


def changed(name: str, loss: Any) -> Any:  # noqa: ANN401 - nnU-Net's untyped modules
    """Turn nnU-Net's loss into the named one.

    Args:
        name: one of `LOSSES`.
        loss: the loss that nnU-Net built, with or without deep supervision around it.
    """
    if name == NNUNET:
        return loss
    return import_module(f"{__name__}.{name.replace('-', '_')}").changed(loss)
