"""Recording from the window: what is on the screen is what is in the file, and a full disk stops only the recording."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.frame import Frame
from inference.guards.base import Alarm
from inference.reading import Outcome, Tumour
from inference.recording.schema import EventKind
from inference.sources import open_live, open_source
from inference.sources.cropped import Rect, crop
from inference.sources.record import RecordSource
from inference.sources.simulated import PhantomSource
from viewer import settings
from viewer.decor import Marker
from viewer.flip import Flip
from viewer.main_window import MainWindow
from viewer.opened import Model, SourceRequest
from viewer.phase import Phase

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]
Igtl = Callable[..., AbstractContextManager[Any]]
FreePort = Callable[..., int]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where records go in this test."""
    monkeypatch.setattr(settings, "exports_folder", lambda: tmp_path / "records")
    return tmp_path / "records"


@pytest.fixture
def recorded(folder: Path, qtbot: QtBot) -> Iterator[Callable[[MainWindow], RecordSource]]:
    """Stops the window's recording and opens what it wrote."""
    opened: list[RecordSource] = []

    def stop(window: MainWindow) -> RecordSource:
        if window.desk.recording.running:
            qtbot.keyClick(window, Qt.Key.Key_R)
        said(window, qtbot, "Recorded ")
        source = open_source(str(max(folder.iterdir(), key=lambda path: path.stat().st_mtime)))
        assert isinstance(source, RecordSource)
        opened.append(source)
        return source

    yield stop
    for source in opened:
        source.close()


def said(window: MainWindow, qtbot: QtBot, words: str) -> None:
    window.pull.hurry()

    def is_said() -> None:
        assert words in window.view.stage.notice.text()

    qtbot.waitUntil(is_said, timeout=20_000)


def start(window: MainWindow, qtbot: QtBot, code: str = "") -> None:
    """Press R, type a code, press return."""
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert not window.view.record.isHidden()
    qtbot.keyClicks(window.view.record.code, code)
    qtbot.keyClick(window.view.record.code, Qt.Key.Key_Return)
    assert window.desk.recording.running


def frames_in(window: MainWindow, count: int) -> Callable[[], bool]:
    """Whether so many frames are on the disk."""

    def are() -> bool:
        recorder = window.desk.recording._recorder
        return recorder is not None and recorder.status().frames >= count

    return are


def test_a_record_holds_what_was_shown_and_what_happened(
    show: Show, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], shoot: Shoot
) -> None:
    window = show(PhantomSource(count=60))
    start(window, qtbot, "GL-017")
    qtbot.waitUntil(frames_in(window, 5), timeout=10_000)
    qtbot.keyClick(window, Qt.Key.Key_P)
    qtbot.keyClick(window, Qt.Key.Key_X)
    window.deeds.turn_marker()
    more = window.desk.recording._recorder.status().frames + 8  # type: ignore[union-attr]
    qtbot.waitUntil(frames_in(window, more), timeout=10_000)
    window.pull.hurry()
    qtbot.waitUntil(lambda: window.view.top.badge.isVisible(), timeout=5000)
    shoot(window, "recording")
    with PhantomSource(count=60) as phantom:
        source = recorded(window)
        assert not window.view.top.badge.isVisible()
        assert (source.whole, source.opening.case_code, source.dropped) == (True, "GL-017", 0)
        assert source.models[0].sha256 == "0" * 64
        analysed = 0
        for number in range(len(source)):
            original = phantom.read(source.place(number))
            frame, outcome = source.read(number), source.outcome(number)
            assert np.array_equal(frame.pixels, original.pixels)
            assert frame.spacing == original.spacing
            if outcome is not None:
                again = window.session.model.analyse(original)  # type: ignore[union-attr]
                assert type(again) is type(outcome)
                if isinstance(outcome, Tumour) and isinstance(again, Tumour):
                    analysed += 1
                    assert np.array_equal(again.mask, outcome.mask)
        assert analysed > 3
    found = source.settings()
    assert (found[0].phase, found[0].flip, found[0].marker) == ("unset", "", "")
    last = found[-1]
    assert (last.phase, last.flip, last.marker) == ("before_dura_opening", "FLIPPED left-right", "left")


def test_the_code_is_asked_once_and_never_a_name(
    show: Show, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], shoot: Shoot
) -> None:
    window = show(size=(1366, 768))
    qtbot.keyClick(window, Qt.Key.Key_R)
    window.view.record.code.setText("Doe-Jane")
    window.view.record.start()
    assert "never a name" in window.view.record._error.text()
    assert not window.desk.recording.running
    shoot(window, "record-case-code")
    window.view.record.code.setText("")
    window.view.record.start()
    qtbot.waitUntil(frames_in(window, 2), timeout=10_000)
    recorded(window).close()
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert window.desk.recording.running
    assert window.view.record.isHidden()
    window.desk.recording.stop()


def test_a_wrong_contour_is_marked_on_its_frame(
    show: Show, at: At, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource]
) -> None:
    window = show(PhantomSource(count=60))
    qtbot.keyClick(window, Qt.Key.Key_W)
    said(window, qtbot, "press R first")
    start(window, qtbot)
    shown = at(window, 30)
    qtbot.keyClick(window, Qt.Key.Key_W)
    said(window, qtbot, "marked as wrong in the record")
    source = recorded(window)
    wrong = [number for number, setting in enumerate(source.settings()) if setting.wrong]
    assert [source.place(number) for number in wrong] == [30]
    assert np.array_equal(source.read(wrong[0]).pixels, shown.frame.pixels)


def test_the_last_half_minute_of_a_live_source_is_kept_with_its_marks(
    show: Show, qtbot: QtBot, folder: Path, igtl: Igtl, free_port: FreePort
) -> None:
    port = free_port()
    with igtl(port):
        window = show(open_live(f"igtl://127.0.0.1:{port}"))
        qtbot.waitUntil(lambda: isinstance(window.shown, Tumour) and window.meter.shown > 10, timeout=10_000)
        window.deeds.set_phase(Phase.DURA_OPEN)
        qtbot.keyClick(window, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: window.review is not None and isinstance(window.shown, Tumour), timeout=5000)
        marked = window.shown
        assert isinstance(marked, Tumour)
        qtbot.keyClick(window, Qt.Key.Key_W)
        qtbot.keyClick(window, Qt.Key.Key_K)
        said(window, qtbot, "are kept")
    with RecordSource(next(folder.iterdir())) as source:
        assert source.whole
        assert source.info.spacing == marked.frame.spacing
        found = source.settings()
        assert {setting.phase for setting in found} == {"dura_open"}
        wrong = [number for number, setting in enumerate(found) if setting.wrong]
        assert len(wrong) == 1
        outcome = source.outcome(wrong[0])
        assert isinstance(outcome, Tumour)
        assert np.array_equal(outcome.mask, marked.mask)
        assert np.array_equal(outcome.frame.pixels, marked.frame.pixels)


def test_a_record_holds_the_crop_that_was_analysed_and_says_when_it_ended(
    show: Show, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource]
) -> None:
    window = show(PhantomSource(count=60))
    rect = Rect(100, 120, 250, 260)
    window.session.crop(rect)
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 4), timeout=10_000)
    window.session.crop(None)
    more = window.desk.recording._recorder.status().frames + 6  # type: ignore[union-attr]
    qtbot.waitUntil(frames_in(window, more), timeout=10_000)
    source = recorded(window)
    assert source.opening.crop == (100, 120, 250, 260)
    assert not source.cropped
    with PhantomSource(count=60) as phantom:
        whole = []
        for number in range(len(source)):
            original, kept = phantom.read(source.place(number)), source.read(number).pixels
            whole.append(np.array_equal(kept, original.pixels))
            assert whole[-1] or np.array_equal(kept, crop(original, rect).pixels)
    assert (whole[0], whole[-1]) == (False, True)


def test_a_replay_has_no_half_minute_and_says_so(show: Show, qtbot: QtBot) -> None:
    window = show()
    qtbot.keyClick(window, Qt.Key.Key_K)
    said(window, qtbot, "Only a live source")


def test_a_full_disk_stops_the_recording_and_not_the_picture(
    show: Show, qtbot: QtBot, folder: Path, shoot: Shoot
) -> None:
    resource = pytest.importorskip("resource")
    window = show(PhantomSource(count=60))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
    try:
        start(window, qtbot)
        said(window, qtbot, "The disk is full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not window.desk.recording.running
    assert not window.view.top.badge.isVisible()
    shoot(window, "disk-full")
    before = window.meter.shown
    qtbot.waitUntil(lambda: window.meter.shown > before + 5, timeout=5000)
    with RecordSource(next(folder.iterdir())) as source:
        assert len(source) > 0
        assert not source.whole


def test_a_record_opens_in_the_window_and_is_exported_from_it(
    show: Show, at: At, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], folder: Path, shoot: Shoot
) -> None:
    window = show(PhantomSource(count=60))
    qtbot.keyClick(window, Qt.Key.Key_E)
    said(window, qtbot, "Open a record first")
    window.deeds.set_phase(Phase.RESECTION)
    qtbot.keyClick(window, Qt.Key.Key_Y)
    window.deeds.turn_marker()
    start(window, qtbot, "GL-017")
    qtbot.waitUntil(frames_in(window, 8), timeout=10_000)
    recorded(window)
    window.deeds.set_phase(Phase.BEFORE_DURA)
    whole = next(folder.iterdir())
    cut = folder / "cut.mcap"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 7 // 10])
    window.session._open_source = lambda request: open_source(request.text)
    window.deeds.open_source(SourceRequest(str(cut)))
    said(window, qtbot, "cut off at")
    assert (window.phase, window.flip, window.desk.marker) == (Phase.RESECTION, Flip(up_down=True), Marker.LEFT)
    shoot(window, "record-cut-off")
    with RecordSource(cut) as source:
        outcomes = {number: source.outcome(number) for number in range(len(source))}
    number, outcome = next((n, o) for n, o in outcomes.items() if isinstance(o, Tumour))
    at(window, number)
    qtbot.keyClick(window, Qt.Key.Key_E)
    said(window, qtbot, "Exported: ")
    seg = pydicom.dcmread(folder / "cut" / f"frame-{number:06}_seg.dcm")
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_E)
    said(window, qtbot, "export")
    qtbot.waitUntil(lambda: not window.desk.exporting.running, timeout=20_000)
    assert np.array_equal(np.squeeze(seg.pixel_array), outcome.mask)
    assert "GL-017" in (folder / "cut" / "summary.html").read_text()


def test_a_folder_that_cannot_be_made_is_one_sentence(show: Show, qtbot: QtBot, folder: Path) -> None:
    folder.write_text("in the way")
    window = show()
    window.desk.recording.case_code = ""
    qtbot.keyClick(window, Qt.Key.Key_R)
    said(window, qtbot, "cannot be made")
    assert not window.desk.recording.running


def test_guards_stand_in_the_record_from_their_first_frame(
    show: Show, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], igtl: Igtl, free_port: FreePort
) -> None:
    port = free_port()
    with igtl(port) as server:
        window = show(open_live(f"igtl://127.0.0.1:{port}"))
        start(window, qtbot)
        for frozen in (True, False):
            server.frozen = frozen
            qtbot.waitUntil(lambda: _frozen(window) is frozen, timeout=15_000)
        source = recorded(window)
    frozen_at = ["scanner_frozen" in setting.guards for setting in source.settings()]
    assert any(frozen_at)
    assert (frozen_at[0], frozen_at[-1]) == (False, False)


def _frozen(window: MainWindow) -> bool:
    return any(finding.alarm is Alarm.FROZEN for finding in window.session.ringing)


def test_another_source_ends_the_recording(show: Show, qtbot: QtBot, folder: Path) -> None:
    window = show(PhantomSource(count=60))
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 2), timeout=10_000)
    window.session._open_source = lambda _: PhantomSource(count=7)
    window.deeds.open_source(SourceRequest("another"))
    qtbot.waitUntil(lambda: not window.desk.recording.running, timeout=5000)
    said(window, qtbot, "Recorded ")
    with RecordSource(next(folder.iterdir())) as source:
        assert source.whole
        assert max(source.place(number) for number in range(len(source))) >= 1


def test_a_slow_model_costs_answers_but_no_frames(
    show: Show,
    qtbot: QtBot,
    recorded: Callable[[MainWindow], RecordSource],
    make_model: Callable[..., Model],
    model: Model,
) -> None:
    """Frames are recorded as they are captured; those that the analysis passed over have no answer."""

    done: list[int] = []

    def analyse(frame: Frame) -> Outcome:
        threading.Event().wait(0.3)
        done.append(frame.index)
        return model.analyse(frame)

    window = show(PhantomSource(count=60), make_model(model.contract, analyse))
    start(window, qtbot)
    # The first one's frame may be of before the record, and the last answer may come after it.
    analysed = len(done) + 5
    qtbot.waitUntil(lambda: len(done) >= analysed, timeout=20_000)
    source = recorded(window)
    answered = [source.outcome(number) is not None for number in range(len(source))]
    assert 3 <= sum(answered) < len(source)


def test_closing_asks_while_recording(show: Show, qtbot: QtBot, folder: Path, shoot: Shoot) -> None:
    window = show(PhantomSource(count=60))
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 2), timeout=10_000)
    assert not window.close()
    assert not window.view.quit.isHidden()
    shoot(window, "quit-while-recording")
    window.view.quit.stay.click()
    assert window.desk.recording.running
    assert not window.close()
    window.view.quit.leave.click()
    assert not window.isVisible()
    with RecordSource(next(folder.iterdir())) as source:
        assert source.whole


def test_recording_takes_no_time_from_the_window(show: Show, qtbot: QtBot) -> None:
    """A tick while recording takes no longer than a frame's time."""
    window = show(PhantomSource(count=60))
    window.desk.recording.case_code = ""
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(frames_in(window, 5), timeout=10_000)
    times = []
    for _ in range(20):
        begun = monotonic()
        window.desk.recording.follow(window.desk.standing)
        window.desk.recording.show()
        times.append(monotonic() - begun)
    assert np.median(times) < 0.005
    window.desk.recording.stop()


def test_every_kind_of_event_is_written_somewhere() -> None:
    """A kind that nothing writes would be a promise that nobody keeps."""
    root = Path(__file__).parents[2]
    text = "".join(
        path.read_text() for folder in ("viewer", "inference/recording") for path in (root / folder).rglob("*.py")
    )
    for kind in EventKind:
        assert f"EventKind.{kind.name}" in text or f'"{kind.value}"' in text.replace(f'= "{kind.value}"', "")
