"""Losses beside nnU-Net's own, one file each.

A loss is added as a file here with a function `changed`, and by its name in `LOSSES`: the command line, an
experiment's YAML and the trainer know it then.
"""

from importlib import import_module
from typing import Any

NNUNET = "nnunet"
"""nnU-Net's Dice and cross-entropy as it builds it."""
LOSSES = (NNUNET, "slice-dice")
"""`--loss`; slice-dice is the file slice_dice.py."""


def changed(name: str, loss: Any) -> Any:  # noqa: ANN401 - nnU-Net's untyped modules
    """nnU-Net's loss turned into the named one.

    Args:
        name: one of `LOSSES`.
        loss: what nnU-Net built, with or without deep supervision around it.
    """
    if name == NNUNET:
        return loss
    return import_module(f"{__name__}.{name.replace('-', '_')}").changed(loss)
