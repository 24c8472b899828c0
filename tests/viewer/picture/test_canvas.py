"""The sector fills the stage; zoom, place and tones change the screen alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inference.frame import Pixels
from inference.outcome import Outcome, Tumour
from inference.readout.look import AS_IT_CAME
from inference.sources.recorded import Recorded
from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from viewer.main_window import MainWindow
from viewer.picture.canvas import Canvas

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]
LARGE = 20
MARGIN = 160
"""Black columns and rows around the phantom, as on a scanner's screen."""


class OnAScreen(Recorded):
    """A phantom in the middle of a scanner's black screen."""

    def __init__(self, **options: object) -> None:
        self._phantom = PhantomSource(**options)  # type: ignore[arg-type]
        info = self._phantom.info
        super().__init__(replace(info, rows=info.rows + 2 * MARGIN, cols=info.cols + 2 * MARGIN))

    def __len__(self) -> int:
        return len(self._phantom)

    def _pixels(self, index: int) -> Pixels:
        return np.pad(self._phantom.read(index).pixels, MARGIN)


def shown(window: MainWindow, at: At) -> Canvas:
    at(window, LARGE)
    return window.view.canvas


def turn(canvas: Canvas, notches: int, at: QPoint) -> None:
    """The wheel of a mouse over a point of the view."""
    viewport, none = canvas.viewport(), Qt.MouseButton.NoButton
    event = QWheelEvent(
        QPointF(at),
        QPointF(viewport.mapToGlobal(at)),
        QPoint(),
        QPoint(0, 120 * notches),
        none,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)


def test_the_sector_fills_the_stage_however_much_black_is_around_it(show: Show, at: At, shoot: Shoot) -> None:
    window = show(OnAScreen(speckle=0.2, count=60), phase=Phase.BEFORE_DURA)
    canvas = shown(window, at)
    shoot(window, "sector-fills-the-stage")
    placement = canvas.placement
    assert placement is not None
    assert placement.area is not None
    assert placement.box is not None
    _, _, width, height = placement.area
    assert max(placement.seen.width() / width, placement.seen.height() / height) == pytest.approx(1.0)
    assert placement.rows * placement.down > 1.3 * height, "the black around it is outside"


def test_the_wheel_zooms_about_the_pointer_and_n_shows_the_whole_sector_again(
    show: Show, at: At, qtbot: QtBot, shoot: Shoot
) -> None:
    window = show(PhantomSource(speckle=0.2, count=60), phase=Phase.BEFORE_DURA)
    canvas = shown(window, at)
    before, spot = canvas.placement, QPoint(canvas.width() // 2 + 60, canvas.height() // 2 - 40)
    assert before is not None
    point = before.to_picture(spot.x(), spot.y())
    turn(canvas, 4, spot)
    qtbot.waitUntil(lambda: canvas._annotations.look[:1] == ("zoom 2.1×",))
    assert canvas.placement is not None
    assert canvas.placement.to_view(*point) == pytest.approx((spot.x(), spot.y()), abs=1.0)
    shoot(window, "zoomed")
    qtbot.keyClick(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: canvas.placement == before)
    assert canvas._annotations.look == ()


@pytest.mark.parametrize("flipped", [False, True])
def test_the_hand_moves_what_it_holds_but_not_under_a_caliper(show: Show, at: At, qtbot: QtBot, flipped: bool) -> None:
    window = show(PhantomSource(count=60))
    canvas = shown(window, at)
    if flipped:
        window.act("mirror")
    window.act("closer")
    window.act("closer")
    qtbot.waitUntil(lambda: canvas._look.zoom > 1.5)
    start, placed = canvas.viewport().rect().center(), canvas.placement
    assert placed is not None
    held = placed.to_picture(start.x(), start.y())

    def drag(button: Qt.MouseButton) -> None:
        qtbot.mousePress(canvas.viewport(), button, pos=start)
        qtbot.mouseMove(canvas.viewport(), start + QPoint(30, 12))
        qtbot.mouseRelease(canvas.viewport(), button, pos=start + QPoint(30, 12))

    drag(Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: canvas.placement != placed)
    assert canvas.placement is not None
    assert canvas.placement.to_view(*held) == pytest.approx((start.x() + 30, start.y() + 12), abs=1.0)
    window.act("caliper")
    qtbot.waitUntil(lambda: canvas._annotations.measuring != "")
    placed = canvas.placement
    drag(Qt.MouseButton.LeftButton)
    qtbot.wait(50)
    assert canvas.placement == placed
    drag(Qt.MouseButton.MiddleButton)
    qtbot.waitUntil(lambda: canvas.placement != placed)


def test_a_zoomed_picture_covers_neither_words_nor_ruler(show: Show, at: At, qtbot: QtBot) -> None:
    window = show(PhantomSource(speckle=0.2, count=60), phase=Phase.BEFORE_DURA)
    canvas = shown(window, at)
    for _ in range(6):
        window.act("closer")
    qtbot.waitUntil(lambda: canvas._look.zoom > 3)
    qtbot.wait(50)
    placement = canvas.placement
    assert placement is not None
    assert placement.area is not None
    left, top, width, height = (round(value) for value in placement.area)
    image = canvas.grab().toImage()
    ratio = image.width() / canvas.width()
    outside = [
        image.pixelColor(round(x * ratio), round(y * ratio)).lightness()
        for x, y in ((left - 6, top + height // 2), (left + width // 2, top - 6), (left - 6, top + 40))
    ]
    assert outside == [0, 0, 0]
    assert image.pixelColor(round((left + width // 2) * ratio), round((top + height // 2) * ratio)).lightness() > 0


def test_tones_change_the_screen_and_nothing_that_is_analysed_or_written(
    show: Show, at: At, qtbot: QtBot, records: Path
) -> None:
    window = show(PhantomSource(speckle=0.2, count=60), phase=Phase.BEFORE_DURA)
    canvas = shown(window, at)
    before = window.shown
    assert isinstance(before, Tumour)
    plain = np.array(canvas.picture.image)
    window.act("snapshot")
    qtbot.waitUntil(lambda: bool(list(records.rglob("iUS-*.png"))), timeout=5000)
    qtbot.waitUntil(lambda: window.view.picture_area.notice.isVisible(), timeout=5000)
    first = set(records.rglob("iUS-*.png"))
    for action in ("lighter", "lighter", "sharper"):
        window.act(action)
    qtbot.waitUntil(lambda: "brightness +20, contrast 1.1×: on screen only" in canvas._annotations.look)
    assert not np.array_equal(plain, canvas.picture.image)
    assert window.shown is not None
    assert np.array_equal(window.shown.frame.pixels, before.frame.pixels)
    window.act("snapshot")
    qtbot.waitUntil(lambda: len(list(records.rglob("iUS-*.png"))) == 2 * len(first), timeout=5000)
    later = [path for path in sorted(records.rglob("iUS-*.png")) if path not in first]
    for one, other in zip(sorted(first), later, strict=True):
        assert np.array_equal(cv2.imread(str(one)), cv2.imread(str(other)))
    qtbot.keyClick(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: np.array_equal(plain, canvas.picture.image))


def test_a_drag_with_the_right_button_changes_the_tones_and_a_new_source_begins_neutral(
    show: Show, at: At, qtbot: QtBot
) -> None:
    window = show(PhantomSource(count=60))
    viewport, start = shown(window, at).viewport(), QPoint(300, 200)
    qtbot.mousePress(viewport, Qt.MouseButton.RightButton, pos=start)
    qtbot.mouseMove(viewport, start + QPoint(60, -40))
    qtbot.mouseRelease(viewport, Qt.MouseButton.RightButton, pos=start + QPoint(60, -40))
    assert window.state.look.brightness == 20
    assert window.state.look.contrast == pytest.approx(1.005**60)
    window.handlers.open_source(replace(window.session.request, text="another"))  # type: ignore[type-var]
    qtbot.waitUntil(lambda: window.state.look == AS_IT_CAME, timeout=5000)


def test_while_a_scale_is_measured_the_whole_picture_is_shown(show: Show, at: At, qtbot: QtBot) -> None:
    window = show(OnAScreen(count=60))
    canvas = shown(window, at)
    window.act("calibrate")
    qtbot.waitUntil(lambda: canvas.placement is not None and canvas.placement.box is None)
    window.act("dismiss")
    qtbot.waitUntil(lambda: canvas.placement is not None and canvas.placement.box is not None)
