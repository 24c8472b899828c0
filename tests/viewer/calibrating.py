"""Giving a scale by mouse and keys to a sender whose signal says nothing of its own."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
from painted import spot_of
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from inference.crop import Rect
from inference.live.health import Health
from inference.outcome import Tumour
from viewer.main_window import MainWindow

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
