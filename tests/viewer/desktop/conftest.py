"""A real window on a real screen: Xvfb, a window manager, and xdotool for the hand.

Offscreen Qt gives every window the focus it asks for and knows no window manager, so that faults of focus, of keys and
of sizes stay hidden. These tests run in a process of their own, which `make test` starts:

    packaging/desktop .venv/bin/python -m pytest tests/viewer/desktop
"""

import os

import pytest
from hand import Hand
from pytestqt.qtbot import QtBot

ON_A_DESKTOP = os.environ.get("QT_QPA_PLATFORM") == "xcb" and "DISPLAY" in os.environ
collect_ignore_glob = [] if ON_A_DESKTOP else ["test_*.py"]


@pytest.fixture
def hand(qtbot: QtBot) -> Hand:
    return Hand(qtbot)
