"""The mean of several trainings: weights are averaged, a margin is applied, other networks are refused."""

import json
import shutil

import numpy as np
import pytest
import torch

from training.cli import main
from training.export.export import export_model
from training.nnunet.predict import load_folds


@pytest.fixture(scope="module")
def pair(model_folder, tmp_path_factory):
    """Two trained folders whose weights differ, and the second one's export."""
    first, two = model_folder(), model_folder(folds=2)
    second = tmp_path_factory.mktemp("second") / two.name
    shutil.copytree(two, second)
    shutil.copyfile(two / "fold_1" / "checkpoint_best.pth", second / "fold_0" / "checkpoint_best.pth")
    export = second.parent / "second.onnx"
    export_model(second, export, name="Second", simulated=True)
    return first, second, export


def logits(folder) -> torch.Tensor:
    picture = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 1, 64, 80)).astype(np.float32))
    with torch.no_grad():
        return load_folds(folder, [0]).predictor.network(picture)


def weights(folder) -> dict[str, torch.Tensor]:
    return load_folds(folder, [0]).predictor.network.state_dict()


@pytest.mark.parametrize("by_export", [False, True])
def test_it_is_the_weighted_mean_of_folder_or_export(pair, tmp_path, by_export):
    first, second, export = pair
    member = export if by_export else second
    assert main(["average", str(first), str(member), "--weights", "3", "1", "--out", str(tmp_path / "mean")]) == 0
    a, b, mean = weights(first), weights(second), weights(tmp_path / "mean")
    for key, value in mean.items():
        if by_export and "seg_layers.0." in key:  # an export has no heads of deep supervision
            assert torch.equal(value, a[key])
            continue
        torch.testing.assert_close(value, 0.75 * a[key] + 0.25 * b[key], rtol=1e-6, atol=1e-7)
    assert any(not torch.equal(a[key], mean[key]) for key in mean)
    receipt = json.loads((tmp_path / "mean" / "receipt-average.json").read_text())
    assert len(receipt["inputs"]) == 2


def test_the_margin_is_taken_off_the_tumours_logit_everywhere(pair, model_folder, tmp_path):
    first, _, _ = pair
    third = model_folder(cavity=True)
    assert main(["average", str(third), "--margin", "1.5", "--out", str(tmp_path / "cavity")]) == 0
    before, after = logits(third), logits(tmp_path / "cavity")
    for other in (0, 2):
        torch.testing.assert_close(after[:, 1] - after[:, other], before[:, 1] - before[:, other] - 1.5)
    assert main(["average", str(first), "--margin", "1.5", "--out", str(tmp_path / "mean")]) == 0
    before, after = logits(first), logits(tmp_path / "mean")
    torch.testing.assert_close((after[:, 1] - after[:, 0]), (before[:, 1] - before[:, 0]) - 1.5)
    out = tmp_path / "mean.onnx"
    assert export_model(tmp_path / "mean", out, name="Mean", simulated=True).output.threshold == 0.5


def test_what_is_not_the_same_network_is_refused(pair, model_folder, tmp_path, capsys):
    first, second, export = pair
    other = model_folder(residual=True)
    coarser = tmp_path / "coarser"
    shutil.copytree(second, coarser)
    plans = json.loads((coarser / "plans.json").read_text())
    plans["configurations"]["2d"]["spacing"] = [0.7, 0.7]
    (coarser / "plans.json").write_text(json.dumps(plans))
    masked = tmp_path / "masked"
    shutil.copytree(second, masked)
    plans["configurations"]["2d"] |= {"spacing": [0.35, 0.35], "use_mask_for_norm": [True]}
    (masked / "plans.json").write_text(json.dumps(plans))
    turned = tmp_path / "turned"
    shutil.copytree(second, turned)
    plans = json.loads((second / "plans.json").read_text()) | {"transpose_forward": [0, 2, 1]}
    (turned / "plans.json").write_text(json.dumps(plans))
    for members, words in (
        ([first, other], "holds another network"),
        ([first, coarser], "sees other pictures than the first model: 64 x 80 pixels of 0.7 x 0.7 mm"),
        ([first, masked], "normalised without the black around, not"),
        ([first, turned], "rows and columns exchanged, normalised as a whole, not"),
        ([export, first], "has to be a trained folder"),
        ([first, tmp_path / "none"], "There is no"),
        ([first, second, "--weights", "1"], "Give 2 weights"),
        ([first, first], "named twice"),
    ):
        assert main(["average", *map(str, members), "--out", str(tmp_path / "mean")]) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "mean").exists()


def test_a_trained_folder_is_never_written_over(pair, capsys):
    first, second, _ = pair
    kept = (second / "fold_0" / "checkpoint_best.pth").read_bytes()
    assert main(["average", str(first), str(second), "--out", str(second)]) == 2
    assert "holds a model already" in capsys.readouterr().err
    assert (second / "fold_0" / "checkpoint_best.pth").read_bytes() == kept


def test_whom_an_averaged_export_was_trained_on_is_not_lost(pair, tmp_path, capsys):
    first, second, simulated = pair
    real = tmp_path / "real.onnx"
    export_model(second, real, name="Clinic", population="MRI_200", label_origin="mri")
    for number, member in enumerate((simulated, real)):
        assert main(["average", str(first), str(member), "--out", str(tmp_path / f"{number}")]) == 0
    assert main(["average", str(tmp_path / "1"), str(tmp_path / "0"), "--out", str(tmp_path / "both")]) == 0
    contract = export_model(tmp_path / "0", tmp_path / "0.onnx", name="Mean", simulated=True)
    source = "Its weights come in part from Second 1, trained on an unrecorded number of simulated patients."
    assert contract.population.words.endswith(source)
    out = tmp_path / "both.onnx"
    command = ["export", str(tmp_path / "both"), "--out", str(out), "--name", "Both", "--trial"]
    assert main([*command, "--simulated"]) == 2
    assert "Its weights come in part from Clinic 1, which was trained on real patients" in capsys.readouterr().err
    assert not out.exists()
