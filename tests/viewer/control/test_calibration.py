"""The scale of something captured: marked and measured by hand, only while its depth text is watched."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import pytest
from calibrating import TEXT, card, click, drag, mark_depth, measure, measured
from hypothesis import given
from hypothesis import strategies as st
from painted import spot_of
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.alarms import Alarm
from inference.crop import Rect
from inference.live.guarded_source import UNWATCHED
from inference.live.health import Health
from inference.outcome import Outcome, UnknownSpacing
from inference.readout.annotations import Ticks
from inference.sources import open_live, open_source
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance
from viewer.control.calibration import TURNED
from viewer.control.presets import presets_path
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]


def test_nobody_measures_what_is_not_watched_and_a_new_depth_takes_the_number_at_once(
    show: Show, qtbot: QtBot, shoot: Shoot, scanner: tuple[Any, str]
) -> None:
    server, address = scanner
    window = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(window), timeout=5000)
    window.act("calibrate")
    window.view.calibration.calibrated.emit(PixelSpacing(0.2, 0.2, Provenance.TYPED))
    window.act("dismiss")
    qtbot.waitUntil(lambda: UNWATCHED in card(window), timeout=5000)
    mark_depth(qtbot, window)
    assert window.session.source is not None
    assert window.session.source.depth_watched
    assert len(window.session.source.watched) == 2
    qtbot.waitUntil(lambda: window.view.front._annotations.watched == window.session.source.watched)  # type: ignore[union-attr]
    shoot(window, "calibrating-capture")
    qtbot.wait(200)
    assert not measured(window), "the scale from before the marking may be another depth's"
    measure(qtbot, window)
    qtbot.waitUntil(lambda: measured(window), timeout=5000)
    assert window.shown is not None
    assert window.shown.frame.spacing is not None
    assert window.shown.frame.spacing.row_mm == pytest.approx(0.2, rel=0.02)
    assert not window.shown.frame.pixels[TEXT.where].any(), "no frame shows what may be a name"
    server.depth = "9"
    changed = monotonic()
    qtbot.waitUntil(lambda: Alarm.DEPTH.sentence in card(window), timeout=5000)
    assert window.readout_state is not None
    assert window.readout_state.number in ("", "—")
    assert not window.readout_state.contour
    assert isinstance(window.shown, UnknownSpacing)
    late = monotonic() - changed
    assert late < 0.6, f"{late * 1e3:.0f} ms"
    shoot(window, "depth-changed")
    server.depth = "4"
    qtbot.wait(300)
    assert Alarm.DEPTH.sentence in card(window), "the old depth does not bring the scale back"
    window.close()


def test_while_it_is_calibrated_the_picture_shows_the_scanners_text_and_no_contour(
    show: Show, qtbot: QtBot, scanner: tuple[Any, str]
) -> None:
    _, address = scanner
    window = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: window.shown is not None, timeout=5000)
    window.act("calibrate")
    qtbot.waitUntil(lambda: window.state.condition.health is Health.CALIBRATING, timeout=3000)
    qtbot.waitUntil(lambda: _has_text(window), timeout=3000)
    assert window.view.canvas.contour.frame is None
    assert "frame depth text and ruler first, then press Enter" in _asked(window)
    click(qtbot, window.view.calibration._depth)
    assert window.view.front.region.isVisible()
    drag(qtbot, window, TEXT)
    click(qtbot, window.view.marking._use)
    click(qtbot, window.view.marking._without)
    assert _asked(window).endswith("scanner's, press Enter.")
    window.act("dismiss")
    assert not window.view.front.region.isVisible()
    qtbot.waitUntil(lambda: not _has_text(window), timeout=3000)
    window.close()


def test_a_ruler_on_pixels_that_are_not_square_measures_them_as_their_own_scale_shapes_them(show: Show) -> None:
    window = show(PhantomSource(rows=160, cols=200, spacing_mm=(0.3, 0.2), count=4))
    window.act("calibrate")
    panel = window.view.calibration
    for row in (20.0, 120.0):
        panel.click(60.0, row)
    panel.length.setText("40")
    found = panel._measure()
    assert (found.row_mm, found.col_mm) == pytest.approx((0.4, 0.4 * 2 / 3))
    window.close()


def _asked(window: MainWindow) -> str:
    """What the panel asks for once two points and their length give a scale."""
    panel = window.view.calibration
    panel.reset()
    for x in (40.0, 90.0):
        panel.click(x, 60.0)
    panel.length.setText("10")
    return panel._step.text()


def _has_text(window: MainWindow) -> bool:
    frame = window.view.canvas.picture.frame
    return frame is not None and bool(frame.pixels[TEXT.where].any())


def test_what_is_marked_on_stands_still_and_a_depth_turned_meanwhile_takes_nothing(
    show: Show, qtbot: QtBot, scanner: tuple[Any, str]
) -> None:
    server, address = scanner
    window = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(window), timeout=5000)
    mark_depth(qtbot, window)
    qtbot.waitUntil(lambda: _has_text(window), timeout=3000)
    stands = window.view.canvas.picture.frame
    assert stands is not None
    captured = window.session.status().captured  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: window.session.status().captured > captured + 10, timeout=5000)  # type: ignore[union-attr]
    assert window.view.canvas.picture.frame is stands
    server.depth = "9"
    qtbot.waitUntil(lambda: not window.session.source.depth_watched, timeout=5000)  # type: ignore[union-attr]
    assert window.view.canvas.picture.frame is stands, "the picture of before is still what is clicked on"
    measure(qtbot, window)
    assert window.view.picture_area.notice.text() == TURNED
    qtbot.wait(300)
    assert not measured(window)
    window.act("calibrate")
    measure(qtbot, window)
    qtbot.waitUntil(lambda: measured(window), timeout=5000)
    window.close()


def test_an_empty_region_is_no_depth_text(show: Show, qtbot: QtBot, scanner: tuple[Any, str]) -> None:
    _, address = scanner
    window = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: window.shown is not None, timeout=5000)
    window.act("calibrate")
    qtbot.waitUntil(lambda: window.state.condition.health is Health.CALIBRATING, timeout=3000)
    click(qtbot, window.view.calibration._depth)
    drag(qtbot, window, Rect(8, 470, 30, 30))
    click(qtbot, window.view.marking._use)
    assert "neither text nor ruler" in window.view.marking._error.text()
    assert window.session.source is not None
    assert not window.session.source.depth_watched
    window.close()


def test_the_crop_is_proposed_dragged_and_taken_back(show: Show, at: At, qtbot: QtBot, shoot: Shoot) -> None:
    window = show(PhantomSource(speckle=0.2, count=60))
    before = at(window, 30)
    window.act("calibrate")
    click(qtbot, window.view.calibration._crop)
    proposed = window.view.canvas.region.rect_marked
    assert proposed is not None
    rows, cols = np.nonzero(before.frame.pixels)
    assert abs(proposed.top - rows.min()) <= 2
    assert abs(proposed.left + proposed.cols - 1 - cols.max()) <= 2
    window.view.canvas.region.begin(None)
    drag(qtbot, window, Rect(60, 100, 300, 300))
    shoot(window, "crop-in-progress")
    click(qtbot, window.view.marking._use)
    qtbot.waitUntil(lambda: not _outside(window, Rect(59, 99, 302, 302)), timeout=3000)
    assert window.shown is not None
    np.testing.assert_array_equal(window.shown.frame.pixels[100:300, 120:380], before.frame.pixels[100:300, 120:380])
    click(qtbot, window.view.calibration._crop)
    click(qtbot, window.view.marking._without)
    qtbot.waitUntil(lambda: _outside(window, Rect(59, 99, 302, 302)), timeout=3000)


def _outside(window: MainWindow, rect: Rect) -> bool:
    """Whether anything is left outside a rectangle."""
    assert window.shown is not None
    pixels = window.shown.frame.pixels.copy()
    pixels[rect.where] = 0
    return bool(pixels.any())


def test_a_video_is_calibrated_on_its_own_ruler_which_no_frame_shows(show: Show, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (512, 512))
    phantom = PhantomSource(count=12)
    for index in range(12):
        picture = np.asarray(phantom.read(index).pixels, np.uint8).copy()
        picture[40:201:40, 6:16] = 220
        writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    writer.release()
    window = show(open_source(str(path)), wait=False)
    ruler = Rect(30, 2, 175, 20)
    qtbot.waitUntil(lambda: window.shown is not None, timeout=5000)
    assert window.shown is not None
    assert not window.shown.frame.pixels[ruler.where].any()
    window.act("calibrate")
    qtbot.waitUntil(lambda: window.state.condition.health is Health.CALIBRATING, timeout=3000)
    qtbot.waitUntil(
        lambda: (frame := window.view.canvas.picture.frame) is not None and bool(frame.pixels[ruler.where].any()),
        timeout=3000,
    )
    for point in ((10, 40), (10, 200)):
        spot = spot_of(window.view.canvas, *point)
        qtbot.mouseClick(window.view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.keyClicks(window.view.calibration.length, "24")
    qtbot.keyClick(window.view.calibration.length, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: measured(window), timeout=5000)
    assert window.shown.frame.spacing is None or window.shown.frame.spacing.row_mm == pytest.approx(0.15, rel=0.02)


def test_a_sender_without_text_has_a_scale_on_the_users_word_which_is_said(
    show: Show, qtbot: QtBot, shoot: Shoot, scanner: tuple[Any, str]
) -> None:
    server, address = scanner
    server.depth = ""
    window = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(window), timeout=5000)
    window.act("calibrate")
    panel = window.view.calibration
    click(qtbot, panel.other_way)
    for field in (panel.row, panel.column):
        qtbot.keyClicks(field, "0.2")
    click(qtbot, panel._use_typed)
    assert panel.isVisible()
    assert "Nobody watches the depth" in panel._error.text()
    assert panel._confirm.text() == "Use 0.2 mm per pixel on my word"
    shoot(window, "scale-on-my-word")
    click(qtbot, panel._confirm)
    qtbot.waitUntil(lambda: measured(window), timeout=5000)
    assert window.shown is not None
    assert window.shown.frame.spacing is not None
    assert window.shown.frame.spacing.provenance is Provenance.VOUCHED
    window.refresh._slow_at = 0.0
    scale = window.view.readout._values["Scale from"]
    qtbot.waitUntil(lambda: "user's word" in scale.text(), timeout=3000)
    assert scale.fontMetrics().horizontalAdvance(scale.text()) <= scale.width(), "on whose word is never left out"
    assert presets_path().exists() is False
    server.silent = True
    qtbot.wait(1200)
    server.silent = False
    qtbot.waitUntil(lambda: isinstance(window.shown, UnknownSpacing), timeout=10_000)
    assert not window.view.readout._again.isVisible()
    window.close()


MM = st.floats(0.05, 1.0)
PX = st.floats(20, 400)


@given(row=MM, col=MM, dx=PX, dy=PX)
def test_our_centimetres_are_centimetres(row: float, col: float, dx: float, dy: float) -> None:
    ticks = Ticks.along(((3.0, 4.0), (3.0 + dx, 4.0 + dy)), PixelSpacing(row, col, Provenance.RULER))
    assert np.hypot(ticks.step[0] * col, ticks.step[1] * row) == pytest.approx(10)
    assert ticks.step[0] * dy == pytest.approx(ticks.step[1] * dx)


def test_a_clicked_point_follows_the_arrow_keys_pixel_by_pixel_under_the_lens(show: Show, qtbot: QtBot) -> None:
    window = show(PhantomSource(spacing_mm=None, count=20), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(window), timeout=5000)
    window.act("calibrate")
    qtbot.waitUntil(lambda: window.state.condition.health is Health.CALIBRATING, timeout=3000)
    assert window.view.top._mode.text() == "STILL", "nobody takes a picture that stands for a live one"
    panel, pane = window.view.calibration, window.view.front

    def clicked(x: float, y: float) -> None:
        qtbot.mouseClick(pane.viewport(), Qt.MouseButton.LeftButton, pos=spot_of(pane, x, y))

    clicked(250, 90)
    first = panel.points[0]
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Up):
        qtbot.keyClick(pane.keys, key)
    assert panel.points == (pytest.approx((first[0] + 2, first[1] - 1)),)
    qtbot.waitUntil(lambda: pane.lens.shown_at == pytest.approx(panel.points[0]))
    qtbot.keyClick(pane.keys, Qt.Key.Key_Return)
    qtbot.keyClick(pane.keys, Qt.Key.Key_Right)
    assert panel.points == (pytest.approx((first[0] + 2, first[1] - 1)),), "Enter lets go of it"
    clicked(250, 400)
    second = panel.points[1]
    assert panel.length.hasFocus()
    window.act("pointer")
    qtbot.keyClick(pane.keys, Qt.Key.Key_Down)
    assert panel.points[1] == pytest.approx((second[0], second[1] + 1))
    qtbot.keyClick(pane.keys, Qt.Key.Key_Return)
    assert panel.length.hasFocus()
    assert len(panel.points) == 2


@pytest.mark.parametrize(
    "change", [("invert",), ("mirror",), ("closer", "closer"), ("closer", "go_down", "go_down"), ()]
)
def test_a_point_that_the_arrows_move_stays_in_its_place_when_the_view_changes(
    show: Show, qtbot: QtBot, change: tuple[str, ...]
) -> None:
    """It jumped to what had come to lie under the pointer: another mark of the ruler, and a wrong scale."""
    window = show(PhantomSource(spacing_mm=None, count=60), wait=False)
    qtbot.waitUntil(lambda: window.session.ready and window.shown is not None, timeout=5000)
    window.act("calibrate")
    panel, pane = window.view.calibration, window.view.front
    qtbot.waitUntil(lambda: window.state.condition.health is Health.CALIBRATING, timeout=3000)
    qtbot.mouseClick(pane.viewport(), Qt.MouseButton.LeftButton, pos=spot_of(pane, 200, 150))
    (first,) = panel.points
    for action in change:
        window.act(action)
        window.refresh.tick()
    if not change:
        window.resize(1366, 768)
        window.refresh.tick()
    qtbot.keyClick(pane.keys, Qt.Key.Key_Right)
    step = -1 if "mirror" in change else 1
    assert panel.points == (pytest.approx((first[0] + step, first[1]), abs=0.01),)
