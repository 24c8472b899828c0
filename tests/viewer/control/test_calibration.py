"""The scale of something captured: only while its depth text is watched, kept across starts, void with the depth."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted import spot_of
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from scanner_screens import STYLES, Shot, draw

from inference.alarms import Alarm
from inference.crop import Rect
from inference.live.guarded_source import UNWATCHED
from inference.live.health import Health
from inference.outcome import Outcome, Tumour, UnknownSpacing
from inference.readout.annotations import Ticks
from inference.ruler import per_pixel
from inference.sources import open_live, open_source
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Marker
from viewer.control.calibration import DIFFERENT, TURNED
from viewer.control.presets import Presets, presets_path
from viewer.main_window import MainWindow
from viewer.panels.calibration import WILL_WATCH

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]
Igtl = Callable[..., AbstractContextManager[Any]]
FreePort = Callable[..., int]
TEXT, RULER = Rect(4, 2, 24, 26), Rect(32, 2, 94, 20)
"""Where the server writes its depth and draws its ruler, at four times the phantom's size."""
UNSCALED = np.eye(4)


@pytest.fixture
def scanner(igtl: Igtl, free_port: FreePort) -> Iterator[tuple[Any, str]]:
    """A sender whose signal says nothing of its scale, and its address."""
    port = free_port()
    with igtl(port, UNSCALED, 4) as server:
        server.depth = "4"
        yield server, f"igtl://127.0.0.1:{port}"


def drag(qtbot: QtBot, window: MainWindow, rect: Rect) -> None:
    """Draw a rectangle from corner to corner, with the mouse."""
    region, placement = window.view.front.region, window.view.front.placement
    assert placement is not None
    corners = ((rect.left, rect.top), (rect.left + rect.cols, rect.top + rect.rows))
    start, end = (placement.transform.map(QPointF(*corner)).toPoint() for corner in corners)
    qtbot.mousePress(region, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(region, end)
    qtbot.mouseRelease(region, Qt.MouseButton.LeftButton, pos=end)


def click(qtbot: QtBot, widget: QWidget) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def mark_depth(qtbot: QtBot, window: MainWindow) -> None:
    if window.view.calibration.isHidden():
        window.act("calibrate")
    qtbot.waitUntil(lambda: window.state.condition.health is Health.CALIBRATING, timeout=3000)
    click(qtbot, window.view.calibration._depth)
    for rect in (TEXT, RULER):
        drag(qtbot, window, rect)
        click(qtbot, window.view.marking._use)


def measure(qtbot: QtBot, window: MainWindow, length: str = "16") -> None:
    """Two points on the server's ruler, 80 pixels apart."""
    for point in ((10, 40), (10, 120)):
        spot = spot_of(window.view.front, *point)
        qtbot.mouseClick(window.view.front.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.keyClicks(window.view.calibration.length, length)
    qtbot.keyClick(window.view.calibration.length, Qt.Key.Key_Return)


def card(window: MainWindow) -> str:
    return (
        ""
        if window.readout_state is None
        else " ".join((window.readout_state.card.title, *window.readout_state.card.body))
    )


def measured(window: MainWindow) -> bool:
    return isinstance(window.shown, Tumour) and window.shown.area_mm2 is not None


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


def test_a_scale_is_kept_across_starts_while_the_scanner_still_shows_its_depth(
    show: Show, qtbot: QtBot, shoot: Shoot, scanner: tuple[Any, str]
) -> None:
    server, address = scanner
    first = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(first), timeout=5000)
    mark_depth(qtbot, first)
    measure(qtbot, first)
    qtbot.waitUntil(lambda: measured(first), timeout=5000)
    first.view.canvas.marker_clicked.emit()
    first.close()

    second = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: measured(second), timeout=5000)
    assert second.shown is not None
    assert second.shown.frame.spacing is not None
    assert second.shown.frame.spacing.provenance is Provenance.PRESET
    assert second.shown.frame.spacing.row_mm == pytest.approx(0.2, rel=0.02)
    assert second.state.marker is Marker.LEFT
    shoot(second, "preset-applied")
    second.act("calibrate")
    qtbot.waitUntil(lambda: second.view.canvas._annotations.ticks is not None, timeout=3000)
    shoot(second, "our-ticks-beside-the-scanners")
    second.close()

    server.depth = "9"
    third = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(third), timeout=5000)
    assert third.view.picture_area.notice.text() == DIFFERENT
    qtbot.wait(300)
    assert not measured(third)
    third.close()


def test_a_kept_scale_is_deleted_by_a_button_and_takes_its_number_along(
    show: Show, qtbot: QtBot, shoot: Shoot, scanner: tuple[Any, str]
) -> None:
    _, address = scanner
    first = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(first), timeout=5000)
    first.act("calibrate")
    assert not first.view.calibration._delete.isVisible()
    first.act("dismiss")
    mark_depth(qtbot, first)
    measure(qtbot, first)
    qtbot.waitUntil(lambda: measured(first), timeout=5000)
    first.close()

    second = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: measured(second), timeout=5000)
    second.act("calibrate")
    shoot(second, "delete-kept-scale")
    click(qtbot, second.view.calibration._delete)
    assert not second.view.calibration._delete.isVisible()
    second.act("dismiss")
    qtbot.waitUntil(lambda: "scale unknown" in card(second), timeout=5000)
    second.close()

    third = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(third), timeout=5000)
    assert not measured(third)
    third.close()


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
    click(qtbot, window.view.calibration._depth)
    assert window.view.front.region.isVisible()
    drag(qtbot, window, TEXT)
    click(qtbot, window.view.marking._use)
    click(qtbot, window.view.marking._without)
    window.act("dismiss")
    assert not window.view.front.region.isVisible()
    qtbot.waitUntil(lambda: not _has_text(window), timeout=3000)
    window.close()


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


def test_a_scale_that_no_frame_was_shown_with_is_not_kept(show: Show, qtbot: QtBot, scanner: tuple[Any, str]) -> None:
    _, address = scanner
    window = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(window), timeout=5000)
    mark_depth(qtbot, window)
    info = window.session.info
    assert info is not None
    spacing = PixelSpacing(0.2, 0.2, Provenance.TYPED)
    window.handlers.calibrate(spacing)
    window.calibration.source_opened()  # another source, before a frame had this scale
    qtbot.waitUntil(lambda: measured(window), timeout=5000)
    assert Presets().known(info.origin.name, info.rows, info.cols) == ()
    window.handlers.calibrate(spacing)
    qtbot.waitUntil(lambda: Presets().known(info.origin.name, info.rows, info.cols) != (), timeout=5000)
    window.close()


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
    qtbot.waitUntil(lambda: "user's word" in window.view.readout._values["Scale"].text(), timeout=3000)
    assert presets_path().exists() is False
    server.silent = True
    qtbot.wait(1200)
    server.silent = False
    qtbot.waitUntil(lambda: isinstance(window.shown, UnknownSpacing), timeout=10_000)
    assert not window.view.readout._again.isVisible()
    window.close()


def test_after_an_interruption_one_key_uses_the_scale_again_and_only_while_the_depth_is_as_before(
    show: Show, qtbot: QtBot, shoot: Shoot, scanner: tuple[Any, str]
) -> None:
    server, address = scanner
    window = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(window), timeout=5000)
    mark_depth(qtbot, window)
    measure(qtbot, window)
    qtbot.waitUntil(lambda: measured(window), timeout=5000)
    again, given = window.view.readout._again, None if window.shown is None else window.shown.frame.spacing
    assert given is not None
    assert not again.isVisible()

    def interrupt() -> None:
        server.silent = True
        qtbot.waitUntil(lambda: window.state.condition.health is Health.LOST, timeout=10_000)
        qtbot.wait(1000)

    interrupt()
    server.silent = False
    qtbot.waitUntil(again.isVisible, timeout=10_000)
    qtbot.wait(300)
    assert not measured(window), "never by itself"
    assert again.text() == f"Depth unchanged: use {per_pixel(given)}"
    shoot(window, "interrupted-scale-offered")
    qtbot.keyClick(window, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: measured(window), timeout=5000)
    assert not again.isVisible()
    interrupt()
    server.depth = "9"
    server.silent = False
    qtbot.waitUntil(lambda: Alarm.DEPTH.sentence in card(window), timeout=10_000)
    assert not again.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_U)
    qtbot.wait(300)
    assert not measured(window)
    interrupt()
    server.silent = False
    qtbot.waitUntil(lambda: window.state.condition.health is Health.RUNNING, timeout=10_000)
    qtbot.wait(300)
    assert not again.isVisible(), "its depth was changed in between"
    window.close()


MM = st.floats(0.05, 1.0)
PX = st.floats(20, 400)


@given(row=MM, col=MM, dx=PX, dy=PX)
def test_our_centimetres_are_centimetres(row: float, col: float, dx: float, dy: float) -> None:
    ticks = Ticks.along(((3.0, 4.0), (3.0 + dx, 4.0 + dy)), PixelSpacing(row, col, Provenance.RULER))
    assert np.hypot(ticks.step[0] * col, ticks.step[1] * row) == pytest.approx(10)
    assert ticks.step[0] * dy == pytest.approx(ticks.step[1] * dx)


def screen_of(depth_mm: float) -> Any:
    """A scanner's grey screen at this depth, and its mm per pixel."""
    drawn = draw(Shot(next(style for style in STYLES if style.name == "BK"), depth_mm, 0.5))
    return cv2.cvtColor(drawn.picture, cv2.COLOR_BGR2GRAY), drawn.mm


def spacing_of(window: MainWindow) -> PixelSpacing | None:
    return None if window.shown is None else window.shown.frame.spacing


def outlined(window: MainWindow) -> tuple[Rect, ...]:
    screen = window.state.screen
    return () if screen is None or screen.annotations is None else screen.annotations.read


def read_and_offered(qtbot: QtBot, window: MainWindow) -> None:
    window.act("calibrate")
    qtbot.waitUntil(window.view.calibration.reading.use.isVisible, timeout=20000)


def test_a_scale_read_from_the_screen_is_used_by_one_press_and_watched(
    show: Show, qtbot: QtBot, shoot: Shoot, scanner: tuple[Any, str]
) -> None:
    server, address = scanner
    server.screen, mm = screen_of(60.0)
    window = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(window), timeout=5000)
    read_and_offered(qtbot, window)
    assert window.shown is not None
    assert window.shown.frame.spacing is None, "nothing is used before it is confirmed"
    assert window.view.calibration.read
    qtbot.waitUntil(lambda: outlined(window) == window.view.calibration.read)
    assert window.view.calibration._watch.text() == WILL_WATCH
    assert window.view.calibration.reading.excerpt.pixmap().height() > 2 * 12, "the labels, larger than on the screen"
    shoot(window, "scale-read")
    click(qtbot, window.view.calibration.reading.use)
    qtbot.waitUntil(lambda: spacing_of(window) is not None, timeout=5000)
    found = spacing_of(window)
    assert found is not None
    assert found.row_mm == pytest.approx(mm, rel=2e-3)
    assert found.provenance is Provenance.READ
    assert window.session.source is not None
    assert window.session.source.depth_watched
    qtbot.waitUntil(lambda: "read from the screen" in window.view.readout._values["Scale"].text(), timeout=5000)
    server.screen, _ = screen_of(80.0)
    qtbot.waitUntil(lambda: Alarm.DEPTH.sentence in card(window), timeout=5000)
    assert spacing_of(window) is None


def test_nothing_moves_when_the_reading_arrives(show: Show, qtbot: QtBot, tmp_path: Path) -> None:
    screen, _ = screen_of(60.0)
    cv2.imwrite(str(tmp_path / "screen.png"), screen)
    window = show(open_source(str(tmp_path / "screen.png")), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(window), timeout=5000)
    panel = window.view.calibration
    for size in ((1120, 700), (1920, 1080)):
        window.resize(*size)
        window.act("calibrate")
        panel.propose(None)  # before anything was read
        panel.refit()
        parts = [*panel.findChildren(QPushButton), *panel.findChildren(QLineEdit)]
        parts = [part for part in parts if part.isVisible()]
        before = [(panel.mapFromGlobal(part.mapToGlobal(part.rect().topLeft())), part.size()) for part in parts]
        place = panel.geometry()
        qtbot.waitUntil(panel.reading.use.isVisible, timeout=20000)
        after = [(panel.mapFromGlobal(part.mapToGlobal(part.rect().topLeft())), part.size()) for part in parts]
        assert after == before
        assert panel.geometry() == place
        window.act("dismiss")


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


def test_a_depth_turned_after_it_was_read_takes_nothing(show: Show, qtbot: QtBot, scanner: tuple[Any, str]) -> None:
    server, address = scanner
    server.screen, _ = screen_of(60.0)
    window = show(open_live(address), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(window), timeout=5000)
    read_and_offered(qtbot, window)
    source = window.session.source
    assert source is not None
    before = source.whole()
    server.screen, _ = screen_of(80.0)
    assert before is not None
    qtbot.waitUntil(lambda: int(cv2.absdiff(source.whole(), before).max()) > 50, timeout=5000)
    click(qtbot, window.view.calibration.reading.use)
    assert window.view.picture_area.notice.text() == TURNED
    assert spacing_of(window) is None


def test_points_that_are_clicked_go_before_what_was_read(show: Show, qtbot: QtBot, tmp_path: Path) -> None:
    screen, mm = screen_of(60.0)
    cv2.imwrite(str(tmp_path / "screen.png"), screen)
    window = show(open_source(str(tmp_path / "screen.png")), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(window), timeout=5000)
    read_and_offered(qtbot, window)
    panel = window.view.calibration
    assert panel.preview is not None
    assert panel.preview[1].row_mm == pytest.approx(mm, rel=2e-3)
    panel.click(10.0, 10.0)
    assert panel.read == ()
    assert panel.preview is None
    panel.reset()
    click(qtbot, panel.reading.use)
    qtbot.waitUntil(lambda: spacing_of(window) is not None, timeout=5000)


def test_what_was_not_read_says_why(show: Show, qtbot: QtBot) -> None:
    window = show(PhantomSource(spacing_mm=None, count=20), wait=False)
    qtbot.waitUntil(lambda: "scale unknown" in card(window), timeout=5000)
    window.act("calibrate")
    qtbot.waitUntil(lambda: "click two points" in window.view.calibration.reading.words.text(), timeout=20000)
    assert not window.view.calibration.reading.use.isVisible()
