"""Reads a trained nnU-Net model without running any code that its files may hold.

Checkpoints are pickles, which can run code when loaded. Only tensors, plain values and the numpy scalars in nnU-Net's
log are let through.
"""

import hashlib
import io
import os
import pickle
import struct
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy._core import multiarray

from inference.errors import ModelError
from training.nnunet.results.files import PLANS, ModelFiles, Stream, find_model
from training.nnunet.results.plans import CONFIGURATION, Plan, channels, in_millimetres, read_plan, up_to_date
from training.nnunet.results.postprocessing import Postprocessing, keeps_largest
from training.nnunet.results.trained_on import TrainedOn, stores_in, told_by_receipts
from training.nnunet.settings import Fold

Weights = dict[str, torch.Tensor]
_ONLY_WEIGHTS = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
"""torch's own switch, which overrides every `weights_only=False`."""

_SCALARS: list[Any] = [
    multiarray.scalar,
    (multiarray.scalar, "numpy.core.multiarray.scalar"),  # its name before numpy 2
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("float64", "float32", "float16", "int64", "int32", "bool")),
]


# What torch and pickle raise on bytes that are no checkpoint any more.
_DAMAGED = (
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    struct.error,
    zipfile.BadZipFile,
)


class Receipt(msgspec.Struct, frozen=True):
    """The fields of receipt-fit.json that a contract needs."""

    settings: dict[str, Any] = {}
    versions: dict[str, str | None] = {}
    seed: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained model, with one entry of `weights` per fold.

    Attributes:
        folder: the model's folder; in a zip, the path as if the zip were a folder.
        plans: plans.json in the form of current nnU-Net, with only the 2D configuration.
        plan: that configuration.
        dataset: dataset.json.
        fingerprint: dataset_fingerprint.json, empty if there is none.
        receipt: the fit receipt of the first fold, empty if there is none.
        stores: the slice stores that this receipt names, whether they are still there or not.
        trained_on: the training patients of all folds, as far as the receipts name them.
        weights: network weights of each fold, float32.
        checkpoints: sha256 of each fold's checkpoint.
        plans_sha256: sha256 of plans.json.
        trainer: name of the trainer class; its code is not needed.
        mirror_axes: axes along which test-time mirroring is allowed.
        keep_largest: whether cross-validation chose to keep only the largest component.
    """

    folder: Path
    plans: dict[str, Any]
    plan: Plan
    dataset: dict[str, Any]
    fingerprint: dict[str, Any]
    receipt: Receipt
    stores: tuple[Path, ...]
    trained_on: TrainedOn
    weights: tuple[Weights, ...]
    checkpoints: tuple[str, ...]
    plans_sha256: str
    trainer: str
    mirror_axes: tuple[int, ...]
    keep_largest: bool

    @property
    def channels(self) -> dict[str, str]:
        """Channel names by number."""
        return channels(self.dataset)

    @property
    def patch(self) -> tuple[int, int]:
        """(rows, cols) of the network's input."""
        return self.plan.patch_size

    @property
    def transposed(self) -> bool:
        """Whether the plans swap rows and columns."""
        order: list[int] = self.plans["transpose_forward"]
        return order == [0, 2, 1]


@dataclass(frozen=True, slots=True, eq=False)
class _Fold:
    """The parts of a checkpoint that are kept."""

    weights: Weights
    sha256: str
    trainer: str | None
    mirror_axes: tuple[int, ...]
    configuration: str


def read_trained(
    model: Path,
    folds: Sequence[Fold],
    checkpoint: str = "best",
    postprocessing: Postprocessing | None = None,
    spacing_mm: tuple[float, float] | None = None,
) -> Trained:
    """Read a results folder of nnU-Net, or a zip of one.

    Args:
        model: the model's folder (`TRAINER__PLANS__2d`), a folder above it that holds no other model, or a zip.
        folds: at least one fold; `all` is nnU-Net's training on all data.
        checkpoint: `best` or `final`.
        postprocessing: what cross-validation chose, if only a pickle says so; None reads it from the files.
        spacing_mm: (row, col) of a pixel of the training pictures, if those state no scale.

    Raises:
        ModelError: if a fold is named twice, a file is missing or damaged, a checkpoint holds more than numbers, or
            `inference.model.preprocessing` does not reproduce the recipe.
    """
    demand_once(folds)
    files = find_model(model)
    plans, dataset = files.json(PLANS), files.json("dataset.json")
    loaded = [_read_fold(files, f"fold_{fold}/checkpoint_{checkpoint}.pth") for fold in folds]
    stated = files.json("dataset_fingerprint.json", needed=False)
    current = up_to_date(plans, loaded[0].configuration, files.path)
    current = in_millimetres(current, dataset, spacing_mm, files.path, stated)
    home = f"fold_{folds[0]}"
    with files.open(PLANS) as stream:
        plans_sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return Trained(
        folder=files.path,
        plans=current,
        plan=read_plan(current, dataset, files.path),
        dataset=dataset,
        fingerprint=_fingerprint(stated, spacing_mm),
        receipt=_receipt(files, f"{home}/receipt-fit.json"),
        stores=tuple(stores_in(files.json(f"{home}/receipt-fit.json", needed=False), files.path / home)),
        trained_on=told_by_receipts(files, folds),
        weights=tuple(fold.weights for fold in loaded),
        checkpoints=tuple(fold.sha256 for fold in loaded),
        plans_sha256=plans_sha256,
        trainer=loaded[0].trainer or files.path.name.split("__")[0],
        mirror_axes=loaded[0].mirror_axes,
        keep_largest=keeps_largest(files, postprocessing),
    )


def demand_once(folds: Sequence[Fold]) -> None:
    """Refuse a fold that is named twice: it would count twice, in a model that no hash tells from the plain mean.

    Raises:
        ModelError: naming it.
    """
    if twice := [fold for at, fold in enumerate(folds) if fold in folds[:at]]:
        raise ModelError(f"Fold {twice[0]} is named twice, and would count twice: name each fold once.")


@contextmanager
def only_numbers() -> Iterator[None]:
    """A context in which torch loads no file that could run code, even if a library asks, as nnU-Net does to resume."""
    before = os.environ.get(_ONLY_WEIGHTS)
    os.environ[_ONLY_WEIGHTS] = "1"
    try:
        with torch.serialization.safe_globals(_SCALARS):
            yield
    finally:
        if before is None:
            del os.environ[_ONLY_WEIGHTS]
        else:
            os.environ[_ONLY_WEIGHTS] = before


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Load a checkpoint, refusing anything in it that could run code.

    Raises:
        ModelError: if it is missing, damaged, or holds anything but numbers and text.
    """
    return read_hashed(path)[0]


def read_hashed(path: Path) -> tuple[dict[str, Any], str]:
    """Like `read_checkpoint`, with the sha256 of the very bytes: a training that runs on writes its best one anew.

    Raises:
        ModelError: if it is missing, damaged, or holds anything but numbers and text.
    """
    if not path.is_file():
        raise ModelError(f"There is no checkpoint at {path}: train that fold, or name another.")
    with path.open("rb") as stream:
        return _hashed(stream, path)


def _read_fold(files: ModelFiles, name: str) -> _Fold:
    """Read one checkpoint, without the state of its optimiser."""
    path = files.path / name
    if not files.has(name):
        raise ModelError(f"There is no checkpoint at {path}, only {', '.join(files.checkpoints()) or 'none at all'}.")
    with files.open(name) as stream:
        loaded, sha256 = _hashed(stream, path)
    arguments, trainer = loaded.get("init_args"), loaded.get("trainer_name")
    axes = loaded.get("inference_allowed_mirroring_axes") or ()
    named = arguments.get("configuration") if isinstance(arguments, dict) else None
    return _Fold(
        weights=_weights(loaded, path),
        sha256=sha256,
        trainer=trainer if isinstance(trainer, str) else None,
        mirror_axes=tuple(axes) if isinstance(axes, tuple | list) else (),
        configuration=named if isinstance(named, str) else CONFIGURATION,
    )


def _hashed(stream: Stream, path: Path) -> tuple[dict[str, Any], str]:
    """A checkpoint and the sha256 of its bytes, which are read once."""
    data = stream.read()
    return load_checkpoint(io.BytesIO(data), path), hashlib.sha256(data).hexdigest()


def _fingerprint(stated: dict[str, Any], spacing_mm: tuple[float, float] | None) -> dict[str, Any]:
    """The fingerprint, with spacings in mm even if nnU-Net counted pixels."""
    spacings = stated.get("spacings")
    if spacing_mm is None or not isinstance(spacings, list):
        return stated
    row_mm, col_mm = spacing_mm
    known = [[one[0], one[1] * row_mm, one[2] * col_mm] for one in spacings if isinstance(one, list) and len(one) == 3]
    return {**stated, "spacings": known}


def _receipt(files: ModelFiles, name: str) -> Receipt:
    """Read the fit receipt of a fold."""
    try:
        return msgspec.convert(files.json(name, needed=False), Receipt)
    except msgspec.ValidationError as error:
        raise ModelError(f"{files.path / name} is no receipt of 'ius-train fit' ({error}): remove it.") from error


def load_checkpoint(stream: Stream, path: Path, remedy: str = "Train it again") -> dict[str, Any]:
    """Read a checkpoint's plain values and tensors from an open stream; error messages name `path` and the remedy.

    Raises:
        ModelError: if it is damaged, or holds anything but numbers and text.
    """
    try:
        _check_size(stream, path)
        with torch.serialization.safe_globals(_SCALARS), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about a foreign pickle, which is refused below
            loaded = torch.load(stream, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(f"{path} holds more than weights and is not opened: it could run code. {remedy}.") from error
    except _DAMAGED as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"{path} is damaged ({reason}): copy it again.") from error
    if not isinstance(loaded, dict):
        raise ModelError(f"{path} is no nnU-Net checkpoint: name a folder made by 'ius-train fit'.")
    return loaded


def _check_size(stream: Stream, path: Path) -> None:
    """Refuse a checkpoint that grows when it is opened: torch compresses nothing, so its parts add up to its size."""
    size = stream.seek(0, 2)
    stream.seek(0)
    if zipfile.is_zipfile(stream):
        stream.seek(0)
        with zipfile.ZipFile(stream) as parts:
            grown = sum(part.file_size for part in parts.infolist())
        if grown > size:
            raise ModelError(f"{path} is not opened: it would grow to {grown >> 20} MiB, and nnU-Net packs nothing.")
    stream.seek(0)


def _weights(checkpoint: dict[str, Any], path: Path) -> Weights:
    """The network weights of a checkpoint, without the prefixes that compiling and parallel training add."""
    weights = checkpoint.get("network_weights")
    if not isinstance(weights, dict) or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise ModelError(f"{path} is no nnU-Net checkpoint: it has no network weights.")
    return {
        str(key).removeprefix("module.").removeprefix("_orig_mod."): value.float() for key, value in weights.items()
    }
