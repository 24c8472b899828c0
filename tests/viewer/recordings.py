"""Recording from the window: started by its key, watched, stopped and opened. Fixtures, named in conftest."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.jobs.snapshots import Snapshots
from inference.sources import open_source
from inference.sources.record import RecordSource
from viewer import settings
from viewer.main_window import MainWindow


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where records go in this test."""
    monkeypatch.setattr(settings, "exports_folder", lambda: tmp_path / "records")
    return tmp_path / "records"


@pytest.fixture
def recorded(records: Path, qtbot: QtBot) -> Iterator[Callable[[MainWindow], RecordSource]]:
    """Stops the window's recording and opens what it wrote."""
    opened: list[RecordSource] = []

    def stop(window: MainWindow) -> RecordSource:
        if window.state.recording.running:
            qtbot.keyClick(window, Qt.Key.Key_R)
        said(window, qtbot, "Recorded ")
        source = open_source(str(max(records.iterdir(), key=lambda path: path.stat().st_mtime)))
        assert isinstance(source, RecordSource)
        opened.append(source)
        return source

    yield stop
    for source in opened:
        source.close()


def said(window: MainWindow, qtbot: QtBot, words: str) -> None:
    window.refresh._slow_at = 0.0

    def is_said() -> None:
        assert words in window.view.picture_area.notice.accessibleName()

    qtbot.waitUntil(is_said, timeout=20_000)


def snapshot_comments(window: MainWindow, folder: Path) -> str:
    """What a snapshot of the screen says as DICOM."""
    window.state.snapshots.close()
    window.state.snapshots = Snapshots(folder)
    window.handlers.write_snapshot()
    window.state.snapshots.close()
    return str(pydicom.dcmread(next(folder.glob("*_picture.dcm"))).ImageComments)


def start(window: MainWindow, qtbot: QtBot, code: str = "") -> None:
    """Type a code, if there is one, and press R."""
    if code:
        window.act("code")
        qtbot.keyClicks(window.view.record.code, code)
        qtbot.keyClick(window.view.record.code, Qt.Key.Key_Return)
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert window.state.recording.running


def frames_in(window: MainWindow, count: int) -> Callable[[], bool]:
    """Whether so many frames are on the disk."""

    def are() -> bool:
        record = window.session.record
        return record is not None and record.status().frames >= count

    return are
