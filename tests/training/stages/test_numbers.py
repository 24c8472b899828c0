"""Numbers that make no sense: a step of -3 mm cut every slice, and every 0th frame ended in a traceback."""

import argparse
from pathlib import Path

import pytest

from training.cli import main
from training.stages.numbers import JOBS, within


@pytest.mark.parametrize(("parse", "text"), [(JOBS, "0"), (JOBS, "1.5"), (within(0.0), "-3"), (within(0.0), "nan"),
                                             (within(0.005, 3.0), "4"), (within(0.005, 3.0), "inf"),
                                             (within(0.0), "inf")])  # fmt: skip
def test_what_lies_outside_is_refused(parse, text: str):
    with pytest.raises(argparse.ArgumentTypeError, match="will not do: give"):
        parse(text)


def test_what_lies_inside_is_taken_as_its_own_kind():
    assert (JOBS("1"), within(0.0)("0"), within(0.005, 3.0)("3")) == (1, 0.0, 3.0)
    assert type(JOBS("4")) is int


def test_a_folder_or_file_in_the_others_place_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        main(["export", "--population-template", str(tmp_path)])
    assert ended.value.code == 2
    assert f"error: {tmp_path} cannot be read or written" in capsys.readouterr().err
    assert main(["experiment", "miniature", "--work", str(tmp_path / "file")]) == 2
    assert f"error: {tmp_path / 'file'} cannot be made" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("slice", "c.csv", "--out", "o", "--every-frame", "0"),
                                   ("register", "c.csv", "--out", "o", "--jobs", "0"),
                                   ("folds", "s", "--out", "o", "--seed", "-1"),
                                   ("cases", "--out", "o", "--pixel-mm", "0")])  # fmt: skip
def test_a_stage_refuses_it_before_it_reads_anything(words, capsys):
    with pytest.raises(SystemExit):
        main(words)
    assert "will not do: give" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("evaluate", "A=masks", "--slices", "test", "--training", "A=slices"),
            "--training and --note are of a --grid",
        ),
        (("evaluate", "A=masks", "--slices", "test", "--note", "words"), "--training and --note are of a --grid"),
        (("evaluate", "masks", "test", "--title", "Six"), "a margin and a title need --slices"),
        (("slice", "cases.csv", "--registered", "REG"), "say --labels mri or both"),
        (("cases", "--clinical", "c.csv"), "--clinical are of ReMIND's patients"),
    ],
)
def test_an_option_that_would_be_passed_over_is_refused(tmp_path: Path, capsys, words, sentence: str):
    """Patients of a training were named, or MRI's masks, and the figures came out as if they had not been."""
    more = ("--data", "six") if words[0] == "evaluate" else ()
    words = [str(tmp_path / word) if word in ("test", "cases.csv") else word for word in words]
    assert main([*words, "--out", str(tmp_path / "out"), *more]) == 2
    assert sentence in capsys.readouterr().err
