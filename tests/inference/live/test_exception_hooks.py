"""Errors that nobody expected reach the log and the window."""

import sys
import threading
from pathlib import Path

import pytest

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
