"""Our loop over nnU-Net's preprocessing: every slice once, as nnU-Net's own step makes it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from training.nnunet.preprocess import preprocess

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_slice_is_what_nnunet_makes_of_it(model: Path, tmp_path: Path, jobs: int):
    from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
    from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

    work, name = model.parents[2], model.parent.name
    raw, there = work / "nnUNet_raw" / name, tmp_path / "preprocessed"
    there.mkdir()
    shutil.copy(work / "nnUNet_preprocessed" / name / "dataset.json", there)
    plans = json.loads((model / "plans.json").read_text())
    out = there / plans["configurations"]["2d"]["data_identifier"]
    out.mkdir()
    (out / "of a run before").touch()
    preprocess(raw, there, plans, jobs)

    dataset = json.loads((there / "dataset.json").read_text())
    files = get_filenames_of_train_images_and_targets(str(raw), dataset)
    assert {path.name for path in out.iterdir()} == {
        f"{slice_name}{end}" for slice_name in files for end in (".b2nd", "_seg.b2nd", ".pkl")
    }
    configuration = PlansManager(plans).get_configuration("2d")
    theirs = configuration.preprocessor_class(verbose=False)
    ours = nnUNetDatasetBlosc2(str(out))
    for slice_name in list(files)[::15]:
        one = files[slice_name]
        made = theirs.run_case(one["images"], one["label"], PlansManager(plans), configuration, dataset)
        data, seg, _, properties = ours.load_case(slice_name)
        np.testing.assert_array_equal(data[:], made[0])
        np.testing.assert_array_equal(seg[:], made[1])
        assert properties["shape_before_cropping"] == made[2]["shape_before_cropping"]
        assert properties["spacing"] == made[2]["spacing"]
