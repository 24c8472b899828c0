"""A bundle as MONAI takes it: with nothing of this repository at hand, its masks are the engine's."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import nibabel as nib
import numpy as np
import onnx
import pytest

from inference.assets import demo_clip_path, demo_model_path
from inference.contract import Mode
from inference.errors import ModelError, OutputError
from inference.frame import Frame
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.nifti import picture_header
from inference.outcome import Tumour
from inference.sources import open_source
from inference.spacing import PixelSpacing, Provenance
from training.export.bundle.metadata import TRIED
from training.export.bundle.write import write_bundle

_TEXTS = "schema version monai_version pytorch_version numpy_version name task description authors copyright"
_MORE_TEXTS = "intended_use data_source data_type image_classes label_classes pred_classes"
_TENSOR = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in ("type", "format", "dtype")},
        "num_channels": {"type": "integer"},
        "spatial_shape": {"type": "array", "items": {"type": ["string", "integer"]}},
        "value_range": {"type": "array", "items": {"type": "number"}},
        "is_patch_data": {"type": "boolean"},
        "channel_def": {"type": "object"},
    },
    "required": ["type", "format", "num_channels", "spatial_shape", "dtype", "value_range"],
}
_TENSORS = {"type": "object", "minProperties": 1, "additionalProperties": _TENSOR}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2019-09/schema",
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in f"{_TEXTS} {_MORE_TEXTS}".split()},
        **{name: {"type": "object"} for name in ("changelog", "required_packages_version", "eval_metrics")},
        "references": {"type": "array", "items": {"type": "string"}},
        "network_data_format": {
            "type": "object",
            "properties": {"inputs": _TENSORS, "outputs": _TENSORS},
            "required": ["inputs", "outputs"],
        },
    },
    "required": [*_TEXTS.split(), "required_packages_version", "network_data_format"],
}
"""What MONAI's schema of 2024-07-25 asks for, which MONAI itself fetches from the network."""

MONAI = """
import json, runpy, sys, traceback
for name in ("matplotlib", "sklearn", "pandas", "torchvision", "skimage", "tensorboard", "onnx", "PIL", "pydicom"):
    sys.modules[name] = None
from monai.bundle import verify_metadata
verify_metadata(meta_file="configs/metadata.json", filepath="schema.json")
for run in json.loads(sys.argv[1]):
    sys.argv = ["monai.bundle", "run", "--config_file", "configs/inference.json", *run]
    try:
        runpy.run_module("monai.bundle", run_name="__main__")
    except RuntimeError:
        traceback.print_exc()
"""
"""`python -m monai.bundle run ...` several times in one process, since MONAI takes seconds to start. What it would take
up where it is installed, and the bundle's own README does not ask for, is not there."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The bundled model as a bundle."""
    out = tmp_path_factory.mktemp("bundle") / "demo"
    write_bundle(demo_model_path(), out)
    (out / "schema.json").write_text(json.dumps(SCHEMA))  # a file that is there is not fetched
    return out


@pytest.fixture(scope="module")
def engine():
    """The bundled model as the viewer runs it."""
    return Engine.load(demo_model_path())


def frames() -> dict[Mode, Frame]:
    """Two with tumour: one as it is; one of 16 bits with oblong pixels, larger than a tile."""
    with open_source(str(demo_clip_path())) as clip:
        plain, other = clip.read(60), clip.read(150)
    oblong = PixelSpacing(0.3, 0.17, Provenance.HEADER)
    wide = replace(other, pixels=other.pixels.astype(np.uint16) * 200, spacing=oblong)
    return {Mode.FAST: plain, Mode.THOROUGH: wide}


def write_slice(frame: Frame, spacing: PixelSpacing | None, path: Path) -> None:
    """A frame as 2D NIfTI."""
    path.parent.mkdir(exist_ok=True)
    nib.Nifti1Image(frame.pixels.T, None, picture_header(spacing)).to_filename(path)


def damaged_model(path: Path) -> Path:
    """The bundled model with the weights of its labels exchanged, and the same contract."""
    model = onnx.load(demo_model_path())
    weights = next(one for one in model.graph.initializer if len(one.dims) == 4 and one.dims[0] == 2)
    weights.raw_data = onnx.numpy_helper.to_array(weights)[::-1].tobytes()
    onnx.save(model, path)
    return path


def test_monai_runs_it_and_every_pixel_is_the_engines(bundle: Path, engine: Engine, tmp_path: Path):
    known, runs = frames(), []
    for mode, frame in known.items():
        write_slice(frame, frame.spacing, tmp_path / mode / "slice.nii.gz")
        runs.append([f"--dataset_dir={tmp_path / mode}", f"--output_dir={tmp_path / mode}", f"--mode={mode}"])
    write_slice(frame, None, tmp_path / "unknown/unknown.nii.gz")
    runs.append([f"--dataset_dir={tmp_path}/unknown", f"--output_dir={tmp_path}/none"])
    runs.append([f"--dataset_dir={tmp_path}/nowhere", f"--output_dir={tmp_path}/none"])
    damaged = damaged_model(tmp_path / "damaged.onnx")
    runs.append([f"--dataset_dir={tmp_path}/fast", f"--output_dir={tmp_path}/none", f"--network_def::path={damaged}"])
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MONAI, json.dumps(runs)],
        cwd=bundle,
        env=alone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "metadata is verified with no error" in done.stdout + done.stderr
    for mode, frame in known.items():
        outcome, written = Segmenter(engine, mode=mode)(frame), nib.load(tmp_path / mode / "slice_mask.nii.gz")
        assert isinstance(outcome, Tumour), "nothing is proved without a tumour"
        np.testing.assert_array_equal(np.asarray(written.dataobj).T, outcome.mask)
        np.testing.assert_allclose(written.affine, picture_header(frame.spacing).get_best_affine(), rtol=1e-6)
    assert "nobody vouches for it" in done.stderr
    assert "name the folder of the slices" in done.stderr
    assert "does not reproduce its golden masks" in done.stderr
    assert not (tmp_path / "none").exists()


def test_its_metadata_is_what_the_contract_says(bundle: Path, engine: Engine):
    told = json.loads((bundle / "configs/metadata.json").read_text())
    jsonschema.validate(told, SCHEMA)
    contract = engine.contract
    network = told["network_data_format"]
    assert network["inputs"]["image"]["spatial_shape"] == list(contract.input.patch)
    assert network["outputs"]["pred"]["channel_def"] == {"0": "background", "1": "tumor"}
    assert told["intended_use"] == contract.identity.intended_use
    assert contract.population.words in told["description"]
    assert all(scores["simulated"] for scores in told["eval_metrics"].values())
    assert told["ius_contract"]["input"]["spacing_mm"] == list(contract.input.spacing_mm)


def test_it_has_card_and_licence_and_the_very_model(bundle: Path):
    assert (bundle / "models/model.onnx").read_bytes() == demo_model_path().read_bytes()
    readme = (bundle / "docs/README.md").read_text()
    assert "never evidence of clinical accuracy" in readme
    assert "cd demo\n" in readme
    assert (bundle / "LICENSE").read_text().startswith("models/: Apache-2.0\n")


def test_nothing_is_overwritten_and_nothing_is_left_of_a_failure(bundle: Path, tmp_path: Path):
    with pytest.raises(OutputError, match="is there already"):
        write_bundle(demo_model_path(), bundle)
    (tmp_path / "no.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError):
        write_bundle(tmp_path / "no.onnx", tmp_path / "out")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["no.onnx"]


def test_it_names_the_versions_that_these_tests_run():
    constraints = Path(__file__).resolve().parents[4] / "packaging/constraints.txt"
    assert {f"{name}=={version}" for name, version in TRIED.items()} <= set(constraints.read_text().split())
