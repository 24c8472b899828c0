"""Models in the shapes in which people keep and share them."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from blobs import write_model
from small_cohort import cohort, model, store

__all__ = ["cohort", "model", "store"]


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a results folder as nnU-Net does."""
    return lambda **settings: write_model(tmp_path_factory.mktemp("model"), **settings)


KEPT = {
    "postprocessing_fns": ["remove_all_but_largest_component_from_segmentation"],
    "postprocessing_kwargs": [{"labels_or_regions": [1]}],
}
"""postprocessing.json where cross-validation chose to keep the largest component."""


@pytest.fixture(scope="session")
def published(model_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a zip as the paper's repository publishes its models: v2.2 plans, a trainer of its own, no fingerprint."""

    def write(*, above: str = "", twin: bool = True, extra: dict[str, bytes] | None = None, folds: int = 5) -> Path:
        folder = model_folder(folds=folds, old=True, trainer="nnUNetTrainerWithESandDA5")
        root = f"{above}Dataset502_MRI_200/"
        inside = {file.relative_to(folder.parent).as_posix(): file.read_bytes() for file in folder.rglob("*.*")}
        del inside[f"{folder.name}/dataset_fingerprint.json"]
        inside["inference_information.json"] = b'{"postprocessing_file": "/elsewhere/postprocessing.pkl"}'
        inside["inference_instructions.txt"] = b"nnUNetv2_predict -d Dataset502_MRI_200 -c 2d -chk checkpoint_best"
        inside["postprocessing.pkl"] = b"never opened"
        if twin:
            inside["postprocessing.json"] = json.dumps(KEPT).encode()
        path = tmp_path_factory.mktemp("published") / "MRI_200-model.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in inside.items():
                archive.writestr(root + name, data)
            archive.writestr(f"__MACOSX/{root}{folder.name}/._plans.json", b"\0\5\26\7")
            for name, data in (extra or {}).items():
                archive.writestr(root + name, data)
        return path

    return write
