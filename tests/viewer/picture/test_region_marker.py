"""The rectangle on the picture, dragged with the real mouse."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from inference.crop import Rect
from viewer.picture.placement import Placement
from viewer.picture.region_marker import RegionMarker

PLACEMENT = Placement(100, 50, 2.0, 1.5, rows=200, cols=300)


@pytest.fixture
def marker(qtbot: QtBot) -> Iterator[RegionMarker]:
    room = QWidget()
    room.resize(800, 600)
    made = RegionMarker(room, lambda: PLACEMENT)
    qtbot.addWidget(room)
    room.show()
    yield made
    room.close()


def drag(qtbot: QtBot, marker: RegionMarker, start: tuple[int, int], end: tuple[int, int]) -> object:
    """From one picture edge position (x, y) to another."""
    spots = [PLACEMENT.transform.map(QPoint(*spot)) for spot in (start, end)]
    with qtbot.waitSignal(marker.changed, timeout=1000) as caught:
        qtbot.mousePress(marker, Qt.MouseButton.LeftButton, pos=spots[0])
        qtbot.mouseMove(marker, spots[1])
        qtbot.mouseRelease(marker, Qt.MouseButton.LeftButton, pos=spots[1])
    assert caught.args is not None
    return caught.args[0]


def test_a_proposal_is_moved_resized_and_replaced(qtbot: QtBot, marker: RegionMarker) -> None:
    marker.begin(Rect(40, 60, 100, 120))
    assert drag(qtbot, marker, (120, 90), (130, 110)) == Rect(60, 70, 100, 120)
    assert drag(qtbot, marker, (190, 160), (200, 180)) == Rect(60, 70, 120, 130)
    assert drag(qtbot, marker, (10, 10), (40, 30)) == Rect(10, 10, 20, 30)


def test_it_never_leaves_the_picture(qtbot: QtBot, marker: RegionMarker) -> None:
    marker.begin(Rect(40, 60, 100, 120))
    assert drag(qtbot, marker, (120, 90), (340, 340)) == Rect(100, 180, 100, 120)
    marker.begin(None)
    assert marker.rect_marked is None
    assert drag(qtbot, marker, (250, 150), (340, 340)) == Rect(150, 250, 50, 50)


def test_keys_draw_it_too(marker: RegionMarker) -> None:
    marker.begin(None)
    for corner, put in (((10, 20), True), ((25, 30), False), ((40, 60), True)):
        view = QPointF(PLACEMENT.transform.map(QPoint(*corner)))
        marker.led(view)
        if put:
            marker.put(view)
    assert marker.rect_marked == Rect(20, 10, 40, 30)
