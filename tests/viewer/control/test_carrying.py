"""A correction carried to the frames beside it: a proposal on each, drawn and recorded as one's own once confirmed."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from painted import LARGE, At, near, on_canvas, settle, source, spot_of
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from recordings import frames_in, said, start

from inference.outcome import Tumour
from inference.readout.carrying import Carried
from inference.readout.correction import Correction
from inference.sources import open_live
from inference.sources.disturbed import LOOP
from inference.sources.record import RecordSource
from viewer.control.carrying import NOTHING_TO_CARRY
from viewer.control.correcting import NOTHING_TO_CONFIRM
from viewer.main_window import MainWindow
from viewer.style import theme

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], NDArray[np.int_]]
LEFT = Qt.MouseButton.LeftButton


def drawn(window: MainWindow) -> tuple[Correction | None, Carried | None]:
    window.refresh.tick()
    assert window.state.screen is not None
    return window.state.screen.correction, window.state.screen.carried


def correct(window: MainWindow) -> None:
    """Push the edge a little outwards, with the mouse."""
    shown, marker = window.shown, window.view.canvas.stroke
    assert isinstance(shown, Tumour)
    window.act("correct")
    window.refresh.tick()
    rows, cols = np.nonzero(shown.mask)
    x, y = float(cols.mean()), float(rows.mean())
    QTest.mousePress(marker, LEFT, pos=spot_of(window.view.canvas, x, y))
    QTest.mouseMove(marker, spot_of(window.view.canvas, float(cols.max()) + 2, y))
    QTest.mouseRelease(marker, LEFT, pos=spot_of(window.view.canvas, float(cols.max()) + 2, y))
    assert drawn(window)[0] is not None


@pytest.fixture
def carried(show: Show, at: At, qtbot: QtBot) -> MainWindow:
    """A replay with a correction at `LARGE`, carried to the frames beside it."""
    window = show(source())
    settle(window, at, LARGE)
    correct(window)
    qtbot.mouseClick(window.view.correction.carry, LEFT)
    said(window, qtbot, "None counts until you confirm it")
    return window


def step(window: MainWindow, qtbot: QtBot, to: int) -> None:
    qtbot.keyClick(window, Qt.Key.Key_Right if window.state.shown.frame.index < to else Qt.Key.Key_Left)  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.frame.index == to, timeout=5000)


def test_beside_it_stands_a_proposal_that_counts_only_once_confirmed(
    carried: MainWindow, qtbot: QtBot, shoot: Shoot
) -> None:
    step(carried, qtbot, LARGE + 1)
    number, tumour = carried.readout_state, carried.shown
    correction, proposal = drawn(carried)
    assert correction is None
    assert proposal is not None
    words = "CARRIED from 1 frame before: not confirmed"
    assert carried.view.canvas._annotations.corrected == carried.view.correction.words.text() == words
    pixels = shoot(carried, "carried")
    for colour in (theme.CORRECTED, theme.CYAN):
        assert on_canvas(carried, near(pixels, colour)).sum() > 50, "proposal and model's line can be told apart"
    qtbot.keyClick(carried, Qt.Key.Key_Q)
    confirmed, left = drawn(carried)
    assert confirmed is not None
    assert left is None
    assert np.array_equal(confirmed.mask, proposal.mask)
    assert carried.view.correction.words.text() == confirmed.words
    assert carried.shown is tumour
    assert carried.readout_state == number, "the number is the model's"
    qtbot.keyClick(carried, Qt.Key.Key_Q)
    assert carried.view.picture_area.notice.text() == NOTHING_TO_CONFIRM


def test_nothing_is_confirmed_behind_a_picture_that_is_being_marked(carried: MainWindow, qtbot: QtBot) -> None:
    step(carried, qtbot, LARGE + 1)
    carried.act("calibrate")
    assert drawn(carried) == (None, None)
    carried.act("confirm")
    carried.act("dismiss")
    assert drawn(carried)[0] is None
    assert drawn(carried)[1] is not None


def test_a_proposal_corrected_by_hand_is_confirmed_by_that(carried: MainWindow, qtbot: QtBot) -> None:
    step(carried, qtbot, LARGE - 1)
    correct_again = drawn(carried)[1]
    assert correct_again is not None
    assert correct_again.words == "CARRIED from 1 frame later: not confirmed"
    carried.act("dismiss")
    correct(carried)
    made, left = drawn(carried)
    assert left is None
    assert made is not None
    assert made.who == "carried, confirmed by user"
    assert (made.mask >= correct_again.mask).all(), "the edge was pushed outwards from the proposal"


def test_what_was_carried_goes_with_the_correction_it_came_from(carried: MainWindow, qtbot: QtBot) -> None:
    qtbot.mouseClick(carried.view.correction.undo, LEFT)
    step(carried, qtbot, LARGE + 1)
    assert drawn(carried) == (None, None)
    assert carried.view.correction.carry.isEnabled() is False
    carried.act("carry")
    assert carried.view.picture_area.notice.text() == NOTHING_TO_CARRY


def test_while_the_picture_moves_no_proposal_is_drawn(carried: MainWindow, qtbot: QtBot) -> None:
    step(carried, qtbot, LARGE + 1)
    assert drawn(carried)[1] is not None
    carried.act("play")
    assert drawn(carried) == (None, None)


def test_in_the_frozen_half_minute_and_in_the_record_it_says_who(
    show: Show, qtbot: QtBot, recorded: Callable[[MainWindow], RecordSource], records: Path
) -> None:
    window = show(open_live("simulated:?disturb=lifted&at=3600"))
    start(window, qtbot, "GL-017")
    qtbot.waitUntil(frames_in(window, LOOP // 2 + 3), timeout=5000)
    # Where it is largest, its size changes least, so that the frames beside it are alike on a slow machine too.
    qtbot.waitUntil(
        lambda: isinstance(window.shown, Tumour) and abs(window.shown.frame.index % LOOP - LOOP // 2 - 1) <= 1,
        timeout=20_000,
    )
    window.act("back")
    qtbot.waitUntil(lambda: window.session.standing(window.shown) is not None, timeout=5000)
    window.refresh.tick()
    correct(window)
    qtbot.keyClick(window, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    said(window, qtbot, "None counts until you confirm it")
    qtbot.keyClick(window, Qt.Key.Key_Left)
    window.refresh.tick()
    qtbot.waitUntil(lambda: drawn(window)[1] is not None, timeout=5000)
    qtbot.mouseClick(window.view.correction.confirm, LEFT)
    window.refresh.tick()
    qtbot.mouseClick(window.view.correction.export, LEFT)
    said(window, qtbot, "Training case case-GL-017-")
    (facts,) = (records / "training-cases").glob("case-GL-017-*/corrected.json")
    assert json.loads(facts.read_text())["corrected_by"] == "carried, confirmed by user"
    record = recorded(window)
    whose = [record.corrector(number) for number in record.corrected]
    assert whose == ["carried, confirmed by user", "user"]
