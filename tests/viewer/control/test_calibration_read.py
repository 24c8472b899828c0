"""A scale read from the scanner's own screen: used by one press, and watched."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
from calibrating import card, click
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from scanner_screens import STYLES, Shot, draw

from inference.alarms import Alarm
from inference.crop import Rect
from inference.sources import open_live, open_source
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance
from viewer.control.calibration import TURNED
from viewer.main_window import MainWindow
from viewer.panels.calibration import WILL_WATCH

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]


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
    qtbot.waitUntil(lambda: "read from the screen" in window.view.readout._values["Scale from"].text(), timeout=5000)
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
