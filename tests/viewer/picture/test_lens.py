"""The magnifier: beside the pointer, on no marker, and showing what lies under it."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from legible import pixels_of
from PySide6.QtCore import QPoint, QPointF, QRectF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from inference.view_notes import Flip
from viewer.picture.lens import Lens, beside
from viewer.picture.placement import Placement
from viewer.style.theme import Sizes

ROOM = QRectF(0, 0, 640, 420)
SIDE, AWAY = 152.0, 34.0
PLACEMENT = Placement(100, 50, 2.0, 2.0, rows=150, cols=200)
SPOT = st.builds(QPointF, st.floats(0, 639), st.floats(0, 419))


@given(at=SPOT, spots=st.lists(SPOT, max_size=2))
def test_it_stands_in_the_view_beside_the_pointer_and_on_no_marker(at: QPointF, spots: list[QPointF]) -> None:
    marks = [QRectF(spot - QPointF(16, 16), spot + QPointF(16, 16)) for spot in spots]
    box = beside(at, SIDE, AWAY, ROOM, marks)
    assert ROOM.contains(box)
    assert not box.contains(at)
    assert not any(box.intersects(mark) for mark in marks)


@pytest.fixture
def room(qtbot: QtBot) -> Iterator[QWidget]:
    made = QWidget()
    made.resize(640, 420)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


@pytest.mark.parametrize("flip", [Flip(), Flip(left_right=True, up_down=True)])
def test_its_middle_is_the_pixel_under_the_pointer(room: QWidget, flip: Flip) -> None:
    placement = Placement(100, 50, 2.0, 2.0, rows=150, cols=200, flip=flip)
    picture = np.zeros((150, 200), np.uint8)
    picture[70, 90] = 255
    lens = Lens(room, lambda: placement, lambda: picture, list)
    lens.apply(Sizes())
    lens.keep(wanted=True)
    lens.point(QPointF(*placement.to_view(90, 70)))
    assert lens.shown_at == pytest.approx((90, 70))
    seen = pixels_of(lens.grab().toImage()).min(axis=2)
    rows, cols = np.nonzero(seen > 200)
    assert (rows.max() - rows.min() + 1, cols.max() - cols.min() + 1) == (8, 8), "four times as large as in the view"
    assert abs(rows.mean() - lens.height() / 2) < 1
    assert abs(cols.mean() - lens.width() / 2) < 1


def test_it_follows_the_mouse_over_the_picture_and_goes_with_it(room: QWidget, qtbot: QtBot) -> None:
    lens = Lens(room, lambda: PLACEMENT, lambda: np.zeros((150, 200), np.uint8), list)
    lens.apply(Sizes())
    lens.follow(room)
    QTest.mouseMove(room, QPoint(300, 200))
    assert lens.isHidden(), "nothing is being placed"
    lens.keep(wanted=True)
    QTest.mouseMove(room, QPoint(310, 200))
    qtbot.waitUntil(lens.isVisible)
    QTest.mouseMove(room, QPoint(20, 20))
    qtbot.waitUntil(lens.isHidden)
