"""Networks of the size that is measured, with random weights: what they say means nothing, what they cost is real."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from blobs import write_model
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

from training.nnunet import transformer
from training.nnunet.planner import SHAPES, SwinPlanner

Architecture = dict[str, Any]
FULL = ((384, 512), (32, 64, 128, 256, 512, 512, 512), 0.2)
"""Patch, features and spacing that nnU-Net 2.8.1 plans for frames of 400×500 pixels of 0.2 mm: 44 GMAC a pass."""
_SHAPE = SHAPES["realtime"]
REALTIME = ((_SHAPE.side, _SHAPE.side), _SHAPE.features, _SHAPE.spacing_mm)


def as_planned(architecture: Architecture) -> Architecture:
    """nnU-Net's own U-Net."""
    return architecture


def residual(architecture: Architecture) -> Architecture:
    """nnU-Net's residual encoder preset M: its blocks a stage are those of its planner (nnunetv2 2.8.1)."""
    network = dict(architecture["arch_kwargs"])
    stages = network["n_stages"]
    del network["n_conv_per_stage"]
    network |= {"n_blocks_per_stage": [1, 3, 4, *[6] * (stages - 3)], "n_conv_per_stage_decoder": [1] * (stages - 1)}
    name = "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet"
    return architecture | {"network_class_name": name, "arch_kwargs": network}


def swin_unetr(_: Architecture) -> Architecture:
    """The transformer of the plan swin-unetr."""
    network = {"strides": transformer.halvings(), "feature_size": SwinPlanner.feature_size}
    return {"network_class_name": transformer.CLASS, "arch_kwargs": network, "_kw_requires_import": []}


def write_random_model(
    folder: Path,
    plan: tuple[tuple[int, int], tuple[int, ...], float],
    folds: int = 1,
    kind: Callable[[Architecture], Architecture] = as_planned,
) -> Path:
    """An nnU-Net results folder of a plan and a kind of network, its folds of random weights by seed."""
    patch, features, spacing = plan
    model = write_model(folder, folds=folds)
    plans = json.loads((model / "plans.json").read_text())
    flat, stages = plans["configurations"]["2d"], len(features)
    flat["patch_size"], flat["spacing"] = list(patch), [spacing, spacing]
    network = flat["architecture"]["arch_kwargs"]
    network["n_stages"], network["features_per_stage"] = stages, list(features)
    network["kernel_sizes"], network["strides"] = [[3, 3]] * stages, [[1, 1]] + [[2, 2]] * (stages - 1)
    network["n_conv_per_stage"], network["n_conv_per_stage_decoder"] = [2] * stages, [2] * (stages - 1)
    flat["architecture"] = kind(flat["architecture"])
    (model / "plans.json").write_text(json.dumps(plans))
    for fold in range(folds):
        _write_weights(model / f"fold_{fold}" / "checkpoint_best.pth", flat["architecture"], fold)
    return model


def _write_weights(path: Path, architecture: dict, seed: int) -> None:
    """Put random weights into a checkpoint.

    The last layer hardly listens to them and finds tumour everywhere: one contour a frame, as on a real picture. Noise
    would be thousands of specks, whose outlining nobody has to pay for.
    """
    torch.manual_seed(seed)
    built = get_network_from_plans(
        architecture["network_class_name"],
        architecture["arch_kwargs"],
        architecture["_kw_requires_import"],
        1,
        2,
        deep_supervision=False,
    )
    last = [layer for layer in built.modules() if isinstance(layer, torch.nn.Conv2d)][-1]
    last.weight.data *= 1e-3
    last.bias.data = torch.tensor([-1.0, 1.0])
    checkpoint = torch.load(path, weights_only=False)
    checkpoint["network_weights"] = built.state_dict()
    torch.save(checkpoint, path)
