"""What leaves the window: snapshots, and answers to other programs."""

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import pydicom
import pyigtl
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from inference.export.openigtlink_server import MASK, RESULT, Broadcast
from inference.frame import Frame
from inference.jobs.snapshots import Snapshots
from inference.latest import Latest
from inference.live.health import Health
from inference.live.publisher import Publisher
from inference.live.requests import Refusal, SourceRequest
from inference.outcome import NothingFound, Outcome, Tumour
from inference.readout.marks import Tone
from inference.sources import open_live
from inference.sources.openigtlink import OpenIGTLinkSource
from inference.view_notes import Phase
from viewer.control.app_state import STANDS, AppState
from viewer.main_window import MainWindow
from viewer.style.theme import TONES

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Igtl = Callable[..., AbstractContextManager[Any]]
FreePort = Callable[..., int]


def test_a_snapshot_is_the_frame_on_the_screen_with_its_own_mask(
    show: Show, at: At, qtbot: QtBot, tmp_path: Path
) -> None:
    window = show()
    window.state.snapshots.close()
    window.state.snapshots = Snapshots(tmp_path / "out")
    shown = at(window, 30)
    assert isinstance(shown, Tumour)
    qtbot.keyClick(window, Qt.Key.Key_S)
    qtbot.keyClick(window, Qt.Key.Key_S)
    window.refresh._slow_at = 0.0
    qtbot.waitUntil(lambda: window.view.picture_area.notice.text().startswith("Snapshot iUS-"), timeout=20_000)
    assert TONES[Tone.FAULT].title not in window.view.picture_area.notice.styleSheet(), "a success is never red"
    window.state.snapshots.close()
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(files) == 12, files  # two snapshots of picture, contour, DICOM, burnt-in picture, SEG and report
    plain = next(path for path in (tmp_path / "out").glob("*.png") if "contour" not in path.name)
    assert np.array_equal(cv2.imread(str(plain), cv2.IMREAD_UNCHANGED), shown.frame.pixels)
    seg = pydicom.dcmread(next((tmp_path / "out").glob("*_seg.dcm")))
    assert np.array_equal(np.squeeze(seg.pixel_array), shown.mask)


def test_what_the_screen_withholds_is_not_taken_for_what_it_shows(
    show: Show, qtbot: QtBot, tmp_path: Path, igtl: Igtl, free_port: FreePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a picture that stands to be marked, and after the signal is lost, there is an answer that nobody sees."""
    port = free_port()
    with igtl(port) as server:
        window = show(open_live(f"igtl://127.0.0.1:{port}"))
        window.state.snapshots.close()
        window.state.snapshots = Snapshots(tmp_path / "out")
        qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
        seen = window.shown
        assert isinstance(seen, Tumour)
        notice = window.view.picture_area.notice
        window.act("calibrate")
        window.refresh.tick()
        for name in ("snapshot", "hold", "play", "back"):
            window.view.picture_area.expire(monotonic() + 100)
            window.act(name)
            assert notice.text() == STANDS
        assert not window.state.kept.holds(window.shown)
        assert window.review is None, "the picture that is marked would stand there under the age of the frozen one"
        window.act("wrong")
        window.act("dismiss")
        window.view.show_panes(two=True)
        window.act("calibrate")
        window.refresh.tick()
        assert not window.view.canvas.isVisible()
        window.act("wrong")
        assert not window.state.recording._wrong, "of two panes, that with the contour is away meanwhile"
        window.act("dismiss")
        window.view.show_panes(two=False)
        server.silent = True
        qtbot.waitUntil(lambda: window.state.condition.health is Health.LOST, timeout=5000)
        window.act("wrong")
        assert not window.state.recording._wrong
        for what, withheld in (("contour", seen), ("answer", NothingFound(seen.frame, seen.analysis))):
            window.state.snapshots = Snapshots(tmp_path / what)
            with monkeypatch.context() as held:
                held.setattr(AppState, "shown", withheld)
                window.act("snapshot")
            window.state.snapshots.close()
            (written,) = (path for path in (tmp_path / what).glob("*.dcm") if "_" not in path.stem)
            (said,) = (line for line in pydicom.dcmread(written).ImageComments.splitlines() if "SIGNAL LOST" in line)
            assert said.endswith(f"when this was written: the screen showed no {what}")
        window.close()


def test_what_leaves_says_phase_and_orientation(
    show: Show, at: At, qtbot: QtBot, tmp_path: Path, igtl: Igtl, free_port: FreePort
) -> None:
    window = show(phase=Phase.DURA_OPEN)
    window.state.snapshots.close()
    window.state.snapshots = Snapshots(tmp_path / "out")
    at(window, 30)
    window.view.canvas.marker_clicked.emit()
    window.act("mirror")
    window.act("snapshot")
    window.state.snapshots.close()
    comments = pydicom.dcmread(next(path for path in (tmp_path / "out").glob("*.dcm") if "_" not in path.stem))
    said = str(comments.ImageComments)
    assert "Dura open" in said
    assert "Not evaluated in this phase" in said
    assert "Probe marker at the left of the picture as it came" in said
    assert "FLIPPED" not in said, "the DICOM pair is as it came"
    port = free_port()
    server = Broadcast(0)
    with igtl(port):
        live = show(open_live(f"igtl://127.0.0.1:{port}"), phase=Phase.RESECTION)
        live.session.publish_to(Publisher(server))
        live.view.canvas.marker_clicked.emit()
        qtbot.waitUntil(lambda: server.notes == {"phase": "resection", "probe_marker": "left"}, timeout=3000)
        assert server.of_phase[0] == "Not evaluated in this phase"
        live.close()


def test_a_folder_that_cannot_be_made_is_one_sentence_and_the_window_goes_on(
    show: Show, at: At, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    window = show()
    window.state.snapshots.close()
    window.state.snapshots = Snapshots(tmp_path / "file" / "out")
    at(window, 30)
    window.act("snapshot")
    qtbot.waitUntil(lambda: "cannot be made" in window.view.picture_area.notice.text(), timeout=20_000)
    assert TONES[Tone.FAULT].title in window.view.picture_area.notice.styleSheet()


def test_other_programs_get_the_mask_and_lose_it_with_the_signal(
    show: Show, qtbot: QtBot, igtl: Igtl, free_port: FreePort
) -> None:
    port = free_port()
    server = Broadcast(0)
    with igtl(port):
        window = show(open_live(f"igtl://127.0.0.1:{port}"))
        window.session.publish_to(Publisher(server))
        host, out = server.address
        newest, over = Latest[Frame](), threading.Event()
        following = threading.Thread(target=_follow, args=(f"igtl://{host}:{out}/{MASK}", newest, over))
        following.start()
        frame = _next(qtbot, newest, lambda frame: bool(frame.pixels.any()))
        assert frame.spacing is not None
        assert (frame.spacing.row_mm, frame.spacing.col_mm) == pytest.approx((0.3, 0.2))
    qtbot.waitUntil(
        lambda: window.readout_state is not None and window.readout_state.card.title.startswith("SIGNAL LOST"),
        timeout=8000,
    )
    _next(qtbot, newest, lambda frame: not frame.pixels.any())
    over.set()
    window.close()
    following.join(10.0)
    assert not following.is_alive()


def test_other_programs_and_the_second_screen_lose_the_answer_while_another_source_is_waited_for(
    show: Show, qtbot: QtBot, igtl: Igtl, free_port: FreePort
) -> None:
    """Nobody beside the operator knows that another picture is expected; given up, the answer comes back."""
    port, late = free_port(), threading.Event()
    server = Broadcast(0)
    with igtl(port):
        window = show(open_live(f"igtl://127.0.0.1:{port}"))
        window.session.publish_to(Publisher(server))
        window.act("second")
        second = window.view.second
        assert second is not None
        host, out = server.address
        peer = pyigtl.OpenIGTLinkClient(host, out)

        def told() -> str:
            messages = {message.device_name: message for message in peer.get_latest_messages()}
            said.update(json.loads(messages[RESULT].string) if RESULT in messages else {})
            return str(said.get("outcome"))

        said: dict[str, Any] = {}
        qtbot.waitUntil(lambda: told() == "tumour", timeout=5000)
        assert second.pictures.canvas.contour._paths
        window.session._open_source = lambda _: Refusal(f"Late: {late.wait(60)}")
        window.handlers.open_source(SourceRequest("rtsp://surgeon:secret@10.0.0.9/Doe"))
        qtbot.waitUntil(lambda: told() == "withdrawn", timeout=5000)
        assert said["reason"] == "Another source is being opened."
        qtbot.waitUntil(lambda: second._card._title.text().startswith("Opening… "), timeout=5000)
        assert (second._mode.text(), second._area.accessibleName().strip()) == ("FORMER", "—")
        assert not second.pictures.canvas.contour._paths
        words = " ".join(part.text() for part in second.findChildren(QLabel))
        assert not any(word in words for word in ("surgeon", "secret", "10.0.0.9", "Doe"))
        window.handlers.give_up()
        qtbot.waitUntil(lambda: told() == "tumour", timeout=5000)
        qtbot.waitUntil(lambda: bool(second.pictures.canvas.contour._paths), timeout=5000)
        assert second._mode.text() == "LIVE"
        late.set()
        peer.stop()
        window.close()


def _follow(address: str, newest: Latest[Frame], over: threading.Event) -> None:
    """Another program: it keeps what came last."""
    with OpenIGTLinkSource(address) as peer:
        for frame in peer.frames():
            newest.put(frame)
            if over.is_set():
                return


def _next(qtbot: QtBot, newest: Latest[Frame], wanted: Callable[[Frame], bool]) -> Frame:
    found: list[Frame] = []

    def look() -> bool:
        frame = newest.poll()
        if frame is not None and wanted(frame):
            found.append(frame)
        return bool(found)

    qtbot.waitUntil(look, timeout=8000)
    return found[0]
