"""Checks before the first stage: files that no stage makes have to be there, and a cluster needs its plugin."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from inference.errors import NotFoundError
from training.cli import main
from training.experiments.declaration import find_experiment, read_experiment
from training.nnunet.device import DeviceError, check_device
from training.workflow.commands import Commands
from training.workflow.run import ExperimentError, Machine, run_experiment


def test_every_outside_input_is_named_before_the_first_training(tmp_path: Path, capsys):
    """A dry run names them too: after twenty trainings it would be too late."""
    assert main(["experiment", "label_origin", "--work", str(tmp_path), "--dry-run"]) == 2
    said = capsys.readouterr().err
    for name in ("cases-mri.csv", "cases-us.csv", "cases-test.csv", "excluded.csv", "annotator"):
        assert name in said
        (tmp_path / name).touch()
    (tmp_path / "annotator").unlink()
    with pytest.raises(NotFoundError, match="lacks annotator, which no stage makes"):
        run_experiment(find_experiment("label_origin"), tmp_path, Machine(), dry_run=True)


def test_a_file_to_start_from_is_an_outside_input_and_a_model_of_the_experiment_is_not():
    realtime = find_experiment("realtime")
    assert Commands(read_experiment(realtime), realtime, small=False).outside() == ["start.onnx"]
    demo = find_experiment("demo")
    assert Commands(read_experiment(demo), demo, small=False).outside() == []


def test_a_missing_plugin_is_one_sentence_that_names_the_extra(tmp_path: Path):
    try:
        import snakemake_executor_plugin_slurm  # noqa: F401
    except ImportError:
        with pytest.raises(ExperimentError, match=r"\.\[training,slurm\]"):
            run_experiment(find_experiment("demo"), tmp_path, Machine(executor="slurm"), small=True, dry_run=True)


@pytest.mark.parametrize("name", ["cutoffs", "label_origin"])
def test_the_papers_experiments_cut_tumour_free_slices_and_learn_from_none(name: str):
    path = find_experiment(name)
    commands = Commands(read_experiment(path), path, small=False)
    assert all("--negatives 9" in commands.slice(cohort) for cohort in commands.experiment.cohorts)
    assert all("--negatives none" in commands.fit(model, "0") for model in commands.experiment.models)


def planned(tmp_path: Path, training: str) -> dict[str, str]:
    """Rule -> the resources that Snakemake would use on a machine with sixteen cores."""
    declared = tmp_path / "one.yaml"
    declared.write_text(ONE.replace("TRAINING", training))
    words = ["experiment", str(declared), "--work", str(tmp_path / "work"), "--dry-run", "--jobs", "16"]
    for name in ("a.csv", "b.csv"):
        (tmp_path / "work").mkdir(exist_ok=True)
        (tmp_path / "work" / name).write_text("case,patient\n")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-m", "training.cli", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    blocks = re.split(r"\n(?=(?:local)?rule )", "\n" + done.stdout + done.stderr)
    return {block.split()[1].rstrip(":"): block for block in blocks if "rule " in block.splitlines()[0]}


ONE = """
title: One
simulated: false
cohorts:
  a: {labels: mri, cases: a.csv}
  b: {labels: us, cases: b.csv}
training: {folds: [0, 1, 2, 3, 4], TRAINING}
models: {m: {cohorts: [a]}}
comparisons: {c: {models: {m: m}, test: [b], data: six}}
"""


def test_resources_follow_from_the_settings(tmp_path: Path):
    """Twelve augmenting processes need cores, CUDA needs a GPU, and four registrations need four gigabytes."""
    rules = planned(tmp_path, "device: cuda, gpus: 2, workers: 12")
    assert "threads: 13" in rules["fit"]
    assert "mem_mb=20000" in rules["fit"]
    assert "gres=gpu:2" in rules["fit"]
    for name in ("predict", "postprocess"):
        assert "gres=gpu:1" in rules[name]
        assert "mem_mb=8000" in rules[name]
    assert "threads: 16" in rules["postprocess"]
    assert "mem_mb=20200" in rules["register"]
    commands = Commands(read_experiment(tmp_path / "one.yaml"), tmp_path, small=False)
    assert "--device cuda --gpus 2 --workers 12" in commands.fit("m", "0")
    assert "--device cuda" in commands.postprocess("m")
    assert "--device cuda" in commands.predict("m", "all")


def test_nothing_asks_for_a_gpu_that_runs_without_one(tmp_path: Path):
    rules = planned(tmp_path, "device: cpu")
    assert not any("gres" in block for block in rules.values())
    assert "threads" not in rules["fit"]


def test_a_cluster_gives_each_stage_a_few_processes_and_not_as_many_as_it_runs_stages():
    assert Machine(jobs=100, executor="slurm").processes == 4
    assert Machine(jobs=3).processes == 3


def test_cuda_that_is_not_there_is_one_sentence():
    import torch

    check_device("cpu")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="finds no CUDA device here"):
            check_device("cuda")


def test_the_last_line_is_the_sentence_of_the_stage_that_stopped(tmp_path: Path):
    """Not a rule's exit status, under a screen of Snakemake's own lines."""
    (tmp_path / "one.yaml").write_text(ONE.replace("TRAINING", "device: cpu"))
    (tmp_path / "work").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "work" / name).write_text("case,patient\n")
    words = ["experiment", str(tmp_path / "one.yaml"), "--work", str(tmp_path / "work")]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-m", "training.cli", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: There is no case")
    assert "run the same command again" in done.stderr.splitlines()[-1]
