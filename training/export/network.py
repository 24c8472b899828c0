"""PyTorch -> ONNX: one graph with a fixed input and an answer of each fold."""

import warnings

import onnx
import torch
from torch import nn

from inference.errors import ModelError
from training.export.folds import Folds
from training.export.norm import spell_out_norms
from training.nnunet import transformer
from training.nnunet.results.checkpoint import Trained
from training.nnunet.results.plans import shown_labels

OPSET = 18


def build_network(trained: Trained, fold: int = 0) -> nn.Module:
    """The network of one fold (by position), deep supervision off, ready for inference.

    Raises:
        ModelError: if the weights are not for the network that the plans describe.
    """
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    plan = trained.plan.architecture
    # On "meta" no memory is used before the weights are known to fit; MONAI's network reads numbers while it is built.
    place = "cpu" if plan.network_class_name == transformer.CLASS else "meta"
    try:
        with torch.device(place):
            network: nn.Module = get_network_from_plans(
                plan.network_class_name,
                plan.arch_kwargs,
                plan.imported,
                1,
                len(shown_labels(trained.dataset)),
                deep_supervision=False,
            )
    except (TypeError, ValueError, AssertionError, IndexError, RuntimeError) as error:
        raise ModelError(f"{trained.folder} describes no network that can be built ({error}).") from error
    weights = trained.weights[fold]
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    if wanted != {name: value.shape for name, value in weights.items()}:
        raise ModelError(
            f"The weights in {trained.folder} are not those of the network in its plans: its trainer "
            f"({trained.trainer}) builds another one, which cannot be exported."
        )
    if place == "meta":
        network = network.to_empty(device="cpu")
    network.load_state_dict(weights)
    return network.eval()


def to_onnx(trained: Trained) -> onnx.ModelProto:
    """A trained model as a checked ONNX graph: `image` -> `logits` (folds, labels, rows, cols).

    Raises:
        ModelError: if the graph lost a normalisation on the way.
    """
    networks = [build_network(trained, fold) for fold in range(len(trained.weights))]
    norms = sum(spell_out_norms(network) for network in networks)
    module = networks[0] if len(networks) == 1 else Folds(networks)
    image = torch.zeros(1, 1, *trained.patch)
    with warnings.catch_warnings():
        # PyTorch's exporter uses deprecated parts of PyTorch.
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
    _check_norms(norms, model)
    return model


def _check_norms(wanted: int, model: onnx.ModelProto) -> None:
    """Check that each norm takes its statistics from its input: exporters have frozen those of the tracing image."""
    found = sum(node.op_type == "Sqrt" for node in model.graph.node)
    if found != wanted:
        raise ModelError(f"The exported graph has {found} instance normalisations and the network {wanted}.")
