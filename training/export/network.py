"""PyTorch -> ONNX: one graph with a fixed input, folds fused as the mean of their logits."""

import warnings
from collections.abc import Sequence

import onnx
import torch
from torch import nn

from inference.errors import ModelError
from training.export.checkpoint import Trained, build_network

OPSET = 18


class FoldMean(nn.Module):
    """Mean of several networks' logits, as nnU-Net fuses its folds."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(1, 1, rows, cols) -> logits (1, labels, rows, cols)."""
        return torch.stack([network(image) for network in self.networks]).mean(dim=0)


def to_onnx(trained: Trained) -> onnx.ModelProto:
    """The network of a trained model as an ONNX graph `image` -> `logits`, checked.

    Raises:
        ModelError: if the graph lost a normalisation on the way.
    """
    networks = [build_network(trained, fold) for fold in range(len(trained.weights))]
    module = networks[0] if len(networks) == 1 else FoldMean(networks)
    image = torch.zeros(1, 1, *trained.patch)
    with warnings.catch_warnings():
        # PyTorch's exporter uses deprecated parts of itself.
        warnings.simplefilter("ignore", (DeprecationWarning, FutureWarning))
        program = torch.onnx.export(
            module.eval(),
            (image,),
            dynamo=True,
            opset_version=OPSET,
            external_data=False,
            input_names=["image"],
            output_names=["logits"],
            verbose=False,
        )
    if program is None:
        raise ModelError("PyTorch exported nothing: check the versions of torch and onnxscript.")
    model: onnx.ModelProto = program.model_proto
    _check_norms(module, model)
    return model


def _check_norms(module: nn.Module, model: onnx.ModelProto) -> None:
    """Each InstanceNorm must arrive as one: exporters have turned them into batch norms of the tracing image."""
    wanted = sum(isinstance(part, nn.InstanceNorm2d) for part in module.modules())
    found = sum(node.op_type == "InstanceNormalization" for node in model.graph.node)
    if found != wanted:
        raise ModelError(f"The exported graph has {found} instance normalisations and the network {wanted}.")
