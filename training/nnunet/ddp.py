"""One training on several GPUs: nnU-Net's own data-parallel trainer, started without looking it up by name."""

import os
import socket
from pathlib import Path

from filelock import FileLock

from inference.errors import IusError
from training.nnunet.run import FitSettings, begin, train, workspace


class GpuError(IusError):
    """Fewer GPUs than were asked for."""


def fit_parallel(work: Path, dataset: str, settings: FitSettings, gpus: int) -> Path:
    """Train one fold on several GPUs, from its last checkpoint where there is one, and give its folder.

    nnU-Net deals the batch out over the GPUs; losses are averaged over them, so that all stop in the same epoch.

    Raises:
        GpuError: if this machine has fewer.
    """
    import torch
    from torch.multiprocessing.spawn import spawn

    if torch.cuda.device_count() < gpus:
        raise GpuError(f"There are {torch.cuda.device_count()} GPUs here, and {gpus} were asked for: lower --gpus.")
    folder = begin(work, dataset, settings)
    with FileLock(folder / ".lock"):
        arguments = (work, dataset, settings, gpus, _free_port())
        spawn(_rank, args=arguments, nprocs=gpus, join=True)  # type: ignore[no-untyped-call]
    return folder


def _rank(rank: int, work: Path, dataset: str, settings: FitSettings, gpus: int, port: int) -> None:
    """One GPU's process."""
    import torch
    from torch import distributed

    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    workspace(work)
    distributed.init_process_group("nccl", rank=rank, world_size=gpus)
    torch.cuda.set_device(rank)
    train(work, dataset, settings)
    distributed.destroy_process_group()


def _free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
