"""Results folders and zips that are found, read and exported, and those that are refused with a sentence."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from inference.errors import FormatError, ModelError
from inference.model.engine import Engine
from training.cli import main
from training.export import training_facts as facts
from training.export.network import build_network
from training.export.samples import draw_samples
from training.nnunet.results.checkpoint import read_trained


@pytest.fixture(scope="module")
def model_zip(published):
    return published()


def test_a_published_zip_becomes_a_model_in_one_command(model_zip, tmp_path, capsys):
    out = tmp_path / "mri_200.onnx"
    command = ["export", str(model_zip), "--out", str(out), "--name", "MRI_200", "--folds", "0", "3"]
    assert main([*command, "--label-origin", "mri", "--population", "MRI_200"]) == 0, capsys.readouterr().err
    engine = Engine.load(out)
    contract = engine.contract
    assert (contract.output.folds, contract.output.keep_largest) == (2, True)
    assert contract.provenance.trainer == "nnUNetTrainerWithESandDA5"
    assert contract.provenance.nnunetv2 == "version not recorded"
    assert (contract.population.n_patients, contract.population.simulated) == (98, False)
    # Published zips have no fingerprint, so there are only the plans' medians.
    assert (contract.input.seen.rows, contract.input.seen.cols) == ((64, 64), (80, 80))
    assert "On the median" in out.with_suffix(".md").read_text()
    tumour = draw_samples(2, seed=1)[1]
    assert (engine.segment(tumour.pixels, tumour.spacing_mm).margin.whole() > 0).any()
    assert _status(out, tmp_path / "status.json")["outcome"] in ("tumour", "none")


def _status(model, status):
    """The status report of a viewer that has analysed a phantom with the model."""
    command = [
        sys.executable,
        "-m",
        "viewer.app",
        "simulated:",
        "--model",
        model,
        "--exit-after",
        "4",
        "--status",
        status,
    ]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [*map(str, command)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(status.read_text())


@pytest.mark.parametrize("name", facts.published_populations())
def test_published_populations_are_those_of_the_paper(name):
    population = facts.read_population(name)
    assert {"MRI_200": 98, "US_200": 23, "MRI+US_200": 121}[name] == population.n_patients
    assert not population.simulated
    assert population.views == ("slice",)
    assert "no tumour-free slice" in population.words


def test_a_population_that_is_none_is_named(tmp_path):
    with pytest.raises(FormatError, match="MRI_200"):
        facts.read_population("MRI_300")
    (tmp_path / "p.json").write_text(json.dumps({"words": "some patients"}))
    with pytest.raises(FormatError, match="phases"):
        facts.read_population(str(tmp_path / "p.json"))


def test_the_template_of_a_population_is_taken_once_it_is_filled_in(tmp_path):
    path = tmp_path / "population.json"
    with pytest.raises(SystemExit) as end:
        main(["export", "--population-template", str(path)])
    assert end.value.code == 0
    with pytest.raises(FormatError, match="n_patients"):
        facts.read_population(str(path))
    told = json.loads(path.read_text()) | {"n_patients": 12, "grades": [], "sites": [], "scanners": ["BK 5000"]}
    path.write_text(json.dumps(told))
    with pytest.raises(FormatError, match="'TO FILL IN' under words"):
        facts.read_population(str(path))
    path.write_text(json.dumps(told | {"words": "Twelve patients.", "tumour_types": ["glioma"]}))
    assert facts.read_population(str(path)).scanners == ("BK 5000",)


@pytest.mark.parametrize("above", ["nested once/", "nested/twice/"])
def test_a_zip_may_nest_its_folder(published, model_zip, above):
    direct, nested = read_trained(model_zip, [1]), read_trained(published(above=above), [1])
    assert nested.plans == direct.plans
    assert nested.checkpoints == direct.checkpoints


def test_any_folder_above_the_model_will_do(model_folder):
    folder = model_folder()
    digests = {read_trained(path, [0]).checkpoints for path in (folder, folder.parent, folder.parent.parent)}
    assert len(digests) == 1


def test_folds_checkpoints_and_training_on_everything(model_folder):
    folder = model_folder(folds=3)
    shutil.copytree(folder / "fold_2", folder / "fold_all")
    (folder / "fold_1" / "checkpoint_best.pth").rename(folder / "fold_1" / "checkpoint_final.pth")
    two, last = read_trained(folder, [2, 0]), read_trained(folder, [1], "final")
    assert two.checkpoints[0] != two.checkpoints[1]
    assert last.checkpoints[0] not in two.checkpoints
    assert read_trained(folder, ["all"]).checkpoints[0] == two.checkpoints[0]
    with pytest.raises(ModelError, match=r"no checkpoint at .*fold_1.*only .*fold_1/checkpoint_final\.pth"):
        read_trained(folder, [1])


def test_the_network_of_old_plans_is_that_of_new_ones(model_folder):
    for residual in (False, True):
        old, new = (read_trained(model_folder(residual=residual, old=old), [0]) for old in (True, False))
        assert old.plan == new.plan
        picture = torch.rand(1, 1, *old.patch)
        with torch.no_grad():
            assert torch.equal(build_network(old)(picture), build_network(new)(picture))


def test_a_checkpoint_of_old_numpy_is_read(model_folder):
    file = model_folder() / "fold_0" / "checkpoint_best.pth"
    parts = _parts(file)
    name = next(name for name in parts if name.endswith("data.pkl"))
    assert b"numpy._core.multiarray" in parts[name]
    parts[name] = parts[name].replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert read_trained(file.parent.parent, [0]).weights


def _parts(file):
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_only_the_2d_model_of_a_data_set_is_taken(model_folder):
    folder = model_folder()
    beside = shutil.copytree(folder, folder.parent / "nnUNetTrainer__nnUNetPlans__3d_fullres")
    assert read_trained(folder.parent, [0]).folder == folder
    shutil.copytree(folder, folder.parent / "nnUNetTrainer__nnUNetPlans__2d")
    with pytest.raises(ModelError, match=r"several models .*name the folder of one"):
        read_trained(folder.parent, [0])
    _change(beside / "plans.json", lambda plans: plans["configurations"]["2d"].update(patch_size=[32, 64, 64]))
    with pytest.raises(ModelError, match="is a 3D model"):
        read_trained(beside, [0])


def test_a_configuration_by_another_name_inherits_from_2d(model_folder):
    folder = model_folder()
    _change(folder / "plans.json", lambda plans: plans["configurations"].update({"2d_wide": {"inherits_from": "2d"}}))
    plain = read_trained(folder, [0])
    file = folder / "fold_0" / "checkpoint_best.pth"
    _change_checkpoint(file, lambda checkpoint: checkpoint["init_args"].update(configuration="2d_wide"))
    assert read_trained(folder, [0]).plan == plain.plan
    _change_checkpoint(file, lambda checkpoint: checkpoint["init_args"].update(configuration="3d_fullres"))
    with pytest.raises(ModelError, match="no configuration '3d_fullres', only 2d, 2d_wide"):
        read_trained(folder, [0])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"channel_names": {"0": "US", "1": "T1"}}, r"wants 2 channels \(US, T1\)"),
        ({"labels": {"background": 0, "core": 1, "edema": 2}}, "labels background, core, edema"),
        ({"labels": {"background": 0, "whole": [1, 2], "core": [2]}, "regions_class_order": [1, 2]}, "regions"),
        ({"labels": {"background": 0, "whole": [1]}}, "regions"),
        ({"labels": None}, "does not name its channels and labels"),
    ],
)
def test_other_tasks_are_refused(model_folder, change, sentence):
    folder = model_folder()
    _change(folder / "dataset.json", lambda dataset: dataset.update(change))
    with pytest.raises(ModelError, match=sentence):
        read_trained(folder, [0])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda plan: plan.update(UNet_class_name="PrimusM"), "Unknown architecture PrimusM"),
        (lambda plan: plan.pop("conv_kernel_sizes"), "'conv_kernel_sizes' is missing"),
        (lambda plan: plan.update(patch_size=[64, 1 << 30]), "patch_size"),
        (lambda plan: plan.update(spacing="0.2"), "spacing"),
    ],
)
def test_plans_that_are_no_plans_are_one_sentence(model_folder, change, sentence):
    folder = model_folder(old=True)
    _change(folder / "plans.json", lambda plans: change(plans["configurations"]["2d"]))
    with pytest.raises(ModelError, match=sentence):
        read_trained(folder, [0])


def test_a_trainer_with_a_network_of_its_own_is_named(model_folder):
    folder = model_folder(trainer="nnUNetTrainerBN")
    _change(
        folder / "plans.json",
        lambda plans: plans["configurations"]["2d"]["architecture"]["arch_kwargs"].update(
            features_per_stage=[8, 16, 32]
        ),
    )
    with pytest.raises(ModelError, match="nnUNetTrainerBN"):
        build_network(read_trained(folder, [0]))


def test_postprocessing_is_read_from_its_twin_or_asked_for(published, model_zip):
    assert read_trained(model_zip, [0]).keep_largest
    pickled = published(twin=False)
    with pytest.raises(ModelError, match=r"postprocessing\.pkl is a pickle.*--postprocessing none or largest"):
        read_trained(pickled, [0])
    assert read_trained(pickled, [0], postprocessing="largest").keep_largest
    assert not read_trained(pickled, [0], postprocessing="none").keep_largest


def test_cross_validation_results_count_and_may_not_disagree(model_folder):
    folder = model_folder()
    assert not read_trained(folder, [0]).keep_largest
    (folder / "crossval_results_folds_0_1").mkdir()
    twin = folder / "crossval_results_folds_0_1" / "postprocessing.json"
    kept = {"labels_or_regions": [1]}
    step = "remove_all_but_largest_component_from_segmentation"
    twin.write_text(json.dumps({"postprocessing_fns": [step], "postprocessing_kwargs": [kept]}))
    assert read_trained(folder, [0]).keep_largest
    (folder / "postprocessing.json").write_text(json.dumps({"postprocessing_fns": [], "postprocessing_kwargs": []}))
    with pytest.raises(ModelError, match="disagrees with itself"):
        read_trained(folder, [0])
    (folder / "postprocessing.json").unlink()
    twin.write_text(json.dumps({"postprocessing_fns": ["fill_holes"], "postprocessing_kwargs": [{}]}))
    with pytest.raises(ModelError, match="not reproduced"):
        read_trained(folder, [0])


def test_medians_of_transposed_plans_are_put_back(model_folder):
    from training.export.input_ranges import seen_in_training

    folder = model_folder(transposed=True)
    (folder / "dataset_fingerprint.json").unlink()
    seen = seen_in_training(read_trained(folder, [0]))
    assert (seen.rows, seen.cols) == ((80, 80), (64, 64))


def _change(file: Path, change):
    value = json.loads(file.read_text())
    change(value)
    file.write_text(json.dumps(value))


def _change_checkpoint(file: Path, change):
    checkpoint = torch.load(file, weights_only=False)
    change(checkpoint)
    torch.save(checkpoint, file)
