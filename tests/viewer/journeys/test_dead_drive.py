"""A drive that does not answer: the picture goes on, one sentence says so, and the window closes."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from recordings import frames_in, said, start
from tiny import threshold_model

import inference.sources as sources
from inference.jobs import model_glances, record_list
from inference.live.requests import SourceRequest
from inference.recording import recorder
from inference.sources.record import RecordSource
from inference.sources.simulated import PhantomSource
from viewer import app, settings
from viewer.main_window import MainWindow

GIVEN_UP_S, LONGEST_S = 3.0, 2.0
"""When the files are given up, and the longest standstill: a window that waited for one would stand for the former."""


def test_the_picture_goes_on_while_files_do_not_answer(
    show: Callable[..., MainWindow],
    qtbot: QtBot,
    recorded: Callable[[MainWindow], RecordSource],
    records: Path,
    stalled: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module, name in ((sources, "ANSWER_S"), (record_list, "LOOK_S"), (model_glances, "GLANCE_S")):
        monkeypatch.setattr(module, name, GIVEN_UP_S)
    window = show(PhantomSource(count=60))
    start(window, qtbot, "GL-017")
    qtbot.waitUntil(frames_in(window, 6), timeout=10_000)
    recorded(window)
    first = next(records.iterdir())
    dead, model = records / "iUS-20260301-101500.mcap", records / "m.onnx"
    shutil.copy(first, dead)
    model.write_bytes(b"a model")
    stalled(dead, model)
    monkeypatch.setattr(window.session, "_open_source", app.open_source)
    longest, last = 0.0, monotonic()

    def said() -> bool:
        nonlocal longest, last
        now = monotonic()
        longest, last = max(longest, now - last), now
        window.refresh._slow_at = 0.0
        listed = [row.record.words for row in window.view.records.rows]
        return window.view.picture_area.notice.accessibleName() == sentence and sentence in listed

    sentence = f"{dead.name} does not answer: is its drive connected?"
    shown = window.meter.shown
    window.state.remember(window.state.settings.with_model(str(model)))
    window.state.look_for_models()
    window.records.toggle()
    window.handlers.open_source(SourceRequest(str(dead)))
    qtbot.waitUntil(said, timeout=20_000)
    assert longest < LONGEST_S
    assert window.meter.shown > shown
    assert window.session.info is not None
    begun = monotonic()
    window.close()
    assert monotonic() - begun < 10


def test_a_home_that_does_not_answer_is_said_and_the_window_opens(
    show: Callable[..., MainWindow], stalled: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.save(settings.Settings(introduced=True))
    stalled(settings.folder() / settings.NAME)
    monkeypatch.setattr(settings, "HOME_S", 0.3)
    window = show(remembered=settings.load(), wait=False)
    assert window.view.picture_area.notice.accessibleName() == settings.DEAD.format(settings.folder())


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """A drive that is told which of its files it never answers for again, however long it is waited for."""
    dead, (never, answer) = set[int](), os.pipe()
    fsync = os.fsync

    def waits(handle: int) -> None:
        if os.fstat(handle).st_ino in dead:
            os.read(never, 1)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", waits)
    yield lambda path: dead.add(path.stat().st_ino)
    dead.clear()
    os.close(answer)
    for thread in threading.enumerate():
        if thread.name == "ius-record":
            thread.join(10)
    os.close(never)


def test_a_drive_that_dies_while_recording_holds_neither_the_window_nor_the_next_record(
    show: Callable[..., MainWindow],
    qtbot: QtBot,
    records: Path,
    dying: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder, "ANSWER_S", 1.0)
    window = show(PhantomSource(count=60))
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 2), timeout=10_000)
    first = next(records.iterdir())
    dying(first)
    said(window, qtbot, f"{first} does not answer: is its drive connected?")
    assert window.state.recording.running, "it may come back"
    shown, begun = window.meter.shown, monotonic()
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert monotonic() - begun < 0.5
    assert not window.state.recording.running
    other = records.with_name("other")
    window.state.recording._folder = other
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 2), timeout=10_000)
    said(window, qtbot, f"{first.name} could not be finished, since its drive does not answer")
    assert window.meter.shown > shown
    qtbot.keyClick(window, Qt.Key.Key_R)
    said(window, qtbot, "Recorded ")
    for path, finished in ((first, False), (next(other.iterdir()), True)):
        with RecordSource(path) as source:
            assert source.finished is finished
            assert len(source) >= 2


PROGRAM = """
import os, sys
from PySide6.QtCore import QTimer
from inference import one_thread
from inference.recording import recorder
from viewer import app, settings

one_thread.ANSWER_S = recorder.ANSWER_S = 1.0
folder, pipe = sys.argv[1:3]
dead, build, fsync = False, app.build, os.fsync

def wait(event, given):
    if dead and event in ("open", "os.mkdir") and str(given[0]).startswith(folder):
        os.open(pipe, os.O_RDONLY)

def settle(handle):
    if dead:
        os.open(pipe, os.O_RDONLY)
    fsync(handle)

def built(*given):
    window = build(*given)
    def look():
        global dead
        record = window.session.record
        if record is None and window.meter.shown > 2:
            window.act("record")
        elif record is not None and record.status().frames > 5:
            dead = True
            window.act("snapshot")
            window.end()
            return
        QTimer.singleShot(50, window, look)
    look()
    return window

app.build, os.fsync = built, settle
sys.addaudithook(wait)
sys.exit(app.main(["simulated:", "--model", sys.argv[3], "--exit-after", "150"]))
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_the_program_ends_on_a_drive_that_has_died_and_says_what_was_not_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")
    outside = os.environ | {"HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    outside |= {"XDG_DOCUMENTS_DIR": str(tmp_path / "documents"), "XDG_STATE_HOME": str(tmp_path / "state")}
    threshold_model(tmp_path / "m.onnx", level=0.75)
    places = (str(tmp_path / name) for name in ("documents", "never", "m.onnx"))
    command = [sys.executable, "-W", "error", "-c", PROGRAM, *places]
    ended = subprocess.run(command, env=outside, capture_output=True, text=True, timeout=100, check=False)
    folder = tmp_path / "documents" / "iUS"
    (path,) = folder.iterdir()
    assert ended.stderr.splitlines() == [
        f"error: {path.name} could not be finished, since its drive does not answer: what is written is safe.",
        f"error: {folder} does not answer: is its drive connected?",
    ]
    assert ended.returncode == 2
    log = (tmp_path / "state" / "ius" / "log" / "viewer.log").read_text()
    assert "recording not finished" in log
    assert "ius-export: 1 left to end with the program" in log
    with RecordSource(path) as source:
        assert not source.finished
        assert len(source) > 5
