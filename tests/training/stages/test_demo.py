"""The demonstration is an experiment: its commands parse, and they run in an order in which each finds its input."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from training.cli import parser
from training.experiments.declaration import find_experiment, read_experiment
from training.workflow.commands import Commands

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("small", [False, True])
def test_every_stage_is_understood_and_reads_what_an_earlier_one_wrote(small: bool):
    path = find_experiment("demo")
    commands = Commands(read_experiment(path, small=small), path, small=small)
    cohorts = commands.experiment.cohorts
    stages = [commands.simulate(name) for name in cohorts] + [commands.cases(name) for name in cohorts]
    stages += [commands.slice(name) for name in cohorts] + [commands.folds(), commands.fit("first", "0")]
    stages += [commands.export_draft("first"), commands.fit("demo", "0"), commands.predict("demo", "all")]
    stages += [commands.evaluate("demo", "fast"), commands.export_draft("demo"), commands.predict_thorough("demo")]
    stages += [commands.evaluate("demo", "thorough"), commands.export("demo")]
    written: set[Path] = set()
    for line in stages:
        given = vars(parser().parse_args(shlex.split(line)[1:]))
        read = [given.get(name) for name in ("slices", "model", "start", "verify", "baseline", "folds", "evaluation")]
        paths = [one for each in read if each for one in (each if isinstance(each, list) else [each])]
        wanted = {Path(one) for one in paths if not isinstance(one, int)}
        assert wanted <= written, line
        out = given.get("out")
        written |= {commands.model_folder(line.split("--title ")[1].split()[0])} if out is None else {out}
        written |= {out / "summary.json"} if "evaluate" in line and out is not None else set()
    assert Path("exports/demo.onnx") in written


def test_snakemake_plans_it_from_the_first_patient_to_the_export(tmp_path: Path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    words = ["experiment", "demo", "--work", str(tmp_path), "--small", "--dry-run"]
    done = subprocess.run(
        [sys.executable, "-m", "training.cli", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    counts = dict(line.split()[:2] for line in (done.stdout + done.stderr).splitlines() if len(line.split()) == 2)
    assert {name: counts.get(name) for name in ("simulate", "fit", "draft", "evaluate", "export")} == {
        "simulate": "4",
        "fit": "2",
        "draft": "2",
        "evaluate": "2",
        "export": "1",
    }


def test_the_makefiles_command_is_understood():
    recipe = (ROOT / "Makefile").read_text().split("\ndemo-model:")[1].splitlines()[1]
    _, *words = shlex.split(recipe)
    assert parser().parse_args(words).out == Path("assets")
