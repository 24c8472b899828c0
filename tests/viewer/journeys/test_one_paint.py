"""Contour and number come and go in one round of painting: neither ever stands without the other."""

from collections.abc import Callable

from pytestqt.qtbot import QtBot
from witness import Witness

from inference.frame import Frame
from inference.live.session import Model
from inference.outcome import Failed, NotAnalysed, NothingFound, Outcome, Reason, Tumour
from inference.sources.simulated import PhantomSource
from viewer.main_window import MainWindow


def test_contour_and_number_come_and_go_together(
    show: Callable[..., MainWindow], qtbot: QtBot, make_model: Callable[..., Model], model: Model
) -> None:
    def changing(frame: Frame) -> Outcome:
        """Every other frame has a contour; those between have none, each for another reason."""
        outcome = model.analyse(frame)
        assert isinstance(outcome, Tumour)
        nothing = (
            NotAnalysed(frame, Reason.GUARD, "Colour in the sector."),
            Failed(frame, "The network failed."),
            NothingFound(frame, outcome.analysis),
        )
        return outcome if frame.index % 2 else nothing[frame.index // 2 % 3]

    window = show(PhantomSource(count=60), make_model(model.contract, changing), wait=False)
    witness = Witness(window)
    qtbot.waitUntil(lambda: sum(shown.contour for shown in witness.rounds) > 10, timeout=20_000)
    assert any(not shown.contour for shown in witness.rounds)
    assert not [shown for shown in witness.rounds if shown.torn]
