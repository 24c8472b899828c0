"""A bundle's metadata.json, from the model's contract.

Source: the MONAI Bundle Specification, and the schema of 2024-07-25 that `SCHEMA` names.
"""

from importlib.metadata import version
from typing import Any

import msgspec
import onnxruntime

from inference.contract import Measured, Mode, ModelContract

SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
TRIED = {"monai": "1.6.1", "pytorch-ignite": "0.5.5", "fire": "0.7.1"}
"""What runs a bundle and need not be installed to write one: the versions that bundles were tried with."""
_NEEDED = ("nibabel", "scipy", "opencv-python-headless", "msgspec")
_REFERENCES = (
    "Isensee et al.: nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation. "
    "Nature Methods 18 (2021).",
    "Faanes et al.: Automatic brain tumor segmentation in 2D intra-operative ultrasound images using MRI tumor "
    "annotations.",
)


def metadata(contract: ModelContract) -> dict[str, Any]:
    """The content of metadata.json.

    Args:
        contract: the model's.
    """
    identity = contract.identity
    classes = ", ".join(f"{value} is {name}" for name, value in contract.output.labels.items())
    return {
        "schema": SCHEMA,
        "version": identity.version,
        "changelog": {identity.version: f"written from the model of {identity.created}"},
        "monai_version": TRIED["monai"],
        "pytorch_version": version("torch").partition("+")[0],
        "numpy_version": version("numpy"),
        "required_packages_version": {
            **{name: tried for name, tried in TRIED.items() if name != "monai"},
            "onnxruntime": onnxruntime.__version__,
            **{name: version(name) for name in _NEEDED},
        },
        "name": identity.name,
        "task": "Brain tumour segmentation in 2D intra-operative ultrasound",
        "description": f"A 2D nnU-Net. {contract.population.words}",
        "authors": "not stated in the model file",
        "copyright": f"not stated in the model file, whose licence is {identity.licence}",
        "intended_use": identity.intended_use,
        "data_source": ", ".join(contract.provenance.datasets),
        "data_type": "nibabel",
        "image_classes": "one channel, the grey values of the scanner, 0 outside the sector",
        "label_classes": classes,
        "pred_classes": classes,
        "eval_metrics": _scores(contract),
        "references": list(_REFERENCES),
        "network_data_format": _network(contract),
        "ius_contract": {"input": msgspec.to_builtins(contract.input), "output": msgspec.to_builtins(contract.output)},
    }


def _scores(contract: ModelContract) -> dict[str, Any]:
    """What was measured in each mode, with the data that it was measured on; empty if nothing was."""
    found: dict[Mode, Measured | None] = {mode: contract.reliability.measured(mode) for mode in Mode}
    return {mode.value: msgspec.to_builtins(one) for mode, one in found.items() if one is not None}


def _network(contract: ModelContract) -> dict[str, Any]:
    """The network's own input and output: one tile."""
    labels = sorted(contract.output.labels.items(), key=lambda item: item[1])
    tile = {
        "type": "image",
        "spatial_shape": list(contract.input.patch),
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": True,
    }
    image = {"format": "magnitude", "modality": "US", "num_channels": 1, "channel_def": {"0": "ultrasound, z-scored"}}
    names = {str(value): name for name, value in labels}
    pred = {"format": "labels", "num_channels": len(labels), "channel_def": names}
    return {"inputs": {"image": tile | image}, "outputs": {"pred": tile | pred}}
