"""nnU-Net's own choice of post-processing, made from the validation predictions of the five folds."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference.contract import Mode
from inference.errors import FormatError, NotFoundError
from training.cohort.folds import N_FOLDS
from training.io.files import alone_in
from training.nnunet.claims import DATA, claim, data_of
from training.nnunet.predict import load_folds, predict_images
from training.nnunet.run import workspace
from training.slicing.store import link

_FOLDS = tuple(range(N_FOLDS))
RESULT = f"crossval_results_folds_{'_'.join(map(str, _FOLDS))}"
"""The folder inside the model's folder in which nnU-Net collects the validation of the five folds."""


def choose_postprocessing(
    model: Path, work: Path, *, checkpoint: str, device: str, jobs: int, mode: Mode = Mode.THOROUGH
) -> bool:
    """Predict each fold's validation slices, and let nnU-Net decide whether to keep only the largest region.

    Writes `fold_N/validation/` and `crossval_results_folds_0_1_2_3_4/postprocessing.json`, which `predict` and `export`
    obey. It can be resumed.

    Args:
        model: the model's folder.
        work: folder of nnUNet_raw, nnUNet_preprocessed and nnUNet_results.
        checkpoint: `best` or `final`.
        device: `cpu`, `cuda` or `mps`.
        jobs: number of processes.
        mode: how the validation slices are predicted; nnU-Net's own validation is thorough, over all mirrors.

    Returns:
        Whether only the largest region is kept.

    Raises:
        NotFoundError: if one of the five folds is not trained.
        FormatError: if the data set is another one by now than it was trained on.
    """
    workspace(work)
    for fold in _FOLDS:
        if not (model / f"fold_{fold}" / "checkpoint_final.pth").is_file():
            raise NotFoundError(f"{model} has no trained fold {fold}: the choice needs all five, so train it first.")
    raw = work / "nnUNet_raw" / model.parent.name
    if not (raw / "dataset.json").is_file():
        raise NotFoundError(f"There is no nnU-Net data set at {raw}: give --work the folder that it was trained in.")
    _refuse_other_data(model, raw)
    files = json.loads((raw / "dataset.json").read_text(encoding="utf-8"))["dataset"]
    with alone_in(model):
        _validate(model, raw, files, checkpoint, device, mode)
        truth = work / "nnUNet_preprocessed" / model.parent.name / "gt_segmentations"  # nnU-Net's name for the truth
        for name, paths in files.items():
            link(_resolved(raw, paths["label"]), truth / f"{name}.nii.gz")
        return _choose(model, truth, jobs)


def _refuse_other_data(model: Path, raw: Path) -> None:
    """Refuse a data set that the model was not trained on: its validation slices may have trained the model."""
    for mark in sorted(model.glob(f"fold_*/{DATA}")):
        if mark.read_text(encoding="utf-8") != data_of(raw):
            raise FormatError(
                f"{raw} is another data set by now than {mark.parent} was trained on: run 'ius-train fit' on its "
                "slices again, which finds the training done."
            )


def _validate(model: Path, raw: Path, files: Mapping[str, Any], checkpoint: str, device: str, mode: Mode) -> None:
    """Predict each fold's validation slices; masks of another checkpoint or mode are made again."""
    splits = json.loads((raw / "splits_final.json").read_text(encoding="utf-8"))
    for fold in _FOLDS:
        images = {name: _resolved(raw, files[name]["images"][0]) for name in splits[fold]["val"]}
        out = model / f"fold_{fold}" / "validation"
        loaded = load_folds(model, [fold], checkpoint, device, mode)
        mark, made_from = out / "made.from", "\n".join((*loaded.checkpoints.values(), str(mode)))
        if out.is_dir() and not (mark.is_file() and mark.read_text(encoding="utf-8") == made_from):
            shutil.rmtree(out)
        claim(mark, made_from, "checkpoint's validation")
        predict_images(loaded.predictor, images, out)


def _resolved(raw: Path, relative: str) -> Path:
    """A data set's file as an absolute path; the data set names it relative to its own folder."""
    return Path(os.path.normpath(raw.resolve() / relative))


def _choose(model: Path, truth: Path, jobs: int) -> bool:
    """Run nnU-Net's comparison of all predictions with and without their smaller regions."""
    from nnunetv2.evaluation.accumulate_cv_results import accumulate_cv_results
    from nnunetv2.postprocessing.remove_connected_components import determine_postprocessing

    merged = model / RESULT
    accumulate_cv_results(str(model), str(merged), _FOLDS, jobs, overwrite=True)
    functions, _ = determine_postprocessing(
        str(merged), str(truth), str(merged / "plans.json"), str(merged / "dataset.json"), jobs
    )
    return bool(functions)
