"""A third label: masks of tumour and cavity equal those of nnU-Net's own predictor, to the pixel."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from inference.contract import CAVITY_SCHEMA, ModelContract
from inference.errors import ModelError
from inference.model.engine import Engine
from inference.model.golden import GoldenCase
from training.export import parity
from training.export.export import export_model
from training.export.golden_cases import insist
from training.export.precision import Precision
from training.export.samples import draw_samples
from training.nnunet.results.checkpoint import read_trained

CPU = ["CPUExecutionProvider"]
SAMPLES = draw_samples(6, seed=1, field_mm=(12.0, 40.0)) + draw_samples(2, seed=2, field_mm=(40.0, 60.0))


@pytest.fixture(scope="module")
def both(model_folder, tmp_path_factory):
    """Two folds of a network of three labels, and their export behind the gate."""
    folder, out = model_folder(folds=2, transposed=True, cavity=True), tmp_path_factory.mktemp("three")
    for one in SAMPLES:
        image = sitk.GetImageFromArray(one.pixels)
        image.SetSpacing(one.spacing_mm[::-1])
        sitk.WriteImage(image, out / f"{one.name}-{one.pixels.shape[0]}.nii.gz")
    contract = export_model(folder, out / "three.onnx", folds=(0, 1), name="Blobs", simulated=True, verify=out)
    return read_trained(folder, [0, 1]), Engine.load(out / "three.onnx", providers=CPU), contract


def test_tumour_and_cavity_are_nnunets_to_the_pixel(both):
    trained, engine, contract = both
    assert {one.mode: one.n_slices for one in contract.parity} == {"fast": 8, "thorough": 3}
    assert min(one.identical for one in contract.parity) >= 7 / 8
    masks = parity.predict_all(parity.Reference(trained), SAMPLES[4:])
    comparisons = parity.compare_all(engine, SAMPLES[4:], masks)
    parity.demand(comparisons)
    assert sum({1, 2} <= set(np.unique(mask)) for mask in masks) >= 2, "nothing is proved where one label is missing"
    swallowed = [np.where(mask == 2, 1, mask).astype(np.uint8) for mask in masks]
    with pytest.raises(ModelError, match="disagrees with nnU-Net"):
        parity.demand(parity.compare_all(engine, SAMPLES[4:], swallowed))


def test_the_file_names_its_cavity_and_its_golden_frames_show_both(both):
    _, engine, contract = both
    assert (contract.schema, contract.output.cavity_index) == (CAVITY_SCHEMA, 2)
    assert contract.output.labels == {"background": 0, "tumor": 1, "cavity": 2}
    assert ModelContract.from_json(contract.to_json()) == contract
    labels = [set(np.unique(case.mask)) for case in engine._golden]
    assert sum(1 in one for one in labels) >= 3
    assert any(2 in one for one in labels)
    assert labels[-1] == {0}
    assert engine.self_test.passed


def test_no_cavity_in_the_golden_frames_is_no_proof(both):
    _, engine, _ = both
    insist(engine._golden, cavity=True)
    without = [GoldenCase(one.pixels, one.spacing_mm, (one.mask == 1).astype(np.uint8)) for one in engine._golden]
    with pytest.raises(ModelError, match="sees a cavity on none"):
        insist(without, cavity=True)


def test_fewer_bits_are_refused(model_folder, tmp_path):
    with pytest.raises(ModelError, match="in float32"):
        export_model(
            model_folder(cavity=True), tmp_path / "a.onnx", name="x", simulated=True, precision=Precision.FLOAT16
        )
