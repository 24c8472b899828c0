"""The researcher's steps that README.md and the guide print run one after the other, each on what the last one left."""

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from documented import ALL, NEEDS, steps
from fitting import LENGTH
from scipy import ndimage
from small_cohort import SHAPE, ellipsoid, write_volume

import training.cli
from inference.assets import demo_model_path
from training.slicing.slices import read_slices


def test_every_reason_not_to_run_a_command_still_has_one():
    assert all(any(word in command.words for command in ALL) for word in NEEDS)


def test_the_readme_shows_the_whole_way_and_holds_its_test_patients_out():
    shown = [one for one in ALL if one.page == "README.md" and one.program == "ius-train"]
    wanted = ["cases", "register", "review", "slice", "folds", "fit", "predict", "evaluate", "export"]
    assert [stage for stage in dict.fromkeys(one.stage for one in shown) if stage in wanted] == wanted
    for stage in ("predict", "evaluate"):
        (one,) = [one for one in shown if one.stage == stage]
        assert "TEST" in one.words
        assert "SLICES" not in one.words


SMALL = {
    "slice": ("--step-mm", "15"),
    "fit": ("--title", "Ellipsoids", "--bfloat16", *map(str, LENGTH), "--patience", "0"),
    "review": ("--accept", "RESECT-Case1"),
    "export": ("--trial",),
}
"""What a step gets besides, so that it takes seconds and no person."""
LEFT_OUT = {"simulate"} if os.environ.get("IUS_ALL_STEPS") else {"simulate", "export"}
"""Steps that compute for long: tests/soak/soak_steps.py simulates and trains, and runs this file with the export."""

POPULATION = {name: [] for name in ("tumour_types", "grades", "sites", "scanners")} | {
    "words": "Balls of speckle.",
    "phases": ["before_dura_opening"],
    "surgery": ["first"],
    "views": ["slice"],
    "n_patients": 6,
    "simulated": False,
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with one patient who has MRI, and one to be held back."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    for number in (1, 20):
        case, (image, mask) = f"Case{number}", ellipsoid(rng)
        here, masks = tmp_path / "COHORT/RESECT/NIFTI" / case, tmp_path / "COHORT/RESECT_segmentation" / case
        write_volume(image, here / "US" / f"{case}-US-before.nii.gz")
        write_volume(mask, masks / f"{case}-US-before-tumor.nii.gz")
        if number == 1:
            texture = ndimage.gaussian_filter(rng.normal(size=SHAPE), 2.5) * 200
            write_volume((texture + image + 100).astype(np.float32), here / "MRI" / f"{case}-FLAIR.nii.gz")
            write_volume(mask, masks / f"{case}-FLAIR-tumor.nii.gz")
            (here / "Landmarks").mkdir()
            points = 'Points =\n 5 6 7 5 6 8 ""\n 9 5 3 9 5 3 "";'
            (here / "Landmarks" / f"{case}-MRI-beforeUS.tag").write_text(f"MNI Tag Point File\nVolumes = 2;\n{points}")
    return tmp_path


def hold_back() -> None:
    """Move a patient to the table of the test, as README says."""
    with Path("cases.csv").open(newline="") as stream:
        header, *rows = csv.reader(stream)
    for name, patient in (("cases.csv", "RESECT-Case1"), ("test-cases.csv", "RESECT-Case20")):
        with Path(name).open("w", newline="") as stream:
            csv.writer(stream).writerows([header, *(row for row in rows if row[0] == patient)])


def train_meanwhile(store: Path, model: Path) -> None:
    """From here on another store, on which a model was trained already; `make soak` trains on the one that was cut."""
    assert {row.patient for row in read_slices(Path("SLICES"))} == {"RESECT-Case1"}
    Path("SLICES").rename("own-slices")
    for name, there in (("SLICES", store), ("WORK", model.parents[2]), ("MODEL", model)):
        Path(name).symlink_to(there)


def an_exported_model() -> None:
    """The step before has left it, or was left out."""
    if not Path("model.onnx").exists():
        shutil.copyfile(demo_model_path(), "model.onnx")


def test_the_researchers_steps_run_as_printed(desk: Path, store: Path, model: Path):
    between = {"register": hold_back, "folds": lambda: train_meanwhile(store, model)}
    Path("POPULATION.json").write_text(json.dumps(POPULATION))
    between["evaluate"] = lambda: shutil.copytree("PREDICTIONS", "OTHERS")
    between["bundle"] = an_exported_model
    for command in steps():
        if command.stage in LEFT_OUT:
            continue
        between.pop(command.stage, lambda: None)()
        words = [word for word in command.expanded(desk) if word != "--serve"]
        assert training.cli.main([*words, *SMALL.get(command.stage, ())]) == 0, command
    assert not between
    told = json.loads(Path("report/summaries/A.json").read_text())["data"]
    assert (told["name"], told["patients"], told["seen_in_training"]) == ("my six patients", ["RESECT-Case20"], [])
