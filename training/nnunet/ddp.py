"""Trains one fold on several GPUs with nnU-Net's own data-parallel trainer, started without a look-up by name."""

import os
import socket
from pathlib import Path

from inference.errors import IusError
from training.nnunet.claims import training
from training.nnunet.course import follow
from training.nnunet.run import begin, train, workspace
from training.nnunet.settings import FitSettings


class GpuError(IusError):
    """This machine has fewer GPUs than were asked for."""


def fit_parallel(work: Path, dataset: str, settings: FitSettings, data: str | None = None) -> Path:
    """Train one fold on as many GPUs as the settings say, from its last checkpoint if any; return its folder.

    nnU-Net divides the batch among the GPUs. Losses are averaged over them, so that all stop in the same epoch.

    Raises:
        GpuError: if this machine has fewer GPUs.
    """
    import torch
    from torch.multiprocessing.spawn import spawn

    gpus, found = settings.gpus, torch.cuda.device_count()
    if found < gpus:
        raise GpuError(f"There are {found} GPUs here, and {gpus} were asked for: lower --gpus.")
    folder = begin(work, dataset, settings, data)
    with training(folder, work / "nnUNet_raw" / dataset):
        follow(folder, settings)
        arguments = (work, dataset, settings, _free_port())
        spawn(_rank, args=arguments, nprocs=gpus, join=True)  # type: ignore[no-untyped-call]
    return folder


def _rank(rank: int, work: Path, dataset: str, settings: FitSettings, port: int) -> None:
    """The process of one GPU."""
    import torch
    from torch import distributed

    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    workspace(work)
    distributed.init_process_group("nccl", rank=rank, world_size=settings.gpus)
    torch.cuda.set_device(rank)
    train(work, dataset, settings)
    distributed.destroy_process_group()


def _free_port() -> int:
    """A free port."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
