"""Sources and models opened in the window: a refusal is one sentence, and nothing of the former one stays."""

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from frozen_view import LIVE, frozen
from legible import cut_off
from painted import spot_of
from phantoms import Volume
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QIcon
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from inference.alarms import Alarm
from inference.errors import FormatError
from inference.frame import Frame
from inference.live.health import Health
from inference.live.opening import or_refusal
from inference.live.requests import Refusal, SourceRequest
from inference.outcome import NotAnalysed, Outcome, Tumour, UnknownSpacing
from inference.readout.formatting import mode_words
from inference.readout.readout_state import Offer
from inference.source_info import SourceInfo
from inference.sources import open_live
from inference.sources.simulated import PhantomSource
from inference.spacing import typed
from viewer import app, settings
from viewer.control.refresh import CHANGED
from viewer.main_window import MainWindow
from viewer.panels.base import Panel
from viewer.style.icons import icon

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]
BROKEN = 20
REGIONS = ((0, "Region 1 (left): 2D, 0.15 mm per pixel"), (1, "Region 2 (right): 2D, scale unknown"))


def misplaced(panel: Panel) -> list[QWidget]:
    """Parts of a panel that lie on another one, or reach out of it."""
    parts = [made for made in panel.children() if isinstance(made, QWidget) and made.isVisible()]
    out = [made for made in parts if not panel.rect().contains(made.geometry())]
    return out + [a for a, b in combinations(parts, 2) if a.geometry().intersects(b.geometry())]


class TwoPanes(PhantomSource):
    """A picture that says which regions it has."""

    @property
    def info(self) -> SourceInfo:
        return replace(super().info, regions=REGIONS)


class Telling(PhantomSource):
    """A source that has something to say only once it runs."""

    notice = ""

    @property
    def info(self) -> SourceInfo:
        return replace(super().info, notice=self.notice)


def test_what_a_source_has_to_say_is_said_whenever_it_changes(show: Show, qtbot: QtBot) -> None:
    source = Telling(count=60)
    window = show(source)
    notice = window.view.picture_area.notice
    for source.notice in ("The server sends other pictures too (Left).", "… too (Left, Right)."):
        qtbot.waitUntil(lambda: notice.accessibleName() == source.notice, timeout=5000)
    window.view.picture_area.say("Something else", 0.0)
    shown = window.meter.shown
    qtbot.waitUntil(lambda: window.meter.shown > shown + 10, timeout=5000)
    assert notice.accessibleName() != source.notice, "said once"
    source.notice = "The last one."
    qtbot.waitUntil(lambda: notice.accessibleName() == source.notice, timeout=5000)
    window.session._open_source = lambda _: PhantomSource(count=60)
    window.handlers.open_source(SourceRequest("other"))
    qtbot.waitUntil(notice.isHidden, timeout=5000)  # of the next source it is not true


def test_a_refused_source_is_one_sentence_and_the_window_goes_on(show: Show, qtbot: QtBot) -> None:
    window = show(Refusal("There is no file x.nii: check the name."), wait=False)
    qtbot.waitUntil(lambda: window.readout_state is not None and window.readout_state.card.title == "Source refused")
    assert window.readout_state is not None
    assert window.readout_state.card.body == ("There is no file x.nii: check the name.",)
    window.session._open_source = lambda _: PhantomSource(count=60)
    window.handlers.open_source(SourceRequest("again"))
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)


def test_a_wrong_file_leaves_the_running_source_alone(show: Show, qtbot: QtBot, tmp_path: Path) -> None:
    window = show()
    window.session._open_source = app.open_source
    window.handlers.open_source(SourceRequest(str(tmp_path / "missing.nii.gz")))
    qtbot.waitUntil(window.view.picture_area.notice.isVisible, timeout=5000)
    assert "missing.nii.gz" in window.view.picture_area.notice.text()
    assert "Traceback" not in window.view.picture_area.notice.text()
    shown = window.meter.shown
    qtbot.waitUntil(lambda: window.meter.shown > shown + 3, timeout=5000)


def test_a_refused_model_leaves_the_picture_without_analysis(show: Show, qtbot: QtBot) -> None:
    window = show(loaded=Refusal("This .onnx carries no ius contract."), wait=False)
    qtbot.waitUntil(
        lambda: window.readout_state is not None and window.readout_state.card.title == "Model refused", timeout=5000
    )
    qtbot.waitUntil(lambda: window.meter.shown > 5, timeout=5000)
    assert window.readout_state is not None
    assert (window.readout_state.number, window.readout_state.contour) == ("—", False)
    assert window.readout_state.card.body == ("This .onnx carries no ius contract.",)
    assert not window.readout_state.dimmed


def test_a_model_goes_on_until_the_other_is_ready_and_where_that_is_refused(show: Show, qtbot: QtBot) -> None:
    window = show()
    present, gate = window.session.model, threading.Event()
    assert present is not None

    def loading(_: Path | None) -> Refusal:
        gate.wait(5)
        return Refusal("No.")

    window.session._load_model = lambda _: present
    window.handlers.open_model(Path("other.onnx"))
    qtbot.waitUntil(window.view.picture_area.notice.isHidden, timeout=5000)  # it is ready: none is being loaded
    window.session._load_model = loading
    window.handlers.open_model(Path("other.onnx"))
    notice, shown = window.view.picture_area.notice, window.meter.shown
    name = present.contract.identity.name
    assert notice.text() == f"other.onnx is being loaded: {name} goes on until it is ready."
    qtbot.waitUntil(lambda: window.meter.shown > shown + 3, timeout=5000)
    assert window.readout_state is not None
    assert window.readout_state.contour
    gate.set()
    qtbot.waitUntil(lambda: notice.text() == f"No. {name} goes on.", timeout=5000)
    shown = window.meter.shown
    qtbot.waitUntil(lambda: window.meter.shown > shown + 3, timeout=5000)
    assert window.readout_state.contour
    assert window.session.model is present


def test_a_frozen_view_ends_where_another_model_takes_over(show: Show, qtbot: QtBot) -> None:
    """What it holds is of the former model, and would stand under the new one's name."""
    window = show(open_live(LIVE))
    frozen(window, qtbot, 5)
    former = window.session.model
    assert former is not None
    other = replace(former, sha256="1" * 64, path=Path("other.onnx"))
    window.session._load_model = lambda _: other
    window.handlers.open_model(other.path)
    qtbot.waitUntil(lambda: window.session.model is other, timeout=5000)
    assert window.session.review is None
    assert window.readout_state is not None
    assert not window.readout_state.contour


class OneBroken(PhantomSource):
    """A file of which one frame cannot be read."""

    def read(self, index: int) -> Frame:
        if index == BROKEN:
            raise FormatError("Frame 20 of a.mcap is damaged: go on to the next.")
        return super().read(index)


def test_a_frame_that_cannot_be_read_says_so_and_the_next_ones_are_analysed(show: Show, at: At) -> None:
    window = show(OneBroken(count=60))
    shown = at(window, BROKEN)
    assert isinstance(shown, NotAnalysed)
    assert (shown.alarm, shown.sentence) == (Alarm.UNREADABLE, Alarm.UNREADABLE.sentence)
    assert not shown.frame.pixels.any()
    assert window.readout_state is not None
    assert not window.readout_state.contour
    assert isinstance(at(window, BROKEN + 1), Tumour)


def test_an_answer_of_the_former_model_is_not_shown_under_the_new_ones_name(show: Show, at: At) -> None:
    window = show()
    at(window, 20)
    assert window.session.model is not None
    window.session.model = replace(window.session.model, sha256="1" * 64)
    assert window.session.condition(window.shown).health is Health.LOADING


@pytest.mark.parametrize(
    ("name", "content"),
    [("picture.png", b"no picture"), ("volume.nii.gz", b"\x1f\x8b"), ("notes.txt", b"words"), ("cut.dcm", b"DICM")],
)
def test_wrong_input_is_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    refused = app.open_source(SourceRequest(str(path)))
    assert isinstance(refused, Refusal)
    assert "\n" not in refused.sentence
    assert name in refused.sentence


@pytest.mark.parametrize("content", [None, b"no model"])
def test_a_wrong_model_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    refused = app.load_model(path)
    assert isinstance(refused, Refusal)
    assert "\n" not in refused.sentence
    assert "model.onnx" in refused.sentence


def test_an_unexpected_error_at_the_start_is_a_sentence_too() -> None:
    def broken() -> None:
        raise ZeroDivisionError("a decoder's own")

    refused = or_refusal(broken)
    assert isinstance(refused, Refusal)
    assert "decoder's own" in refused.sentence


@pytest.mark.parametrize("others", [(), ("second.mha",)])
def test_a_dropped_file_is_opened_and_that_others_are_not_is_said(
    show: Show, qtbot: QtBot, tmp_path: Path, others: tuple[str, ...]
) -> None:
    window = show()
    asked: list[SourceRequest] = []

    def open_source(request: SourceRequest) -> Refusal:
        asked.append(request)
        return Refusal("No.")

    window.session._open_source = open_source
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("case.mha", *others)])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)
    said = window.view.picture_area.notice.text()
    assert ("2 files dropped, case.mha alone is opened" in said) == bool(others)
    qtbot.waitUntil(lambda: bool(asked))
    assert [request.text for request in asked] == [str(tmp_path / "case.mha")]


def test_a_picture_with_several_regions_is_opened_again_with_the_one_chosen(
    show: Show, qtbot: QtBot, shoot: Shoot
) -> None:
    asked: list[SourceRequest] = []
    opened = TwoPanes()

    def open_source(request: SourceRequest) -> PhantomSource | Refusal:
        asked.append(request)
        return Refusal("case.dcm shows 2 pictures: choose one of them.", REGIONS) if request.region is None else opened

    window = show(Refusal("Nothing yet."), wait=False)
    window.session._open_source = open_source
    window.handlers.open_source(window.view.source.request("case.dcm"))
    qtbot.waitUntil(
        lambda: window.readout_state is not None and "2 pictures" in " ".join(window.readout_state.card.body)
    )
    panel = window.view.source
    qtbot.waitUntil(panel.isVisible)  # by itself: whoever opened the file is asked at once
    shoot(window, "regions")
    window.resize(1120, 700)
    qtbot.waitUntil(lambda: not cut_off(window) and not misplaced(panel), timeout=2000)
    assert [made.text() for made in panel._regions.values()] == [words for _, words in REGIONS]
    assert "--region" not in panel._error.text()
    qtbot.mouseClick(panel._regions[1], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
    asked = [request for request in asked if request.text == "case.dcm"]
    assert [request.region for request in asked] == [None, 1]
    assert panel.isHidden()
    window.act("open")
    assert [number for number, made in panel._regions.items() if made.isChecked()] == [1]
    assert panel.request("other.dcm").region is None


def test_a_picture_with_one_region_asks_nothing(show: Show) -> None:
    window = show()
    window.act("open")
    assert not window.view.source._regions
    assert window.view.source._region_box.isHidden()


def test_another_source_takes_the_old_picture_away_first(show: Show, qtbot: QtBot) -> None:
    window = show()
    release = threading.Event()

    class Slow(PhantomSource):
        def read(self, index: int) -> Frame:
            release.wait(10)
            return super().read(index)

    window.session._open_source = lambda _: Slow(rows=256, cols=300, spacing_mm=None, count=60)
    window.handlers.open_source(SourceRequest("other"))
    qtbot.waitUntil(lambda: window.session.info is not None and window.session.info.cols == 300, timeout=5000)
    window.refresh.tick()
    assert window.view.canvas.picture.frame is None, "no picture of the one before under the new one's name"
    assert window.view.canvas.contour.frame is None
    release.set()
    qtbot.waitUntil(lambda: isinstance(window.shown, UnknownSpacing), timeout=5000)
    assert window.view.canvas.picture.frame is not None
    assert window.view.canvas.picture.frame.cols == 300
    assert window.meter.mismatched == 0


def test_a_source_that_is_waited_for_is_said_and_can_be_given_up(show: Show, qtbot: QtBot, shoot: Shoot) -> None:
    """The picture of before goes on, and looks like what it is: not the one that was asked for, and not live."""
    late, closed = threading.Event(), threading.Event()

    class Late(PhantomSource):
        def close(self) -> None:
            closed.set()
            super().close()

    def waits(_: SourceRequest) -> Late:
        late.wait(60)
        return Late(cols=300)

    window = show()
    before, view = window.session.info, window.view
    window.session._open_source = waits
    window.act("open")
    window.handlers.open_source(SourceRequest("rtsp://10.0.0.9/live"))
    qtbot.waitUntil(lambda: window.readout_state is not None and window.readout_state.dimmed, timeout=10_000)
    said = window.readout_state
    assert said is not None
    assert said.card.title.startswith("Opening… ")
    assert said.card.body[0].startswith("rtsp://10.0.0.9/live. ")
    assert (said.number, said.contour) == ("—", False)
    assert window.state.screen is not None
    assert mode_words(before, window.state.screen.condition)[0] == "FORMER"
    qtbot.waitUntil(lambda: view.source._trying.text().startswith("Opening rtsp://"))
    shoot(window, "opening")
    shown = window.meter.shown
    qtbot.waitUntil(lambda: window.meter.shown > shown)

    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.readout_state is not None and window.readout_state.contour, timeout=10_000)
    assert view.picture_area.notice.accessibleName() == "rtsp://10.0.0.9/live was given up: what is open stays."
    assert view.source.isVisible(), "the address can be corrected"
    assert window.session.request == window.session.opened
    qtbot.waitUntil(view.source._trying.isHidden)
    late.set()
    qtbot.waitUntil(closed.is_set, timeout=5000)
    assert window.session.info is before


def test_a_first_source_that_is_given_up_leaves_nothing_open(show: Show, qtbot: QtBot) -> None:
    late = threading.Event()
    window = show(Refusal("Nothing yet."), wait=False)
    transport = window.view.transport
    assert not any(
        made.isEnabled() for made in (transport._back, transport._play, transport._forward, transport._speed)
    )
    window.session._open_source = lambda _: Refusal(f"Late: {late.wait(60)}")
    window.handlers.open_source(SourceRequest("udp://239.0.0.1:1234"))
    offered = next(made for made in window.view.readout.findChildren(QPushButton) if made.text() == Offer.GIVE_UP)
    qtbot.waitUntil(offered.isVisible, timeout=10_000)
    qtbot.mouseClick(offered, Qt.MouseButton.LeftButton)
    assert window.view.picture_area.notice.accessibleName() == "udp://239.0.0.1:1234 was given up: nothing is open."
    qtbot.waitUntil(lambda: window.readout_state is not None and window.readout_state.card.title == "No source")
    late.set()


def test_the_axes_are_those_of_the_open_volume_after_another_source_was_refused(show: Show, qtbot: QtBot) -> None:
    asked: list[SourceRequest] = []

    def opens(request: SourceRequest) -> Volume | Refusal:
        asked.append(request)
        return Volume(count=5) if request.text == "brain.nii.gz" else Refusal("There is no file other.dcm.")

    window = show()
    window.session._open_source = opens
    wanted = SourceRequest("brain.nii.gz", "j", typed("0.5,0.4"), truth=Path("masks.nii.gz"))
    window.handlers.open_source(wanted)
    qtbot.waitUntil(lambda: window.session.opened == wanted, timeout=5000)
    panel = window.view.source
    window.act("open")
    assert [axis for axis, made in panel._axis_buttons.items() if made.isChecked()] == ["j"]
    window.handlers.open_source(panel.request("other.dcm"))
    qtbot.waitUntil(panel._error.isVisible, timeout=5000)
    qtbot.mouseClick(panel._axis_buttons["i"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.isHidden, timeout=5000)
    assert asked[-1] == SourceRequest("brain.nii.gz", axis="i", truth=wanted.truth), "with its masks; the scale was j's"
    assert panel.request("sequence.igs.mha").axis == "k", "with another one it would be refused for good"


@pytest.mark.parametrize(("count", "words"), [(1, "one picture"), (5, "slices in order: no time between them")])
def test_one_picture_is_not_called_slices_nor_played(show: Show, count: int, words: str) -> None:
    transport = show(Volume(count=count)).view.transport
    assert transport._note.text() == words
    for made in (transport._back, transport._play, transport._forward, transport._speed):
        assert made.isEnabled() is (count > 1)


def test_the_icon_of_a_button_that_does_nothing_is_faint(qapp: object) -> None:  # noqa: ARG001
    light = {
        mode: max(QColor(shade.pixel(x, y)).lightness() for x in range(shade.width()) for y in range(shade.height()))
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Disabled)
        for shade in [icon("back").pixmap(24, mode).toImage()]
    }
    assert light[QIcon.Mode.Disabled] < light[QIcon.Mode.Normal] / 1.5


@pytest.mark.parametrize("what", ["points", "crop"])
def test_what_is_marked_on_one_picture_is_not_used_on_another(show: Show, qtbot: QtBot, what: str) -> None:
    """A slow address answers, or a file is dropped, while the calibration is open."""
    window = show()
    window.act("calibrate")
    qtbot.waitUntil(lambda: window.state.marked_on is not None)
    if what == "points":
        for spot in (spot_of(window.view.front, *point) for point in ((100, 40), (100, 240))):
            qtbot.mouseClick(window.view.front.viewport(), Qt.MouseButton.LeftButton, pos=spot)
        window.view.calibration.length.setText("16")
    else:
        window.calibration.marking.mark_crop()
    window.session._open_source = lambda _: Volume(count=5)
    window.handlers.open_source(SourceRequest("other"))
    qtbot.waitUntil(lambda: window.session.info is not None and window.session.info.fps is None, timeout=5000)
    window.refresh.tick()
    assert not window.state.calibrating
    assert window.view.picture_area.notice.text() == CHANGED
    window.act("calibrate")
    assert (window.view.calibration.points, window.view.calibration.preview) == ((), None)
    window.view.calibration.length.returnPressed.emit()
    assert window.session.info is not None
    assert window.session.info.spacing == Volume(count=5).info.spacing, "the volume's own millimetres"


def test_a_source_that_is_refused_leaves_the_caliper_where_it_is(show: Show, qtbot: QtBot, at: At) -> None:
    window = show()
    shown = at(window, 3)
    window.act("caliper")
    for point in ((100, 100), (150, 100)):
        spot = spot_of(window.view.canvas, *point)
        qtbot.mouseClick(window.view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    window.session._open_source = lambda _: Refusal("Not there.")
    window.handlers.open_source(SourceRequest("other"))
    qtbot.waitUntil(lambda: bool(window.session.source_refusal))
    assert window.state.caliper is not None
    assert len(window.state.caliper.on(shown.frame)) == 2
    window.session._open_source = lambda _: Volume(count=5)
    window.handlers.open_source(SourceRequest("other"))
    qtbot.waitUntil(lambda: window.session.info is not None and window.session.info.fps is None, timeout=5000)
    window.refresh.tick()
    assert window.state.caliper is None


def test_the_list_of_what_was_opened_last_holds_no_password(show: Show, qtbot: QtBot) -> None:
    window = show()
    window.handlers.keep_recent(True)
    window.handlers.open_source(SourceRequest("rtsp://surgeon:secret@camera/live"))
    qtbot.waitUntil(lambda: "camera" in window.state.settings.recent[0], timeout=5000)
    assert window.state.settings.recent[0] == "rtsp://camera/live"
    assert settings.load().recent == window.state.settings.recent
