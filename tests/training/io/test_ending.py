"""How a command ends: its exit code, its one sentence, and what the workflow that started it gets to know."""

import errno
import signal
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from inference.errors import FormatError
from training.io.ending import TELLS, ended


def raising(error: Exception):
    def run() -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (FormatError("The file is wrong."), "The file is wrong."),
        (OSError(errno.ENOSPC, "full", "a.nii.gz"), "The disk is full at a.nii.gz: free space"),
        (
            IsADirectoryError(errno.EISDIR, "Is a directory", ".aside-R", None, "R"),
            "R cannot be read or written (Is a d",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "a.csv"), "a.csv cannot be read or written (Permission de"),
        (ModuleNotFoundError("no torch", name="torch"), "torch is not installed"),
        (BrokenProcessPool("one died"), "A worker process was ended, probably for want of memory: run it again with"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence_here_and_in_the_workflow(
    tmp_path, monkeypatch, capsys, error, sentence
):
    monkeypatch.setenv(TELLS, str(tmp_path / "told"))
    assert ended(raising(error)) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {sentence}")
    assert said == f"error: {(tmp_path / 'told').read_text()}\n"


@pytest.mark.parametrize("error", [OSError(errno.EIO, "io"), ModuleNotFoundError("x", name="training.absent")])
def test_a_fault_of_ours_keeps_its_traceback(error):
    with pytest.raises(type(error)):
        ended(raising(error))


def test_ctrl_c_counts_also_where_what_runs_turns_it_into_a_failure_of_its_own(tmp_path: Path, monkeypatch, capsys):
    """Snakemake does so."""
    monkeypatch.setenv(TELLS, str(tmp_path / "told"))

    def run() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise FormatError("It stopped.") from None

    assert ended(run) == 130
    assert capsys.readouterr().err == "error: stopped before the end: run it again, what is done is kept.\n"
    assert not (tmp_path / "told").exists()


def test_a_command_that_ctrl_c_ends_well_ended_well():
    """As a server does, which runs until then."""
    before = signal.getsignal(signal.SIGINT)

    def run() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            return

    assert ended(run) == 0
    assert signal.getsignal(signal.SIGINT) is before
