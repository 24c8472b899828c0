"""Side by side in the window: raw beside overlay of one frame, and a frame before beside one after."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from frozen_view import LIVE, frozen
from legible import cut_off
from painted import LARGE, SMALL, near, settle, source, spot_of
from PySide6.QtCore import QRect, Qt
from pytestqt.qtbot import QtBot

from inference.live.model import Model
from inference.outcome import Outcome, Tumour
from inference.readout.correction import begun
from inference.recording.schema import Corrector
from inference.sources import open_live
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Phase
from viewer.main_window import MainWindow
from viewer.picture.canvas import Canvas
from viewer.style import theme

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]


def ticked(window: MainWindow, qtbot: QtBot) -> None:
    window.refresh.tick()
    qtbot.wait(30)


def sector_of(window: MainWindow, canvas: Canvas) -> QRect:
    """Where the picture lies in the window."""
    assert canvas.placement is not None
    placed = canvas.placement
    corner = canvas.viewport().mapTo(window, canvas.viewport().rect().topLeft())
    return QRect(round(placed.left), round(placed.top), round(placed.right - placed.left), round(placed.bottom - placed.top)).translated(corner)  # fmt: skip # noqa: E501


def test_an_earlier_contour_that_a_person_rejected_says_so(show: Show, qtbot: QtBot, shoot: Shoot) -> None:
    """A frame that was corrected is kept on the way back to live; its contour and area are the model's."""
    window = show(open_live(LIVE))
    frozen(window, qtbot, 5)
    window.refresh.tick()
    before = window.shown
    assert isinstance(before, Tumour)
    begin = begun(before)
    assert begin is not None
    half = before.mask.copy()
    half[:, : int(np.nonzero(before.mask)[1].mean())] = 0
    window.state.corrections.keep(begin.taken(half, Corrector.USER))
    window.act("wrong")
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.shown is not before, timeout=5000)
    qtbot.keyClick(window, Qt.Key.Key_H)
    ticked(window, qtbot)
    beside = window.view.beside
    assert beside._annotations.wrong == "CONTOUR MARKED AS WRONG"
    assert beside._annotations.corrected.startswith("CORRECTED BY USER: ")
    assert window.state.screen is not None
    assert window.state.screen.beside is not None
    made = window.state.screen.beside.correction
    assert made is not None
    assert np.array_equal(made.mask, half)
    assert beside.contour._corrected is not None, "the person's line is drawn there"
    assert not window.view.canvas._annotations.wrong
    shoot(window, "beside-earlier-rejected")


@pytest.mark.parametrize("size", [(1120, 700), (1280, 800), (1920, 1080)])
def test_the_same_frame_stands_there_without_its_contour(
    show: Show, at: At, qtbot: QtBot, shoot: Shoot, size: tuple[int, int]
) -> None:
    window = show(source(), size=size, phase=Phase.BEFORE_DURA)
    settle(window, at, LARGE)
    qtbot.keyClick(window, Qt.Key.Key_J)
    ticked(window, qtbot)
    view = window.view
    assert view.beside.picture.frame is view.canvas.picture.frame
    assert view.beside.contour.frame is None
    assert view.beside.placement is not None
    assert view.canvas.placement is not None
    assert view.beside.placement.across == pytest.approx(view.canvas.placement.across, rel=0.01)
    pixels = shoot(window, f"beside-raw-{size[0]}x{size[1]}")
    cyan = near(pixels, theme.CYAN)
    half = view.beside.width()
    plot = view.controls.mapTo(window, view.controls.rect().topLeft()).y()
    assert not cyan[60:plot, :half].any()
    assert cyan[60:plot, half : view.picture_area.width()].sum() > 200
    window.act("forward")
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.frame.index == LARGE + 1, timeout=5000)
    assert view.beside.picture.frame is window.shown.frame  # type: ignore[union-attr]
    qtbot.keyClick(window, Qt.Key.Key_J)
    ticked(window, qtbot)
    assert view.beside.isHidden()


def test_an_earlier_frame_stands_beside_a_later_one_with_its_own_contour(
    show: Show, at: At, qtbot: QtBot, shoot: Shoot
) -> None:
    window = show(source(), phase=Phase.BEFORE_DURA)
    before = settle(window, at, LARGE)
    qtbot.keyClick(window, Qt.Key.Key_H)
    assert "No earlier frame is kept" in window.view.picture_area.notice.text()
    qtbot.keyClick(window, Qt.Key.Key_G)
    qtbot.keyClick(window, Qt.Key.Key_H)
    notice = window.view.picture_area.notice
    assert "Only the frame that is shown is kept" in notice.text()
    window.handlers.set_phase(Phase.RESECTION)
    after = settle(window, at, SMALL)
    qtbot.keyClick(window, Qt.Key.Key_H)
    ticked(window, qtbot)
    assert notice.isHidden(), "what it said is no longer so"
    beside, canvas = window.view.beside, window.view.canvas
    assert (beside.picture.frame, beside.contour.frame) == (before.frame, before.frame)
    assert (canvas.picture.frame, canvas.contour.frame) == (after.frame, after.frame)
    assert beside._annotations.caption.startswith(f"EARLIER frame {LARGE + 1} · ")
    assert beside._annotations.phase == "Before dura opening"
    assert canvas._annotations.phase == "Resection started"
    shoot(window, "beside-earlier")
    qtbot.keyClick(window, Qt.Key.Key_A)
    ticked(window, qtbot)
    assert beside.isHidden(), "two thumbnails beside a panel are not corrected"
    assert not canvas._annotations.heading
    qtbot.keyClick(window, Qt.Key.Key_J)
    assert "leaves no room" in notice.text()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    ticked(window, qtbot)
    assert beside.isVisible(), "it comes back with the room"
    assert beside.picture.frame is before.frame
    window.act("mirror")
    window.refresh.tick()
    assert beside.placement is not None
    assert beside.placement.flip == window.flip, "one orientation for both"
    qtbot.keyClick(window, Qt.Key.Key_H)
    ticked(window, qtbot)
    assert beside.isHidden(), "after the oldest, none"


@pytest.mark.parametrize("size", [(1120, 700), (1366, 768), (1920, 1080)])
def test_going_back_to_live_keeps_the_frozen_frame_and_nothing_covers_a_picture(
    show: Show, qtbot: QtBot, shoot: Shoot, size: tuple[int, int]
) -> None:
    window = show(open_live(LIVE), size=size)
    frozen(window, qtbot, 5)
    window.refresh.tick()
    before = window.shown
    assert isinstance(before, Tumour)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.shown is not before, timeout=5000)
    qtbot.keyClick(window, Qt.Key.Key_H)
    ticked(window, qtbot)
    assert window.view.beside.picture.frame is before.frame
    assert window.view.canvas._annotations.heading.startswith("LIVE · ")
    qtbot.keyClick(window, Qt.Key.Key_Space)
    ticked(window, qtbot)
    area = window.view.picture_area
    assert window.view.canvas._annotations.heading.startswith("VIEW FROZEN")
    area.expire(1e12)  # a notice that goes while the picture is taken gives its room back
    if size == (1366, 768):  # elsewhere it would be resized, while a live sector is still being found
        shoot(window, f"beside-earlier-frozen-{size[0]}x{size[1]}")
    area.say("Snapshot iUS-20260301-101500 is in Documents/iUS.", 1e12)
    qtbot.wait(30)
    assert [text for text in cut_off(window) if not text.startswith("phantom, live")] == []
    for canvas in (window.view.canvas, window.view.beside):
        picture = sector_of(window, canvas)
        for over in (area.inset, area.notice):
            assert over.isVisible()
            assert not QRect(over.mapTo(window, over.rect().topLeft()), over.size()).intersects(picture), over
    assert not area.notice.geometry().intersects(area.inset.geometry())


def test_clicks_beside_the_picture_measure_nothing(show: Show, at: At, qtbot: QtBot) -> None:
    window = show(source())
    settle(window, at, LARGE)
    window.act("raw")
    window.act("caliper")
    ticked(window, qtbot)
    spot = spot_of(window.view.beside, 150, 200)
    qtbot.mouseClick(window.view.beside.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert window.state.caliper is not None
    assert window.state.caliper.points == ()


def test_two_panes_leave_no_room_and_say_so(show: Show, model: Model, qtbot: QtBot) -> None:
    window = show(loaded=replace(model, warm_up_ms=300.0))
    qtbot.waitUntil(lambda: window.view.picture_area.two_panes, timeout=5000)
    window.act("raw")
    ticked(window, qtbot)
    assert window.view.beside.isHidden()
    assert "Two panes are in use" in window.view.picture_area.notice.text()


def test_another_source_takes_the_kept_frames_away(show: Show, at: At, qtbot: QtBot) -> None:
    window = show(source())
    settle(window, at, LARGE)
    window.act("hold")
    settle(window, at, SMALL)
    window.act("earlier")
    ticked(window, qtbot)
    assert window.view.beside.isVisible()
    window.handlers.open_source(window.view.source.request("again"))
    qtbot.waitUntil(window.view.beside.isHidden, timeout=5000)
    assert len(window.state.kept) == 0


def test_an_earlier_area_by_another_scale_says_by_which(show: Show, at: At, qtbot: QtBot) -> None:
    window = show()
    at(window, 20)
    window.act("hold")
    at(window, 30)
    window.act("earlier")
    ticked(window, qtbot)
    screen = window.state.screen
    assert screen is not None
    assert screen.beside is not None
    assert "OTHER SCALE" not in screen.beside.annotations.note
    window.handlers.calibrate(PixelSpacing(0.4, 0.4, Provenance.RULER))
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.frame.spacing.row_mm == 0.4, timeout=5000)  # type: ignore[union-attr]
    ticked(window, qtbot)
    screen = window.state.screen
    assert screen is not None
    assert screen.beside is not None
    assert "OTHER SCALE: 0.15 mm per pixel" in screen.beside.annotations.note
