"""Declared experiments, and the mistakes in them that are refused."""

from pathlib import Path

import msgspec
import pytest
import yaml

from inference.errors import FormatError, NotFoundError
from training.experiments.declaration import FOLDER, find_experiment, read_experiment
from training.slicing.slices import SliceRow, larger_than
from training.workflow.commands import Commands

SMALL = {
    "title": "Test",
    "simulated": True,
    "cohorts": {
        "mri": {"labels": "mri", "simulate": {"cohort": "mini", "patients": 5, "seed": 1, "label_error": "low"}},
        "test": {"labels": "us", "simulate": {"cohort": "test6", "patients": 2, "seed": 2}},
    },
    "models": {"MRI_0": {"cohorts": ["mri"]}},
    "comparisons": {"one": {"models": {"MRI_0": "MRI_0"}, "test": ["test"], "data": "two"}},
}

EXPORT = {"model": "MRI_0", "name": "A", "comparison": "one"}


def written(folder: Path, **changes: object) -> Path:
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(SMALL | changes))
    return path


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
@pytest.mark.parametrize("small", [False, True])
def test_every_bundled_experiment_is_whole(name: str, small: bool):
    experiment = read_experiment(find_experiment(name), small=small)
    for one in experiment.comparisons.values():
        learnt = {cohort for model in one.models.values() for cohort in experiment.models[model].cohorts}
        assert not learnt & {*one.test, *one.choose_on}


@pytest.mark.parametrize("name", ["after_resection", "small_structures"])
def test_a_short_run_differs_for_every_model_alike(name: str):
    long, short = (read_experiment(find_experiment(one)) for one in (name, f"{name}_short"))
    assert short.title != long.title
    assert short.models == {one: long.models[one] for one in short.models}
    assert short.slicing == long.slicing
    assert msgspec.structs.replace(short.training, folds=long.training.folds, epochs=40) == long.training
    tested = long.test_cohorts
    assert [short.cohorts[one] for one in tested] == [long.cohorts[one] for one in tested]


def test_a_declaration_extends_one_by_name_or_beside_it(tmp_path: Path):
    beside = tmp_path / "shorter.yaml"
    beside.write_text("extends: experiment.yaml\ntitle: Shorter\n")
    models = read_experiment(written(tmp_path)).models
    assert (read_experiment(beside).title, read_experiment(beside).models) == ("Shorter", models)
    beside.write_text("extends: nowhere\n")
    with pytest.raises(NotFoundError, match="no experiment nowhere"):
        read_experiment(beside)


def test_only_what_is_refined_asks_for_it():
    """The rigid command stays as it was, so that a folder of an earlier run is not registered anew."""
    experiment = read_experiment(find_experiment("refinement"))
    commands = Commands(experiment, Path("x.yaml"), small=False)
    lines = {name: commands.register(name) for name in ("rigid", "affine", "deformable")}
    assert "--refine" not in lines.pop("rigid")
    assert all(line.endswith(f"--refine {name}") for name, line in lines.items())


def test_the_papers_nine_cutoffs_and_its_exclusions():
    cutoffs = read_experiment(find_experiment("cutoffs"))
    assert [model.min_area for model in cutoffs.models.values()] == [0, 5, 15, 25, 35, 70, 100, 200, 300]
    assert all(cutoffs.folds(model) == (0, 1, 2, 3, 4) for model in cutoffs.models)
    assert "selected on test data" in cutoffs.comparisons["as-published"].note
    assert cutoffs.comparisons["honest"].choose_on == ("us",)
    origin = read_experiment(find_experiment("label_origin"))
    for experiment in (cutoffs, origin):  # as nnU-Net predicts by default, and the authors did
        commands = Commands(experiment, Path("x.yaml"), small=False)
        lines = [commands.predict(model, "all") for model in experiment.models]
        assert all("--mode thorough" in line and "--folds 0 1 2 3 4" in line for line in lines)
        assert all("--mode thorough" in commands.postprocess(model) for model in experiment.models)
    named = [read_experiment(path) for path in FOLDER.glob("*.yaml") if "mode: fast" in path.read_text()]
    assert all(one.simulated for one in named), "the fast mode is a deviation"
    published, equal = origin.comparisons["as-published"], origin.comparisons["equal-exclusions"]
    assert [name for name, model in published.models.items() if origin.models[model].exclude] == ["MRI+US_200"]
    assert {name for name, model in equal.models.items() if origin.models[model].exclude} == {"MRI_200", "MRI+US_200"}


def test_models_of_the_same_slices_share_a_data_set_and_never_a_folder(tmp_path: Path):
    models = {
        "plain": {"cohorts": ["mri"]},
        "wide": {"cohorts": ["mri"], "training": {"plan": "realtime-wide", "epochs": 3}},
        "fair": {"cohorts": ["mri"], "training": {"slice_dice": True}},
        "large": {"cohorts": ["mri"], "min_area": 35},
    }
    compared = {"one": {"models": {name: name for name in models}, "test": ["test"], "data": "two"}}
    path = written(tmp_path, models=models, comparisons=compared, training={"plan": "realtime", "epochs": 9})
    commands = Commands(read_experiment(path), path, small=False)
    folders = [commands.model_folder(name) for name in models]
    assert len(set(folders)) == 4
    assert len({commands.raw_folder(name) for name in models}) == 2
    assert commands.raw_folder("plain") == commands.raw_folder("fair") != commands.raw_folder("large")
    fits = {name: commands.fit(name, "0") for name in models}
    assert "--epochs 3" in fits["wide"]
    assert "--epochs 9" in fits["fair"]
    assert "--loss slice-dice" in fits["fair"]
    assert "--loss slice-dice" not in fits["plain"]


def test_larger_than_is_strict():
    row = SliceRow("a", "a", "a", "k", 0, 200.0, 4, 4, 1.0, 1.0)
    assert not larger_than([row], 200)


CHOSEN = {"models": {"A": "MRI_0"}, "choose_on": ["test"], "test": ["test"], "data": ""}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"models": {"MRI_0": {"cohorts": ["mri"], "cutoff": 3}}}, "cutoff"),
        ({"models": {"MRI_0": {"cohorts": ["mr"]}}}, "uses mr and"),
        ({"training": {"plan": "fastest"}}, "names the plan fastest"),
        ({"models": {"MRI_0": {"cohorts": ["mri"], "training": {"plan": "fastest"}}}}, "names the plan fastest"),
        ({"models": {"MRI_0": {"cohorts": ["mri"], "training": {"epoch": 3}}}}, "epoch"),
        ({"comparisons": {"one": {"models": {"A": "US"}, "test": ["test"], "data": ""}}}, "uses US and"),
        ({"comparisons": {"one": {"models": {"A": "MRI_0"}, "test": ["mri"], "data": ""}}}, "which it was trained on"),
        ({"comparisons": {"one": CHOSEN}}, "chooses a model on test and tests the choice there"),
        ({"exports": {"a": EXPORT | {"baseline": "test"}}}, "threshold of a would be tuned on test, its test"),
        ({"simulated": False}, "mixes simulated and real"),
        ({"cohorts": SMALL["cohorts"] | {"test": {"labels": "us"}}}, "either 'simulate' or 'cases'"),
        ({"title": None}, "title"),
        ({"exports": {"a": {"model": "MRI_0", "name": "A", "comparison": "two"}}}, "export a needs a comparison"),
        ({"exports": {"a": {"model": "US", "name": "A", "comparison": "one"}}}, "uses US and"),
        ({"exports": {"a": EXPORT | {"certainty": "mri"}}}, "certainty_data"),
        ({"exports": {"a": EXPORT | {"certainty": "mri", "certainty_data": "x"}}}, "knows mri from training or test"),
        ({"exports": {"a": EXPORT | {"certainty": "other", "certainty_data": "x"}}}, "uses other and"),
        ({"models": {"MRI_0": {"cohorts": ["mri"], "starts_from": "MRI_0"}}}, "start from itself"),
        ({"cohorts": {"mri": SMALL["cohorts"]["mri"] | {"slicing": {"step": 1}}}, "comparisons": {}}, "step"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(tmp_path: Path, changes: dict, words: str):
    with pytest.raises(FormatError, match=words):
        read_experiment(written(tmp_path, **changes))


def test_no_model_is_scored_on_what_the_model_that_it_goes_on_from_was_trained_on(tmp_path: Path):
    models = {"MRI_0": {"cohorts": ["mri"], "starts_from": "first"}, "first": {"cohorts": ["test"]}}
    with pytest.raises(FormatError, match="scores a model on test, which it was trained on"):
        read_experiment(written(tmp_path, models=models))


def test_no_yaml_and_no_such_experiment(tmp_path: Path):
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(FormatError, match="not the declaration"):
        read_experiment(tmp_path / "bad.yaml")
    with pytest.raises(NotFoundError, match=r"choose after_resection, after_resection_short, cutoffs, demo"):
        find_experiment("cutofs")


def test_an_export_is_told_where_to_measure_its_certainty_but_not_in_a_trial(tmp_path: Path):
    others = SMALL["cohorts"] | {"other": {"labels": "us", "simulate": {"cohort": "test6", "patients": 4, "seed": 3}}}
    exports = {"a": EXPORT | {"certainty": "other", "certainty_data": "four others"}}
    path = written(tmp_path, cohorts=others, exports=exports, mode="fast")
    lines = {small: Commands(read_experiment(path), path, small=small).export("a") for small in (False, True)}
    assert "--certainty-data 'four others' --certainty slices/other" in lines[False]
    assert "--certainty" not in lines[True]


def test_the_small_part_changes_and_removes(tmp_path: Path):
    small = {"cohorts": {"mri": {"simulate": {"patients": 6}}}, "slicing": {"step_mm": 4.0}}
    experiment = read_experiment(written(tmp_path, small=small), small=True)
    simulated = experiment.cohorts["mri"].simulate
    assert (simulated.patients, simulated.seed, experiment.slicing.step_mm) == (6, 1, 4.0)
    gone = {"models": {"MRI_0": None}}
    with pytest.raises(FormatError, match="uses MRI_0"):
        read_experiment(written(tmp_path, small=gone), small=True)


def test_a_cohort_without_sweeps_is_not_asked_for_them(tmp_path: Path):
    cohorts = {
        kind: {"labels": "us", "simulate": {"cohort": kind, "patients": 5, "seed": 1}} for kind in ("train", "even")
    }
    models = {"m": {"cohorts": ["train", "even"]}}
    path = written(tmp_path, cohorts=cohorts, models=models, comparisons={}, slicing={"every_frame": 4}, small={})
    commands = Commands(read_experiment(path), path, small=False)
    assert "--sweeps cohorts/train/sweeps" in commands.cases("train")
    assert "--sweeps" not in commands.cases("even")


def test_a_cohort_is_scanned_coarsely_where_it_or_the_run_says_so(tmp_path: Path):
    coarse = SMALL["cohorts"]["test"]["simulate"] | {"small": True}
    path = written(tmp_path, cohorts=SMALL["cohorts"] | {"test": {"labels": "us", "simulate": coarse}})
    usual, trial = (Commands(read_experiment(path), path, small=small) for small in (False, True))
    assert [cohort for cohort in ("mri", "test") if usual.simulate(cohort).split().count("--small") == 1] == ["test"]
    assert all(trial.simulate(cohort).split().count("--small") == 1 for cohort in ("mri", "test"))
