"""Checks before the first stage: files that no stage makes have to be there, and a cluster needs its plugin."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from inference.errors import NotFoundError
from training.cli import main
from training.experiments.declaration import find_experiment, read_experiment
from training.nnunet.device import DeviceError, check_device
from training.slicing.slices import SliceRow, write_slice, write_slices
from training.workflow.commands import Commands
from training.workflow.patients import declared_for
from training.workflow.run import ExperimentError, Machine, run_experiment
from training.workflow.slurm import Node, SlurmError, check_jobs

ROOT = Path(__file__).parents[3]


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


def with_tables(work: Path, **simulated: str) -> Path:
    """A working folder with what `label_origin` needs; a table's cells say which of its cases are simulated."""
    (work / "annotator").mkdir(parents=True)
    (work / "excluded.csv").write_text("case,reason\n")
    for name in ("mri", "us", "test"):
        rows = (f"{name}{at},{name}{at},{cell}" for at, cell in enumerate(simulated[name]))
        (work / f"cases-{name}.csv").write_text("\n".join(("case,patient,simulated", *rows, "")))
    return work


def test_a_trial_on_simulated_patients_says_so_and_asks_for_no_gpu(tmp_path: Path):
    """It ended in a refusal after the last training: declared for recorded patients, scored on simulated ones."""
    path = find_experiment("label_origin")
    rehearsal = declared_for(with_tables(tmp_path / "a", mri="11", us="1", test="1"), path, small=True)
    assert rehearsal.simulated
    commands = Commands(rehearsal, path, small=True)
    assert commands.review("mri").endswith("--simulated")
    assert commands.fit_gpus == commands.predict_gpus == {}
    assert all(
        commands.fit_minutes < 2 * 24 * 60 and "--device cpu" in commands.fit(one, "0") for one in rehearsal.models
    )
    assert not declared_for(with_tables(tmp_path / "b", mri="00", us="0", test="0"), path, small=True).simulated


def test_simulated_and_recorded_patients_are_refused_before_the_first_stage(tmp_path: Path, capsys):
    work = with_tables(tmp_path / "work", mri="00", us="0", test="1")
    assert main(["experiment", "label_origin", "--work", str(work), "--small"]) == 2
    assert "give each kind a working folder of its own" in capsys.readouterr().err
    assert not (work / "experiment.json").exists()


@pytest.mark.parametrize("name", ["cutoffs", "label_origin"])
def test_the_papers_experiments_cut_tumour_free_slices_and_learn_from_none(name: str):
    path = find_experiment(name)
    commands = Commands(read_experiment(path), path, small=False)
    assert all("--negatives 9" in commands.slice(cohort) for cohort in commands.experiment.cohorts)
    assert all("--negatives none" in commands.fit(model, "0") for model in commands.experiment.models)


def test_sweeps_of_a_case_table_are_left_out_unless_their_frames_are_asked_for(tmp_path: Path):
    """Every frame of them was cut, and trained on: a table of one's own may name sweeps beside the volumes."""
    declared = tmp_path / "one.yaml"
    declared.write_text(ONE.replace("TRAINING", "device: cpu") + "slicing: {every_frame: 3}")
    asked = Commands(read_experiment(declared), declared, small=False)
    declared.write_text(ONE.replace("TRAINING", "device: cpu"))
    silent = Commands(read_experiment(declared), declared, small=False)
    assert [word in silent.slice("b") for word in ("--no-sweeps", "--every-frame")] == [True, False]
    assert [word in asked.slice("b") for word in ("--no-sweeps", "--every-frame 3")] == [False, True]


def planned(tmp_path: Path, training: str) -> dict[str, str]:
    """Rule -> the resources that Snakemake would use on a machine with sixteen cores."""
    declared = tmp_path / "one.yaml"
    declared.write_text(ONE.replace("TRAINING", training))
    words = ["experiment", str(declared), "--work", str(tmp_path / "work"), "--dry-run", "--jobs", "16"]
    for name in ("a.csv", "b.csv"):
        (tmp_path / "work").mkdir(exist_ok=True)
        table = tmp_path / "work" / name
        table.write_text(table.read_text() if table.exists() else "case,patient\n")
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


def test_a_mask_that_is_replaced_is_cut_again(tmp_path: Path, monkeypatch):
    """A corrected mask changed no figure of the report: only the case table counted as what slices depend on."""
    work = tmp_path / "work"
    for folder in (work, tmp_path / "data"):
        folder.mkdir()
    for name in ("us.nii.gz", "mask.nii.gz", "out.nii.gz"):
        (tmp_path / "data" / name).touch()
    cells = "P1,P1,../data/us.nii.gz,../data/mask.nii.gz,\nP2,P2,../data/gone.nii.gz,,\nP3,P3,../data/out.nii.gz,,1\n"
    for table in ("a.csv", "b.csv"):
        (work / table).write_text("case,patient,us,us_label,exclude\n" + cells)
    rules = planned(tmp_path, "device: cpu")
    assert all("../data/us.nii.gz, ../data/mask.nii.gz" in rules[name] for name in ("register", "slice"))
    assert all("gone" not in rules[name] and "out.nii.gz" not in rules[name] for name in ("register", "slice"))
    monkeypatch.chdir(work)
    (work / "b.csv").write_text("case\n")
    commands = Commands(read_experiment(tmp_path / "one.yaml"), tmp_path / "one.yaml", small=False)
    assert commands.files("b") == [], "the stage says what is wrong with the table"
    demo = find_experiment("demo")
    assert Commands(read_experiment(demo), demo, small=False).files("train") == []


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


@pytest.mark.parametrize(("listed", "processes"), [("64 256000", 4), ("2 8000\\n2 16000", 2), ("", 4)])
def test_a_stage_gets_a_few_processes_on_a_cluster_and_no_more_than_a_node_has(
    tmp_path: Path, monkeypatch, listed: str, processes: int
):
    """Not as many as stages run at a time; and a job for four cores waits for ever where every node has two."""
    (tmp_path / "sinfo").write_text(f"#!/bin/sh\nprintf '{listed}'\n")
    (tmp_path / "sinfo").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Machine(jobs=100, executor="slurm").processes == processes
    assert Machine(jobs=3).processes == 3


def test_a_training_that_no_node_can_run_is_refused_before_it_is_queued():
    large, wide = Node(8, 64000), Node(64, 16000)
    check_jobs([Node(8, 16000)], [large, wide])
    check_jobs([Node(99, 16000)], [])
    with pytest.raises(SlurmError, match=r"asks for 13 cores and 20000 MB, and no node .* fewer 'workers'"):
        check_jobs([Node(1, 8000), Node(13, 20000)], [large, wide])


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
    sentence, _, what_to_do = done.stderr.splitlines()[-1].partition(" Once the reason is gone")
    assert "run the same command again" in what_to_do
    assert f"{sentence}\n" in done.stderr, "the stage itself said it, further up"


SBATCH = """#!{python}
import os, sys
from pathlib import Path
options = dict(word.partition("=")[::2] for word in sys.argv if word.startswith("--"))
rule, _, named = options["--wrap"].split("--target-jobs '")[1].split("'")[0].partition(":")
values = dict(part.split("=") for part in named.split(",") if part)
for number in range(1, 20):  # several are submitted at once, and each takes the first that is free
    try:
        os.mkdir(f"{folder}/job-{{number}}")
        break
    except FileExistsError:
        pass
Path("{folder}", f"{{rule}}-{{number}}.submitted").write_text("\\n".join(sys.argv[1:]))
made = {{"fit": "fits/{{model}}/fold_{{fold}}", "postprocess": "fits/{{model}}/postprocessing",
        "predict": "predictions/{{model}}/{{fold}}/receipt-predict.json"}}.get(rule)
if made is None:
    sys.exit("no such partition")
path = Path(made.format(**values))
path.parent.mkdir(parents=True, exist_ok=True)
path.touch()
print(number)
"""
SACCT = """#!{python}
for number in range(1, 20):
    print(f"{{number}}|COMPLETED")
"""


SCONTROL = "#!/bin/sh\necho 'AccountingStorageType   = accounting_storage/slurmdbd'\n"


@pytest.mark.parametrize(
    ("answer", "options"),
    [
        (SCONTROL, []),
        (SCONTROL.replace("slurmdbd", "none"), ["--slurm-status-command", "squeue"]),
        (SCONTROL.replace("accounting_storage/slurmdbd", "(null)"), ["--slurm-status-command", "squeue"]),
    ],
)
def test_a_cluster_without_accounting_is_asked_by_squeue(tmp_path: Path, monkeypatch, answer: str, options: list[str]):
    """Its sacct is installed and tells nothing: Snakemake would wait for ever."""
    (tmp_path / "scontrol").write_text(answer)
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    arguments = Machine(3, "slurm").arguments()
    assert arguments[arguments.index("60") + 1 :] == options


def test_a_slurm_that_is_not_there_or_does_not_answer_is_one_sentence(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SlurmError, match="run this where 'sbatch' works"):
        Machine(executor="slurm").arguments()
    (tmp_path / "scontrol").write_text(
        "#!/bin/sh\necho 'slurm_load_ctl_conf: Unable to contact controller' >&2\nexit 1\n"
    )
    (tmp_path / "scontrol").chmod(0o755)
    with pytest.raises(SlurmError, match=r"does not answer \(slurm_load_ctl_conf: Unable to contact controller\)"):
        Machine(executor="slurm").arguments()


@pytest.mark.skipif(find_spec("snakemake_executor_plugin_slurm") is None, reason="no Slurm plugin: .[training,slurm]")
def test_slurm_is_asked_for_what_the_settings_need(tmp_path: Path):
    """Submissions as a cluster gets them, recorded by a fake sbatch that leaves each stage's output."""
    work, commands, profile = tmp_path / "work", tmp_path / "bin", tmp_path / "profile"
    for folder in (work, commands, profile):
        folder.mkdir()
    others = dict.fromkeys(("sinfo", "squeue", "scancel"), "#!/bin/sh\n") | {"scontrol": SCONTROL}
    fakes = {"sbatch": SBATCH, "sacct": SACCT, "sacctmgr": "#!/bin/sh\necho ours\n"} | others
    for name, text in fakes.items():
        (commands / name).write_text(text.format(python=sys.executable, folder=tmp_path))
        (commands / name).chmod(0o755)
    (profile / "config.yaml").write_text(
        "default-resources:\n  slurm_account: ours\n  slurm_partition: fast\n"
        "slurm-init-seconds-before-status-checks: 1\nseconds-between-status-checks: 1\n"
    )
    (tmp_path / "one.yaml").write_text(ONE.replace("TRAINING", "device: cuda, gpus: 2, workers: 12"))
    made = ("registered/a/registration.csv", "registered/a/reviewed", "slices/a/slices.csv", "slices/b/slices.csv")
    for name in ("a.csv", "b.csv", *made, "folds.json"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text("case,patient\n")
    cluster = ["--executor", "slurm", "--jobs", "9", "--profile", profile]
    words = ["experiment", tmp_path / "one.yaml", "--work", work, *cluster]
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "training.cli", *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    asked = {file.name: file.read_text().split("\n--wrap")[0].split("\n") for file in tmp_path.glob("*.submitted")}
    stages = sorted(name.partition("-")[0] for name in asked)
    assert stages == ["compare", *["fit"] * 5, "postprocess", "predict"], done.stderr
    for name, options in asked.items():
        wanted = {
            "fit": ("--mem", "20000", "--cpus-per-task=13", "--gres=gpu:2", "10080"),
            "postprocess": ("--mem", "8000", "--cpus-per-task=4", "--gres=gpu:1", "240"),
            "predict": ("--mem", "8000", "--cpus-per-task=1", "--gres=gpu:1", "240"),
            "compare": ("--mem", "4000", "--cpus-per-task=1", "240"),
        }[name.partition("-")[0]]
        assert set(wanted) <= set(options), (name, options)
        assert any("ours" in option for option in options), "the profile's account is lost"
        assert any("fast" in option for option in options)
    assert not any("gres" in option for option in asked[next(name for name in asked if "compare" in name)])
    assert done.returncode == 2, "its last stage was refused"
    assert done.stderr.splitlines()[-1].startswith("error: ")


def compared(work: Path) -> Path:
    """A working folder in which all is done but the comparison of a right and a half reader, and the page."""
    declared = work.parent / "one.yaml"
    words = "comparisons: {c: {models: {M: m}, test: [b], data: six, annotators: {R: {cohort: b, folder: reader}}}}"
    cohorts = re.sub(r"labels: mri", "labels: us", ONE).replace("TRAINING", "device: cpu").partition("comparisons")[0]
    declared.write_text(cohorts.replace("[0, 1, 2, 3, 4]", "[0]") + words)
    commands = Commands(read_experiment(declared), declared, small=False)
    mask = np.zeros((9, 9, 9), np.uint8)
    mask[2:7, 2:7, 2:7] = 1
    rows = []
    for at in range(5):
        row = SliceRow(f"s{at}", f"c{at}", f"P{at}", "k", 4, 25.0, 9, 9, 1.0, 1.0)
        rows.append(row)
        write_volume(mask + np.uint8(1), work / f"c{at}-us.nii.gz")
        write_volume(mask, work / "reader" / "deeper" / f"c{at}.nii.gz")
        for path in (
            row.image(work / "slices/b"),
            row.label(work / "slices/b"),
            work / f"predictions/m/all/s{at}.nii.gz",
        ):
            write_slice(mask[4], (1.0, 1.0), path)
    cases = "".join(f"c{at},P{at},c{at}-us.nii.gz\n" for at in range(5))
    for cohort in "ab":
        (work / f"{cohort}.csv").write_text("case,patient,us\n" + cases)
        write_slices(rows, work / "slices" / cohort / "slices.csv")
    (work / "folds.json").touch()
    (work / "fits/m").mkdir(parents=True)
    (work / "fits/m/fold_0").touch()
    fold, raw = work / commands.model_folder("m") / "fold_0", work / commands.raw_folder("m")
    fold.mkdir(parents=True)
    raw.mkdir(parents=True)
    (fold / "progress.csv").write_text("epoch,train_loss,val_loss,pseudo_dice_smoothed\n0,1,1,0.1\n")
    (raw / "splits_final.json").write_text('[{"train": [1], "val": [2]}]')
    (work / "predictions/m/all/receipt-predict.json").write_text('{"settings": {"mode": "thorough"}}')
    return declared


def write_volume(voxels: NDArray[np.uint8], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.eye(4)
    volume = nib.nifti1.Nifti1Image(voxels.T, affine)
    volume.header.set_xyzt_units("mm")
    volume.set_qform(affine, 1)
    nib.save(volume, path)


def run_once(declared: Path, work: Path) -> str:
    """What an experiment's run logs."""
    words = [sys.executable, "-m", "training.cli", "experiment", str(declared), "--work", str(work)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def dice_of(work: Path, name: str) -> str:
    page = (work / "report" / "report.md").read_text()
    return next(line.split("|")[2].strip() for line in page.splitlines() if line.startswith(f"| {name} |"))


def test_a_report_is_of_the_declaration_and_the_masks_that_there_are(tmp_path: Path):
    """The page of before stood there as the answer: of names that were exchanged, of a reader's mask that was not."""
    work = tmp_path / "work"
    declared = compared(work)
    run_once(declared, work)
    assert (dice_of(work, "M"), dice_of(work, "R")) == ("1.00 ± 0.00", "1.00 ± 0.00")
    assert "Nothing to be done" in run_once(declared, work)
    halved = np.zeros((9, 9, 9), np.uint8)
    halved[2:7, 2:7, 2:4] = 1
    for at in range(5):
        path = work / "reader" / "deeper" / f"c{at}.nii.gz"
        write_volume(halved, path)
        os.utime(path, (10**9, 10**9))  # of a day before any stage ran
    run_once(declared, work)
    assert (dice_of(work, "M"), dice_of(work, "R")) == ("1.00 ± 0.00", "0.57 ± 0.00")
    declared.write_text(declared.read_text().replace("M: m", "Other: m").replace("data: six", "data: others"))
    run_once(declared, work)
    assert dice_of(work, "Other") == "1.00 ± 0.00"
    assert "On others." in (work / "report" / "report.md").read_text()
    declared.write_text(declared.read_text().replace("title: One", "title: Two"))
    run_once(declared, work)
    assert (work / "report" / "report.md").read_text().startswith("# Two\n")
    assert (work / "report" / "c" / "report.md").read_text().startswith("# Two: c\n")


def test_a_file_that_is_replaced_by_an_older_one_counts_as_another(tmp_path: Path, monkeypatch):
    """A mask restored from a copy has the time of the copy, which is before the slices were cut."""
    monkeypatch.chdir(tmp_path)
    Path("one.yaml").write_text(ONE.replace("TRAINING", "device: cpu"))
    commands = Commands(read_experiment(Path("one.yaml")), Path("one.yaml"), small=False)
    Path("a.csv").write_text("case,patient\n")
    before = commands.seen("a.csv")
    os.utime("a.csv", (10**9, 10**9))
    assert commands.seen("a.csv") not in ("", before)
    demo = find_experiment("demo")
    made = Commands(read_experiment(demo), demo, small=False)
    table = Path(made.table("train"))
    table.parent.mkdir()
    table.touch()
    assert made.seen(str(table)) == "", "a stage makes it: there is none when the stages are planned"
