"""A trained nnU-Net folder, read without running anything that a checkpoint may hold.

    MODEL/plans.json, dataset.json, dataset_fingerprint.json, fold_N/checkpoint_best.pth, fold_N/receipt-fit.json

Checkpoints are pickles, which can run code when loaded: only tensors, plain values and the numpy scalars of nnU-Net's
log are let through.
"""

import json
import pickle
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy._core import multiarray
from torch import nn

from inference.errors import ModelError
from training.receipt import sha256

CONFIGURATION = "2d"
_SCALARS: list[Any] = [
    multiarray.scalar,
    (multiarray.scalar, "numpy.core.multiarray.scalar"),  # the name before numpy 2
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("float64", "float32", "int64", "int32", "bool")),
]
_RESAMPLING = {"is_seg": False, "order_z": 0}
"""What both resizes have in common; the order is 3 for pictures and 1 for logits."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained model, one entry of `weights` a fold.

    Attributes:
        folder: where it lies.
        plans: plans.json.
        dataset: dataset.json.
        fingerprint: dataset_fingerprint.json, empty where there is none.
        receipt: how the first fold was fitted (receipt-fit.json), empty where there is none.
        weights: network weights of each fold.
        checkpoints: sha256 of each fold's checkpoint.
        plans_sha256: sha256 of plans.json.
        trainer: name of the trainer class.
        mirror_axes: axes along which test-time mirroring is allowed.
    """

    folder: Path
    plans: dict[str, Any]
    dataset: dict[str, Any]
    fingerprint: dict[str, Any]
    receipt: dict[str, Any]
    weights: tuple[dict[str, torch.Tensor], ...]
    checkpoints: tuple[str, ...]
    plans_sha256: str
    trainer: str
    mirror_axes: tuple[int, ...]

    @property
    def configuration(self) -> dict[str, Any]:
        """The 2D configuration of the plans."""
        configuration: dict[str, Any] = self.plans["configurations"][CONFIGURATION]
        return configuration

    @property
    def channels(self) -> dict[str, str]:
        """Channel names; plans before v2 call them modalities."""
        names: dict[str, str] = self.dataset.get("channel_names") or self.dataset.get("modality", {})
        return names

    @property
    def patch(self) -> tuple[int, int]:
        """(rows, cols) of the network's input."""
        rows, cols = self.configuration["patch_size"]
        return int(rows), int(cols)

    @property
    def transposed(self) -> bool:
        """Whether the plans exchange rows and columns."""
        return tuple(self.plans["transpose_forward"]) == (0, 2, 1)


def read_trained(folder: Path, folds: Sequence[int], checkpoint: str = "best") -> Trained:
    """Read a results folder of nnU-Net.

    Args:
        folder: `nnUNetTrainer...__nnUNetPlans__2d`.
        folds: which folds, at least one.
        checkpoint: `best` or `final`.

    Raises:
        ModelError: if a file is missing, a checkpoint holds more than numbers, or the recipe is one that
            `inference.preprocessing` does not reproduce.
    """
    files = [folder / f"fold_{fold}" / f"checkpoint_{checkpoint}.pth" for fold in folds]
    loaded = [read_checkpoint(file) for file in files]
    plans = _json(folder / "plans.json")
    dataset = _json(folder / "dataset.json")
    trained = Trained(
        folder=folder,
        plans=plans,
        dataset=dataset,
        fingerprint=_json(folder / "dataset_fingerprint.json", needed=False),
        receipt=_json(files[0].parent / "receipt-fit.json", needed=False),
        weights=tuple(_weights(one, file) for one, file in zip(loaded, files, strict=True)),
        checkpoints=tuple(sha256(file) for file in files),
        plans_sha256=sha256(folder / "plans.json"),
        trainer=str(loaded[0].get("trainer_name", "unknown")),
        mirror_axes=tuple(loaded[0].get("inference_allowed_mirroring_axes") or ()),
    )
    _check_recipe(trained)
    return trained


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Load a checkpoint, refusing anything in it that could run code.

    Raises:
        ModelError: if it is missing, damaged, or holds anything else than numbers and text.
    """
    if not path.is_file():
        raise ModelError(f"There is no checkpoint at {path}: train that fold, or name another.")
    try:
        with torch.serialization.safe_globals(_SCALARS), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a foreign pickle, which is refused below
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} holds more than weights and is not opened: it could run code. Train it again."
        ) from error
    except (RuntimeError, EOFError, OSError) as error:
        raise ModelError(f"{path} is damaged ({str(error).splitlines()[0]}): copy it again.") from error
    if not isinstance(loaded, dict):
        raise ModelError(f"{path} is no nnU-Net checkpoint: name a folder made by 'ius-train fit'.")
    return loaded


def build_network(trained: Trained, fold: int = 0) -> nn.Module:
    """The network of one fold (by position), deep supervision off, ready for inference."""
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    configuration = PlansManager(trained.plans).get_configuration(CONFIGURATION)
    network: nn.Module = get_network_from_plans(
        configuration.network_arch_class_name,
        configuration.network_arch_init_kwargs,
        configuration.network_arch_init_kwargs_req_import,
        1,
        len(trained.dataset["labels"]),
        deep_supervision=False,
    )
    network.load_state_dict(trained.weights[fold])
    return network.eval()


def _weights(checkpoint: Mapping[str, Any], path: Path) -> dict[str, torch.Tensor]:
    """The network weights of a checkpoint, without the prefixes that compiling and parallel training leave."""
    if "network_weights" not in checkpoint:
        raise ModelError(f"{path} is no nnU-Net checkpoint: it has no network weights.")
    weights = checkpoint["network_weights"]
    return {key.removeprefix("module.").removeprefix("_orig_mod."): value for key, value in weights.items()}


def _json(path: Path, *, needed: bool = True) -> dict[str, Any]:
    """A JSON object from a file."""
    if not path.is_file():
        if needed:
            raise ModelError(f"{path.parent} is not a trained nnU-Net model: {path.name} is missing.")
        return {}
    try:
        value = json.loads(path.read_text())
    except ValueError as error:
        raise ModelError(f"{path} is not JSON ({error}): copy it again.") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} holds no JSON object: copy it again.")
    return value


def _check_recipe(trained: Trained) -> None:
    """Refuse a recipe that `inference.preprocessing` would not reproduce."""
    if CONFIGURATION not in trained.plans["configurations"]:
        raise ModelError(f"{trained.folder} has no 2D configuration: train one with 'ius-train fit'.")
    plan, dataset = trained.configuration, trained.dataset
    pictures, logits = plan["resampling_fn_data_kwargs"], plan["resampling_fn_probabilities_kwargs"]
    resampling = [plan["resampling_fn_data"], plan["resampling_fn_probabilities"]]
    labels = dataset["labels"]
    demands = {
        "one channel": len(trained.channels) == 1,
        "two labels, background 0 and one tumour": sorted(map(str, labels.values())) == ["0", "1"],
        "z-score normalisation": plan["normalization_schemes"] == ["ZScoreNormalization"],
        "nnU-Net's default preprocessor": plan["preprocessor_name"] == "DefaultPreprocessor",
        "nnU-Net's default resampling": resampling == ["resample_data_or_seg_to_shape"] * 2,
        "order 3 for pictures": {**pictures, **_RESAMPLING} == pictures and pictures["order"] == 3,
        "order 1 for logits": {**logits, **_RESAMPLING} == logits and logits["order"] == 1,
        "axes in an order that keeps slices whole": trained.plans["transpose_forward"] in ([0, 1, 2], [0, 2, 1]),
    }
    for demand, met in demands.items():
        if not met:
            raise ModelError(f"{trained.folder} cannot be exported: its recipe must have {demand}.")
