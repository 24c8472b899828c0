"""The PyTorch weights of a bundle, and MONAI's configuration of the network that they are for."""

from typing import Any

import torch

from inference.errors import ModelError
from training.export.folds import Folds
from training.export.network import build_network
from training.nnunet.results.checkpoint import Trained
from training.nnunet.results.plans import shown_labels


def weights_of(trained: Trained) -> dict[str, torch.Tensor]:
    """The state of the network that `configuration` describes.

    Raises:
        ModelError: if the weights are not for the network that the plans describe.
    """
    networks = [build_network(trained, fold) for fold in range(len(trained.weights))]
    state: dict[str, torch.Tensor] = (networks[0] if len(networks) == 1 else Folds(networks)).state_dict()
    return state


def configuration(trained: Trained) -> dict[str, Any]:
    """What stands in configs/weights.json: read after inference.json, it puts this network in the place of the .onnx.

    Raises:
        ModelError: if the network's class is one of this package, which a bundle does not carry.
    """
    plan = trained.plan.architecture
    if plan.network_class_name.startswith("training."):
        network = plan.network_class_name.rpartition(".")[2]
        raise ModelError(f"The network of this model, {network}, needs this package: leave --weights out.")
    named = {name: None if plan.arch_kwargs[name] is None else f"${plan.arch_kwargs[name]}" for name in plan.imported}
    one = {
        "_target_": plan.network_class_name,
        "input_channels": 1,
        "num_classes": len(shown_labels(trained.dataset)),
        "deep_supervision": False,
        **plan.arch_kwargs,
        **named,
    }
    several = {"_target_": "scripts.folds.Folds", "networks": [one] * len(trained.weights)}
    return {
        "weights": "$@bundle_root + '/models/model.pt'",
        "network_def": one if len(trained.weights) == 1 else several,
        "initialize": ["$@network_def.load_state_dict(torch.load(@weights, map_location='cpu', weights_only=True))"],
    }
