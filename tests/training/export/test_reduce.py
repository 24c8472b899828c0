"""`ius-train reduce`: an exported file in fewer bits is the same model, and needs no training folder."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from processor import native

from inference.assets import demo_model_path
from inference.contract import SCHEMA
from inference.model.engine import Engine
from training.cli import main
from training.export.proof import golden_of
from training.slicing.slices import SliceRow, write_slice, write_slices

CPU, OPENVINO = ["CPUExecutionProvider"], ["OpenVINO"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model's golden frames with nnU-Net's masks as truth."""
    folder = tmp_path_factory.mktemp("store")
    contract = Engine.load(demo_model_path(), providers=CPU).contract
    for at, case in enumerate(golden_of(onnx.load(demo_model_path()), contract)):
        write_slice(case.pixels.astype(np.float32), case.spacing_mm, folder / "images" / f"P_k{at}_0000.nii.gz")
        write_slice(case.mask, case.spacing_mm, folder / "labels" / f"P_k{at}.nii.gz")
    return folder


def reduced(out: Path, store: Path, precision: str, model: Path | None = None) -> int:
    model = model or demo_model_path()
    return main(["reduce", str(model), "--out", str(out), "--precision", precision, "--verify", str(store)])


@pytest.mark.parametrize(
    ("precision", "provider"), [("float16", CPU), pytest.param("bfloat16", OPENVINO, marks=native)]
)
def test_the_bundled_file_becomes_one_in_fewer_bits(store: Path, tmp_path: Path, precision: str, provider: list[str]):
    out = tmp_path / "fewer.onnx"
    assert reduced(out, store, precision) == 0
    before, after = Engine.load(demo_model_path(), providers=CPU), Engine.load(out, providers=provider)
    now, then = after.contract, before.contract
    assert (now.provenance.precision, now.reduction.slices, now.reduction.n_slices) == (precision, store.name, 4)
    assert now.reduction.dice_mean > 0.99
    assert (now.parity, now.population, now.identity) == (then.parity, then.population, then.identity)
    assert then.certainty
    assert (now.schema, now.certainty) == (SCHEMA, ()), "it was measured in float32"
    assert precision in out.with_suffix(".md").read_text()
    tile = np.random.default_rng(0).standard_normal((1, 1, *now.input.patch)).astype(np.float32)
    assert 0 < np.abs(before.run(tile) - after.run(tile)).mean() < 0.1, "other bits, the same network"


def test_what_cannot_be_reduced_is_one_sentence_and_no_file(store: Path, tmp_path: Path, capsys):
    once, twice = tmp_path / "once.onnx", tmp_path / "twice.onnx"
    assert reduced(once, store, "float16") == 0
    kept = once.read_bytes()
    for arguments, words in (
        ((twice, store, "float16", once), "in float16 already"),
        ((once, store, "float16", once), "is the model itself"),
        ((twice, store, "int8"), "name their store with --train"),
        ((twice, store, "float16", tmp_path / "none.onnx"), "none.onnx"),
        ((twice, tmp_path, "float16"), "There are no .nii.gz slices"),
    ):
        capsys.readouterr()
        assert reduced(*arguments) != 0
        said = capsys.readouterr().err
        assert words in said
        assert said.count("\n") == 1
    assert once.read_bytes() == kept
    assert not twice.exists()


def test_what_fewer_bits_cost_is_not_measured_on_patients_of_the_training(tmp_path: Path, capsys):
    for name in ("training", "verify"):
        row = SliceRow(f"{name}_k0001", "Case1", "Case1", "k", 1, 0.0, 8, 8, 0.5, 0.5)
        (tmp_path / name).mkdir()
        write_slices([row], tmp_path / name / "slices.csv")
    words = ["--verify", str(tmp_path / "verify"), "--train", str(tmp_path / "training"), "--precision", "float16"]
    assert main(["reduce", str(demo_model_path()), "--out", str(tmp_path / "fewer.onnx"), *words]) != 0
    assert "Case1 is in training" in capsys.readouterr().err
