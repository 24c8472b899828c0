"""The wheel holds what the commands need, and they run from a folder that is no checkout."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from inference.version import __version__

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {"ius-viewer": "viewer.app", "ius-segment": "inference.cli", "ius-train": "training.cli"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, unpacked as pip unpacks them, far from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site packages")
    return folder / "site packages"


def run(installed: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command with the wheel's files before the checkout's, in a folder that has neither."""
    environment = os.environ | {"PYTHONPATH": str(installed), "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        cwd=installed.parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_its_version(installed: Path, command: str) -> None:
    assert run(installed, COMMANDS[command], "--version").stdout.split() == [command, __version__]


def test_the_commands_of_the_wheel_are_these(installed: Path) -> None:
    (about,) = installed.glob("ius-*.dist-info")
    named = dict(line.split(" = ") for line in (about / "entry_points.txt").read_text().splitlines()[1:])
    assert named == {command: f"{module}:main" for command, module in COMMANDS.items()}
    assert {"LICENSE", "THIRD_PARTY.md"} <= {path.name for path in (about / "licenses").iterdir()}


def test_model_clip_and_notices_are_found_where_there_is_no_checkout(installed: Path) -> None:
    names = ("demo_model_path", "demo_clip_path")
    asked = f"from inference import assets; print(*(getattr(assets, n)() for n in {names}), sep='\\n')"
    environment = os.environ | {"PYTHONPATH": str(installed)}
    answer = subprocess.run(
        [sys.executable, "-c", asked], env=environment, cwd=installed.parent, capture_output=True, text=True, check=True
    )
    found = [Path(line) for line in answer.stdout.splitlines()]
    assert all(path.is_relative_to(installed) for path in found)
    assert "ICBM 152" in (installed / "inference/bundled/THIRD_PARTY.md").read_text()


def test_the_manual_is_in_the_wheel_and_none_of_its_links_leads_nowhere(installed: Path) -> None:
    manual = installed / "inference/bundled/manual"
    pages = sorted(manual.rglob("*.md"))
    assert {"index.md", "surgeon.md", "commands.md", "dicom.md"} <= {page.name for page in pages}
    for page in pages:
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert link.startswith("http") or (page.parent / link).is_file(), f"{page.name}: {link}"


def test_the_engine_runs_from_the_wheel(installed: Path) -> None:
    answer = run(installed, "inference.cli", "model", str(installed / "inference/bundled/models/demo.onnx"), "--json")
    assert answer.returncode == 0, answer.stderr
    assert '"passed": true' in answer.stdout


def test_without_the_training_s_libraries_it_says_what_to_install(installed: Path) -> None:
    """A machine that only views has no SimpleITK."""
    hidden = "import sys; sys.modules['SimpleITK'] = None; from training.cli import main; sys.exit(main(sys.argv[1:]))"
    environment = os.environ | {"PYTHONPATH": str(installed)}
    answer = subprocess.run(
        [sys.executable, "-c", hidden, "simulate", "--patients", "1", "--out", "out"],
        env=environment,
        cwd=installed.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: SimpleITK is not installed")
    assert "ius[training]" in answer.stderr


@pytest.mark.parametrize("module", ["viewer.app", "viewer.main_window", "inference.cli", "inference.sources"])
def test_window_and_engine_load_no_simpleitk(installed: Path, module: str) -> None:
    asked = f"import sys, {module}; print('SimpleITK' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(installed)}
    answer = subprocess.run(
        [sys.executable, "-c", asked], env=environment, cwd=installed.parent, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"
