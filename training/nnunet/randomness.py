"""The state of a training's random generators as plain values that a checkpoint can hold."""

import random
from typing import Any

import numpy as np
import torch

State = dict[str, Any]


def seed_generators(seed: int) -> None:
    """Seed all generators, differently in each process of a shared training: else all would draw the same slices."""
    own = seed + (torch.distributed.get_rank() if torch.distributed.is_initialized() else 0)
    random.seed(own)
    np.random.seed(own)  # noqa: NPY002
    torch.manual_seed(own)


def random_state() -> State:
    """The state of the generators of Python, torch and numpy (the legacy one, which nnU-Net's augmentation uses).

    It holds only lists, numbers and torch's own tensor, so a checkpoint with it still opens without running code.
    """
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002
    twister = {"key": numpy["state"]["key"].tolist(), "pos": numpy["state"]["pos"]}
    return {"python": random.getstate(), "numpy": numpy | {"state": twister}, "torch": torch.get_rng_state()}


def restore_random_state(state: State) -> None:
    """Set the generators to the state that `random_state` returned."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])  # noqa: NPY002
    torch.set_rng_state(state["torch"])
