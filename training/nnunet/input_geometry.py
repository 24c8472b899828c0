"""Describes a network's input in words, since two networks of the same shape may see the same slice differently."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inference.model.engine import Engine
from training.nnunet.names import CONFIGURATION


def pictures_of(model: Path) -> str:
    """The pictures a model sees, in words.

    nnU-Net normalises without the black background only if a data set has enough of it.

    Args:
        model: a trained folder, or an export.

    Raises:
        ModelError: if an export does not reproduce its own masks.
    """
    if model.suffix != ".onnx":
        return _planned(json.loads((model / "plans.json").read_text(encoding="utf-8")))
    seen = Engine.load(model, trial=True).contract.input
    return _words(seen.patch, seen.spacing_mm, turned=seen.transposed, masked=seen.mask_normalisation)


def other_pictures(start: Path, plans: Mapping[str, Any]) -> str | None:
    """A warning if a training starts from weights that saw another kind of input; None if they saw the same.

    Args:
        start: the export to start from.
        plans: nnU-Net's plans of the training.
    """
    before, now = pictures_of(start), _planned(plans)
    if before == now:
        return None
    return f"{start} saw other pictures ({before}) than this training shows ({now}): its weights are a first guess."


def _planned(plans: Mapping[str, Any]) -> str:
    plan = plans["configurations"][CONFIGURATION]
    turned = plans.get("transpose_forward") == [0, 2, 1]
    return _words(plan["patch_size"], plan["spacing"], turned=turned, masked=plan["use_mask_for_norm"][0])


def _words(patch: Sequence[int], spacing_mm: Sequence[float], *, turned: bool, masked: bool) -> str:
    """Pixels and their mm, the network's rows first, and the pixels over which grey values are normalised."""
    grey = "normalised without the black around" if masked else "normalised as a whole"
    sides = f"{patch[0]} x {patch[1]} pixels of {spacing_mm[0]:g} x {spacing_mm[1]:g} mm"
    return f"{sides}{', rows and columns exchanged' if turned else ''}, {grey}"
