"""What was opened last: listed until the end, kept only if it is wanted, and forgotten by a button."""

from collections.abc import Callable
from pathlib import Path

import pytest
from phantoms import Volume
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.live.requests import DEMO
from inference.sources import SIMULATED
from viewer import settings
from viewer.main_window import MainWindow

NAME = "/data/Doe_Jane/sweep.dcm"
MODEL = "/data/Doe_Jane/own.onnx"


@pytest.fixture
def window(show: Callable[..., MainWindow]) -> MainWindow:
    window = show()
    window.state.remember(window.state.settings.with_recent(NAME).with_model(MODEL))
    window.act("open")
    return window


def stored(folder: Path) -> str:
    return "".join(path.read_text() for path in (folder / "settings").rglob("*.ini"))


def test_the_list_is_kept_only_if_it_is_wanted(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    keep = window.view.source.list.keep
    assert not keep.isChecked()
    assert "Doe" not in stored(tmp_path)
    qtbot.mouseClick(keep, Qt.MouseButton.LeftButton)
    assert NAME in settings.load().recent
    assert MODEL in settings.load().models
    qtbot.mouseClick(keep, Qt.MouseButton.LeftButton)
    assert "Doe" not in stored(tmp_path)


def test_a_button_forgets_it_here_and_in_the_settings(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    listed = window.view.source.list
    qtbot.mouseClick(listed.keep, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(listed.clear, Qt.MouseButton.LeftButton)
    assert [row.property("source") for row in listed._rows if row.property("source") == NAME] == []
    assert window.state.settings.recent == window.state.settings.models == ()
    assert "Doe" not in stored(tmp_path)
    assert not listed.clear.isEnabled()
    assert listed.keep.isChecked(), "what is opened from now on is kept"


def test_the_first_start_says_it_and_asks(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.introduce()
    welcome = window.view.welcome
    qtbot.mouseClick(welcome.keep, Qt.MouseButton.LeftButton)
    assert "kept" in welcome.keep.text()
    assert NAME in settings.load().recent
    qtbot.mouseClick(welcome.keep, Qt.MouseButton.LeftButton)
    assert "forgotten" in welcome.keep.text()
    assert "Doe" not in stored(tmp_path)


def test_a_model_alone_can_be_forgotten_too(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    listed = window.view.source.list
    only = settings.Settings(models=(MODEL,), keep_recent=True)
    window.state.remember(only)
    listed.show_sources([], only)
    assert listed.keep.isChecked()
    qtbot.mouseClick(listed.clear, Qt.MouseButton.LeftButton)
    assert "Doe" not in stored(tmp_path)


def test_an_address_keeps_its_ampersand(window: MainWindow) -> None:
    """A button takes a single one for the mark of a shortcut, and shows it nowhere."""
    window.view.source.list.show_sources([], settings.Settings(recent=("udp://10.0.0.9:1?a&b",)))
    assert "udp://10.0.0.9:1?a&&b" in [row.text() for row in window.view.source.list._rows]


def test_what_was_opened_is_named_as_a_person_would(window: MainWindow) -> None:
    recent = (DEMO, SIMULATED, "device:Grabber", "/data/Sweep: one.nii.gz", "igtl://or:18944")
    window.view.source.list.show_sources(["device:Grabber"], settings.Settings(recent=recent))
    assert [row.text() for row in window.view.source.list._rows] == [
        *("Grabber", "PLUS or 3D Slicer"),
        *("Demo clip", "Phantom", "Grabber", "Sweep: one.nii.gz", "igtl://or:18944"),
    ]


def test_axes_are_offered_of_a_volume_alone(show: Callable[..., MainWindow]) -> None:
    for source, offered in ((None, False), (Volume(count=60), True)):
        window = show(source)
        window.act("open")
        assert [made.isVisible() for made in window.view.source._axis_buttons.values()] == [offered] * 3
