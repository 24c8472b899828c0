"""The live picture of a frozen view never lies on tissue, and no panel on a notice."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from legible import cut_off
from PySide6.QtCore import QRect, QRectF
from pytestqt.qtbot import QtBot

from inference.safety import DEMONSTRATION
from inference.sources import open_live
from viewer.main_window import MainWindow
from viewer.picture import overlay

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]
LIVE = "simulated:?disturb=lifted&at=3600"


def frozen(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.held() is not None, timeout=5000)
    window.act("play")
    qtbot.waitUntil(window.view.picture_area.inset.isVisible)


def under_the_inset(window: MainWindow) -> bool:
    area = window.view.picture_area
    return window.view.canvas.shows_tissue(area.inset.geometry().translated(-window.view.canvas.pos()))


def test_beside_a_fan_the_live_picture_takes_the_black_corner_and_no_room(show: Show, qtbot: QtBot) -> None:
    window = show(open_live(LIVE), size=(1800, 800))
    frozen(window, qtbot)
    assert not under_the_inset(window)
    assert window.view.canvas._corner.isNull()


def test_where_tissue_reaches_the_corner_the_picture_makes_way_and_comes_back(
    show: Show, qtbot: QtBot, shoot: Shoot
) -> None:
    window = show(open_live(LIVE))
    for _ in range(4):
        window.act("closer")
    frozen(window, qtbot)
    qtbot.waitUntil(lambda: not window.view.canvas._corner.isNull())
    qtbot.wait(50)
    placement = window.view.canvas.placement
    assert placement is not None
    assert not placement.seen.toRect().intersects(window.view.picture_area.inset.geometry())
    shoot(window, "frozen-zoomed")
    window.act("play")
    qtbot.waitUntil(lambda: window.view.canvas._corner.isNull())


def test_a_notice_stands_beside_the_panel_that_opens_and_has_the_room_again(show: Show) -> None:
    window = show(size=(1366, 768))
    area, panel = window.view.picture_area, window.view.model_card
    area.say("The drive does not answer: what is recorded waits in memory. Connect it again, or choose another.", 1e12)
    wide = area.notice.geometry()
    window.act("model")
    assert panel.isVisible()
    assert not panel.geometry().intersects(area.notice.geometry())
    assert not area.notice.geometry().intersects(window.view.canvas.geometry())
    window.act("dismiss")
    assert area.notice.geometry() == wide


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("size", [(1120, 680), (1366, 768), (3840, 2160)])
def test_no_panel_lies_on_a_live_picture_whose_sector_fills_what_is_left(
    show: Show, qtbot: QtBot, size: tuple[int, int]
) -> None:
    window = show(open_live(LIVE), size=size)
    view, names = window.view, ("help", "model", "code", "phase", "records", "open", "performance")
    source = view.source
    for opens in (*(partial(window.act, name) for name in names), window.handlers.browse_sources):
        window.act("dismiss")
        opens()
        panel = view.picture_area.open_panel
        assert panel is not None
        qtbot.waitUntil(lambda: not cut_off(window))
        assert not panel.geometry().intersects(view.canvas.geometry()), panel
        placement = view.canvas.placement
        assert placement is not None
        assert placement.seen.width() > 0.65 * view.canvas.width(), panel
    window.act("open")
    if size[1] > 1000:
        qtbot.waitUntil(lambda: source.list._scroll.height() == source.list._scroll.maximumHeight())
    source.show_regions(tuple((number, f"Region {number}: tissue, 300 × 400 pixels") for number in range(3)), 1)
    source.complain("This picture shows several regions, of which one is analysed: choose it.")
    for comes in (view.picture_area.refit, partial(source.keypad.serve, source.address)):
        comes()
        qtbot.waitUntil(lambda: not cut_off(window))
        parts = (source._region_box, source.address, source.keypad, source.list)
        shown = sorted((part.geometry() for part in parts if part.isVisible()), key=QRect.top)
        assert all(over.bottom() < under.top() for over, under in pairwise(shown)), "nothing overlaps"
        assert source.rect().contains(shown[-1])


def test_beside_a_panel_neither_the_frozen_views_live_picture_nor_the_marker_covers_the_banner(
    show: Show, qtbot: QtBot
) -> None:
    window = show(open_live(LIVE), size=(1120, 680))
    frozen(window, qtbot)
    canvas, area = window.view.canvas, window.view.picture_area
    for name in ("records", "correct"):
        window.act("dismiss")
        window.act(name)
        window.refresh.tick()
        around = replace(canvas._annotations, banner=DEMONSTRATION)
        canvas.set_annotations(around)
        area.refit()
        band = overlay.banner_rect(around, canvas.room, area._sizes)
        placement = canvas.placement
        assert placement is not None
        assert not band.intersects(QRectF(area.inset.geometry()))
        assert not band.intersects(placement.seen)
        assert not under_the_inset(window)
