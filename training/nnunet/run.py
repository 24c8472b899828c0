"""Planning, preprocessing and training through nnU-Net's Python API, always in this order.

nnU-Net starts worker processes by spawn: callers sit under `if __name__ == "__main__"`. It reads its three
folders from the environment, so `workspace` comes before anything here imports it; and it finds trainers by
importing all of them, which fails beside a CPU-only torch, so the trainer class is constructed directly.
"""

import inspect
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from inference.errors import FormatError, NotFoundError
from training.io.receipt import sha256
from training.nnunet.dataset import DIGEST
from training.nnunet.early_stopping import Patience
from training.nnunet.names import CONFIGURATION, dataset_number, model_folder, plans_name

if TYPE_CHECKING:
    from training.nnunet.trainer import nnUNetTrainerDA5EarlyStopping

Fold = int | Literal["all"]
_FOLDERS = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")
_WORKERS = "nnUNet_n_proc_DA"


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What `fit` may be told; None keeps nnU-Net's own value.

    Attributes:
        plan: `full` (nnU-Net's own), `realtime`, or one of its neighbours, which are named as deviations.
        variant: a name for another way to learn the same plan from the same slices.
        fold: 0 to 4, or `all` to train on everything.
        epochs: length of the learning-rate schedule (nnU-Net: 1000).
        iterations: training batches an epoch (250).
        val_iterations: validation batches an epoch (50).
        batch_size: slices a batch (planned).
        patience: epochs without a lower validation loss before stopping (30).
        learning_rate: at the first epoch (0.01).
        slice_dice: Dice of every slice for itself in the loss, in place of the batch's (training/nnunet/losses.py).
        tumour_free: share of tumour-free slices among those drawn for training; None draws all slices alike.
        start: exported .onnx of the same network whose weights it starts from.
        device: `cpu`, `cuda` or `mps`.
        bfloat16: run the network in bfloat16 (nnU-Net: float32 on a CPU).
        workers: processes that augment; 0 augments in the training process.
        jobs: processes that preprocess.
        seed: of torch and numpy; with workers > 0 the augmentation is not reproducible.
    """

    plan: str = "full"
    variant: str = ""
    fold: Fold = 0
    epochs: int | None = None
    iterations: int | None = None
    val_iterations: int | None = None
    batch_size: int | None = None
    patience: int | None = None
    learning_rate: float | None = None
    slice_dice: bool | None = None
    tumour_free: float | None = None
    start: Path | None = None
    device: str = "cpu"
    bfloat16: bool | None = None
    workers: int = 1
    jobs: int = 2
    seed: int = 0

    @property
    def plans(self) -> str:
        """The plans' name in nnU-Net's folders."""
        return plans_name(self.plan, self.variant)

    def folder(self, work: Path, dataset: str) -> Path:
        """Where this fold's checkpoints are."""
        return model_folder(work, dataset, self.plan, self.variant) / f"fold_{self.fold}"


def workspace(work: Path) -> None:
    """Make nnU-Net's three folders under `work` the ones it uses; called before nnU-Net is imported."""
    for name in _FOLDERS:
        folder = (work / name).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(folder)


def plan_and_preprocess(work: Path, dataset: str, settings: FitSettings) -> None:
    """Fingerprint, plan and preprocess a data set of `nnUNet_raw`, each only where it is not done yet.

    Folds that start together wait for the one that does it.
    """
    from filelock import FileLock

    raw, preprocessed = work / "nnUNet_raw" / dataset, work / "nnUNet_preprocessed" / dataset
    with FileLock(work / "nnUNet_preprocessed" / f".{dataset}.lock"):
        _plan_and_preprocess(raw, preprocessed, settings)


def _plan_and_preprocess(raw: Path, preprocessed: Path, settings: FitSettings) -> None:
    """The same, for the one process that holds the lock."""
    from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import DatasetFingerprintExtractor

    from training.nnunet.planner import planner

    number = dataset_number(raw.name)
    plans_file = preprocessed / f"{settings.plans}.json"
    _forget_if_changed(raw, preprocessed)
    os.environ[_WORKERS] = "1"  # the planner sets torch's threads to it, and torch refuses 0
    if not (preprocessed / "dataset_fingerprint.json").is_file():
        DatasetFingerprintExtractor(number, settings.jobs).run(overwrite_existing=True)
    if not plans_file.is_file():
        planner(settings.plan, number, settings.variant).plan_experiment()
    shutil.copyfile(raw / "splits_final.json", preprocessed / "splits_final.json")
    _preprocess(raw, preprocessed, plans_file, settings.jobs)


def _forget_if_changed(raw: Path, preprocessed: Path) -> None:
    """Throw away what was made from another version of the data set."""
    now, then = raw / "dataset.json", preprocessed / "dataset.json"
    if not now.is_file():
        raise NotFoundError(f"There is no nnU-Net data set at {raw}.")
    if then.is_file() and then.read_bytes() != now.read_bytes():
        shutil.rmtree(preprocessed)


def _preprocess(raw: Path, preprocessed: Path, plans_file: Path, jobs: int) -> None:
    """nnU-Net's preprocessing; a marker says that it ended, since it starts by deleting what is there."""
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    plans = PlansManager(json.loads(plans_file.read_text()))
    configuration = plans.get_configuration(CONFIGURATION)
    done = preprocessed / f"{configuration.data_identifier}.done"
    if not done.is_file():
        configuration.preprocessor_class(verbose=False).run(
            dataset_number(raw.name), CONFIGURATION, plans.plans_name, num_processes=jobs
        )
        done.touch()


def fit(work: Path, dataset: str, settings: FitSettings) -> Path:
    """Train one fold, from its last checkpoint where there is one, and give its folder.

    Returns:
        `.../fold_N`, with `checkpoint_best.pth` and `checkpoint_final.pth`.

    Raises:
        FormatError: if the fold was begun on another data set.
    """
    from filelock import FileLock

    folder = begin(work, dataset, settings)
    # A training whose workflow was killed may still run: the next one waits for it, and finds it done.
    with FileLock(folder / ".lock"):
        train(work, dataset, settings)
    return folder


def begin(work: Path, dataset: str, settings: FitSettings) -> Path:
    """The folder of a fold, claimed for its data set before anything else is touched; planned and preprocessed.

    Raises:
        FormatError: if the fold was begun on another data set, or to learn in another way.
        NotFoundError: if there is no such data set, or no model to start from.
    """
    raw, folder = work / "nnUNet_raw" / dataset, settings.folder(work, dataset)
    if not (raw / "dataset.json").is_file():
        raise NotFoundError(f"There is no nnU-Net data set at {raw}.")
    slices = json.loads((raw / "dataset.json").read_text())[DIGEST]
    ways = "\n".join(_ways(settings))
    claim(folder / "data.sha256", f"{slices}\n{sha256(raw / 'splits_final.json')}", "data set's training")
    claim(folder / "learning.txt", ways, "way of learning's training (--variant keeps them apart)")
    workspace(work)
    plan_and_preprocess(work, dataset, settings)
    return folder


def _ways(settings: FitSettings) -> list[str]:
    """What a training learns in another way than nnU-Net's; nothing where it does not."""
    if settings.start is not None and not settings.start.is_file():
        raise NotFoundError(f"There is no {settings.start} to start from: give the path of an exported .onnx.")
    ways = {
        "learning rate": settings.learning_rate,
        "slice Dice": settings.slice_dice or None,
        "tumour-free": settings.tumour_free,
        "start": None if settings.start is None else sha256(settings.start),
    }
    return [f"{name} {value}" for name, value in ways.items() if value is not None]


def train(work: Path, dataset: str, settings: FitSettings) -> None:
    """Train one fold that was begun, alone in its folder."""
    folder = settings.folder(work, dataset)
    if (folder / "checkpoint_final.pth").is_file():
        return
    trainer = _trainer(work, dataset, settings)
    latest = folder / "checkpoint_latest.pth"
    if latest.is_file():
        trainer.load_checkpoint(str(latest))
    trainer.run_training()


def prepared_trainer(work: Path, dataset: str, settings: FitSettings) -> "nnUNetTrainerDA5EarlyStopping":
    """The trainer of a fold, its data set planned and preprocessed, nothing of it begun."""
    workspace(work)
    plan_and_preprocess(work, dataset, settings)
    return _trainer(work, dataset, settings)


def _trainer(work: Path, dataset: str, settings: FitSettings) -> "nnUNetTrainerDA5EarlyStopping":
    """A trainer with our settings in place of nnU-Net's."""
    os.environ[_WORKERS] = str(settings.workers)
    import torch

    from training.nnunet.randomness import seed_generators
    from training.nnunet.trainer import nnUNetTrainerDA5EarlyStopping

    seed_generators(settings.seed)
    plans = json.loads((work / "nnUNet_preprocessed" / dataset / f"{settings.plans}.json").read_text())
    if settings.batch_size is not None:
        plans["configurations"][CONFIGURATION]["batch_size"] = settings.batch_size
    latest = settings.folder(work, dataset) / "checkpoint_latest.pth"
    arguments: dict[str, Any] = {
        "plans": plans | {"continue_training": latest.is_file()},  # nnU-Net >= 2.7 takes it out again
        "configuration": CONFIGURATION,
        "fold": settings.fold,
        "dataset_json": json.loads((work / "nnUNet_raw" / dataset / "dataset.json").read_text()),
        "device": torch.device(settings.device),
    }
    accepted = inspect.signature(nnUNetTrainerDA5EarlyStopping.__init__).parameters
    trainer = nnUNetTrainerDA5EarlyStopping(**{key: value for key, value in arguments.items() if key in accepted})
    wanted = {
        "bfloat16": settings.bfloat16,
        "num_epochs": settings.epochs,
        "num_iterations_per_epoch": settings.iterations,
        "num_val_iterations_per_epoch": settings.val_iterations,
        "patience": None if settings.patience is None else Patience(limit=settings.patience),
        "initial_lr": settings.learning_rate,
        "slice_dice": settings.slice_dice,
        "tumour_free": settings.tumour_free,
        "start": settings.start,
    }
    for name, value in wanted.items():
        if value is not None:
            setattr(trainer, name, value)
    return trainer


def claim(mark: Path, digest: str, whose: str) -> None:
    """Mark a folder as made from one input, so that resuming never mixes it with another's."""
    if mark.is_file() and mark.read_text() != digest:
        raise FormatError(f"{mark.parent} holds another {whose}: remove it, or choose another folder.")
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(digest)
