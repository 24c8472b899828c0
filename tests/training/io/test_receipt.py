"""A receipt names the code that made its results, also between two releases."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from inference.version import __version__
from training.io.receipt import moved, placed, write_receipt

ROOT = Path(__file__).parents[3]
PRINT = "from training.io.receipt import code_sha256; print(code_sha256())"


def digest_of(checkout: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    command = [sys.executable, "-c", PRINT]
    return subprocess.run(command, env=environment, cwd=checkout, capture_output=True, text=True, check=True).stdout


def test_two_checkouts_of_one_version_are_told_apart(tmp_path: Path):
    for name in ("inference", "training"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    receipt = json.loads(write_receipt(tmp_path, "slice", {}, []).read_text())
    same = digest_of(tmp_path).strip()
    assert receipt["code"] == {"version": __version__, "sha256": same}
    with (tmp_path / "training" / "slicing" / "cutting.py").open("a") as stream:
        stream.write("\n# another rule\n")
    assert digest_of(tmp_path).strip() != same


def test_settings_within_settings_stay_what_they_are(tmp_path: Path):
    told = {
        "started": {"taken": ("a", "b"), "share": 0.5, "file": tmp_path / "x.pth"},
        "excluded": {"Case3": "no tumour"},
    }
    kept = json.loads(write_receipt(tmp_path, "fit", told, []).read_text())["settings"]
    started = {"taken": ["a", "b"], "share": 0.5, "file": str(tmp_path / "x.pth")}
    assert kept == {"started": started, "excluded": {"Case3": "no tumour"}}


def test_its_paths_can_be_followed_from_anywhere_and_name_no_folder_of_the_users(tmp_path: Path, monkeypatch):
    """They were as seen from the folder that the stage ran in, which nobody knows later: another study was read."""
    work = tmp_path / "anna" / "study"
    (work / "slices").mkdir(parents=True)
    table = work / "slices" / "slices.csv"
    table.touch()
    (tmp_path / "linked").symlink_to(work, target_is_directory=True)
    monkeypatch.chdir(work)
    for out in (Path("fits/m"), tmp_path / "linked" / "fits" / "m"):
        settings = {"slices": [Path("slices")], "title": "slices", "stores": []}
        told = json.loads(write_receipt(out, "fit", settings, [Path("slices/slices.csv")]).read_text())
        monkeypatch.chdir("/")
        (name,) = told["inputs"]
        assert placed(name, told, out if out.is_absolute() else work / out).resolve() == table.resolve()
        assert told["settings"] == {"slices": ["../../slices"], "title": "slices", "stores": []}
        assert "anna" not in json.dumps(told)
        monkeypatch.chdir(work)
    other = moved(told, Path("fits/m"), Path("means/deep/er"))
    assert other["settings"]["slices"] == ["../../../slices"]
    assert list(other["inputs"]) == ["../../../slices/slices.csv"]


def test_a_receipt_of_an_earlier_version_is_read_as_it_was_written():
    assert placed("slices", {}, Path("fits/m")) == Path("slices")
