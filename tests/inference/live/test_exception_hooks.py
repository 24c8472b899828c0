"""Errors that nobody expected reach the log and the window."""

import logging
import os
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from inference import one_thread
from inference.live import exception_hooks as faults


def test_an_error_in_any_thread_reaches_log_and_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    found = faults.Faults()
    with faults.installed(found, tmp_path / "logs") as path:
        thread = threading.Thread(target=lambda: 1 // 0)
        thread.start()
        thread.join()
        sentence = found.take()
        assert sentence is not None
        assert "ZeroDivisionError" in sentence
        assert found.take() is None
    assert "Traceback" in path.read_text()


def test_the_log_names_no_patient(tmp_path: Path) -> None:
    """Texts of errors quote names of files, and libraries quote values of headers."""
    name = "Doe_Jane_0815"

    def read() -> None:
        try:
            (tmp_path / name / "sweep.dcm").read_bytes()
        except OSError as error:
            raise ValueError(f"{name} cannot be read") from error

    with faults.installed(faults.Faults(), tmp_path / "logs") as path:
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
        logging.getLogger("pydicom").warning("Invalid value for VR PN: %s", name)
        logging.getLogger("inference.guards.watch").warning("guard: %s", "black_picture")
    text = path.read_text()
    assert name not in text
    assert "FileNotFoundError" in text
    assert "ValueError" in text
    assert text.count("in read\n") == 2, "where it happened"
    assert "WARNING pydicom" in text
    assert "guard: black_picture" in text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
@pytest.mark.parametrize("place", ["logs", "file/logs"])
def test_only_its_owner_reads_it_wherever_it_is(tmp_path: Path, place: str) -> None:
    """Where no folder can be made, it goes into a temporary one that nobody can have prepared."""
    (tmp_path / "file").write_text("in the way")
    with faults.installed(faults.Faults(), tmp_path / place) as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.is_relative_to(tmp_path / "logs") == (place == "logs")
    if place != "logs":
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        path.unlink()
        path.parent.rmdir()


def test_a_log_that_does_not_answer_goes_elsewhere(
    tmp_path: Path, stalled: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = tmp_path / "viewer.log"
    dead.write_text("")
    stalled(dead)
    monkeypatch.setattr(faults, "HOME_S", 0.3)
    with faults.installed(faults.Faults(), tmp_path) as path:
        logging.getLogger("inference").warning("here")
    assert path != dead
    assert "here" in path.read_text()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_log_that_is_no_longer_taken_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many entries as a pipe takes that nobody reads, and more."""
    monkeypatch.setattr(one_thread, "ANSWER_S", 0.3)
    os.mkfifo(tmp_path / "viewer.log")
    reader, began = os.open(tmp_path / "viewer.log", os.O_RDONLY | os.O_NONBLOCK), monotonic()
    with faults.installed(faults.Faults(), tmp_path):
        for _ in range(100):
            logging.getLogger("inference").warning("x" * 1000)
    assert monotonic() - began < 3
    os.set_blocking(reader, True)
    with os.fdopen(reader, "rb") as entries:
        assert entries.read().count(b"WARNING") == 100, "nothing is lost once it answers"
