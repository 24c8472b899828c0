"""Keys on the screen: they type as a keyboard does, come when a field is clicked, and are no stops of Tab."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]


def test_an_address_is_typed_and_a_slip_taken_back(show: Show, qtbot: QtBot) -> None:
    window = show()
    panel = window.view.source
    window.act("open")
    panel.address.setFocus(Qt.FocusReason.TabFocusReason)
    assert panel.keypad.isHidden(), "whoever comes by Tab has a keyboard"
    qtbot.mouseClick(panel.address, Qt.MouseButton.LeftButton)
    assert panel.keypad.isVisible()
    for key in ("igtl://", "1", "0", ".", "0", ".", "9", ":", "1", "⌫", "2"):
        qtbot.mouseClick(panel.keypad.keys[key], Qt.MouseButton.LeftButton)
    assert panel.address.text() == "igtl://10.0.9:2"
    panel.dismiss()
    assert panel.keypad.isHidden()


def test_what_is_no_number_is_not_taken_and_enter_uses_typed_millimetres(show: Show, qtbot: QtBot) -> None:
    window = show()
    panel = window.view.calibration
    window.act("calibrate")
    panel.other_way.click()
    for field, value in ((panel.row, "0.2"), (panel.column, "0..25")):
        qtbot.mouseClick(field, Qt.MouseButton.LeftButton)
        for key in value:
            qtbot.mouseClick(panel.keypad.keys[key], Qt.MouseButton.LeftButton)
    assert panel.column.text() == "0.25"
    with qtbot.waitSignal(panel.calibrated, timeout=1000) as caught:
        qtbot.keyClick(panel.column, Qt.Key.Key_Return)
    assert caught.args is not None
    assert (caught.args[0].row_mm, caught.args[0].col_mm) == (0.2, 0.25)
