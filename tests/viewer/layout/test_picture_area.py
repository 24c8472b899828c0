"""The live picture of a frozen view never lies on tissue, and no panel on a notice."""

from collections.abc import Callable
from typing import Any

from pytestqt.qtbot import QtBot

from inference.sources import open_live
from viewer.main_window import MainWindow

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
    assert window.view.canvas._left == 0


def test_where_tissue_reaches_the_corner_the_picture_makes_way_and_comes_back(
    show: Show, qtbot: QtBot, shoot: Shoot
) -> None:
    window = show(open_live(LIVE))
    for _ in range(4):
        window.act("closer")
    frozen(window, qtbot)
    qtbot.waitUntil(lambda: window.view.canvas._left > 0)
    qtbot.wait(50)
    placement = window.view.canvas.placement
    assert placement is not None
    assert placement.seen.left() >= window.view.picture_area.inset.geometry().right()
    shoot(window, "frozen-zoomed")
    window.act("play")
    qtbot.waitUntil(lambda: window.view.canvas._left == 0)


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
