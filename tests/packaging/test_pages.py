"""The manual: what is made from the code is what the code says, its links lead somewhere, its commands exist."""

import importlib.util
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from packaging.requirements import Requirement

import training.cli
import viewer.app
from inference import cli as segment

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
spec = importlib.util.spec_from_file_location("pages", ROOT / "packaging/pages.py")
assert spec is not None
assert spec.loader is not None
pages = sys.modules["pages"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pages)

PARSERS = {"ius-viewer": viewer.app._parser, "ius-segment": segment._parser, "ius-train": training.cli.parser}
COMMAND = re.compile(r"^ {4}(?:\.venv/bin/)?(ius-(?:viewer|segment|train) .*?)(?: {2,}.*)?$", re.MULTILINE)
MANUAL = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"]
TEXTS = [re.sub(r" \\\n +", " ", path.read_text()) for path in MANUAL]
"""With commands of two lines on one."""
TYPED = sorted({line for text in TEXTS for line in COMMAND.findall(text) if "…" not in line})


@pytest.mark.parametrize("page", pages.PAGES)
def test_what_is_made_from_the_code_is_what_the_code_says(page):
    assert (DOCS / page).read_text() == pages.PAGES[page](), "run `make docs` and commit"


@pytest.mark.parametrize("line", TYPED)
def test_every_command_of_the_manual_can_be_typed(line):
    """Parsed as the program itself would."""
    program, *words = shlex.split(line)
    assert vars(PARSERS[program]().parse_args(words))


def test_the_manual_is_built_without_a_warning_and_needs_no_network(tmp_path):
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path / "site"))
    build(config)
    built = sorted((tmp_path / "site").rglob("*.html"))
    assert len(built) > 15
    for page in built:
        loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(https?:)?//[^"]*"', page.read_text())
        assert loaded == [], page.name


def test_every_part_of_the_viewer_is_on_the_list_of_foreign_software():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = project["dependencies"] + extras["cpu"] + extras["cuda"] + extras["openvino"]
    names = {Requirement(text).name.lower() for text in needed}
    listed = {name.lower() for name in tomllib.loads((ROOT / "packaging/soup.toml").read_text())}
    assert listed == names


def test_every_hazard_has_an_estimate_and_every_estimate_a_hazard():
    hazards = re.findall(r"^\| \*\*(H\d+)\*\*", (DOCS / "HAZARDS.md").read_text(), re.MULTILINE)
    rows = re.findall(
        r"^\| (H\d+) \| (\d) \| (\d) \| (\d) \| \**(\d+)\** \|", (DOCS / "papers/risks.md").read_text(), re.MULTILINE
    )
    assert sorted(row[0] for row in rows) == sorted(hazards)
    for name, severity, before, after, risk in rows:
        assert int(after) <= int(before), name
        assert int(risk) == int(severity) * int(after), name


def test_what_the_threat_model_says_is_proved_by_tests_that_exist():
    named = set(re.findall(r"tests/[\w/]+\.py", (DOCS / "papers/threats.md").read_text()))
    assert len(named) > 5
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []
