"""The rules of the house, kept by test: doors, paths, pins, licences, errors."""

import ast
import hashlib
import inspect
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from inference import errors

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("inference", "viewer", "training")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


RUNTIME = next(iter({dist.metadata["Name"] for dist in metadata.distributions()} & {"onnxruntime", "onnxruntime-gpu"}))


def _tracked() -> list[Path]:
    """Files that git keeps; empty outside a checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def _broad_excepts(path: Path) -> list[tuple[Path, int]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            names = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {"BaseException"}
            if names & {"Exception", "BaseException"}:
                found.append((path, node.lineno))
    return found


def test_there_are_three_doors_and_each_says_why() -> None:
    """A broad `except` stands in the capture loop, the analysis loop and the opening, and nowhere else."""
    doors = [door for path in SOURCES for door in _broad_excepts(path)]
    assert [path.relative_to(ROOT).as_posix() for path, _ in doors] == [
        "inference/live/opening.py",
        *["inference/live/stream.py"] * 2,
    ]
    for number, (path, line) in zip((3, 1, 2), doors, strict=True):
        above = "\n".join(path.read_text().splitlines()[line - 4 : line])
        assert f"Door {number} of 3" in above, f"{path.name}:{line}"


def test_tables_have_one_door() -> None:
    """No other place writes CSV, or reads it back as rows: a spreadsheet would run its texts, or they would differ."""
    for path in SOURCES:
        if path != ROOT / "inference/tables.py":
            tree = ast.walk(ast.parse(path.read_text()))
            used = {node.attr for node in tree if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "csv"}
            assert not used & {"writer", "DictWriter", "DictReader"}, path
            assert "from csv import" not in path.read_text(), path


def test_every_text_file_says_its_encoding() -> None:
    """Left out, it is the computer's own: on Windows a report with a minus sign or `mm²` could not be written."""
    bare = [f"{path.relative_to(ROOT)}:{node.lineno}" for path in SOURCES for node in _bare_texts(path)]
    assert bare == []


def _bare_texts(path: Path) -> list[ast.Call]:
    """Calls that open a text file without an encoding, third after mode and buffering or the first of a whole text."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        said = {keyword.arg for keyword in node.keywords}
        whole = {"read_text": 0, "write_text": 1}.get(node.func.attr)
        mode = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        opens = node.func.attr == "open" and ("newline" in said or mode in ("r", "w", "a", "x"))
        if "encoding" not in said and (opens or len(node.args) == whole):
            found.append(node)
    return found


def test_every_error_is_on_the_page() -> None:
    assert errors.__doc__ is not None
    for name, error in inspect.getmembers(errors, inspect.isclass):
        assert issubclass(error, errors.IusError)
        assert name in errors.__doc__


@pytest.mark.parametrize("folder", ["tests", "packaging"])
def test_these_folders_are_no_packages(folder: str) -> None:
    """A package named `packaging` would hide the library of that name."""
    assert not list((ROOT / folder).rglob("__init__.py"))


def test_no_paths_of_a_machine_are_in_the_repository() -> None:
    machine = re.compile(r"(?<![\w.])/(work|root|home)/(?!\$)\w+")
    for path in _tracked():
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".txt", ""} and path.is_file():
            for line in path.read_text(errors="ignore").splitlines():
                assert not machine.search(line), f"{path.relative_to(ROOT)}: {line.strip()}"


def test_no_other_peoples_data_is_in_the_repository() -> None:
    allowed = {"assets/clips/demo.dcm"}
    data = {".nii", ".gz", ".mha", ".nrrd", ".dcm", ".tag", ".pth"}
    tracked = {path.relative_to(ROOT).as_posix() for path in _tracked() if path.suffix in data}
    assert tracked <= allowed


def test_model_and_clip_are_small() -> None:
    bundled = [path for path in (ROOT / "assets").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in bundled) < 16e6


def test_the_qt_that_drops_references_is_shut_out() -> None:
    (qt,) = [Requirement(text) for text in PROJECT["dependencies"] if text.startswith("PySide6")]
    assert qt.specifier.contains("6.11.3")
    assert not qt.specifier.contains("6.12.0")


def test_what_only_training_needs_is_not_installed_with_the_viewer() -> None:
    needed = {Requirement(text).name.lower() for text in PROJECT["dependencies"]}
    assert not needed & {"simpleitk", "torch", "nnunetv2", "onnx", "onnxruntime", "onnxruntime-gpu"}


def test_only_one_onnxruntime_and_the_headless_opencv_are_installed() -> None:
    names = {dist.metadata["Name"].lower() for dist in metadata.distributions()}
    assert len(names & {"onnxruntime", "onnxruntime-gpu"}) == 1
    assert "opencv-python" not in names


def _needed(name: str, seen: set[str]) -> set[str]:
    """The distributions that one needs at run time, itself included."""
    if name in seen:
        return seen
    seen.add(name)
    for text in metadata.requires(name) or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            _needed(re.sub(r"[-_.]+", "-", requirement.name).lower(), seen)
    return seen


def test_no_gpl_in_the_product() -> None:
    """PySide6 offers LGPL beside GPL; the LGPL is ours, and THIRD_PARTY.md says so."""
    notices = (ROOT / "THIRD_PARTY.md").read_text()
    for name in sorted(_needed("ius", set()) | _needed("openvino", set()) | _needed(RUNTIME, set())):
        about = metadata.metadata(name)
        named = about.get("License-Expression") or (about.get("License") or "").partition("\n")[0]
        classified = [text for text in about.get_all("Classifier") or [] if text.startswith("License")]
        licences = " ".join([named, *classified])
        if re.search(r"(?<!L)(?<!Lesser )GPL|(?<!Lesser )General Public", licences):
            assert "LGPL" in licences, name
        if "LGPL" in licences:
            assert name.lower() in notices.lower(), name


def test_pinned_versions_satisfy_the_project() -> None:
    lines = (ROOT / "packaging/constraints.txt").read_text().split()
    pins = dict(line.lower().replace("_", "-").split("==") for line in lines if "==" in line)
    extras = PROJECT["optional-dependencies"]
    for text in PROJECT["dependencies"] + extras["cpu"] + extras["cuda"] + extras["openvino"]:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate():
            pinned = pins[requirement.name.lower()]
            assert requirement.specifier.contains(pinned), text


def test_assets_are_the_ones_their_table_names() -> None:
    table = (ROOT / "assets/README.md").read_text()
    bundled = [
        path for path in (ROOT / "assets").rglob("*") if path.is_file() and path.suffix in {".dcm", ".onnx", ".png"}
    ]
    assert bundled
    for path in bundled:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in table, path.name
