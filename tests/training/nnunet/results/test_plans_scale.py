"""A plan's spacing is in millimetres, or in pixels if the pictures state no scale."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from inference.errors import ModelError
from training.nnunet.dataset import DIGEST
from training.nnunet.results.checkpoint import read_trained
from training.nnunet.results.plans import in_millimetres

PLANS = {"configurations": {"2d": {"spacing": [1.0, 1.0]}}, "transpose_forward": [0, 1, 2]}


def test_a_model_trained_on_png_is_refused_until_its_scale_is_said(shared_data: Path) -> None:
    model = shared_data / "field/nnunet_png_model/Dataset599_Blobs"
    with pytest.raises(ModelError, match="--spacing ROW,COL"):
        read_trained(model, [0])
    trained = read_trained(model, [0], spacing_mm=(0.25, 0.2))
    assert trained.plan.spacing == (0.25, 0.2)
    assert trained.plans["configurations"]["2d"]["spacing"] == [0.25, 0.2]
    counted = json.loads(next(model.rglob("dataset_fingerprint.json")).read_text())["spacings"]
    known = [[one[0], one[1] * 0.25, one[2] * 0.2] for one in counted]
    assert trained.fingerprint["spacings"] == known


@pytest.mark.parametrize("reader", ["NaturalImage2DIO", "Tiff3DIO"])
def test_readers_of_pictures_know_no_scale(reader: str) -> None:
    plans = PLANS | {"image_reader_writer": reader}
    with pytest.raises(ModelError, match="counts pixels"):
        in_millimetres(plans, {}, None, Path("m"))


@pytest.mark.parametrize("ending", [".png", ".TIF", ".tiff", ".jpg", ".bmp"])
def test_neither_do_files_of_pictures(ending: str) -> None:
    with pytest.raises(ModelError, match="counts pixels"):
        in_millimetres(PLANS, {"file_ending": ending}, None, Path("m"))


@pytest.mark.parametrize(
    ("fingerprint", "medians", "counted"),
    [
        ({"spacings": [[999.0, 1.0, 1.0], [999, 1, 1]]}, [999.0, 1.0, 1.0], True),
        ({}, [999.0, 1.0, 1.0], True),
        ({"spacings": [[999.0, 1.0, 1.0], [999.0, 0.2, 0.2]]}, [999.0, 1.0, 1.0], False),
        ({}, [999.0, 1.0, 0.9], False),
    ],
    ids=["all of them", "without a fingerprint", "one of many", "other medians"],
)
def test_nifti_of_which_nobody_said_how_large_its_pixels_are(
    fingerprint: dict[str, Any], medians: list[float], counted: bool
) -> None:
    """It has pixels of 1 mm for ITK and nibabel alike, so that nnU-Net's own answer is of another scale than ours."""
    plans = PLANS | {"image_reader_writer": "SimpleITKIO", "original_median_spacing_after_transp": medians}
    if not counted:
        assert in_millimetres(plans, {}, None, Path("m"), fingerprint) == plans
        return
    with pytest.raises(ModelError, match="counts pixels"):
        in_millimetres(plans, {}, None, Path("m"), fingerprint)
    said = in_millimetres(plans, {}, (0.3, 0.2), Path("m"), fingerprint)
    assert said["configurations"]["2d"]["spacing"] == [0.3, 0.2]
    assert in_millimetres(plans, {DIGEST: ""}, None, Path("m"), fingerprint) == plans, "cut by 'ius-train slice'"


def test_rows_and_columns_are_exchanged_with_the_network_s() -> None:
    plans = PLANS | {"image_reader_writer": "NaturalImage2DIO", "transpose_forward": [0, 2, 1]}
    known = in_millimetres(plans, {}, (0.3, 0.2), Path("m"))
    assert known["configurations"]["2d"]["spacing"] == [0.2, 0.3]


def test_a_scale_that_the_plan_states_is_not_overruled() -> None:
    with pytest.raises(ModelError, match="leave --spacing out"):
        in_millimetres(PLANS | {"image_reader_writer": "SimpleITKIO"}, {}, (0.3, 0.3), Path("m"))


def test_a_configuration_that_inherits_is_read_whole(shared_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(shared_data / "field/nnunet_inherits_crash/Dataset599_Blobs", folder)
    trained = read_trained(folder, [0])
    assert trained.plan.spacing == (0.6, 0.5)
    assert trained.plan.patch_size == (64, 80)
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    assert PlansManager(trained.plans).get_configuration("2d").patch_size == [64, 80]
