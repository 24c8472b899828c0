"""Predictions of an export over a slice store are nnU-Net's own masks, on the slices' own grids."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.model.engine import Engine
from training.cli import main
from training.export.export import export_model
from training.export.samples import draw_blobs
from training.io.receipt import sha256
from training.nnunet import predict
from training.nnunet.results.checkpoint import read_checkpoint
from training.slicing.slices import SliceRow, read_slice, write_slice, write_slices

SIZES = ((64, 80, 0.6, 0.5), (150, 120, 0.3, 0.4), (90, 130, 0.5, 0.5))


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """Three slices of mixed size and spacing."""
    folder, rng, rows = tmp_path_factory.mktemp("store"), np.random.default_rng(3), []
    for number, (height, width, row_mm, col_mm) in enumerate(SIZES):
        pixels, mask = draw_blobs(rng, (height, width), (row_mm, col_mm), True)
        area = float(mask.sum() * row_mm * col_mm)
        row = SliceRow(f"s{number}", "c", "p", "k", number, area, height, width, row_mm, col_mm)
        write_slice(pixels.astype(np.float32), (row_mm, col_mm), row.image(folder))
        write_slice(mask.astype(np.uint8), (row_mm, col_mm), row.label(folder))
        rows.append(row)
    write_slices(rows, folder / "slices.csv")
    return folder


@pytest.fixture(scope="module")
def model(model_folder, tmp_path_factory) -> tuple[Path, Path]:
    """A trained folder and its export."""
    folder, out = model_folder(), tmp_path_factory.mktemp("model") / "one.onnx"
    export_model(folder, out, name="Blobs", simulated=True)
    return folder, out


def masks(folder: Path) -> dict[str, np.ndarray]:
    return {path.name: read_slice(path) for path in sorted(folder.glob("*.nii.gz"))}


@pytest.mark.parametrize("mode", ["fast", "thorough"])
def test_an_export_predicts_what_nnunet_predicts(model, store, tmp_path, mode):
    trained, out = model
    for path, name in ((trained, "trained"), (out, "exported")):
        assert main(["predict", str(path), str(store), "--out", str(tmp_path / name), "--mode", mode]) == 0
    theirs, ours = masks(tmp_path / "trained"), masks(tmp_path / "exported")
    assert list(ours) == list(theirs) == ["s0.nii.gz", "s1.nii.gz", "s2.nii.gz"]
    for name, mask in theirs.items():
        assert mask.any(), "there is something to compare"
        assert np.count_nonzero(mask != ours[name]) <= 1, name
    receipt = json.loads((tmp_path / "exported" / "receipt-predict.json").read_text())
    assert str(out) in receipt["inputs"]


def test_the_thorough_mode_is_another_prediction_and_never_mixed_with_the_fast_one(model, store, tmp_path, capsys):
    _, out = model
    again = [str(out), str(store), "--out", str(tmp_path), "--mode", "thorough"]
    assert main(["predict", *again[:-2]]) == 0
    kept = masks(tmp_path)
    assert main(["predict", *again]) == 2
    assert "holds another model's predictions" in capsys.readouterr().err
    assert all(np.array_equal(mask, kept[name]) for name, mask in masks(tmp_path).items())
    shutil.rmtree(tmp_path)
    assert main(["predict", *again]) == 0
    assert any(not np.array_equal(mask, kept[name]) for name, mask in masks(tmp_path).items())


def test_a_trained_folder_predicts_over_all_mirrors_unless_it_is_told_not_to(model, store, tmp_path, capsys):
    """The default is nnU-Net's; its masks differ from those of one pass and are never mixed with them."""
    words = ["predict", str(model[0]), str(store), "--out"]
    assert main([*words, str(tmp_path / "default")]) == 0
    assert main([*words, str(tmp_path / "fast"), "--mode", "fast"]) == 0
    mirrored, once = masks(tmp_path / "default"), masks(tmp_path / "fast")
    assert any(not np.array_equal(mask, once[name]) for name, mask in mirrored.items())
    told = {name: json.loads((tmp_path / name / "receipt-predict.json").read_text()) for name in ("default", "fast")}
    assert [told[name]["settings"]["mode"] for name in told] == ["thorough", "fast"]
    capsys.readouterr()
    assert main([*words, str(tmp_path / "fast")]) == 2
    assert "holds another checkpoint's or mode's predictions" in capsys.readouterr().err


def test_masks_are_scored_in_the_mode_that_made_them(model, store, tmp_path, capsys):
    """Otherwise the screen would show the figures of one pass beside the results of four."""
    out, data = tmp_path / "masks", ["--data", "blobs", "--simulated"]
    assert main(["predict", str(model[1]), str(store), "--out", str(out), "--mode", "thorough"]) == 0
    scored = ["evaluate", str(out), str(store), "--out", str(tmp_path / "report"), *data]
    assert main([*scored, "--mode", "fast"]) == 2
    assert "predicted in thorough mode" in capsys.readouterr().err
    once = tmp_path / "once"
    assert main(["predict", str(model[1]), str(store), "--out", str(once)]) == 0
    assert main(["evaluate", f"a={out}", f"b={once}", "--slices", str(store), *scored[3:]]) == 2
    assert "predict all models in one mode" in capsys.readouterr().err
    unknown = tmp_path / "unknown"
    shutil.copytree(out, unknown)
    (unknown / "receipt-predict.json").unlink()
    both = ["evaluate", f"a={out}", f"b={unknown}", "--slices", str(store), *scored[3:]]
    assert main(both) == 2
    assert "in which mode" in capsys.readouterr().err
    assert main([*both, "--mode", "thorough"]) == 0
    assert main(scored) == 0
    assert json.loads((tmp_path / "report" / "summary.json").read_text())["mode"] == "thorough"


def test_what_an_export_decides_itself_is_not_silently_ignored(model, store, tmp_path, capsys):
    for words in (("--folds", "1"), ("--checkpoint", "final"), ("--device", "cuda")):
        assert main(["predict", str(model[1]), str(store), "--out", str(tmp_path / "out"), *words]) == 2
        assert "leave --folds, --checkpoint, --device out" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_an_export_ran_on_is_said_and_written_down(model, store, tmp_path, capsys):
    """A file in fewer bits runs in float32 where those do not run, and its scores are float32's then."""
    assert main(["predict", str(model[1]), str(store), "--out", str(tmp_path)]) == 0
    engine, told = Engine.load(model[1]), json.loads((tmp_path / "receipt-predict.json").read_text())
    assert told["settings"]["provider"] == engine.provider
    assert "\n".join(engine.fallbacks) in capsys.readouterr().err


def test_a_checkpoint_that_is_trained_further_meanwhile_did_not_make_the_masks(
    model_folder, store, tmp_path, monkeypatch
):
    """An evaluation of them would be taken for one of the better checkpoint, by the export of which it is the card."""
    folder = model_folder()
    file = folder / "fold_0" / "checkpoint_best.pth"
    read, predict_images = sha256(file), predict.predict_images

    def meanwhile(*arguments, **named):
        state = read_checkpoint(file)
        state["network_weights"] = {name: 2 * value for name, value in state["network_weights"].items()}
        torch.save(state, file)
        predict_images(*arguments, **named)

    monkeypatch.setattr(predict, "predict_images", meanwhile)
    assert main(["predict", str(folder), str(store), "--out", str(tmp_path), "--mode", "fast"]) == 0
    receipt = json.loads((tmp_path / "receipt-predict.json").read_text())
    assert sha256(file) != read
    assert receipt["settings"]["checkpoints"] == [read]
    assert receipt["inputs"][str(file)] == read
