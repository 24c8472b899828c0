"""The learning curves of a training for TensorBoard, in the folder tensorboard beside progress.csv."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from inference.errors import NotFoundError
from training.nnunet.progress import COLUMNS, LOGGED


def check_tensorboard() -> None:
    """Refuse a training that could not write its curves, before it begins.

    Raises:
        NotFoundError: if the package tensorboard is not installed.
    """
    if find_spec("tensorboard") is None:
        raise NotFoundError(
            "--tensorboard needs the package of that name: pip install '.[tensorboard]', or leave the option out."
        )


class Curves:
    """Writes the epochs that are not written yet; what an interrupted training wrote after its last checkpoint is void.

    Attributes:
        folder: the fold's folder.
        written: epochs written by this process.
    """

    def __init__(self, folder: Path, first: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.written = first
        self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=first)

    def write(self, log: Mapping[str, Sequence[float]]) -> None:
        """Write each complete epoch of nnU-Net's log that is new."""
        rows = list(zip(*(log[name] for name in LOGGED), strict=False))
        for epoch in range(self.written, len(rows)):
            for name, value in zip(COLUMNS, rows[epoch], strict=True):
                self._writer.add_scalar(name, float(value), epoch)
        self.written = len(rows)
        self._writer.flush()
