"""A scale kept across starts and taken up again after an interruption: void with the depth."""

from collections.abc import Callable
from typing import Any

import pytest
from calibrating import card, click, mark_depth, measure, measured
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.alarms import Alarm
from inference.live.health import Health
from inference.ruler import per_pixel
from inference.sources import open_live
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Marker
from viewer.control.calibration import APPLIED, DIFFERENT
from viewer.control.presets import Presets
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]


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
    second.act("dismiss")
    notice = second.view.picture_area.notice
    assert (notice.accessibleName(), notice.isHidden()) == (APPLIED, False)
    server.depth = "9"
    qtbot.waitUntil(lambda: not measured(second), timeout=5000)
    qtbot.waitUntil(notice.isHidden, timeout=1000)  # it would say that a scale is in use which is void
    second.close()

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
    qtbot.waitUntil(lambda: first.view.calibration._delete.isVisibleTo(first.view.calibration), timeout=5000)
    first.act("calibrate")
    click(qtbot, first.view.calibration._delete)
    first.act("dismiss")
    qtbot.waitUntil(lambda: "scale unknown" in card(first), timeout=5000)
    first.act("calibrate")
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
