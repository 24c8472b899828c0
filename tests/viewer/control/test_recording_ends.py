"""How a recording ends, and what is found of it: a full disk, another source, no folder, and a record opened again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from disks import full_disk
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from recordings import frames_in, said, start

from inference.live.requests import SourceRequest
from inference.outcome import Outcome, Tumour
from inference.sources import open_source
from inference.sources.record import RecordSource
from inference.sources.simulated import PhantomSource
from inference.view_notes import Flip, Marker, Phase
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]


def test_a_full_disk_stops_the_recording_and_not_the_picture(
    show: Show, qtbot: QtBot, records: Path, shoot: Shoot
) -> None:
    window = show(PhantomSource(count=60))
    with full_disk(150_000):
        start(window, qtbot)
        said(window, qtbot, "The disk is full")
    assert not window.state.recording.running
    assert not window.view.top.badge.isVisible()
    shoot(window, "disk-full")
    before = window.meter.shown
    qtbot.waitUntil(lambda: window.meter.shown > before + 5, timeout=5000)
    with RecordSource(next(records.iterdir())) as source:
        assert len(source) > 0
        assert not source.finished


def test_another_source_ends_the_recording(show: Show, qtbot: QtBot, records: Path) -> None:
    window = show(PhantomSource(count=60))
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 2), timeout=10_000)
    window.session._open_source = lambda _: PhantomSource(count=7)
    window.handlers.open_source(SourceRequest("another"))
    qtbot.waitUntil(lambda: not window.state.recording.running, timeout=5000)
    said(window, qtbot, "Recorded ")
    with RecordSource(next(records.iterdir())) as source:
        assert source.finished
        assert max(source.place(number) for number in range(len(source))) >= 1


def test_a_folder_that_cannot_be_made_is_one_sentence(show: Show, qtbot: QtBot, records: Path) -> None:
    records.write_text("in the way")
    window = show()
    qtbot.keyClick(window, Qt.Key.Key_R)
    said(window, qtbot, "cannot be made")
    assert not window.state.recording.running


def test_a_record_opens_in_the_window_and_is_exported_from_it(
    show: Show, at: At, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], records: Path, shoot: Shoot
) -> None:
    window = show(PhantomSource(count=60))
    qtbot.keyClick(window, Qt.Key.Key_E)
    said(window, qtbot, "Open a record first")
    window.handlers.set_phase(Phase.RESECTION)
    qtbot.keyClick(window, Qt.Key.Key_Y)
    window.handlers.turn_marker()
    start(window, qtbot, "GL-017")
    qtbot.waitUntil(frames_in(window, 8), timeout=10_000)
    recorded(window)
    window.handlers.set_phase(Phase.BEFORE_DURA)
    whole = next(records.iterdir())
    cut = records / "cut.mcap"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 7 // 10])
    window.session._open_source = lambda request: open_source(request.text)
    window.handlers.open_source(SourceRequest(str(cut)))
    said(window, qtbot, "cut off at")
    assert (window.phase, window.flip, window.state.marker) == (Phase.RESECTION, Flip(up_down=True), Marker.LEFT)
    shoot(window, "record-cut-off")
    with RecordSource(cut) as source:
        outcomes = {number: source.outcome(number) for number in range(len(source))}
    number, outcome = next((n, o) for n, o in outcomes.items() if isinstance(o, Tumour))
    at(window, number)
    qtbot.keyClick(window, Qt.Key.Key_E)
    said(window, qtbot, "Exported: ")
    seg = pydicom.dcmread(records / "cut" / f"frame-{number:06}_seg.dcm")
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_E)
    said(window, qtbot, "export")
    qtbot.waitUntil(lambda: not window.state.record_export.running, timeout=20_000)
    assert np.array_equal(np.squeeze(seg.pixel_array), outcome.mask)
    assert "GL-017" in (records / "cut" / "summary.html").read_text()
