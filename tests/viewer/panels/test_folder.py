"""Going through folders by buttons: from the recordings to a file elsewhere, and to a model."""

from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import monotonic

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a folder of pictures; there are no recordings yet."""
    home = tmp_path / "home"
    (home / "clips & more").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    cv2.imwrite(str(home / "clips & more" / "slice.png"), np.full((64, 64), 99, np.uint8))
    (home / "net.onnx").write_bytes(b"no model")
    return home


def names(window: MainWindow) -> list[str]:
    return [row.text() for row in window.view.folder.rows]


def step_to(window: MainWindow, qtbot: QtBot, words: str) -> None:
    """By the pedal alone: next until the button has the focus, then press."""
    for _ in range(60):
        focus = QApplication.focusWidget()
        if isinstance(focus, QPushButton) and words in focus.text():
            qtbot.keyClick(window, Qt.Key.Key_F7)
            return
        qtbot.keyClick(window, Qt.Key.Key_F8)
    pytest.fail(f"{words} is not reached")


def test_a_pedal_opens_a_file_in_any_folder(show: Show, qtbot: QtBot, folders: Path) -> None:
    window = show()
    step_to(window, qtbot, "Open…")
    step_to(window, qtbot, "Browse…")
    assert window.view.folder.folder == folders
    assert "clips" in names(window)[1]
    step_to(window, qtbot, "clips")
    assert names(window)[1:] == ["slice.png"]
    step_to(window, qtbot, "↑")
    step_to(window, qtbot, "clips")
    step_to(window, qtbot, "slice.png")
    assert window.view.source.current == str(folders / "clips & more" / "slice.png")
    assert window.view.folder.isHidden()


def test_a_whole_folder_can_be_opened_and_one_that_is_gone_is_one_sentence(
    show: Show, qtbot: QtBot, folders: Path, shoot: Callable[..., object]
) -> None:
    window = show()
    window.act("open")
    window.view.source.browse_wanted.emit()
    panel = window.view.folder
    assert panel._path.text() == "Home"
    panel.go_to(folders / "gone")
    assert "choose another folder" in panel._error.text()
    assert panel.folder == folders
    panel.go_to(folders / "clips & more")
    assert panel._error.isHidden()
    assert panel._path.text().replace("\u200b", "") == str(Path("Home", "clips & more"))
    shoot(window, "panel-browse")
    panel.go_to(folders.parent)
    assert panel._path.text().replace("\u200b", "") == str(folders.parent)
    panel.go_to(folders / "clips & more")
    qtbot.mouseClick(panel._take, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.view.source.current == str(folders / "clips & more"))


def test_a_pedal_finds_a_model_file(show: Show, qtbot: QtBot, folders: Path) -> None:  # noqa: ARG001
    window = show()
    window.act("model")
    step_to(window, qtbot, "Browse…")
    assert window.view.folder._take.isHidden()
    step_to(window, qtbot, "net.onnx")
    assert window.view.picture_area.notice.text().startswith("net.onnx is being loaded")


def test_a_drive_that_does_not_answer_is_given_up_and_said(show: Show, folders: Path) -> None:
    answer, panel = Event(), show().view.folder

    def asked(path: Path) -> bool:
        return answer.wait(20) and path.suffix == ".onnx"

    began = monotonic()
    panel.begin("Model", folders, asked, lambda _: None, folders=False)
    assert monotonic() - began < 5.0
    assert panel._error.text() == f"{folders} does not answer: is its drive connected?"
    assert panel.rows == []
    answer.set()
    panel.go_to(folders)
    assert panel._error.isHidden()
    assert [row.text() for row in panel.rows][1:] == ["▸  clips && more", "net.onnx"]
