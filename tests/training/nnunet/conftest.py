"""Trainers of a tiny network, with no training begun."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blobs import DATASET

from training.nnunet.run import _trainer
from training.nnunet.settings import FitSettings

FOLDERS = ("nnUNet_raw", "nnUNet_preprocessed")


@pytest.fixture
def begun(model_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes trainers of a tiny network, each in a working folder of its own."""
    plans = json.loads((model_folder() / "plans.json").read_text())

    def make(name: str, network: str | None = None, **wanted: Any) -> Any:
        """A trainer with these settings; `network` is a class in the place of nnU-Net's U-Net."""
        if network is not None:
            plans["configurations"]["2d"]["architecture"]["network_class_name"] = network
        raw, preprocessed = (tmp_path / name / part / "Dataset599_Blobs" for part in FOLDERS)
        raw.mkdir(parents=True)
        (preprocessed / "nnUNetPlans_2d").mkdir(parents=True)
        (preprocessed / "nnUNetPlans_2d" / "a.b2nd").touch()  # nnU-Net looks at the ending only
        (raw / "dataset.json").write_text(json.dumps(DATASET))
        (preprocessed / "nnUNetPlans.json").write_text(json.dumps(plans))
        for part in (*FOLDERS, "nnUNet_results"):
            monkeypatch.setenv(part, str(tmp_path / name / part))
        trainer = _trainer(tmp_path / name, "Dataset599_Blobs", FitSettings(workers=0, epochs=4, **wanted))
        trainer.initialize()
        trainer.network.train()
        return trainer

    return make
