"""The model behind the contour: its failures, and what it really runs on, are on the screen."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from inference.contract import ModelContract
from inference.frame import Frame
from inference.outcome import Failed, NothingFound, Outcome, Tumour
from inference.readout.readout_state import ReadoutState
from inference.readout.states import DASH, FAILURES_THAT_STAY
from inference.sources.disturbed import DisturbedSource
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]
MakeModel = Callable[..., Any]
WAIT_MS = 15_000


def readout_state_of(window: MainWindow) -> ReadoutState:
    assert window.readout_state is not None
    return window.readout_state


def test_an_analysis_that_fails_again_and_again_stays_on_the_screen(
    show: Show,
    qtbot: QtBot,
    shoot: Shoot,
    make_model: MakeModel,
    contract: ModelContract,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing = False
    good = make_model(contract)

    def analyse(frame: Frame) -> Outcome:
        if failing:
            return Failed(frame, "The network failed on CPU: out of memory.")
        return good.analyse(frame)

    window = show(DisturbedSource(240, 320), make_model(contract, analyse))
    qtbot.waitUntil(lambda: readout_state_of(window).contour, timeout=WAIT_MS)
    failing = True
    qtbot.waitUntil(lambda: readout_state_of(window).card.title == "ANALYSIS FAILING", timeout=WAIT_MS)
    status = window.session.status()
    assert status is not None
    assert status.consecutive_failures >= FAILURES_THAT_STAY
    assert (readout_state_of(window).number, readout_state_of(window).contour) == (DASH, False)
    shoot(window, "guard-failing")
    failing = False
    qtbot.waitUntil(lambda: readout_state_of(window).contour, timeout=WAIT_MS)
    assert sum("analysis fails" in record.getMessage() for record in caplog.records) == 1
    window.close()


@pytest.mark.parametrize(("provider", "words"), [("CPU", "CPU"), ("OpenVINO CPU bfloat16", "CPU bfloat16")])
def test_a_model_on_another_provider_than_the_first_says_so(
    show: Show, qtbot: QtBot, make_model: MakeModel, contract: ModelContract, provider: str, words: str
) -> None:
    made = make_model(contract)

    def analyse(frame: Frame) -> Outcome:
        outcome = made.analyse(frame)
        assert isinstance(outcome, Tumour | NothingFound)
        return replace(outcome, analysis=replace(outcome.analysis, provider=provider))

    model = replace(made, fallbacks=("CUDA does not load here.",), provider=provider, analyse=analyse)
    window = show(DisturbedSource(240, 320), model)
    assert window.view.timing.isHidden()
    qtbot.waitUntil(lambda: window.view.readout._values["Model"].text().endswith(", fallback"), timeout=WAIT_MS)
    window.act("performance")
    device = window.view.timing._values["Device"]
    qtbot.waitUntil(lambda: device.text().startswith(f"{words}, fallback · "), timeout=WAIT_MS)
    longest = device.text().rpartition("· ")[0] + "· 9999 ms"
    assert device.fontMetrics().horizontalAdvance(longest) <= device.width(), "nothing of it is left out"
    window.close()
