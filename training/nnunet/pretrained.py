"""Fills a network with what fits of a torch checkpoint, such as a pre-trained backbone, and says what did not.

Layers are known by the names and shapes of their weights. The checkpoint may call a part of the network otherwise
(`backbone.stages.0…` for `encoder.stages.0…`): one pair of prefixes is exchanged, that under which most weights fit.
A file that could run code is never opened.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import nn

from inference.errors import FormatError
from training.io.receipt import sha256
from training.nnunet.results.checkpoint import load_checkpoint

_DEEPEST_PREFIX = 3
_NAMED = 3
_REMEDY = "Save the weights alone, torch.save(model.state_dict(), FILE), and start from that"
Weights = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Started:
    """What a training started from.

    Attributes:
        file: name of the checkpoint.
        digest: its sha256.
        taken: layers of the network that have its weights.
        other_shape: layers that have a namesake of another shape in it, and are random.
        random: layers that have no namesake in it, and are random.
        encoder_share: how much of the encoder's weights was taken, 0 to 1.
        unused: weights of the file that went nowhere.
    """

    file: str
    digest: str
    taken: tuple[str, ...]
    other_shape: tuple[str, ...]
    random: tuple[str, ...]
    encoder_share: float
    unused: tuple[str, ...]

    @property
    def words(self) -> str:
        """The whole in one line."""
        layers = len(self.taken) + len(self.other_shape) + len(self.random)
        return (
            f"Started from {self.file}: {len(self.taken)} of {layers} layers taken, {self.encoder_share:.0%} of the "
            f"encoder's weights; of another shape: {_some(self.other_shape)}; left at random: {_some(self.random)}."
        )

    def as_json(self) -> dict[str, Any]:
        """All of it, with the words."""
        return {"words": self.words} | {name: getattr(self, name) for name in self.__slots__}


def start_from(network: nn.Module, path: Path, least_share: float) -> Started:
    """Fill a network with the layers of a checkpoint that fit, to the bit; the others stay as they are.

    Args:
        network: whose `key_to_encoder` names its encoder, as nnU-Net's and ours do.
        path: nnU-Net's .pth, or any file of torch's that holds named weights and nothing that could run code.
        least_share: of the encoder's weights that have to fit, 0 to 1.

    Raises:
        ModelError: if it is damaged, or holds more than numbers and text.
        FormatError: if nothing fits, or too little; the network is then unchanged.
    """
    with path.open("rb") as stream:
        given = _largest_group(load_checkpoint(stream, path, _REMEDY))
    if not given:
        raise FormatError(f"{path} holds no weights by name: give a checkpoint or a state_dict of torch's.")
    layers = _layers(network)
    namesakes = _namesakes(layers, given)
    kinds = _sort(layers, {name: given[theirs] for name, theirs in namesakes.items()})
    share = _share(kinds["taken"], layers, f"{network.key_to_encoder}.")
    _check(path, kinds["taken"], share, least_share)
    taken = {name: weights for layer in kinds["taken"] for name, weights in layers[layer].items()}
    with torch.no_grad():
        for name, weights in taken.items():
            weights.copy_(given[namesakes[name]])
    used = {given[namesakes[name]].data_ptr() for name in taken}  # nnU-Net's files have two names for one tensor
    unused = tuple(sorted(name for name, one in given.items() if one.data_ptr() not in used))
    groups = {kind: tuple(names) for kind, names in kinds.items()}
    return Started(path.name, sha256(path), **groups, encoder_share=share, unused=unused)


def _check(path: Path, taken: Sequence[str], share: float, least_share: float) -> None:
    """Refuse a checkpoint of another network."""
    if not taken:
        raise FormatError(
            f"{path} fits no layer of this network by name and shape: choose the --plan that it was trained as."
        )
    if share < least_share:
        raise FormatError(
            f"{path} fits {share:.0%} of the encoder's weights ({_some(taken)}), and {least_share:.0%} are asked for: "
            f"choose the --plan that it is of, or take what fits with --start-share {int(100 * share) / 100:g}."
        )


def _largest_group(loaded: Mapping[str, Any], deeper: int = 2) -> Weights:
    """The most numerous named weights in a checkpoint: at its top, or in a dictionary of it such as `state_dict`."""
    own = {name: one for name, one in loaded.items() if isinstance(name, str) and isinstance(one, torch.Tensor)}
    inner = [one for one in loaded.values() if isinstance(one, dict)] if deeper else []
    return max([own, *(_largest_group(one, deeper - 1) for one in inner)], key=len)


def _layers(network: nn.Module) -> dict[str, dict[str, torch.Tensor]]:
    """Layer -> name -> its weights; of a layer that is registered twice, as nnU-Net does, the first name counts.

    Whole numbers are left out: they are positions and counters, not weights.
    """
    layers: dict[str, dict[str, torch.Tensor]] = {}
    for name, weights in [*network.named_parameters(), *network.named_buffers()]:
        if weights.is_floating_point():
            layers.setdefault(name.rpartition(".")[0], {})[name] = weights
    return layers


def _namesakes(layers: Mapping[str, Weights], given: Weights) -> dict[str, str]:
    """The network's names -> those in the file, with the prefixes exchanged; names that the file lacks are left out."""
    ours, theirs = _prefixes(layers, given)
    names = [name for weights in layers.values() for name in weights if name.startswith(ours)]
    pairs = {name: theirs + name.removeprefix(ours) for name in names}
    return {name: other for name, other in pairs.items() if other in given}


def _prefixes(layers: Mapping[str, Weights], given: Weights) -> tuple[str, str]:
    """The prefix of the network's names and that of the file's under which most weights fit; the shortest of equals."""
    mine = {name: weights.shape for names in layers.values() for name, weights in names.items()}

    def fitting(pair: tuple[str, str]) -> tuple[int, int]:
        ours, theirs = pair
        pairs = (
            (given.get(theirs + name.removeprefix(ours)), shape)
            for name, shape in mine.items()
            if name.startswith(ours)
        )
        return sum(one is not None and one.shape == shape for one, shape in pairs), -len(ours) - len(theirs)

    return max(product(_leading(mine), _leading(given)), key=fitting)


def _leading(names: Mapping[str, object]) -> list[str]:
    """All beginnings of names, up to some dots: none, `encoder.`, `encoder.stages.`."""
    found = {""}
    for name in names:
        parts = name.split(".")
        found |= {".".join(parts[:depth]) + "." for depth in range(1, min(_DEEPEST_PREFIX, len(parts) - 1) + 1)}
    return sorted(found)


def _sort(layers: Mapping[str, Weights], found: Weights) -> dict[str, list[str]]:
    """The layers that can be taken whole, those with a namesake of another shape, and the others."""
    kinds: dict[str, list[str]] = {"taken": [], "other_shape": [], "random": []}
    for layer, weights in layers.items():
        if not all(name in found for name in weights):
            kinds["random"].append(layer)
        else:
            fits = all(found[name].shape == one.shape for name, one in weights.items())
            kinds["taken" if fits else "other_shape"].append(layer)
    return kinds


def _share(taken: Sequence[str], layers: Mapping[str, Weights], encoder: str) -> float:
    """How much of the encoder's weights the taken layers hold."""

    def count(names: Iterator[str]) -> int:
        return sum(one.numel() for layer in names if layer.startswith(encoder) for one in layers[layer].values())

    whole = count(iter(layers))
    return count(iter(taken)) / whole if whole else 0.0


def _some(names: Sequence[str]) -> str:
    """Names for a line: the first few, and how many more."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "none") + more
