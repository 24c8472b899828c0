"""A selected source shows its first picture while the open one goes on; what cannot be opened says why."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.live.requests import SourceRequest
from inference.sources import open_live
from inference.sources.simulated import PhantomSource
from viewer import app
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]
Igtl = Callable[..., AbstractContextManager[Any]]
FreePort = Callable[..., int]


def select(qtbot: QtBot, window: MainWindow, text: str) -> None:
    row = next(row for row in window.view.source.list._rows if row.property("source") == text)
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)


def pictured(window: MainWindow) -> bool:
    return not window.view.source.list._picture._image.isNull()


@pytest.mark.parametrize("size", [(1280, 800), (1366, 768), (1920, 1080)])
def test_a_selected_source_is_looked_at_and_then_opened(
    show: Show, qtbot: QtBot, shoot: Shoot, tmp_path: Path, size: tuple[int, int]
) -> None:
    window = show(PhantomSource(speckle=0.2, count=60), size=size)
    window.session._open_source = app.open_source
    missing = str(tmp_path / "Case99-US-before.nii.gz")
    for text in ("a.mp4", "b.nii.gz", "c.dcm", "d.mha", missing, "simulated:"):
        window.state.settings = window.state.settings.with_recent(text)
    window.act("open")
    shoot(window, f"source-list-{size[0]}x{size[1]}")
    select(qtbot, window, missing)
    qtbot.waitUntil(lambda: "Case99" in window.view.source.list._words.text(), timeout=5000)
    before, stream = window.meter.shown, window.session._chain
    select(qtbot, window, "simulated:")
    qtbot.waitUntil(lambda: pictured(window), timeout=5000)
    shoot(window, f"source-preview-{size[0]}x{size[1]}")
    assert "512 × 512" in window.view.source.list._words.text()
    assert window.session._chain is stream, "looking opens nothing"
    qtbot.waitUntil(lambda: window.meter.shown > before, timeout=5000)
    select(qtbot, window, "simulated:")
    qtbot.waitUntil(lambda: window.session._chain is not stream, timeout=5000)
    assert not window.view.source.isVisible()


def test_a_stream_that_is_open_is_not_opened_twice(show: Show, igtl: Igtl, free_port: FreePort) -> None:
    port = free_port()
    address = f"igtl://127.0.0.1:{port}"
    with igtl(port):
        window = show(open_live(address))
        window.session.request = SourceRequest(address)
        peeked = window.session.peek(SourceRequest(address))
        assert getattr(peeked, "sentence", "") == "It is open now."
        window.close()
