"""Estimates how long a training will take on this machine by timing a few of its own steps."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.nnunet.run import prepared_trainer
from training.nnunet.settings import FitSettings

STEPS = 4
"""How many batches are timed, after as many to warm up."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The measured seconds and the hours they add up to.

    Attributes:
        train_s: seconds per training batch, with augmentation.
        val_s: seconds per validation batch.
        epochs: epochs of the learning-rate schedule; early stopping may come long before.
        iterations: training batches per epoch.
        val_iterations: validation batches per epoch.
    """

    train_s: float
    val_s: float
    epochs: int
    iterations: int
    val_iterations: int

    @property
    def epoch_s(self) -> float:
        """Seconds per epoch."""
        return self.iterations * self.train_s + self.val_iterations * self.val_s

    @property
    def hours(self) -> float:
        """Hours per fold, without early stopping."""
        return self.epochs * self.epoch_s / 3600

    def __str__(self) -> str:
        """The estimate in one sentence."""
        return (
            f"{self.train_s:.2f} s a training batch and {self.val_s:.2f} s a validation batch, measured now: "
            f"{self.epoch_s / 60:.1f} min an epoch, at most {self.hours:.1f} h for {self.epochs} epochs of one fold "
            f"(early stopping ends sooner, checkpoints not counted)."
        )


def estimate(work: Path, dataset: str, settings: FitSettings) -> Estimate:
    """Plan and preprocess as `fit` would, then time a few batches and discard them.

    Raises:
        NotFoundError: if there is no such data set.
    """
    trainer: Any = prepared_trainer(work, dataset, settings)
    trainer.initialize()
    train, val = trainer.get_dataloaders()
    trainer.network.train()
    train_s = _seconds(lambda: trainer.train_step(next(train)))
    trainer.network.eval()
    val_s = _seconds(lambda: trainer.validation_step(next(val)))
    for loader in (train, val):
        if hasattr(loader, "_finish"):
            loader._finish()  # nnU-Net ends its augmenting processes this way
    Path(trainer.log_file).unlink(missing_ok=True)
    batches = trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch
    return Estimate(train_s, val_s, trainer.num_epochs, *batches)


def _seconds(step: Callable[[], object]) -> float:
    """Mean seconds per step, after warming up."""
    for _ in range(STEPS):
        step()
    began = time.perf_counter()
    for _ in range(STEPS):
        step()
    return (time.perf_counter() - began) / STEPS
