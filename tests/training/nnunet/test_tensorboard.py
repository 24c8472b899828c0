"""What TensorBoard shows is what progress.csv holds, also after an interruption."""

import sys
from pathlib import Path

import pytest

from inference.errors import NotFoundError
from training.nnunet.progress import COLUMNS, LOGGED
from training.nnunet.tensorboard import Curves, check_tensorboard


def log(*losses: float) -> dict[str, list[float]]:
    return {name: [value + at for value in losses] for at, name in enumerate(LOGGED)}


def test_every_epoch_stands_there_once_and_what_was_lost_is_replaced(tmp_path: Path):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: pip install '.[tensorboard]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    first = Curves(tmp_path)
    first.write(log(0.5))
    first.write(log(0.5, 0.25, 9.0))
    resumed = Curves(tmp_path, 2)  # the last checkpoint had two epochs
    resumed.write(log(0.5, 0.25, 0.125))
    shown = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert set(shown.Tags()["scalars"]) == set(COLUMNS)
    for at, name in enumerate(COLUMNS):
        scalars = [(one.step, one.value) for one in shown.Scalars(name)]
        assert scalars == [(0, 0.5 + at), (1, 0.25 + at), (2, 0.125 + at)]


def test_a_missing_package_is_one_sentence_before_the_training(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(NotFoundError, match="pip install"):
        check_tensorboard()
