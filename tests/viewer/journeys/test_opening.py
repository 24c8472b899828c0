"""Sources and models opened in the window: a refusal is one sentence, and nothing of the former one stays."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from inference.frame import Frame
from inference.live.health import Health
from inference.live.opening import or_refusal
from inference.live.requests import Refusal, SourceRequest
from inference.outcome import Outcome, Tumour, UnknownSpacing
from inference.readout.readout_state import Offer
from inference.sources.simulated import PhantomSource
from viewer import app, settings
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]


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


def test_no_contour_of_the_old_model_outlives_the_choice_of_another(show: Show, qtbot: QtBot) -> None:
    window = show()
    gate = threading.Event()

    def loading(_: Path | None) -> Refusal:
        gate.wait(5)
        return Refusal("No.")

    window.session._load_model = loading
    window.handlers.open_model(Path("other.onnx"))
    window.refresh.tick()
    assert window.readout_state is not None
    assert window.readout_state.card.title == "Loading model…"
    assert not window.readout_state.contour
    gate.set()
    qtbot.waitUntil(
        lambda: window.readout_state is not None and window.readout_state.card.title == "Model refused", timeout=5000
    )


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


def test_a_dropped_file_is_opened(show: Show, qtbot: QtBot, tmp_path: Path) -> None:
    window = show()
    asked: list[SourceRequest] = []

    def open_source(request: SourceRequest) -> Refusal:
        asked.append(request)
        return Refusal("No.")

    window.session._open_source = open_source
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "case.mha"))])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)
    qtbot.waitUntil(lambda: bool(asked))
    assert asked[0].text == str(tmp_path / "case.mha")


def test_a_picture_with_several_regions_is_opened_again_with_the_one_chosen(show: Show, qtbot: QtBot) -> None:
    asked: list[SourceRequest] = []

    def open_source(request: SourceRequest) -> PhantomSource | Refusal:
        asked.append(request)
        return Refusal("case.dcm shows 2 pictures: choose a region.") if request.region is None else PhantomSource()

    window = show(Refusal("Nothing yet."), wait=False)
    window.session._open_source = open_source
    window.handlers.open_source(window.view.source.request("case.dcm"))
    qtbot.waitUntil(
        lambda: window.readout_state is not None and "2 pictures" in " ".join(window.readout_state.card.body)
    )
    qtbot.mouseClick(window.view.readout._card._buttons[Offer.OPEN], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(window.view.source._region_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
    asked = [request for request in asked if request.text == "case.dcm"]
    assert [request.region for request in asked] == [None, 0]
    assert window.view.source.request("other.dcm").region is None


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


def test_the_list_of_what_was_opened_last_holds_no_password(show: Show, qtbot: QtBot) -> None:
    window = show()
    window.handlers.keep_recent(True)
    window.handlers.open_source(SourceRequest("rtsp://surgeon:secret@camera/live"))
    qtbot.waitUntil(lambda: "camera" in window.state.settings.recent[0], timeout=5000)
    assert window.state.settings.recent[0] == "rtsp://camera/live"
    assert settings.load().recent == window.state.settings.recent
