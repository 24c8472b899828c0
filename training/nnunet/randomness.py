"""The random generators that a training draws from, as plain values that a checkpoint may hold."""

import random
from typing import Any

import numpy as np
import torch

State = dict[str, Any]


def seed_generators(seed: int) -> None:
    """Seed all of them; of several processes that share a training, each its own: else all drew the same slices."""
    own = seed + (torch.distributed.get_rank() if torch.distributed.is_initialized() else 0)
    random.seed(own)
    np.random.seed(own)  # noqa: NPY002
    torch.manual_seed(own)


def random_state() -> State:
    """Where the generators of Python, numpy (the legacy one, as nnU-Net's augmentation draws from it) and torch are.

    Lists and numbers only, besides torch's own tensor: a checkpoint with it still opens without running anything.
    """
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002
    twister = {"key": numpy["state"]["key"].tolist(), "pos": numpy["state"]["pos"]}
    return {"python": random.getstate(), "numpy": numpy | {"state": twister}, "torch": torch.get_rng_state()}


def restore_random_state(state: State) -> None:
    """Go on drawing where `random_state` was taken."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])  # noqa: NPY002
    torch.set_rng_state(state["torch"])
