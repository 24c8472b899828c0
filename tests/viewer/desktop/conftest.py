"""A real window on a real screen: Xvfb, a window manager, and xdotool for the hand.

Offscreen Qt gives every window the focus it asks for and knows no window manager, so that faults of focus, of keys and
of sizes stay hidden. These tests run in a process of their own, which `make test` starts:

    packaging/desktop .venv/bin/python -m pytest tests/viewer/desktop
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hand import Hand
from phantoms import STREAM
from pytestqt.qtbot import QtBot

from inference.live.model import Model
from inference.live.opening import open_source
from inference.live.session import Session
from viewer.main_window import MainWindow
from viewer.settings import Settings

ON_A_DESKTOP = os.environ.get("QT_QPA_PLATFORM") == "xcb" and "DISPLAY" in os.environ
collect_ignore_glob = [] if ON_A_DESKTOP else ["test_*.py"]


@pytest.fixture
def hand(qtbot: QtBot) -> Hand:
    return Hand(qtbot)


LAPTOP = (1366, 740)
"""A window on a laptop's screen of 1366×768, with a title bar."""


@pytest.fixture
def sitting(
    request: pytest.FixtureRequest,
    no_leaks: None,  # noqa: ARG001
    records: Path,  # noqa: ARG001
    qtbot: QtBot,
    model: Model,
) -> Iterator[MainWindow]:
    """An empty window that opens whatever it is asked for, and in which a stream was opened before."""
    made = MainWindow(Session(open_source, lambda _: model), Settings(introduced=True, recent=(STREAM,)))
    made.resize(*getattr(request, "param", LAPTOP))
    made.show()
    made.handlers.open_model(None)
    qtbot.waitUntil(made.isActiveWindow)
    yield made
    made.state.recording.stop()
    made.close()
    made.deleteLater()
