"""A receipt names the code that made its results, also between two releases."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from inference.version import __version__
from training.io.receipt import write_receipt

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
    told = {"started": {"taken": ("a", "b"), "share": 0.5, "file": Path("x.pth")}, "excluded": {"Case3": "no tumour"}}
    kept = json.loads(write_receipt(tmp_path, "fit", told, []).read_text())["settings"]
    assert kept == {"started": {"taken": ["a", "b"], "share": 0.5, "file": "x.pth"}, "excluded": {"Case3": "no tumour"}}
