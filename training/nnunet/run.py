"""Plans, preprocesses and trains through nnU-Net's Python API, always in this order.

nnU-Net starts worker processes by spawn, so callers need `if __name__ == "__main__"`. It reads its three folders from
the environment, so `workspace` has to run before anything here imports it. It finds trainers by importing all of
them, which fails with a CPU-only torch, so the trainer class is constructed directly.
"""

import inspect
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.errors import FormatError, NotFoundError
from training.io.receipt import sha256
from training.nnunet.claims import OTHER, claim_fold, data_lock, data_of, refuse_while_training, training
from training.nnunet.course import follow
from training.nnunet.dataset import SMALL, TUMOUR_FREE
from training.nnunet.device import check_device
from training.nnunet.early_stopping import Patience
from training.nnunet.names import CONFIGURATION, dataset_number
from training.nnunet.settings import FitSettings, all_settings
from training.nnunet.tensorboard import check_tensorboard
from training.nnunet.transformer import LEARNING_RATE, PLAN, check_monai

if TYPE_CHECKING:
    from training.nnunet.trainer import nnUNetTrainerDA5EarlyStopping

_FOLDERS = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")
_WORKERS = "nnUNet_n_proc_DA"
_AS_BEGUN = {"loss slice-dice": "slice Dice True"}
"""Lines of learning.txt -> the same lines as earlier versions wrote them, so that folds they began still count."""


def workspace(work: Path) -> None:
    """Point nnU-Net to its three folders under `work`; call it before nnU-Net is imported."""
    for name in _FOLDERS:
        folder = (work / name).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(folder)


def plan_and_preprocess(work: Path, dataset: str, settings: FitSettings) -> None:
    """Fingerprint, plan and preprocess a data set in `nnUNet_raw`, skipping steps that are done.

    If several folds start together, one does it and the others wait.
    """
    raw, preprocessed = work / "nnUNet_raw" / dataset, work / "nnUNet_preprocessed" / dataset
    with data_lock(raw):
        _plan_and_preprocess(raw, preprocessed, settings)


def _plan_and_preprocess(raw: Path, preprocessed: Path, settings: FitSettings) -> None:
    """Fingerprint, plan and preprocess, in the one process that holds the lock."""
    from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import DatasetFingerprintExtractor

    from training.nnunet.planner import planner

    number = dataset_number(raw.name)
    plans_file = preprocessed / f"{settings.plans}.json"
    _forget_if_changed(raw, preprocessed)
    os.environ[_WORKERS] = "1"  # the planner gives it to torch as the number of threads, and torch refuses 0
    if not (preprocessed / "dataset_fingerprint.json").is_file():
        DatasetFingerprintExtractor(number, settings.jobs).run(overwrite_existing=True)
    shutil.copyfile(raw / "splits_final.json", preprocessed / "splits_final.json")  # the planner takes no others
    if not plans_file.is_file():
        planner(settings.plan, number, settings.variant).plan_experiment()
    _preprocess(raw, preprocessed, plans_file, settings.jobs)


def _forget_if_changed(raw: Path, preprocessed: Path) -> None:
    """Delete preprocessed files of another version of the data set."""
    now, then = raw / "dataset.json", preprocessed / "dataset.json"
    if not now.is_file():
        raise NotFoundError(f"There is no nnU-Net data set at {raw}.")
    if then.is_file() and _content(then) != _content(now):
        refuse_while_training(raw)
        shutil.rmtree(preprocessed)


def _content(dataset: Path) -> dict[str, Any]:
    """What dataset.json says that preprocessed files depend on: not which slices are drawn more often."""
    return {
        key: value
        for key, value in json.loads(dataset.read_text(encoding="utf-8")).items()
        if key not in (TUMOUR_FREE, SMALL)
    }


def _preprocess(raw: Path, preprocessed: Path, plans_file: Path, jobs: int) -> None:
    """Preprocess every slice; a marker says that it finished, since it starts by deleting what is there."""
    from training.nnunet.preprocess import preprocess

    plans = json.loads(plans_file.read_text(encoding="utf-8"))
    done = preprocessed / f"{plans['configurations'][CONFIGURATION]['data_identifier']}.done"
    if not done.is_file():
        preprocess(raw, preprocessed, plans, jobs)
        done.touch()


def fit(work: Path, dataset: str, settings: FitSettings, data: str | None = None) -> Path:
    """Train one fold, from its last checkpoint if there is one, and return its folder.

    Args:
        work: folder of nnU-Net's three folders.
        dataset: `DatasetNNN_Title`.
        settings: of the training.
        data: `data_of` the data set that is meant; None takes what is there.

    Returns:
        `.../fold_N`, with `checkpoint_best.pth` and `checkpoint_final.pth`.

    Raises:
        FormatError: if the fold was begun on another data set, or another process has written one in its place, or it
            was trained to its end with other settings.
    """
    folder = begin(work, dataset, settings, data)
    with training(folder, work / "nnUNet_raw" / dataset):
        follow(folder, settings)
        train(work, dataset, settings)
    return folder


def begin(work: Path, dataset: str, settings: FitSettings, data: str | None = None) -> Path:
    """Claim the folder of a fold for its data set before touching anything else, then plan and preprocess.

    Raises:
        FormatError: if the fold was begun on another data set, or with another way of learning, another fold of the
            model on another data set, another one than `data` is there by now, or a box head is wanted where none can
            learn.
        NotFoundError: if there is no such data set, or no model to start from.
        DeviceError: if there is no such device here.
    """
    raw, folder = work / "nnUNet_raw" / dataset, settings.folder(work, dataset)
    if not (raw / "dataset.json").is_file():
        raise NotFoundError(f"There is no nnU-Net data set at {raw}.")
    if settings.gpus == 1:  # several are counted in `fit_parallel`
        check_device(settings.device)
    if settings.tensorboard:
        check_tensorboard()
    if settings.plan == PLAN:
        check_monai()
    if settings.box_weight and (settings.gpus > 1 or settings.plan == PLAN):
        raise FormatError(f"Boxes are learnt on one device and beside a U-Net: leave --gpus and {PLAN}, or the weight.")
    ways = "\n".join(_ways(settings))
    with data_lock(raw):
        found = data_of(raw)
        if data is not None and found != data:
            raise FormatError(OTHER.format(raw))
        claim_fold(folder, found, ways)
        workspace(work)
        plan_and_preprocess(work, dataset, settings)
    return folder


def _ways(settings: FitSettings) -> list[str]:
    """The ways in which a training differs from nnU-Net's, one line each; empty if it does not."""
    if settings.start is not None and not Path(settings.start).is_file():
        raise NotFoundError(
            f"There is no {settings.start} to start from: give the path of an exported .onnx, or of a checkpoint."
        )
    lines = []
    for name, one in all_settings().items():
        value = getattr(settings, name)
        if one.learns and value != one.default:
            lines.append(f"{one.learns} {sha256(Path(value)) if name == 'start' else value}")
    return [_AS_BEGUN.get(line, line) for line in lines]


def train(work: Path, dataset: str, settings: FitSettings) -> None:
    """Train one fold that was begun, as the only process in its folder."""
    folder = settings.folder(work, dataset)
    if (folder / "checkpoint_final.pth").is_file():
        return
    trainer = _trainer(work, dataset, settings)
    latest = folder / "checkpoint_latest.pth"
    if latest.is_file():
        trainer.load_checkpoint(str(latest))
    trainer.run_training()


def prepared_trainer(work: Path, dataset: str, settings: FitSettings) -> "nnUNetTrainerDA5EarlyStopping":
    """The trainer of a fold, with the data set planned and preprocessed but no training begun."""
    workspace(work)
    plan_and_preprocess(work, dataset, settings)
    return _trainer(work, dataset, settings)


def _trainer(work: Path, dataset: str, settings: FitSettings) -> "nnUNetTrainerDA5EarlyStopping":
    """A trainer with our settings instead of nnU-Net's."""
    os.environ[_WORKERS] = str(settings.workers)
    import torch

    from training.nnunet.randomness import seed_generators
    from training.nnunet.trainer import nnUNetTrainerDA5EarlyStopping

    seed_generators(settings.seed)
    plans = json.loads((work / "nnUNet_preprocessed" / dataset / f"{settings.plans}.json").read_text(encoding="utf-8"))
    if settings.batch_size is not None:
        plans["configurations"][CONFIGURATION]["batch_size"] = settings.batch_size
    latest = settings.folder(work, dataset) / "checkpoint_latest.pth"
    arguments: dict[str, Any] = {
        "plans": plans | {"continue_training": latest.is_file()},  # nnU-Net >= 2.7 removes it again
        "configuration": CONFIGURATION,
        "fold": settings.fold,
        "dataset_json": json.loads((work / "nnUNet_raw" / dataset / "dataset.json").read_text(encoding="utf-8")),
        "device": torch.device(settings.device),
    }
    accepted = inspect.signature(nnUNetTrainerDA5EarlyStopping.__init__).parameters
    trainer = nnUNetTrainerDA5EarlyStopping(**{key: value for key, value in arguments.items() if key in accepted})
    for name, one in all_settings().items():
        value = getattr(settings, name)
        if one.trainer is not None and value is not None:
            setattr(trainer, one.trainer, value)
    if trainer.adamw and settings.learning_rate is None:
        trainer.initial_lr = LEARNING_RATE
    if settings.patience is not None:
        trainer.patience = Patience(limit=settings.patience)
    if settings.start is not None:
        trainer.start = Path(settings.start)
    return trainer
