"""Merges several trainings of one network by the mean of their weights, at no extra cost per frame.

If the trainings started from the same weights, the mean of their weights is a working network too, often better than
any of them (Wortsman et al., Model soups, ICML 2022). If their sensitivities differ, the mean's lies in between.
"""

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from inference.errors import FormatError, NotFoundError
from training.io.files import alone_in, written_aside
from training.io.receipt import PATHS, moved, seen_from, write_json
from training.nnunet.boxes import KEY
from training.nnunet.dataset import LABELS
from training.nnunet.input_geometry import pictures_of
from training.nnunet.predict import checkpoint_files
from training.nnunet.results.checkpoint import Weights, read_checkpoint
from training.nnunet.results.forebears import entry, forebear
from training.nnunet.results.trained_on import PATIENTS, START_KNOWN, START_STORES, trained_on
from training.nnunet.settings import Fold
from training.nnunet.warm_start import read_weights

_KEPT = ("plans.json", "dataset.json", "dataset_fingerprint.json")
_RECEIPT = "receipt-fit.json"


def average_models(
    members: Mapping[Path, float], out: Path, *, fold: Fold = 0, checkpoint: str = "best", margin: float = 0.0
) -> list[Path]:
    """Write the weighted mean of trained models as a model folder, for `predict` and `export`.

    Args:
        members: model folders or exports of the same network -> their share in the mean; the first has to be a folder,
            from which plans, data set and receipt are taken.
        out: the model folder to write.
        fold: the fold to read from the folders.
        checkpoint: `best` or `final`, to read from the folders.
        margin: how far the tumour's logit must exceed every other; a positive margin gives fewer contours.
            It is subtracted from the last layer's bias, so that nnU-Net's own rule gives the same masks.

    Returns:
        The files that were averaged.

    Raises:
        NotFoundError: if a folder has no such checkpoint.
        FormatError: if the first is not a folder, one holds another network, or `out` already holds a model.
    """
    paths = list(members)
    if not paths or paths[0].suffix == ".onnx":
        raise FormatError("The first model has to be a trained folder, whose plans the mean takes over.")
    _refuse_written(out)
    files = [path if path.suffix == ".onnx" else checkpoint_files(path, [fold], checkpoint)[0] for path in paths]
    for file in files:
        if not file.is_file():
            raise NotFoundError(f"There is no {file}: name a model folder with a trained fold, or an exported .onnx.")
    state = read_checkpoint(files[0])
    first: Weights = state["network_weights"]
    shares = [weight / sum(members.values()) for weight in members.values()]
    mean, seen = {key: value * shares[0] for key, value in first.items()}, pictures_of(paths[0])
    for path, file, share in zip(paths[1:], files[1:], shares[1:], strict=True):
        if pictures_of(path) != seen:
            raise FormatError(f"{path} sees other pictures than the first model: {pictures_of(path)}, not {seen}.")
        for key, value in _weights_like(first, file).items():
            mean[key] += share * value
    _shift(mean, margin)
    state.pop(KEY, None)  # a box head reads the features of the network that it was trained with, and no mean's
    home = out / f"fold_{fold}"
    with alone_in(out):
        _refuse_written(out)
        _copy(paths[0], out, fold)
        _tell_patients(paths, home / _RECEIPT, fold)  # before the weights, which nobody can use without whose they are
        _write(home, state | {"network_weights": mean})
    return files


def _refuse_written(out: Path) -> None:
    """Refuse a folder that holds a model."""
    if (out / "plans.json").exists():
        raise FormatError(f"{out} holds a model already: choose another folder, so that no training is lost.")


def _tell_patients(members: Sequence[Path], receipt: Path, fold: Fold) -> None:
    """Write every member's training patients into the first one's receipt; an export does not name its patients."""
    told = json.loads(receipt.read_text(encoding="utf-8")) if receipt.is_file() else {"settings": {}, PATHS: []}
    told = moved(told, members[0] / receipt.parent.name, receipt.parent)
    known = [trained_on(path, [fold]) for path in members if path.suffix != ".onnx"]
    told["settings"][PATIENTS] = sorted(set().union(*(one.patients for one in known)))
    told["settings"]["slices"] = list(
        dict.fromkeys(seen_from(store, receipt.parent) for one in known for store in one.stores)
    )
    seen = [store for one in known for store in (*one.start_stores, *one.gone)]
    told["settings"][START_STORES] = list(dict.fromkeys(seen_from(store, receipt.parent) for store in seen))
    told[PATHS] = sorted({*told[PATHS], "slices", START_STORES})
    exports = [forebear(path) for path in members if path.suffix == ".onnx"]
    told["settings"] |= entry([one for model in known for one in model.forebears] + exports)
    if unknown := [path for path in members if path.suffix == ".onnx" or not trained_on(path, [fold]).complete]:
        told["settings"] |= {"start": str(unknown[0]), START_KNOWN: False}
    write_json(told, receipt)


def _weights_like(first: Weights, file: Path) -> Weights:
    """A member's weights under the first one's names; an export has no deep supervision heads and gets the first's."""
    exported = file.suffix == ".onnx"
    found: Weights = read_weights(file) if exported else read_checkpoint(file)["network_weights"]
    last = _last_head(first)
    weights = {}
    for key, value in first.items():
        if exported and ".seg_layers." in key and not key.startswith(last):
            weights[key] = value
            continue
        other = next((found[name] for name in _aliases(key) if name in found), None)
        if other is None or other.numel() != value.numel():
            raise FormatError(f"{file} holds another network than the first model: {key} differs.")
        weights[key] = other.reshape(value.shape)
    return weights


def _aliases(key: str) -> tuple[str, ...]:
    """All names that nnU-Net has for one tensor, since it registers encoder and layers twice."""
    inner = key.removeprefix("decoder.") if key.startswith("decoder.encoder.") else key
    twice = [inner.replace(".conv.", ".all_modules.0."), inner.replace(".norm.", ".all_modules.1.")]
    return tuple(prefix + name for name in (inner, *twice) for prefix in ("", "decoder."))


def _last_head(weights: Weights) -> str:
    """The prefix of the names of the head at full resolution."""
    heads = {key.rpartition(".")[0] for key in weights if ".seg_layers." in key}
    if not heads:
        raise FormatError("The first model is no U-Net of nnU-Net's, and only these can be averaged.")
    return max(heads, key=lambda head: int(head.rpartition(".")[2])) + "."


def _shift(weights: Weights, margin: float) -> None:
    """Lower the tumour's logit against the background's, and the cavity's where there is one, in place."""
    bias = weights[_last_head(weights) + "bias"]
    shift = torch.full_like(bias, margin / 2)
    shift[LABELS["tumor"]] = -margin / 2
    weights[_last_head(weights) + "bias"] = bias + shift


def _copy(first: Path, out: Path, fold: Fold) -> None:
    """Copy what the mean takes over from the first model."""
    home = out / f"fold_{fold}"
    home.mkdir(parents=True, exist_ok=True)
    for name in _KEPT:
        if (first / name).is_file():
            shutil.copyfile(first / name, out / name)
    if (first / f"fold_{fold}" / _RECEIPT).is_file():
        shutil.copyfile(first / f"fold_{fold}" / _RECEIPT, home / _RECEIPT)


def _write(home: Path, checkpoint: Mapping[str, object]) -> None:
    """Write the same weights as best and as final checkpoint."""
    packed = io.BytesIO()  # torch does not report a full disk
    torch.save(checkpoint, packed)
    for name in ("best", "final"):
        with written_aside(home / f"checkpoint_{name}.pth") as aside:
            aside.write_bytes(packed.getbuffer())
