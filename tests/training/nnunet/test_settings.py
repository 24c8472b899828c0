"""One list of settings: command line, YAML and workflow agree, and folds begun by earlier versions still count."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from inference.errors import FormatError
from training.cli import parser
from training.experiments.declaration import FOLDER, Training, read_experiment
from training.nnunet.run import _forget_if_changed, _ways
from training.nnunet.settings import FitSettings, TrainingSettings, all_settings
from training.workflow.commands import Commands
from training.workflow.run import _claim

OTHER = {
    "plan": "realtime",
    "epochs": 3,
    "iterations": 4,
    "val_iterations": 5,
    "batch_size": 6,
    "patience": 7,
    "learning_rate": 0.5,
    "optimizer": "adamw",
    "loss": "slice-dice",
    "tumour_free": 0.25,
    "small_tumours": 4,
    "box_weight": 0.5,
    "consistency": 0.25,
    "start": "start.onnx",
    "start_share": 0.25,
    "bfloat16": True,
    "tensorboard": True,
    "device": "cuda",
    "gpus": 2,
    "workers": 3,
}


def declared(folder: Path, training: object) -> Path:
    path = folder / "one.yaml"
    simulate = {"cohort": "mini", "patients": 5, "seed": 1}
    cohorts = {name: {"labels": "us", "simulate": simulate} for name in ("a", "b")}
    models = {"m": {"cohorts": ["a"]}}
    compared = {"c": {"models": {"m": "m"}, "test": ["b"], "data": "five"}}
    content = {"title": "t", "simulated": True, "cohorts": cohorts, "models": models, "comparisons": compared}
    path.write_text(json.dumps(content | {"training": training}))
    return path


def test_every_setting_of_a_training_goes_from_yaml_through_the_workflow_to_the_command_line(tmp_path: Path):
    assert set(OTHER) == set(TrainingSettings.__struct_fields__), "a new setting: give it another value here"
    path = declared(tmp_path, OTHER | {"folds": [0]})
    line = Commands(read_experiment(path), path, small=False).fit("m", "0").split()
    given = vars(parser().parse_args(line[1:]))
    assert {name: given[name] for name in OTHER} == OTHER


def test_the_command_lines_defaults_are_the_settings():
    given = vars(parser().parse_args(["fit", "slices", "--work", "work"]))
    assert FitSettings(**{name: given[name] for name in all_settings()}) == FitSettings()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--tumour-free", "1", "< 1"),
        ("--epochs", "0", ">= 1"),
        ("--epochs", "many", "int"),
        ("--learning-rate", "0", "> 0"),
        ("--loss", "focul", "invalid choice"),
        ("--optimizer", "adam", "invalid choice"),
        ("--variant", "a__b", "plain name"),
        ("--fold", "5", "choose 0"),
    ],
)
def test_a_value_beyond_its_limits_is_refused(option: str, value: str, words: str, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["fit", "slices", "--work", "work", option, value])
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "training", [{"tumour_free": 1}, {"loss": "focul"}, {"optimizer": "adam"}, {"patience": -1}, {"learningrate": 1}]
)
def test_the_same_limits_hold_in_a_declaration(tmp_path: Path, training: dict):
    with pytest.raises(FormatError, match="is not the declaration of an experiment"):
        read_experiment(declared(tmp_path, training))


def test_folds_begun_by_earlier_versions_hold_the_same_lines(tmp_path: Path):
    """The lines are what version 0.1 wrote into learning.txt."""
    start = tmp_path / "start.onnx"
    start.write_bytes(b"weights")
    settings = FitSettings(learning_rate=0.003, loss="slice-dice", tumour_free=0.4, start=str(start))
    lines = _ways(settings)
    assert lines[:3] == ["learning rate 0.003", "slice Dice True", "tumour-free 0.4"]
    assert lines[3] == f"start {hashlib.sha256(b'weights').hexdigest()}"
    assert _ways(FitSettings()) == []
    assert _ways(FitSettings(small_tumours=3, loss="focal")) == ["loss focal", "small tumours 3"]


def test_a_working_folder_of_an_earlier_version_goes_on(tmp_path: Path):
    """Its mark names fewer settings, one of them under an old name."""
    path = declared(tmp_path, {"slice_dice": True, "folds": [0], "epochs": 9})
    _claim(path, tmp_path, small=False)
    mark = tmp_path / "experiment.json"
    then = json.loads(mark.read_text())
    assert msgspec.convert(then["training"], Training).loss == "slice-dice"
    then["training"] = {
        "plan": "full",
        "folds": [0],
        "epochs": 9,
        "iterations": None,
        "val_iterations": None,
        "batch_size": None,
        "learning_rate": None,
        "slice_dice": True,
        "tumour_free": None,
        "start": None,
        "bfloat16": False,
        "workers": 0,
        "device": "cpu",
    }
    mark.write_text(json.dumps(then))
    _claim(path, tmp_path, small=False)
    declared(tmp_path, {"folds": [0], "epochs": 9})
    with pytest.raises(FormatError, match="on other cohorts or settings"):
        _claim(path, tmp_path, small=False)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_every_bundled_declaration_names_settings_of_the_list(name: str):
    read_experiment(FOLDER / f"{name}.yaml")


def test_slices_preprocessed_by_an_earlier_version_stay_and_those_of_other_slices_go(tmp_path: Path):
    raw, preprocessed = tmp_path / "raw", tmp_path / "preprocessed"
    for folder in (raw, preprocessed):
        folder.mkdir()
    (preprocessed / "dataset.json").write_text(json.dumps({"slices_sha256": "one"}))
    (raw / "dataset.json").write_text(json.dumps({"slices_sha256": "one", "small_tumours": ["a"]}))
    _forget_if_changed(raw, preprocessed)
    assert preprocessed.is_dir()
    (raw / "dataset.json").write_text(json.dumps({"slices_sha256": "two", "small_tumours": ["a"]}))
    _forget_if_changed(raw, preprocessed)
    assert not preprocessed.exists()


@pytest.mark.parametrize("name", ["learning_rate", "box_weight", "consistency"])
@pytest.mark.parametrize("value", ["inf", "nan", "-1"])
def test_no_training_begins_with_what_is_no_size(name: str, value: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["fit", "slices", "--work", "work", f"--{name.replace('_', '-')}={value}"])
    assert ended.value.code == 2
    assert f"{value!r} will not do" in capsys.readouterr().err
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({name: float(value)}, TrainingSettings)
