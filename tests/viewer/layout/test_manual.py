"""The manual beside the window: its own pages from the disk, links among them, and nothing from anywhere else."""

from collections.abc import Callable

from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from inference.sources.simulated import PhantomSource
from viewer.layout.manual import ELSEWHERE, NOT_HERE, ManualWindow
from viewer.main_window import MainWindow
from viewer.style import theme


def manual_of(window: MainWindow, qtbot: QtBot) -> ManualWindow:
    """Open it by the buttons."""
    window.act("help")
    button = next(one for one in window.view.keys.findChildren(QPushButton) if one.text() == "Manual…")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.manual is not None
    qtbot.waitUntil(window.manual.isActiveWindow)
    return window.manual


def test_the_manual_opens_offline_and_follows_its_own_links_alone(
    show: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    window = show(PhantomSource(count=4))
    manual = manual_of(window, qtbot)
    assert window.view.keys.isHidden(), "the picture is not covered meanwhile"
    assert "SCANNER FROZEN" in manual.page.toPlainText()
    qtbot.mouseClick(manual._contents, Qt.MouseButton.LeftButton)
    assert "In the theatre" in manual.page.toPlainText()
    found = manual.page.document().find("From your data to a model")
    assert found.charFormat().isAnchor()
    assert found.charFormat().foreground().color().name() == theme.BLUE, "it can be read on the dark"
    manual.page.anchorClicked.emit(QUrl("papers/dicom.md"))
    assert manual.page.toPlainText().startswith("DICOM conformance statement")
    manual.page.anchorClicked.emit(QUrl("../HAZARDS.md"))
    assert manual.page.toPlainText().startswith("Hazards")
    for link, words in (("https://example.org/", ELSEWHERE), ("../pyproject.toml", NOT_HERE), ("none.md", NOT_HERE)):
        manual.page.anchorClicked.emit(QUrl(link))
        assert manual._said.text() == words
        assert manual.page.toPlainText().startswith("Hazards"), "the page that was read stays"
    qtbot.mouseClick(manual._back, Qt.MouseButton.LeftButton)
    assert manual.page.toPlainText().startswith("DICOM")
    qtbot.keyClick(manual, Qt.Key.Key_Escape)
    assert not manual.isVisible()
    assert manual_of(window, qtbot) is manual
