"""Recording from the window: what is on the screen is what is in the file."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from recordings import frames_in, said, snapshot_comments, start

from inference.alarms import Alarm
from inference.crop import Rect, crop
from inference.errors import ChoiceError
from inference.frame import Frame
from inference.live.model import Model
from inference.outcome import Outcome, Tumour
from inference.recording.schema import EventKind, checked_case_code
from inference.safety import CALLED_WRONG
from inference.sources import open_live
from inference.sources.record import RecordSource
from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]
Igtl = Callable[..., AbstractContextManager[Any]]
FreePort = Callable[..., int]


def test_a_record_holds_what_was_shown_and_what_happened(
    show: Show, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], shoot: Shoot
) -> None:
    window = show(PhantomSource(count=60))
    start(window, qtbot, "GL-017")
    qtbot.waitUntil(frames_in(window, 5), timeout=10_000)
    window.handlers.set_phase(Phase.BEFORE_DURA)
    qtbot.keyClick(window, Qt.Key.Key_X)
    window.handlers.turn_marker()
    more = window.session.record.status().frames + 8  # type: ignore[union-attr]
    qtbot.waitUntil(frames_in(window, more), timeout=10_000)
    window.refresh._slow_at = 0.0
    qtbot.waitUntil(lambda: window.view.top.badge.isVisible(), timeout=5000)
    shoot(window, "recording")
    with PhantomSource(count=60) as phantom:
        source = recorded(window)
        assert not window.view.top.badge.isVisible()
        assert (source.finished, source.opening.case_code, source.dropped) == (True, "GL-017", 0)
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


def test_the_code_of_the_records_to_come_is_never_a_name(
    show: Show, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], shoot: Shoot
) -> None:
    window = show(size=(1366, 768))
    window.act("code")
    window.view.record.code.setText("Doe-Jane")
    window.view.record.choose()
    assert "never a name" in window.view.record._error.text()
    shoot(window, "record-case-code")
    window.view.record.code.setText("GL-018")
    window.view.record.choose()
    assert window.view.record.isHidden()
    assert not window.state.recording.running
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(frames_in(window, 2), timeout=10_000)
    assert recorded(window).opening.case_code == "GL-018"


def test_one_press_records_under_an_automatic_code(
    show: Show, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource]
) -> None:
    window = show()
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert window.state.recording.running
    said(window, qtbot, "Recording under S-")
    qtbot.waitUntil(frames_in(window, 2), timeout=10_000)
    code = recorded(window).opening.case_code
    assert checked_case_code(code) == code != ""


def test_a_record_of_a_replay_that_stands_still_begins_with_the_frame_that_stands(
    show: Show, at: At, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource]
) -> None:
    """It is judged next, and what is judged of a frame that is not in the record would be lost."""
    window = show()
    at(window, 7)
    qtbot.keyClick(window, Qt.Key.Key_R)
    said(window, qtbot, "the replay stands still: space plays it")
    qtbot.waitUntil(frames_in(window, 1), timeout=5000)
    record = recorded(window)
    assert [record.place(number) for number in range(len(record))] == [7]


def test_a_record_into_which_nothing_came_is_said(show: Show, qtbot: QtBot) -> None:
    window = show()
    assert window.session.playback is not None
    window.session.playback.close()
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.keyClick(window, Qt.Key.Key_R)
    said(window, qtbot, "holds no frame")


def test_a_record_ends_by_its_own_action_alone(
    show: Show, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], records: Path
) -> None:
    """Neither Enter nor a second beginning ends it; a press on REC does, and the file says that it was finished."""
    window = show()
    start(window, qtbot, "GL-017")
    qtbot.waitUntil(frames_in(window, 2), timeout=10_000)
    running = window.session.record
    qtbot.keyClick(window.view.record.code, Qt.Key.Key_Return)
    window.state.recording.start()
    with pytest.raises(ChoiceError, match="is running"):
        window.session.start_record(records / "second.mcap")
    assert window.session.record is running
    window.refresh._slow_at = 0.0
    qtbot.waitUntil(lambda: window.view.top.badge.isVisible(), timeout=5000)
    qtbot.mouseClick(window.view.top.badge, Qt.MouseButton.LeftButton)
    assert not window.state.recording.running
    source = recorded(window)
    assert source.finished
    assert len(list(records.iterdir())) == 1


def test_a_wrong_contour_is_marked_on_its_frame(
    show: Show, at: At, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], tmp_path: Path
) -> None:
    window = show(PhantomSource(count=60))
    qtbot.keyClick(window, Qt.Key.Key_W)
    said(window, qtbot, "Start recording to mark contours")
    start(window, qtbot)
    shown = at(window, 30)
    assert CALLED_WRONG not in snapshot_comments(window, tmp_path / "before")
    qtbot.keyClick(window, Qt.Key.Key_W)
    said(window, qtbot, "marked as wrong in the record")
    assert CALLED_WRONG in snapshot_comments(window, tmp_path / "after")
    source = recorded(window)
    wrong = [number for number, setting in enumerate(source.settings()) if setting.wrong]
    assert [source.place(number) for number in wrong] == [30]
    assert np.array_equal(source.read(wrong[0]).pixels, shown.frame.pixels)


def test_a_record_holds_the_crop_that_was_analysed_and_says_when_it_ended(
    show: Show, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource]
) -> None:
    window = show(PhantomSource(count=60))
    rect = Rect(100, 120, 250, 260)
    window.session.crop(rect)
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 4), timeout=10_000)
    window.session.crop(None)
    more = window.session.record.status().frames + 6  # type: ignore[union-attr]
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


def test_recording_takes_no_time_from_the_window(show: Show, qtbot: QtBot) -> None:
    """A tick while recording takes no longer than a frame's time."""
    window = show(PhantomSource(count=60))
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(frames_in(window, 5), timeout=10_000)
    times = []
    for _ in range(20):
        begun = monotonic()
        window.session.record.follow(window.session.notes, window.session.model)  # type: ignore[union-attr]
        window.state.recording.show()
        times.append(monotonic() - begun)
    assert np.median(times) < 0.005
    window.state.recording.stop()


def test_every_kind_of_event_is_written_somewhere() -> None:
    """A kind that nothing writes would be a promise that nobody keeps."""
    root = Path(__file__).parents[3]
    text = "".join(
        path.read_text()
        for folder in ("inference/live", "inference/recording")
        for path in (root / folder).rglob("*.py")
    )
    for kind in EventKind:
        assert f"EventKind.{kind.name}" in text or f'"{kind.value}"' in text.replace(f'= "{kind.value}"', "")
