"""README's commands of the training package are ones that the command line takes, options and all."""

import re
import shlex
from pathlib import Path

import pytest

from training.cli import parser

README = (Path(__file__).parents[2] / "README.md").read_text()
FOLDED = README.replace("\\\n", " ")
LINES = [line.strip() for line in FOLDED.splitlines() if line.strip().startswith(".venv/bin/ius-train ")]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[1])
def test_a_command_of_the_readme_is_understood(line: str):
    command = re.split(r" {2,}(?=\S)(?!--)", line)[0]
    words = shlex.split(command)[1:]
    if words[0] == "experiment" and words[1] == "NAME":
        words[1] = "miniature"
    parser().parse_args(["15" if word == "WORDS" else word for word in words])


def test_the_readme_shows_the_whole_way_and_holds_its_test_patients_out():
    stages = [line.split()[1] for line in LINES]
    wanted = ["cases", "register", "review", "slice", "folds", "fit", "predict", "evaluate", "export"]
    assert [stage for stage in dict.fromkeys(stages) if stage in wanted] == wanted
    for stage in ("predict", "evaluate"):
        (line,) = [line for line in LINES if line.split()[1] == stage]
        assert "TEST" in line.split()
        assert "SLICES" not in line.split()
