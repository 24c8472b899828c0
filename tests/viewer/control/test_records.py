"""The list of records in the window: opened, exported and deleted by mouse and by keyboard alone."""

import shutil
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import nibabel as nib
import numpy as np
import pytest
from legible import cut_off
from outcomes import ANALYSIS
from painted import At
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot
from recordings import frames_in, said, start

from inference.alarms import Alarm
from inference.crop import Rect
from inference.live.model import Model
from inference.live.requests import SourceRequest
from inference.outcome import NothingFound
from inference.readout.screen_state import WRONG_WORDS
from inference.readout.trend import Event
from inference.recording.recorder import Recorder
from inference.recording.schema import Corrector, EventKind
from inference.sources.disturbed import DisturbedSource
from inference.sources.record import RecordSource
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance
from viewer.control.presets import Place, Preset
from viewer.main_window import MainWindow
from viewer.panels.record_list import RecordRow

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]


@pytest.fixture
def sitting(show: Show, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], records: Path) -> MainWindow:
    """A window after a sitting with three records, the oldest under a code."""
    window = show(PhantomSource(count=60))
    start(window, qtbot, "GL-017")
    qtbot.waitUntil(frames_in(window, 6), timeout=10_000)
    recorded(window)
    first = next(records.iterdir())
    shutil.copy(first, records / "iUS-20260301-101500.mcap")
    shutil.copy(first, records / "iUS-20260302-101500.mcap")
    return window


def listed(window: MainWindow, qtbot: QtBot, count: int) -> list[RecordRow]:
    """Open the list by the buttons, and wait until it is filled, and shown: Qt shows a new row in its next round."""
    if window.view.records.isHidden():
        for bar, words in ((window.view.top, "Open…"), (window.view.source, "Records…")):
            button = next(b for b in bar.findChildren(QPushButton) if b.text() == words)
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def filled() -> bool:
        window.refresh._slow_at = 0.0
        rows = window.view.records.rows
        return len(rows) == count and all(row.isVisible() for row in rows)

    qtbot.waitUntil(filled, timeout=10_000)
    return window.view.records.rows


def press(row: RecordRow, qtbot: QtBot) -> None:
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("size", [(1120, 680), (1920, 1080)])
def test_a_live_picture_stays_in_sight_beside_the_list(
    show: Show, qtbot: QtBot, shoot: Shoot, size: tuple[int, int]
) -> None:
    window = show(DisturbedSource(240, 320), wait=False)
    window.resize(*size)
    qtbot.waitUntil(lambda: window.shown is not None, timeout=10_000)
    start(window, qtbot, "GL-017")
    qtbot.waitUntil(frames_in(window, 3), timeout=10_000)
    window.state.recording.stop()
    said(window, qtbot, "Recorded 00:0")
    window.view.picture_area.expire(monotonic() + 60)
    rows, panel = listed(window, qtbot, 1), window.view.records
    press(rows[0], qtbot)
    picture = next(pane for pane in (window.view.canvas, window.view.live) if pane.isVisible())
    assert picture.geometry().right() < panel.x()
    assert picture.width() > panel.width() * 0.6
    shoot(window, f"records-live-{size[0]}")
    for made in (panel.open, panel.deidentify, panel.delete):
        assert panel.rect().contains(made.geometry().translated(made.parentWidget().pos()))


def test_the_list_is_filled_and_opens_what_is_selected(sitting: MainWindow, qtbot: QtBot, shoot: Shoot) -> None:
    rows = listed(sitting, qtbot, 3)
    panel = sitting.view.records
    assert [row.record.path.stem[:13] for row in rows[1:]] == ["iUS-20260302-", "iUS-20260301-"]
    assert rows[0].record.case_code == "GL-017"
    assert not panel.open.isEnabled()
    press(rows[1], qtbot)
    shoot(sitting, "records")
    press(rows[2], qtbot)
    assert not panel.open.isEnabled(), "one is opened, not two"
    press(rows[2], qtbot)
    qtbot.mouseClick(panel.open, Qt.MouseButton.LeftButton)
    assert panel.isHidden()
    assert sitting.session.request is not None
    assert Path(sitting.session.request.text).name == "iUS-20260302-101500.mcap"


def test_records_are_deleted_only_after_the_question(
    sitting: MainWindow, qtbot: QtBot, shoot: Shoot, records: Path
) -> None:
    rows, panel = listed(sitting, qtbot, 3), sitting.view.records
    press(rows[1], qtbot)
    press(rows[2], qtbot)
    qtbot.mouseClick(panel.delete, Qt.MouseButton.LeftButton)
    assert "2 records will be gone for good" in panel._question.text()
    shoot(sitting, "records-delete")
    qtbot.keyClick(panel.keep, Qt.Key.Key_Return)
    assert len(list(records.iterdir())) == 3
    assert not panel.agree.isVisible()
    qtbot.mouseClick(panel.delete, Qt.MouseButton.LeftButton)
    press(rows[0], qtbot)
    assert not panel.agree.isVisible(), "another selection is another question"
    press(rows[0], qtbot)
    qtbot.mouseClick(panel.delete, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.agree, Qt.MouseButton.LeftButton)
    assert [row.record.case_code for row in listed(sitting, qtbot, 1)] == ["GL-017"]
    assert len(list(records.iterdir())) == 1


def test_the_open_record_is_not_deleted(sitting: MainWindow, qtbot: QtBot, records: Path) -> None:
    path = records / "iUS-20260301-101500.mcap"
    sitting.handlers.open_source(sitting.records.request(path))
    qtbot.waitUntil(lambda: sitting.session.info is not None, timeout=5000)
    sitting.records.delete([path])
    assert path.exists()
    assert "is open now" in sitting.view.picture_area.notice.text()


def test_a_record_that_was_opened_by_a_relative_name_is_not_deleted(
    sitting: MainWindow, qtbot: QtBot, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = records / "iUS-20260301-101500.mcap"
    monkeypatch.chdir(records)
    sitting.handlers.open_source(SourceRequest(path.name))
    qtbot.waitUntil(lambda: sitting.state.settings.recent[:1] == (str(path),), timeout=5000)
    assert sitting.session.info is not None
    sitting.records.delete([path])
    assert path.exists()
    assert "is open now" in sitting.view.picture_area.notice.text()


def test_several_records_are_exported_at_once(sitting: MainWindow, qtbot: QtBot, records: Path) -> None:
    rows = listed(sitting, qtbot, 3)
    (records / "iUS-20260302-101500.mcap").write_bytes(b"damaged since it was listed")
    for row in rows:
        press(row, qtbot)
    qtbot.mouseClick(sitting.view.records.export, Qt.MouseButton.LeftButton)
    said(sitting, qtbot, "1 record could not be exported")
    assert "Exported:" in sitting.view.picture_area.notice.text(), "one bad record does not keep the others back"
    assert (records / "iUS-20260301-101500" / "readings.csv").exists()
    assert (rows[0].record.path.with_suffix("") / "summary.html").exists()


def test_a_de_identified_export_uses_the_crop_kept_for_the_scanner(
    sitting: MainWindow, qtbot: QtBot, records: Path
) -> None:
    rows = listed(sitting, qtbot, 3)
    device, (high, wide) = rows[0].record.device, rows[0].record.size
    assert device, "a simulated source says its name"
    rect = Rect(120, 160, 200, 240)
    spacing = PixelSpacing(0.15, 0.15, Provenance.PRESET)
    preset = Preset(Place(device, high, wide, rect), spacing.row_mm, spacing.col_mm)
    sitting.records._presets.save(preset)
    press(rows[0], qtbot)
    qtbot.mouseClick(sitting.view.records.deidentify, Qt.MouseButton.LeftButton)
    said(sitting, qtbot, "Exported:")
    out = records / "deidentified" / "GL-017-1"
    assert (out / "summary.html").exists()
    stack = np.asarray(nib.load(out / "frames.nii.gz").dataobj)
    seen = np.argwhere(stack.any(axis=2))
    assert seen.min(axis=0).tolist() >= [160, 120]
    assert (seen.max(axis=0) < [400, 320]).all()


def test_the_crop_of_the_open_record_is_that_of_every_record_of_its_scanner(
    sitting: MainWindow, qtbot: QtBot, records: Path
) -> None:
    """Where no sector stands out, a crop on the opened record is the way out: there was none without the scanner."""
    before = sitting.session.source
    sitting.handlers.open_source(sitting.records.request(records / "iUS-20260301-101500.mcap"))
    qtbot.waitUntil(lambda: sitting.session.source not in (before, None), timeout=10_000)
    sitting.session.crop(Rect(120, 160, 200, 240))
    rows = listed(sitting, qtbot, 3)
    for row in rows[1:]:
        press(row, qtbot)
    qtbot.mouseClick(sitting.view.records.deidentify, Qt.MouseButton.LeftButton)
    said(sitting, qtbot, "Exported:")
    for number in (1, 2):
        seen = np.argwhere(np.asarray(nib.load(records / f"deidentified/GL-017-{number}/frames.nii.gz").dataobj))
        assert seen.min(axis=0)[:2].tolist() >= [160, 120]
        assert (seen.max(axis=0)[:2] < [400, 320]).all()


def test_a_video_is_written_beside_the_de_identified_exports(sitting: MainWindow, qtbot: QtBot, records: Path) -> None:
    rows = listed(sitting, qtbot, 3)
    for row in rows[:2]:
        press(row, qtbot)
    qtbot.mouseClick(sitting.view.records.video, Qt.MouseButton.LeftButton)
    said(sitting, qtbot, "Exported: 2 files in")
    films = sorted((records / "deidentified").iterdir())
    assert [film.name for film in films] == ["GL-017-1.mp4", "GL-017-2.mp4"]
    assert int(cv2.VideoCapture(str(films[0])).get(cv2.CAP_PROP_FRAME_COUNT)) >= 6


def test_a_record_becomes_one_dicom_and_its_masks(sitting: MainWindow, qtbot: QtBot, records: Path) -> None:
    press(listed(sitting, qtbot, 3)[0], qtbot)
    qtbot.mouseClick(sitting.view.records.dicom, Qt.MouseButton.LeftButton)
    said(sitting, qtbot, "Exported: 2 files in")
    assert [file.name for file in sorted((records / "deidentified").iterdir())] == ["GL-017-1.dcm", "GL-017-1_seg.dcm"]


def test_everything_is_done_by_the_keyboard_alone(sitting: MainWindow, qtbot: QtBot, records: Path) -> None:
    """Ctrl R, arrows and Enter select, Tab reaches the buttons, and Esc gives the keys back to the window."""
    qtbot.keyClick(sitting, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    rows, panel = listed(sitting, qtbot, 3), sitting.view.records
    qtbot.waitUntil(rows[0].hasFocus)
    qtbot.keyClick(rows[0], Qt.Key.Key_Down)
    assert rows[1].hasFocus()
    qtbot.keyClick(rows[1], Qt.Key.Key_Return)
    assert panel.selected == [rows[1].record]
    for _ in range(8):
        if panel.delete.hasFocus():
            break
        holder = QApplication.focusWidget()
        assert holder is not None
        qtbot.keyClick(holder, Qt.Key.Key_Tab)
    assert panel.delete.hasFocus()
    qtbot.keyClick(panel.delete, Qt.Key.Key_Return)
    assert panel.keep.hasFocus(), "Enter alone keeps the record"
    qtbot.keyClick(panel.keep, Qt.Key.Key_Tab)
    assert panel.agree.hasFocus()
    qtbot.keyClick(panel.agree, Qt.Key.Key_Return)
    listed(sitting, qtbot, 2)
    assert len(list(records.iterdir())) == 2
    qtbot.keyClick(sitting, Qt.Key.Key_Escape)
    assert panel.isHidden()
    assert sitting.focusWidget() is sitting.view


@pytest.mark.parametrize("size", [(1120, 700), (1366, 768), (3840, 2160)])
def test_no_text_of_the_list_is_cut(sitting: MainWindow, qtbot: QtBot, records: Path, size: tuple[int, int]) -> None:
    for day in range(3, 12):
        shutil.copy(records / "iUS-20260301-101500.mcap", records / f"iUS-202603{day:02}-101500.mcap")
    broken = records / "iUS-20260311-101500.mcap"
    broken.write_bytes(broken.read_bytes()[:2000])
    sitting.resize(*size)
    rows = listed(sitting, qtbot, 12)
    for row in rows:
        press(row, qtbot)
    qtbot.wait(50)
    assert cut_off(sitting) == []
    (why,) = (row._words for row in rows if not row.record.opens)
    assert why.text().startswith(broken.name)
    assert why.heightForWidth(why.width()) <= why.height(), "the only place that says why it cannot be opened"
    qtbot.mouseClick(sitting.view.records.delete, Qt.MouseButton.LeftButton)
    qtbot.wait(50)
    assert cut_off(sitting) == []


def test_a_reopened_record_shows_what_was_judged_of_its_frames(
    show: Show, at: At, qtbot: QtBot, tmp_path: Path
) -> None:
    """The alarm called false, the contour marked as wrong, and the one that was corrected; the rest is as it was."""
    path, mask = tmp_path / "judged.mcap", np.zeros((512, 512), np.uint8)
    mask[250:300, 240:290] = 1
    with PhantomSource(count=5) as phantom:
        frames = [phantom.read(number) for number in range(5)]
        recorder = Recorder(path, phantom.info, start=frames[0].captured_at)
    outcomes = [NothingFound(frame, ANALYSIS) for frame in frames]
    recorder.event(EventKind.OVERRULED, Alarm.GRAPHICS.value, at=frames[0].captured_at)
    for outcome in outcomes:
        recorder.frame(outcome.frame)
        recorder.outcome(outcome)
    recorder.event(EventKind.WRONG, "", outcomes[2])
    recorder.correction(outcomes[1], mask, Corrector.CARRIED)
    recorder.correction(outcomes[3], np.zeros_like(mask), Corrector.USER)  # it was taken back
    recorder.close()
    window = show(RecordSource(path), wait=False)
    qtbot.waitUntil(lambda: window.session.ready and window.shown is not None, timeout=5000)
    assert window.session.source is not None
    assert window.session.source.overruled == {Alarm.GRAPHICS}
    assert window.session.source.whole() is None, "a record masks nothing, and can be calibrated"
    shown = []
    for number in range(4):
        at(window, number)
        window.refresh.tick()
        assert window.state.screen is not None
        marks, made = window.view.canvas._annotations, window.state.screen.correction
        shown.append((marks.overruled != "", marks.wrong, "" if made is None else made.who))
        assert made is None or np.array_equal(made.mask, mask)
    assert shown == [
        (True, "", ""),
        (True, "", "carried, confirmed by user"),
        (True, WRONG_WORDS, ""),
        (True, "", ""),
    ]
    assert [mark.at for mark in window.state.screen.trend.marks if mark.event is Event.WRONG] == [2.0]  # type: ignore[union-attr]


@pytest.mark.parametrize("same", [True, False])
def test_a_mark_is_of_the_model_that_drew_the_contour(
    show: Show, at: At, model: Model, qtbot: QtBot, tmp_path: Path, same: bool
) -> None:
    """What another model draws on that frame, nobody has called wrong: neither the screen nor a snapshot says so."""
    path = tmp_path / "judged.mcap"
    with PhantomSource(count=3) as phantom:
        frames = [phantom.read(number) for number in range(3)]
        recorder = Recorder(path, phantom.info, start=frames[0].captured_at)
    recorder.model(model.sha256 if same else "f" * 64, "CPU", model.contract.to_json())
    outcomes = [NothingFound(frame, ANALYSIS) for frame in frames]
    for outcome in outcomes:
        recorder.frame(outcome.frame)
        recorder.outcome(outcome)
    recorder.event(EventKind.WRONG, "", outcomes[2])
    recorder.close()
    window = show(RecordSource(path), wait=False)
    qtbot.waitUntil(lambda: window.session.ready and window.shown is not None, timeout=5000)
    at(window, 2)
    window.refresh.tick()
    assert window.view.canvas._annotations.wrong == (WRONG_WORDS if same else "")
