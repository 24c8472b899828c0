"""The window at work: keys, calibration, refusals, drops, the end. Real sessions, real threads."""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from inference.errors import SpacingError
from inference.frame import Frame
from inference.reading import Failed, NothingFound, Outcome, SizeState, Tumour, UnknownSpacing
from inference.sources.simulated import PhantomSource
from inference.spacing import Provenance
from viewer import app, settings
from viewer.actions import ACTIONS
from viewer.condition import Health
from viewer.face import Offer
from viewer.main_window import MainWindow
from viewer.opened import Model, Refusal, SourceRequest
from viewer.phase import Phase
from viewer.ruler import ruler_spacing
from viewer.theme import Theme

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]


def press(qtbot: QtBot, window: MainWindow, key: Qt.Key, modifier: Qt.KeyboardModifier | None = None) -> None:
    qtbot.keyClick(window, key, modifier or Qt.KeyboardModifier.NoModifier)


# ── keyboard ────────────────────────────────────────────────────────────────────────────────────────────────


def test_space_pauses_and_plays_and_arrows_step(show: Show, at: At, qtbot: QtBot) -> None:
    window = show()
    playback = window.session.playback
    assert playback is not None
    press(qtbot, window, Qt.Key.Key_Space)
    assert not playback.playing
    at(window, 20)
    press(qtbot, window, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.frame.index == 21)
    press(qtbot, window, Qt.Key.Key_Left)
    press(qtbot, window, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.frame.index == 19)
    press(qtbot, window, Qt.Key.Key_Space)
    assert playback.playing


def test_p_goes_through_the_phases_and_the_picture_says_it(show: Show, qtbot: QtBot) -> None:
    window = show()
    seen = []
    for _ in Phase:
        press(qtbot, window, Qt.Key.Key_P)
        qtbot.waitUntil(lambda: window.view.canvas._decor.phase == window.phase.words)
        seen.append(window.phase)
        assert window.view.top.phase.text() == window.phase.words
    assert seen == [Phase.BEFORE_DURA, Phase.DURA_OPEN, Phase.RESECTION, Phase.UNSET]


@pytest.mark.parametrize(
    ("key", "panel"),
    [(Qt.Key.Key_C, "calibration"), (Qt.Key.Key_M, "model_card"), (Qt.Key.Key_T, "timing"), (Qt.Key.Key_F1, "keys")],
)
def test_a_key_opens_its_panel_beside_the_picture_and_escape_closes_it(
    show: Show, qtbot: QtBot, key: Qt.Key, panel: str
) -> None:
    window = show()
    sheet = getattr(window.view, panel)
    press(qtbot, window, key)
    assert sheet.isVisible()
    assert window.view.canvas.placement is not None
    if sheet.aside:
        assert window.view.canvas.placement.right <= sheet.x()
    assert window.view.stage.rect().contains(sheet.geometry())
    press(qtbot, window, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


def test_o_takes_the_contour_off_for_three_seconds_and_no_longer(
    show: Show, at: At, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.deeds.OVERLAY_OFF_S", 0.3)
    window = show()
    at(window, 20)
    press(qtbot, window, Qt.Key.Key_O)
    qtbot.waitUntil(lambda: window.view.canvas.contour.hidden)
    qtbot.waitUntil(lambda: not window.view.canvas.contour.hidden)
    assert window.meter.mismatched == 0


def test_plus_and_minus_change_the_line_and_are_remembered(show: Show, qtbot: QtBot) -> None:
    window = show()
    before = window.view.canvas.contour.width
    press(qtbot, window, Qt.Key.Key_Plus)
    press(qtbot, window, Qt.Key.Key_Plus)
    press(qtbot, window, Qt.Key.Key_Minus)
    assert window.view.canvas.contour.width == before + 0.5
    assert settings.load().line_width == window.desk.settings.line_width == 3.0


def test_f_fills_the_screen_and_comes_back(show: Show, qtbot: QtBot) -> None:
    window = show()
    press(qtbot, window, Qt.Key.Key_F)
    qtbot.waitUntil(window.isFullScreen)
    press(qtbot, window, Qt.Key.Key_F)
    qtbot.waitUntil(lambda: not window.isFullScreen())


def test_every_action_does_something_and_has_its_own_key(show: Show) -> None:
    window = show()
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
    for action in ACTIONS:
        window.act(action.name)
    window.act("fullscreen")


def test_every_action_is_in_reach_of_a_finger(show: Show) -> None:
    window = show()
    window.act("help")
    touch = Theme.for_window(window.width(), window.height()).touch
    assert len(window.view.keys._rows) == len(ACTIONS)
    assert all(row.height() >= touch for row in window.view.keys._rows)
    assert all(made.height() >= touch for made in window.view.top._buttons)


# ── scale ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_clicks_and_a_length_give_the_right_mm(show: Show, at: At, qtbot: QtBot) -> None:
    """The phantom hides a scale of 0.15 mm; two clicks 20 mm apart bring it, and the right area, back."""
    source = PhantomSource(spacing_mm=None, count=60)
    window = show(source)
    assert isinstance(at(window, 30), UnknownSpacing)
    assert window.face is not None
    assert window.face.card.offers == (Offer.CALIBRATE, Offer.WITHOUT_SCALE)
    qtbot.mouseClick(window.view.readout._card._buttons[Offer.CALIBRATE], Qt.MouseButton.LeftButton)
    viewport = window.view.canvas.viewport()
    for y in (100.0, 100.0 + 20 / 0.15):
        spot = window.view.canvas.view_position(256, y).toPoint()
        qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=spot)
    qtbot.keyClicks(window.view.calibration.length, "20")
    qtbot.keyClick(window.view.calibration.length, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
    assert isinstance(window.shown, Tumour)
    spacing = window.shown.frame.spacing
    assert spacing is not None
    assert spacing.provenance is Provenance.RULER
    assert spacing.row_mm == pytest.approx(0.15, rel=0.01)
    assert window.shown.area_mm2 == pytest.approx(source.shape(30).area_mm2, rel=0.03)
    assert not window.view.calibration.isVisible()
    qtbot.waitUntil(lambda: "two-point ruler" in window.view.readout._values["Scale"].text())


def test_a_typed_spacing_may_differ_by_axis_and_the_picture_follows(show: Show, qtbot: QtBot) -> None:
    window = show(PhantomSource(spacing_mm=None, count=60))
    window.act("calibrate")
    window.view.calibration.row.setText("0,3")
    window.view.calibration.column.setText("0.15")
    qtbot.mouseClick(window.view.calibration._use_typed, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
    assert window.view.canvas.placement is not None
    assert window.view.canvas.placement.down == pytest.approx(2 * window.view.canvas.placement.across)
    assert isinstance(window.shown, Tumour)
    assert window.shown.frame.spacing is not None
    assert window.shown.frame.spacing.provenance is Provenance.TYPED


@pytest.mark.parametrize("typed", [("", ""), ("0", "0.1"), ("-1", "1"), ("inf", "1"), ("a", "b")])
def test_a_spacing_that_is_none_is_one_sentence(show: Show, qtbot: QtBot, typed: tuple[str, str]) -> None:
    window = show(PhantomSource(spacing_mm=None, count=60))
    window.act("calibrate")
    window.view.calibration.row.setText(typed[0])
    window.view.calibration.column.setText(typed[1])
    qtbot.mouseClick(window.view.calibration._use_typed, Qt.MouseButton.LeftButton)
    assert window.view.calibration.isVisible()
    assert "not a length" in window.view.calibration._error.text()
    assert window.session.playback is not None
    assert window.session.playback.info.spacing is None


@pytest.mark.parametrize("length", [0.0, -5.0, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(length: float) -> None:
    with pytest.raises(SpacingError, match="length"):
        ruler_spacing((0, 0), (0, 100), length)


def test_points_that_nearly_coincide_are_refused() -> None:
    with pytest.raises(SpacingError, match="too close"):
        ruler_spacing((10, 10), (12, 14), 10)


def test_without_scale_is_a_choice_drawn_dotted_in_pixels(show: Show, qtbot: QtBot) -> None:
    window = show(PhantomSource(spacing_mm=None, count=60))
    qtbot.waitUntil(lambda: isinstance(window.shown, UnknownSpacing))
    qtbot.mouseClick(window.view.readout._card._buttons[Offer.WITHOUT_SCALE], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.face is not None and window.face.unit == "px", timeout=5000)
    assert window.face is not None
    assert window.face.card.title == "Scale unknown: contour unvalidated"


# ── source and model ────────────────────────────────────────────────────────────────────────────────────────


def test_a_refused_source_is_one_sentence_and_the_window_goes_on(show: Show, qtbot: QtBot) -> None:
    window = show(Refusal("There is no file x.nii: check the name."), wait=False)
    qtbot.waitUntil(lambda: window.face is not None and window.face.card.title == "Source refused")
    assert window.face is not None
    assert window.face.card.body == ("There is no file x.nii: check the name.",)
    window.session._open_source = lambda _: PhantomSource(count=60)
    window.deeds.open_source(SourceRequest("again"))
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)


def test_a_wrong_file_leaves_the_running_source_alone(show: Show, qtbot: QtBot, tmp_path: Path) -> None:
    window = show()
    window.session._open_source = app.open_source
    window.deeds.open_source(SourceRequest(str(tmp_path / "missing.nii.gz")))
    qtbot.waitUntil(window.view.stage.notice.isVisible, timeout=5000)
    assert "missing.nii.gz" in window.view.stage.notice.text()
    assert "Traceback" not in window.view.stage.notice.text()
    shown = window.meter.shown
    qtbot.waitUntil(lambda: window.meter.shown > shown + 3, timeout=5000)


def test_a_refused_model_leaves_the_picture_without_analysis(show: Show, qtbot: QtBot) -> None:
    window = show(loaded=Refusal("This .onnx carries no ius contract."), wait=False)
    qtbot.waitUntil(lambda: window.face is not None and window.face.card.title == "Model refused", timeout=5000)
    qtbot.waitUntil(lambda: window.meter.shown > 5, timeout=5000)
    assert window.face is not None
    assert (window.face.number, window.face.contour) == ("—", False)
    assert window.face.card.body == ("This .onnx carries no ius contract.",)
    assert not window.face.dimmed


def test_no_contour_of_the_old_model_outlives_the_choice_of_another(show: Show, qtbot: QtBot) -> None:
    window = show()
    gate = threading.Event()

    def loading(_: Path | None) -> Refusal:
        gate.wait(5)
        return Refusal("No.")

    window.session._load_model = loading
    window.deeds.open_model(Path("other.onnx"))
    window.pull.tick()
    assert window.face is not None
    assert window.face.card.title == "Loading model…"
    assert not window.face.contour
    gate.set()
    qtbot.waitUntil(lambda: window.face is not None and window.face.card.title == "Model refused", timeout=5000)


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

    refused = app._guarded(broken)
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
    window.deeds.open_source(window.view.source.request("case.dcm"))
    qtbot.waitUntil(lambda: window.face is not None and "2 pictures" in " ".join(window.face.card.body))
    qtbot.mouseClick(window.view.readout._card._buttons[Offer.OPEN], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(window.view.source._region_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
    asked = [request for request in asked if request.text == "case.dcm"]
    assert [request.region for request in asked] == [None, 0]
    assert window.view.source.request("other.dcm").region is None


def test_another_source_takes_the_old_picture_away_first(show: Show, qtbot: QtBot) -> None:
    window = show()
    window.session._open_source = lambda _: PhantomSource(rows=256, cols=300, spacing_mm=None, count=60)
    window.deeds.open_source(SourceRequest("other"))
    qtbot.waitUntil(lambda: isinstance(window.shown, UnknownSpacing), timeout=5000)
    assert window.view.canvas.picture.frame is not None
    assert window.view.canvas.picture.frame.cols == 300
    assert window.meter.mismatched == 0


# ── conditions ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_paused_recording_is_not_stale(show: Show, at: At, qtbot: QtBot) -> None:
    window = show()
    at(window, 20)
    qtbot.wait(700)
    assert window.session.condition(window.shown).health is Health.PAUSED
    assert window.face is not None
    assert window.face.contour


def test_a_recording_that_stops_delivering_is_stale_and_loses_its_contour(show: Show, qtbot: QtBot) -> None:
    class Stuck(PhantomSource):
        release = threading.Event()

        def read(self, index: int) -> Frame:
            if index == 12:
                self.release.wait(10)
            return super().read(index)

    source = Stuck(count=60)
    window = show(source)
    qtbot.waitUntil(lambda: window.face is not None and window.face.card.title.startswith("STALE"), timeout=5000)
    assert window.face is not None
    assert (window.face.number, window.face.contour, window.face.dimmed) == ("—", False, True)
    assert window.view.canvas.picture.opacity() < 1
    source.release.set()
    qtbot.waitUntil(lambda: window.face is not None and window.face.contour, timeout=5000)
    assert window.view.canvas.picture.opacity() == 1


def test_a_failure_takes_the_contour_at_once_and_ten_stay(
    show: Show, make_model: Callable[..., Model], contract: object, qtbot: QtBot
) -> None:
    def broken(_: Frame) -> Outcome:
        raise RuntimeError("out of memory")

    window = show(loaded=make_model(contract, broken))
    qtbot.waitUntil(lambda: window.face is not None and window.face.card.title == "ANALYSIS FAILING", timeout=5000)
    assert isinstance(window.shown, Failed)
    assert window.face is not None
    assert not window.face.contour
    assert "out of memory" in " ".join(window.face.card.body)


def test_the_warning_is_held_over_single_frames(
    show: Show, make_model: Callable[..., Model], model: Model, at: At, qtbot: QtBot
) -> None:
    """A contour that is small in every second frame only must not flicker."""
    asked = itertools.count()

    def flicker(frame: Frame) -> Outcome:
        outcome = model.analyse(frame)
        assert isinstance(outcome, Tumour)
        small = frame.index != 33 and next(asked) % 2 == 0
        size = SizeState.AT_MOST_200 if small else SizeState.ABOVE_200
        regions = (replace(outcome.regions[0], size=size), *outcome.regions[1:])
        return Tumour(frame, outcome.analysis, outcome.mask, regions)

    window = show(loaded=make_model(model.contract, flicker))
    qtbot.waitUntil(lambda: window.face is not None and "SMALL" in window.face.card.title, timeout=5000)
    titles = set()
    for _ in range(15):
        qtbot.wait(30)
        assert window.face is not None
        titles.add(window.face.card.title)
    assert titles == {"SMALL: CONTOUR UNRELIABLE"}
    at(window, 33)
    qtbot.waitUntil(lambda: window.face is not None and "SMALL" not in window.face.card.title, timeout=2000)


def test_an_empty_frame_is_no_tumour_segmented(show: Show, make_model: Callable[..., Model], model: Model) -> None:
    def nothing(frame: Frame) -> Outcome:
        outcome = model.analyse(frame)
        assert isinstance(outcome, Tumour)
        return NothingFound(frame, outcome.analysis)

    window = show(loaded=make_model(model.contract, nothing))
    assert window.face is not None
    assert window.face.headline == "No tumour segmented"


def test_a_single_picture_stands_still_and_is_analysed(show: Show, qtbot: QtBot) -> None:
    window = show(PhantomSource(count=1))
    assert isinstance(window.shown, Tumour)
    qtbot.wait(700)
    assert window.face is not None
    assert window.face.contour


# ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_closing_joins_every_thread_within_a_second(show: Show) -> None:
    window = show()
    assert {"ius-capture", "ius-analysis", "ius-loader"} <= {thread.name for thread in threading.enumerate()}
    began = time.monotonic()
    window.close()
    assert time.monotonic() - began < 1
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("ius-")]


def test_settings_survive_and_rubbish_does_not(tmp_path: Path) -> None:
    kept = settings.Settings(line_width=3.5, introduced=True).with_recent("b.nii").with_recent("a, b.dcm")
    settings.save(kept)
    assert settings.load() == kept
    assert kept.recent == ("a, b.dcm", "b.nii")
    for number in range(20):
        kept = kept.with_recent(str(number))
    assert len(kept.recent) == settings.RECENT
    (file,) = (tmp_path / "settings").rglob("*.ini")
    file.write_text("[General]\nline_width=broad\nrecent=\n")
    assert settings.load() == settings.Settings()
