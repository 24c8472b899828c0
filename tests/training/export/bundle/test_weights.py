"""The network that MONAI builds and fills is the one that was exported."""

import json
import sys
import warnings
from types import ModuleType

import pytest
import torch

from inference.assets import demo_model_path
from training.cli import main
from training.export import folds
from training.export.bundle.weights import configuration, weights_of
from training.export.network import build_network
from training.nnunet.results.checkpoint import read_trained


@pytest.mark.parametrize(("count", "residual"), [(1, True), (2, False)])
def test_monais_network_answers_as_the_exported_one(model_folder, tmp_path, monkeypatch, count, residual):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of MONAI's imports
        from monai.bundle import ConfigParser
    trained = read_trained(model_folder(folds=count, residual=residual), range(count))
    scripts = ModuleType("scripts")
    scripts.folds = folds
    monkeypatch.setitem(sys.modules, "scripts", scripts)
    monkeypatch.setitem(sys.modules, "scripts.folds", folds)
    (tmp_path / "models").mkdir()
    torch.save(weights_of(trained), tmp_path / "models/model.pt")
    (tmp_path / "weights.json").write_text(json.dumps(configuration(trained)))
    parser = ConfigParser({"imports": ["$import torch"], "bundle_root": str(tmp_path)})
    parser.update(ConfigParser.load_config_file(tmp_path / "weights.json"))
    network = parser.get_parsed_content("network_def").eval()
    parser.get_parsed_content("initialize")
    image = torch.randn(1, 1, *trained.patch, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = torch.cat([build_network(trained, fold)(image) for fold in range(count)])
        torch.testing.assert_close(network(image), wanted, rtol=0, atol=0)


def test_weights_of_another_model_are_refused_whatever_its_postprocessing_was(published, tmp_path, capsys):
    zipped, out = published(twin=False, folds=1), tmp_path / "demo"
    assert main(["bundle", str(demo_model_path()), "--out", str(out), "--weights", str(zipped)]) == 2
    assert "does not hold the weights that demo.onnx was exported from" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
