"""Loads an export's weights into nnU-Net's network, to train further from a model that exists only as .onnx."""

from pathlib import Path
from typing import Any

import torch

from inference.errors import FormatError
from training.nnunet.swin_unetr import SwinUNETR2D

_NORMS = {"scale": "weight", "shift": "bias"}
"""Parameter names of a spelled-out norm (training/export/norm.py) -> those of torch's layer."""


def load_export(network: Any, path: Path) -> None:  # noqa: ANN401 - nnU-Net's untyped network
    """Fill a network with the weights of an exported model of one fold.

    An export has no heads of deep supervision, so these stay as they are.

    Raises:
        ModelError: if the file is not an export, or does not reproduce its own masks.
        FormatError: if it is an export of another network, of several folds, or of a transformer, whose weights lose
            their names on the way.
    """
    if isinstance(network, SwinUNETR2D):
        raise FormatError(
            f"{path} cannot start a transformer: name a checkpoint of it, MODEL/fold_0/checkpoint_best.pth."
        )
    exported = read_weights(path)
    missing = {id(one): name for name, one in network.named_parameters() if ".seg_layers." not in name}
    with torch.no_grad():
        for name, parameter in network.named_parameters(remove_duplicate=False):
            weights = exported.get(name)
            if weights is None:
                continue
            if weights.numel() != parameter.numel():
                raise FormatError(f"{path} holds another network: {name} has {weights.numel()} values there.")
            parameter.copy_(weights.reshape(parameter.shape))
            missing.pop(id(parameter), None)
    if missing:
        raise FormatError(f"{path} holds another network: it has no {next(iter(missing.values()))}.")


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The weights of an export, under nnU-Net's names.

    Raises:
        ModelError: if it is not an export, or does not reproduce its own masks.
        FormatError: if it fuses several folds.
    """
    import onnx
    from onnx import numpy_helper

    from inference.model.engine import Engine

    folds = Engine.load(path).contract.provenance.checkpoint_sha256
    if len(folds) > 1:
        raise FormatError(f"{path} fuses {len(folds)} folds: a training starts from one.")
    weights = {}
    for one in onnx.load(path).graph.initializer:
        stem, _, last = one.name.rpartition(".")
        weights[f"{stem}.{_NORMS.get(last, last)}"] = torch.from_numpy(numpy_helper.to_array(one).copy())
    return weights
