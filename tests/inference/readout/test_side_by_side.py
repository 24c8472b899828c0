"""Two pictures side by side: each with its own contour, area, scale and phase, and nobody takes the earlier for now."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from answers import RUNNING, frame, nothing, tumour

from inference.contract import ModelContract
from inference.frame import Origin, View
from inference.live.health import Condition, Health
from inference.live.moment import Moment
from inference.outcome import Outcome
from inference.readout.marks import Line
from inference.readout.screen_state import ScreenInputs, ScreenState, resolve
from inference.readout.side_by_side import MOST, Beside, KeptFrame, KeptFrames
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Phase, ViewNotes

AT = datetime(2026, 3, 1, 14, 3, 22, tzinfo=UTC)
COARSE = PixelSpacing(0.05, 0.2, Provenance.RULER)


def given(contract: ModelContract, outcome: Outcome, condition: Condition = RUNNING) -> ScreenInputs:
    info = SourceInfo(outcome.frame.origin, 8, 8, outcome.frame.spacing, "", (0.0, 255.0))
    moment = Moment(False, False, "", None, None, outcome, True, RUNNING, condition, "")
    return ScreenInputs(1.0, moment, info, contract, ViewNotes(Phase.BEFORE_DURA), face_row=0)


def kept(outcome: Outcome, contract: ModelContract | None, phase: Phase = Phase.BEFORE_DURA) -> KeptFrame:
    return KeptFrame(outcome, phase, contract, AT)


def earlier_than(contract: ModelContract, outcome: Outcome, phase: Phase = Phase.BEFORE_DURA) -> ScreenState:
    """The screen with this earlier frame beside a live one of 412 mm²."""
    inputs = given(contract, tumour(412.0))
    return resolve(replace(inputs, beside=Beside.EARLIER, earlier=kept(outcome, contract, phase)))


def test_the_raw_picture_is_the_very_frame_and_has_no_contour_nor_number(contract: ModelContract) -> None:
    outcome = tumour(412.0)
    screen = resolve(replace(given(contract, outcome), beside=Beside.RAW))
    assert screen.beside is not None
    assert screen.beside.frame is outcome.frame
    assert (screen.beside.outcome, screen.beside.lines) == (None, ())
    assert screen.beside.annotations.heading == "WITHOUT CONTOUR"
    assert screen.annotations is not None
    assert screen.annotations.heading == "WITH CONTOUR"
    assert screen.lines == (Line.SOLID,)


def test_each_has_its_own_contour_area_scale_and_phase(contract: ModelContract) -> None:
    before = tumour(90.0, shown=replace(frame(), spacing=COARSE, index=66))
    screen = earlier_than(contract, before, Phase.DURA_OPEN)
    assert screen.beside is not None
    assert screen.annotations is not None
    earlier, now = screen.beside.annotations, screen.annotations
    assert (earlier.caption, now.heading) == ("EARLIER frame 67 · 90 mm²", "REPLAY · 410 mm²")
    assert (earlier.phase, now.phase) == ("Dura open", "Before dura opening")
    assert (earlier.col_mm, now.col_mm) == (0.2, 0.1)
    assert (screen.beside.lines, screen.lines) == ((Line.DASHED,), (Line.SOLID,))
    assert (earlier.row_mm, now.row_mm) == (None, None), "no ruler where there is no room for one"


def test_the_earlier_one_keeps_the_warnings_of_its_own_time(contract: ModelContract) -> None:
    screen = earlier_than(contract, tumour(20.0), Phase.RESECTION)
    assert screen.beside is not None
    note = screen.beside.annotations.note
    assert "Not evaluated in this phase" in note
    assert "VERY SMALL" in note
    empty = earlier_than(contract, nothing())
    assert empty.beside is not None
    assert "No tumour segmented" in empty.beside.annotations.caption


def test_a_live_frame_is_called_by_the_time_of_day(contract: ModelContract) -> None:
    live = replace(frame(), origin=Origin("probe", View.NATIVE, live=True, simulated=True))
    screen = earlier_than(contract, tumour(90.0, shown=live))
    assert screen.beside is not None
    assert screen.beside.annotations.caption == "EARLIER 14:03:22 · 90 mm²"


def test_an_unknown_scale_has_no_bar_and_no_mm(contract: ModelContract) -> None:
    screen = earlier_than(contract, tumour(90.0, shown=frame(spacing=None)))
    assert screen.beside is not None
    assert screen.beside.annotations.col_mm is None
    assert screen.beside.annotations.caption.endswith("px")
    assert screen.beside.lines == (Line.DOTTED,)


@pytest.mark.parametrize("change", [{"two_panes": True}, {"whole": frame()}, {"info": None}, {"earlier": None}])
def test_nothing_stands_beside_two_panes_or_a_picture_that_is_marked(
    contract: ModelContract, change: dict[str, object]
) -> None:
    inputs = replace(given(contract, tumour(412.0)), beside=Beside.EARLIER, earlier=kept(tumour(9.0), contract))
    assert resolve(replace(inputs, **change)).beside is None  # type: ignore[arg-type]


def test_a_lost_signal_takes_the_contour_of_now_and_says_so_over_it(contract: ModelContract) -> None:
    inputs = given(contract, tumour(412.0), Condition(Health.LOST, 3.0))
    screen = resolve(replace(inputs, beside=Beside.EARLIER, earlier=kept(tumour(90.0), contract)))
    assert screen.annotations is not None
    assert screen.annotations.heading == "LOST · —"
    assert screen.lines == ()
    assert screen.beside is not None
    assert screen.beside.lines == (Line.DASHED,), "what was seen earlier stays as it was"


def test_kept_frames_are_gone_through_from_the_newest_and_never_show_the_frame_beside_itself() -> None:
    frames = KeptFrames()
    outcomes = [tumour(100.0 + number) for number in range(MOST + 3)]
    for outcome in outcomes:
        assert frames.keep(kept(outcome, None))
    assert not frames.keep(kept(outcomes[-1], None)), "kept once"
    assert len(frames) == MOST
    seen, at = [], frames.before(None, outcomes[-1])
    while at is not None:
        seen.append(at.outcome)
        at = frames.before(at, outcomes[-1])
    assert seen == outcomes[-2:2:-1]
    frames.clear()
    assert frames.before(None, None) is None
