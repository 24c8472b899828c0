"""Whose a folder is: results of two inputs never mix in it, also where two processes begin at the same moment."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from inference.errors import FormatError
from inference.files import make_folder
from training.io.files import claimed
from training.io.receipt import sha256

if TYPE_CHECKING:
    from filelock import BaseFileLock

DATA, WAY = "data.sha256", "learning.txt"
"""Marks in the folder of a fold: the data set that it is trained on, and the way of learning."""
DIGEST = "slices_sha256"
"""Key in dataset.json that nnU-Net does not read."""


def claim(mark: Path, digest: str, whose: str) -> None:
    """Mark a folder as made from one input, so that resuming never mixes it with another input's results.

    Raises:
        FormatError: if it is marked as made from another one.
    """
    if claimed(mark, digest) != digest:
        raise FormatError(f"{mark.parent} holds another {whose}: remove it, or choose another folder.")


def claim_fold(fold: Path, data: str, way: str) -> None:
    """Mark a fold's folder as trained on one data set in one way; all folds of a model are trained on the same data.

    Raises:
        FormatError: if it was begun on another data set or in another way, or another fold of the model was.
    """
    for mark in fold.parent.glob(f"fold_*/{DATA}"):
        if mark.parent != fold and mark.read_text(encoding="utf-8") != data:
            raise FormatError(
                f"{mark.parent} was trained on another data set, and a model's folds share one: remove it, or choose "
                "another --variant."
            )
    claim(fold / DATA, data, "data set's training")
    claim(fold / WAY, way, "way of learning's training (--variant keeps them apart)")


def data_of(raw: Path) -> str:
    """What the data set in `nnUNet_raw/DatasetNNN_Title` is: its slices and its splits."""
    slices = json.loads((raw / "dataset.json").read_text(encoding="utf-8"))[DIGEST]
    return f"{slices}\n{sha256(raw / 'splits_final.json')}"


def data_lock(raw: Path) -> "BaseFileLock":
    """Held while a data set is written, planned or preprocessed; the process that holds it may take it again."""
    from filelock import FileLock

    return FileLock(make_folder(raw.resolve().parent) / f".{raw.name}.lock", is_singleton=True)


def refuse_while_training(raw: Path) -> None:
    """Refuse to replace a data set on which a training is running.

    Raises:
        FormatError: naming the fold.
    """
    from filelock import FileLock, Timeout

    for lock in (raw.resolve().parents[1] / "nnUNet_results" / raw.name).glob("*/fold_*/.lock"):
        try:
            with FileLock(lock, blocking=False):
                pass
        except Timeout as error:
            raise FormatError(
                f"{lock.parent} is being trained on other slices: wait for its end, or give another --dataset-id or "
                "--work."
            ) from error


@contextmanager
def training(fold: Path, raw: Path) -> Iterator[None]:
    """Hold a fold's folder, and the data set that it was claimed for, while it is trained.

    If a workflow was killed, its training may still run; the next one waits for it and finds it done.

    Raises:
        FormatError: if the data set was replaced since.
    """
    from filelock import FileLock

    with FileLock(fold / ".lock"):
        with data_lock(raw):
            if data_of(raw) != (fold / DATA).read_text(encoding="utf-8"):
                raise FormatError(OTHER.format(raw))
        yield


OTHER = "{} was given other slices in this moment by another process: give each a --dataset-id or --work of its own."
