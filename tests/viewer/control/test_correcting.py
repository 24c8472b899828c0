"""A contour corrected with the mouse: it is the user's, it belongs to its frame, and the model's stays what it was."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import cv2
import nibabel as nib
import numpy as np
import pytest
from legible import cut_off
from numpy.typing import NDArray
from painted import LARGE, At, near, on_canvas, settle, source, spot_of
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from recordings import frames_in, said, snapshot_comments, start

from inference.contract import Mode
from inference.export.training_case import NO_CODE, NO_SCALE
from inference.frame import Frame
from inference.live.model import Model
from inference.live.requests import SourceRequest
from inference.outcome import Outcome, Tumour
from inference.readout.correction import Correction, Gesture
from inference.ruler import Point
from inference.safety import MODELS_OWN
from inference.sources import open_live
from inference.sources.record import RecordSource
from viewer.control.correcting import NOTHING_TO_UNDO, PARTS_NOTHING
from viewer.main_window import MainWindow
from viewer.style import theme

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], NDArray[np.int_]]
LEFT = Qt.MouseButton.LeftButton
STEPS = 6


@pytest.fixture
def standing(show: Show, at: At) -> tuple[MainWindow, Tumour]:
    window = show(source())
    shown = settle(window, at, LARGE)
    assert isinstance(shown, Tumour)
    return window, shown


def correction(window: MainWindow) -> Correction | None:
    window.refresh.tick()
    assert window.state.screen is not None
    return window.state.screen.correction


def drag(window: MainWindow, *points: Point) -> None:
    """Draw a stroke with the left button."""
    canvas, marker = window.view.canvas, window.view.canvas.stroke
    spots = [spot_of(canvas, *point) for point in points]
    QTest.mousePress(marker, LEFT, pos=spots[0])
    for before, after in pairwise(spots):
        for step in range(1, STEPS + 1):
            QTest.mouseMove(marker, before + (after - before) * step / STEPS)
    window.refresh.tick()
    QTest.mouseRelease(marker, LEFT, pos=spots[-1])


def choose(window: MainWindow, gesture: Gesture, qtbot: QtBot) -> None:
    qtbot.mouseClick(window.view.correction.gestures[gesture], LEFT)


def middle(tumour: Tumour) -> tuple[float, float, float]:
    """The tumour's middle and half its width, pixels."""
    rows, cols = np.nonzero(tumour.mask)
    return float(cols.mean()), float(rows.mean()), (float(cols.max()) - float(cols.min())) / 2


def test_pushed_cut_added_and_erased_it_is_the_users_and_the_models_stays(
    standing: tuple[MainWindow, Tumour], qtbot: QtBot, shoot: Shoot
) -> None:
    window, tumour = standing
    window.refresh.tick()
    number, before = window.readout_state, tumour.mask.copy()
    x, y, reach = middle(tumour)
    qtbot.mouseClick(window.view.tools.buttons["correct"], LEFT)
    assert correction(window) is None, "nothing is corrected by looking at it"
    drag(window, (x, y), (x + 1.4 * reach, y))
    pushed = correction(window)
    assert pushed is not None
    assert int(pushed.mask.sum()) > int(before.sum())
    pixels = shoot(window, "correcting")
    for colour in (theme.CORRECTED, theme.CYAN):
        assert on_canvas(window, near(pixels, colour)).sum() > 50, "both lines can be told apart on the picture"
    for gesture, stroke in (
        (Gesture.CUT, [(x + 1.2 * reach, y - reach), (x + 1.2 * reach, y + reach)]),
        (Gesture.ADD, [(x - 1.5 * reach, y), (x - reach, y - 9), (x - reach, y + 9)]),
        (Gesture.ERASE, [(x - 3, y - 3), (x + 3, y - 3), (x + 3, y + 3), (x - 3, y + 3)]),
    ):
        choose(window, gesture, qtbot)
        last = correction(window)
        drag(window, *stroke)
        now = correction(window)
        assert last is not None
        assert now is not None
        grown = int(now.mask.sum()) - int(last.mask.sum())
        assert grown > 0 if gesture is Gesture.ADD else grown < 0, gesture
    assert now is not None
    assert window.view.canvas._annotations.corrected == now.words == window.view.correction.words.text()
    assert now.words.startswith("CORRECTED BY USER: ")
    assert window.shown is tumour
    assert np.array_equal(tumour.mask, before)
    assert window.readout_state == number, "the number is the model's"
    window.resize(*theme.LEAST)
    qtbot.waitUntil(lambda: not cut_off(window))
    window.resize(1280, 800)
    window.act("dismiss")
    shoot(window, "corrected")


def test_a_snapshot_of_a_corrected_contour_says_that_the_drawn_one_is_the_models(
    standing: tuple[MainWindow, Tumour], qtbot: QtBot, tmp_path: Path
) -> None:
    window, tumour = standing
    x, y, reach = middle(tumour)
    assert MODELS_OWN not in snapshot_comments(window, tmp_path / "before")
    qtbot.keyClick(window, Qt.Key.Key_A)
    drag(window, (x, y), (x + 1.4 * reach, y))
    assert MODELS_OWN in snapshot_comments(window, tmp_path / "after")


def test_undo_restores_the_models_contour(standing: tuple[MainWindow, Tumour], qtbot: QtBot) -> None:
    window, tumour = standing
    x, y, reach = middle(tumour)
    qtbot.keyClick(window, Qt.Key.Key_A)
    drag(window, (x, y), (x + 1.4 * reach, y))
    assert correction(window) is not None
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert correction(window) is None
    assert window.view.canvas.contour._corrected is None
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.view.picture_area.notice.text() == NOTHING_TO_UNDO


def test_undone_over_a_later_answer_it_leads_to_that_one_and_is_no_correction_in_the_record(
    show: Show, at: At, model: Model, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource]
) -> None:
    ready = Event()

    def smaller(frame: Frame) -> Outcome:
        ready.wait(10)
        fast = model.analyse(frame)
        assert isinstance(fast, Tumour)
        mask = cv2.erode(fast.mask, np.ones((9, 9), np.uint8)).astype(np.uint8)
        return replace(fast, mask=mask, analysis=replace(fast.analysis, mode=Mode.THOROUGH))

    window = show(source(), replace(model, thorough=smaller))
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 5), timeout=5000)
    fast = at(window, LARGE)
    assert isinstance(fast, Tumour)
    window.act("correct")
    x, y, reach = middle(fast)
    drag(window, (x, y), (x + 1.4 * reach, y))
    made = correction(window)
    ready.set()
    qtbot.waitUntil(lambda: window.shown is not fast, timeout=5000)
    shown, kept = window.shown, correction(window)
    assert isinstance(shown, Tumour)
    assert made is not None
    assert kept is not None
    assert np.array_equal(kept.mask, made.mask), "what a person drew stays"
    window.act("undo")
    drag(window, (x, y), (x + 1.4 * reach, y))
    again = correction(window)
    assert again is not None
    assert np.array_equal(again.masks[0], shown.mask), "it is drawn on from the contour that is on the screen"
    window.act("undo")
    assert recorded(window).corrected == ()


def test_a_cut_that_parts_nothing_says_so(standing: tuple[MainWindow, Tumour], qtbot: QtBot) -> None:
    window, tumour = standing
    x, y, _ = middle(tumour)
    window.act("correct")
    choose(window, Gesture.CUT, qtbot)
    drag(window, (x - 3, y), (x + 3, y))
    assert window.view.picture_area.notice.text() == PARTS_NOTHING
    assert correction(window) is None


def test_it_ends_with_its_frame_and_is_there_again_when_that_comes_back(
    standing: tuple[MainWindow, Tumour], at: At, qtbot: QtBot
) -> None:
    window, tumour = standing
    x, y, reach = middle(tumour)
    window.act("correct")
    drag(window, (x, y), (x + 1.4 * reach, y))
    made = correction(window)
    qtbot.keyClick(window, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.frame.index == LARGE + 1, timeout=5000)
    assert correction(window) is None
    assert window.view.correction.isHidden()
    assert window.view.canvas.stroke.isHidden()
    at(window, LARGE)
    again = correction(window)
    assert made is not None
    assert again is not None
    assert np.array_equal(again.mask, made.mask)
    window.act("play")
    assert correction(window) is None, "nothing but the model's contour moves"


def test_a_stroke_that_is_being_drawn_ends_with_its_frame(standing: tuple[MainWindow, Tumour], qtbot: QtBot) -> None:
    window, tumour = standing
    x, y, reach = middle(tumour)
    qtbot.mouseClick(window.view.tools.buttons["correct"], LEFT)
    window.refresh.tick()
    canvas, marker = window.view.canvas, window.view.canvas.stroke
    QTest.mousePress(marker, LEFT, pos=spot_of(canvas, x, y))
    QTest.mouseMove(marker, spot_of(canvas, x + reach, y))
    qtbot.keyClick(window, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour) and window.shown.frame.index == tumour.frame.index + 1)
    window.refresh.tick()
    QTest.mouseMove(marker, spot_of(canvas, x + 1.4 * reach, y))
    QTest.mouseRelease(marker, LEFT, pos=spot_of(canvas, x + 1.4 * reach, y))
    assert correction(window) is None, "the next frame's contour is still the model's"
    drag(window, (x, y), (x + 1.4 * reach, y))
    assert correction(window) is not None, "and one drawn on it corrects it"


def test_the_wheel_and_the_right_button_still_reach_the_picture(standing: tuple[MainWindow, Tumour]) -> None:
    window, tumour = standing
    window.act("correct")
    marker, spot = window.view.canvas.stroke, spot_of(window.view.canvas, *middle(tumour)[:2])
    contrast = window.state.look.contrast
    QTest.mousePress(marker, Qt.MouseButton.RightButton, pos=spot)
    assert marker.stroke == ()
    QTest.mouseRelease(marker, Qt.MouseButton.RightButton, pos=spot)
    assert (correction(window), contrast) == (None, window.state.look.contrast)


def test_on_a_live_source_it_freezes_the_view_and_goes_with_it(show: Show, qtbot: QtBot) -> None:
    window = show(open_live("simulated:?disturb=lifted&at=3600"))
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
    qtbot.keyClick(window, Qt.Key.Key_A)
    assert window.review is not None
    qtbot.waitUntil(lambda: not window.view.correction.isHidden(), timeout=5000)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    window.refresh.tick()
    assert window.view.correction.isHidden()


def test_a_frame_without_an_answer_is_not_corrected(show: Show, qtbot: QtBot) -> None:
    window: Any = show(source(spacing_mm=None), wait=False)
    qtbot.waitUntil(lambda: window.shown is not None and window.session.ready, timeout=5000)
    window.act("correct")
    assert window.view.correction.isHidden()
    assert window.view.picture_area.notice.text().startswith("Only a frame that the model has analysed")


def test_it_goes_into_the_record_beside_the_models_answer(
    show: Show, at: At, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource]
) -> None:
    window = show(source())
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 5), timeout=5000)
    tumour = at(window, LARGE)
    qtbot.keyClick(window, Qt.Key.Key_A)
    assert isinstance(tumour, Tumour)
    x, y, reach = middle(tumour)
    drag(window, (x, y), (x + 1.4 * reach, y))
    made = correction(window)
    assert made is not None
    record = recorded(window)
    (number,) = record.corrected
    found, answer = record.correction(number), record.outcome(number)
    assert found is not None
    assert isinstance(answer, Tumour)
    assert np.array_equal(found, made.mask)
    assert np.array_equal(answer.mask, tumour.mask)


def test_what_is_corrected_on_an_open_record_is_in_its_export_and_leaves_the_record_as_it_is(
    show: Show, at: At, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], records: Path
) -> None:
    window = show(source())
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 5), timeout=5000)
    record = recorded(window)
    (path,) = records.glob("*.mcap")
    before = path.read_bytes()
    replay = show(RecordSource(path))
    replay.session.opened = SourceRequest(str(path))
    replay.session.request = SourceRequest("another, refused")
    tumour = at(replay, 2)
    assert isinstance(tumour, Tumour)
    x, y, reach = middle(tumour)
    replay.act("correct")
    drag(replay, (x, y), (x + 1.4 * reach, y))
    made = correction(replay)
    assert made is not None
    out = path.with_suffix("")
    for taken_back in (False, True):
        if taken_back:
            replay.act("undo")
        replay.view.picture_area.say("", 0.0)
        replay.act("export")
        said(replay, qtbot, "Exported: ")
        assert (out / "corrected.nii.gz").exists() is not taken_back
        if not taken_back:
            stack = np.asarray(nib.load(out / "corrected.nii.gz").dataobj)
            assert int(np.count_nonzero(stack)) == int(made.mask.sum()) > int(tumour.mask.sum())
    assert record.corrected == ()
    assert path.read_bytes() == before


def test_a_recording_of_a_replay_holds_what_was_corrected_before_it_began(
    show: Show, at: At, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource]
) -> None:
    window = show(source())
    tumour = at(window, LARGE)
    assert isinstance(tumour, Tumour)
    x, y, reach = middle(tumour)
    window.act("correct")
    drag(window, (x, y), (x + 1.4 * reach, y))
    made = correction(window)
    assert made is not None
    window.act("dismiss")
    start(window, qtbot)
    at(window, LARGE)
    record = recorded(window)
    (number,) = record.corrected
    found = record.correction(number)
    assert record.place(number) == LARGE
    assert found is not None
    assert np.array_equal(found, made.mask)


def exported_once_its_code_is_typed(window: MainWindow, qtbot: QtBot) -> None:
    """The training case of a correction: refused without a patient's code, then written under the typed one."""
    qtbot.mouseClick(window.view.correction.export, LEFT)
    said(window, qtbot, NO_CODE)
    window.handlers.choose_case_code("GL-017")
    qtbot.mouseClick(window.view.correction.export, LEFT)
    said(window, qtbot, "Training case case-GL-017-")


def test_exported_it_is_a_training_case_of_the_typed_code(
    records: Path, standing: tuple[MainWindow, Tumour], qtbot: QtBot
) -> None:
    window, tumour = standing
    x, y, reach = middle(tumour)
    window.act("correct")
    drag(window, (x, y), (x + 1.4 * reach, y))
    exported_once_its_code_is_typed(window, qtbot)
    (table,) = (records / "training-cases").glob("case-GL-017-*/case.csv")
    assert "GL-017,corrected by user,image.nii.gz,mask.nii.gz" in table.read_text()


def test_the_code_of_a_day_is_no_patients_and_makes_room_for_the_one_that_is_typed(
    records: Path, show: Show, at: At, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource]
) -> None:
    window = show(source())
    start(window, qtbot)
    qtbot.waitUntil(frames_in(window, 5), timeout=5000)
    recorded(window)
    (path,) = records.glob("*.mcap")
    replay = show(RecordSource(path))
    tumour = at(replay, 2)
    assert isinstance(tumour, Tumour)
    x, y, reach = middle(tumour)
    replay.act("correct")
    drag(replay, (x, y), (x + 1.4 * reach, y))
    exported_once_its_code_is_typed(replay, qtbot)


def test_without_scale_nothing_is_said_in_mm_and_no_case_is_exported(
    show: Show, at: At, qtbot: QtBot, records: Path
) -> None:
    window = show(source(spacing_mm=None), wait=False)
    qtbot.waitUntil(lambda: window.shown is not None and window.session.ready, timeout=5000)
    window.session.analyse_without_scale()
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
    shown = at(window, LARGE)
    assert isinstance(shown, Tumour)
    window.act("correct")
    window.refresh.tick()
    x, y, reach = middle(shown)
    drag(window, (x, y), (x + 1.4 * reach + 20, y))
    made = correction(window)
    assert made is not None
    assert (made.words, window.view.correction.brush.text()) == ("CORRECTED BY USER: scale unknown", "Brush 36 px")
    qtbot.mouseClick(window.view.correction.export, LEFT)
    said(window, qtbot, NO_SCALE)
    assert not records.exists()
