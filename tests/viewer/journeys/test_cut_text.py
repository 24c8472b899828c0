"""No text is cut at any size of window, with the longest name there is; only that name gives up its middle."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import combinations

import pytest
from legible import cut_off
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from inference.frame import Frame
from inference.source_info import SourceInfo
from inference.sources import open_live
from inference.sources.simulated import PhantomSource
from viewer.main_window import MainWindow
from viewer.panels.keypad import Keypad
from viewer.style.widgets import Field

Show = Callable[..., MainWindow]
NAME = "A very long name of a recording, left frontal, second sweep after the resection, third attempt.dcm"
PANELS = ("phase", "calibrate", "code", "records", "open", "model", "performance", "help", "correct")


class LongNamed(PhantomSource):
    """A phantom with a long name and no scale."""

    @property
    def info(self) -> SourceInfo:
        info = super().info
        return replace(info, origin=replace(info.origin, name=NAME))

    def read(self, index: int) -> Frame:
        return replace(super().read(index), origin=self.info.origin)


def cut_in(window: MainWindow) -> list[str]:
    """Whatever is cut except the source's name, which gives up its middle."""
    return [text for text in cut_off(window) if not text.startswith((NAME, "phantom, live"))]


def overlapping(window: MainWindow) -> list[tuple[QWidget, QWidget]]:
    """Parts of the top bar that lie on each other."""
    bar = [made for made in window.view.top.children() if isinstance(made, QWidget) and made.isVisible()]
    return [(a, b) for a, b in combinations(bar, 2) if a.geometry().intersects(b.geometry())]


def show_keypad(window: MainWindow) -> None:
    opened = window.view.picture_area.open_panel
    if opened is not None and (keypad := opened.findChild(Keypad)) is not None:
        keypad.serve(opened.findChildren(Field)[0])


@pytest.mark.parametrize("size", [(944, 500), (1120, 680), (1366, 768), (3840, 2160)])
def test_no_text_is_cut_with_the_longest_name(show: Show, qtbot: QtBot, size: tuple[int, int], records: object) -> None:  # noqa: ARG001
    window = show(LongNamed(count=60), size=size)
    assert (window.width(), window.height()) == size
    window.state.settings = window.state.settings.with_recent(NAME)
    for recording in (False, True):
        if recording:
            window.act("record")
            window.refresh._slow_at = 0.0
            qtbot.waitUntil(lambda: window.view.top.badge.isVisible(), timeout=5000)
        for panel in (None, *PANELS):
            window.act("dismiss")
            if panel is not None:
                window.act(panel)
            if recording:  # once without the keys on the screen, once with them
                show_keypad(window)
            qtbot.wait(60)
            with suppress(qtbot.TimeoutError):  # the assertion says it better
                qtbot.waitUntil(lambda: not cut_in(window), timeout=2000)
            assert cut_in(window) == [], (panel, recording)
            assert not overlapping(window)
    window.act("record")


@pytest.mark.parametrize("size", [(1120, 680), (1280, 800), (1366, 768), (1920, 1080)])
def test_the_widest_bar_fits_a_frozen_live_view_that_is_recorded(
    show: Show,
    qtbot: QtBot,
    size: tuple[int, int],
    records: object,  # noqa: ARG001
) -> None:
    window = show(open_live("simulated:?disturb=lifted&at=3600"), size=size)
    window.act("record")
    window.act("play")
    window.refresh._slow_at = 0.0
    qtbot.waitUntil(lambda: window.view.top.badge.isVisible() and "VIEW FROZEN" in window.view.top._mode.text())
    with suppress(qtbot.TimeoutError):
        qtbot.waitUntil(lambda: not cut_in(window), timeout=2000)
    assert cut_in(window) == []
    qtbot.waitUntil(lambda: not overlapping(window), timeout=2000)
