"""Every state photographed through the real window, and checked for what a glance must find.

`IUS_SCREENSHOTS=folder pytest tests/viewer` keeps the pictures, to be looked at.
"""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from certainties import certain
from numpy.typing import NDArray
from painted import LARGE, SMALL, TINY, near, on_canvas, ring, settle, source, spot_of
from phantoms import Stuck, Volume
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot
from threshold import finding_nothing

from inference.contract import ModelContract
from inference.frame import Frame
from inference.live.model import Model
from inference.live.requests import Refusal
from inference.outcome import Cavity, Failed, NothingFound, Outcome, PredictedQuality, Tumour, UnknownSpacing
from inference.readout.states import DEMONSTRATION_BANNER
from inference.safety import CAVITY, LIKELY_TO_FAIL
from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from viewer.main_window import MainWindow
from viewer.picture import overlay
from viewer.style import theme

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], NDArray[np.int_]]


@pytest.mark.parametrize("size", [(1280, 800), (1366, 768), (1920, 1080)])
def test_calibrated(show: Show, at: At, shoot: Shoot, size: tuple[int, int]) -> None:
    window = show(source(), size=size, phase=Phase.BEFORE_DURA)
    outcome = settle(window, at, LARGE)
    pixels = shoot(window, f"calibrated-{size[0]}x{size[1]}")
    cyan = on_canvas(window, near(pixels, theme.CYAN))
    assert cyan.sum() > 400
    assert (cyan & ring(window, outcome)).sum() > 0.97 * cyan.sum()
    assert window.readout_state is not None
    assert window.readout_state.card.title == "No size warning"


@pytest.mark.parametrize(("index", "name"), [(SMALL, "small"), (TINY, "very-small")])
@pytest.mark.parametrize("size", [(1280, 800), (1366, 768), (1920, 1080)])
def test_small(show: Show, at: At, shoot: Shoot, index: int, name: str, size: tuple[int, int]) -> None:
    window = show(source(), size=size, phase=Phase.BEFORE_DURA)
    outcome = settle(window, at, index)
    pixels = shoot(window, f"{name}-{size[0]}x{size[1]}")
    amber = on_canvas(window, near(pixels, theme.AMBER))
    assert (amber & ring(window, outcome)).sum() > 60
    assert not on_canvas(window, near(pixels, theme.CYAN)).any()
    assert window.readout_state is not None
    assert "UNRELIABLE" in window.readout_state.card.title


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_likely_to_fail(
    show: Show, at: At, shoot: Shoot, make_model: Callable[..., Model], model: Model, size: tuple[int, int]
) -> None:
    """A large contour of which the network is unsure is amber and dashed as a small one is, and never hidden."""

    def unsure(frame: Frame) -> Outcome:
        outcome = model.analyse(frame)
        foretold = PredictedQuality(0.4, likely_to_fail=True)
        return replace(outcome, quality=foretold) if isinstance(outcome, Tumour) else outcome

    window = show(source(), make_model(certain(model.contract), unsure), size=size, phase=Phase.BEFORE_DURA)
    outcome = settle(window, at, LARGE)
    pixels = shoot(window, f"likely-to-fail-{size[0]}x{size[1]}")
    amber = on_canvas(window, near(pixels, theme.AMBER))
    assert (amber & ring(window, outcome)).sum() > 200
    assert not on_canvas(window, near(pixels, theme.CYAN)).any()
    assert window.readout_state is not None
    assert window.readout_state.card.title == LIKELY_TO_FAIL
    assert window.readout_state.number


@pytest.mark.parametrize("alone", [False, True], ids=["beside a tumour", "alone"])
def test_a_cavity_has_a_line_of_its_own(
    show: Show, at: At, shoot: Shoot, make_model: Callable[..., Model], model: Model, alone: bool
) -> None:
    """Dash-dotted beside the tumour's solid line and number; without a tumour it stays, with the same words."""

    def after_resection(frame: Frame) -> Outcome:
        outcome = model.analyse(frame)
        assert isinstance(outcome, Tumour)
        turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
        line = np.stack([0.35 * frame.cols + 40 * np.cos(turn), 0.4 * frame.rows + 40 * np.sin(turn)], axis=1)
        cavity = Cavity(np.zeros_like(outcome.mask), (line.astype(np.float32),))
        return NothingFound(frame, outcome.analysis, cavity=cavity) if alone else replace(outcome, cavity=cavity)

    window = show(source(), make_model(model.contract, after_resection), phase=Phase.RESECTION)
    settle(window, at, LARGE)
    pixels = shoot(window, "cavity-alone" if alone else "cavity")
    lemon, cyan = (on_canvas(window, near(pixels, colour)) for colour in (theme.CAVITY, theme.CYAN))
    assert lemon.sum() > 60
    assert cyan.any() == (not alone)
    assert window.readout_state is not None
    assert f"{CAVITY}." in window.readout_state.card.body


def test_dashes_have_gaps(show: Show, at: At, shoot: Shoot) -> None:
    """Solid and dashed differ without colour: walking the outline, the dashed one is interrupted."""
    window = show(source(), phase=Phase.BEFORE_DURA)
    share = {}
    for index, colour in ((LARGE, theme.CYAN), (SMALL, theme.AMBER)):
        outcome = settle(window, at, index)
        drawn = on_canvas(window, near(shoot(window, f"line-{index}"), colour, 90))
        assert isinstance(outcome, Tumour)
        spots = [spot_of(window.view.canvas, *map(float, p)) for p in outcome.largest.contours[0]]
        hits = [drawn[s.y() - 1 : s.y() + 2, s.x() - 1 : s.x() + 2].any() for s in spots]
        share[index] = float(np.mean(hits))
    assert share[LARGE] > 0.97
    assert 0.4 < share[SMALL] < 0.93


def test_several_regions(show: Show, at: At, shoot: Shoot, make_model: Callable[..., Model], model: Model) -> None:
    def split(frame: Frame) -> Outcome:
        outcome = model.analyse(frame)
        small = model.analyse(replace(PhantomSource(count=60).read(SMALL), origin=frame.origin))
        assert isinstance(outcome, Tumour)
        assert isinstance(small, Tumour)
        moved = replace(small.largest, contours=tuple(c + np.float32([-90, -120]) for c in small.largest.contours))
        return Tumour(frame, outcome.analysis, outcome.mask, (outcome.largest, moved))

    window = show(source(), make_model(model.contract, split), phase=Phase.BEFORE_DURA)
    settle(window, at, LARGE)
    pixels = shoot(window, "several-regions")
    assert on_canvas(window, near(pixels, theme.CYAN)).sum() > 400
    assert on_canvas(window, near(pixels, theme.AMBER)).sum() > 60


def test_several_phases(show: Show, at: At, shoot: Shoot) -> None:
    window = show(source())
    settle(window, at, LARGE)
    for phase in Phase:
        window.handlers.set_phase(phase)
        shoot(window, f"phase-{phase.value}")
    window.handlers.set_phase(Phase.UNSET)
    settle(window, at, TINY)
    shoot(window, "very-small-phase-unset")


def test_unknown_scale(show: Show, at: At, shoot: Shoot) -> None:
    window = show(source(spacing_mm=None))
    assert isinstance(at(window, LARGE), UnknownSpacing)
    shoot(window, "unknown-scale")
    assert window.view.canvas._annotations.row_mm is None
    assert window.view.canvas._annotations.col_mm is None


def test_without_scale(show: Show, at: At, shoot: Shoot, qtbot: QtBot) -> None:
    window = show(source(spacing_mm=None))
    at(window, LARGE)
    window.session.analyse_without_scale()
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
    assert window.shown is not None
    grey = on_canvas(window, near(shoot(window, "without-scale"), theme.GREY, 30)) & ring(window, window.shown)
    assert grey.sum() > 100


def test_no_tumour(show: Show, at: At, shoot: Shoot, make_model: Callable[..., Model], model: Model) -> None:
    window = show(source(), make_model(model.contract, finding_nothing(model)), phase=Phase.BEFORE_DURA)
    at(window, LARGE)
    pixels = shoot(window, "no-tumour")
    assert not on_canvas(window, near(pixels, theme.CYAN)).any()


def test_cut(show: Show, at: At, shoot: Shoot, make_model: Callable[..., Model], model: Model) -> None:
    def cut(frame: Frame) -> Outcome:
        outcome = model.analyse(frame)
        assert isinstance(outcome, Tumour)
        return Tumour(frame, outcome.analysis, outcome.mask, (replace(outcome.largest, touches_edge=True),))

    window = show(source(), make_model(model.contract, cut), phase=Phase.BEFORE_DURA)
    settle(window, at, LARGE)
    shoot(window, "cut-by-edge")
    assert window.readout_state is not None
    assert window.readout_state.number.startswith("≥")


def test_the_longest_card_fits_the_smallest_screen(
    show: Show, at: At, shoot: Shoot, make_model: Callable[..., Model], model: Model, contract: ModelContract
) -> None:
    """Very small, cut, phase unset, unlike the training data, and a data set with a long name."""
    fast = contract.reliability.fast
    assert fast is not None
    data = "sealed cohort of 60 simulated patients, seed 7, scored once, 2 400 slices in three directions"
    reliability = msgspec.structs.replace(contract.reliability, fast=msgspec.structs.replace(fast, data=data))
    wordy = msgspec.structs.replace(contract, reliability=reliability)

    def cut(frame: Frame) -> Outcome:
        outcome = model.analyse(frame)
        assert isinstance(outcome, Tumour)
        edge = frame.index == TINY
        unlike = "The model saw no such picture in training: 128 × 96 pixels (seen: 200 to 800 × 200 to 800)."
        analysis = replace(outcome.analysis, unlike=unlike) if edge else outcome.analysis
        return Tumour(frame, analysis, outcome.mask, (replace(outcome.largest, touches_edge=edge),))

    window = show(source(), make_model(wordy, cut), size=(1366, 768))
    settle(window, at, TINY)
    shoot(window, "longest-cut")
    window.handlers.set_phase(Phase.BEFORE_DURA)
    settle(window, at, TINY + 1)
    shoot(window, "longest-data")


def test_analysis_failed(show: Show, at: At, shoot: Shoot, make_model: Callable[..., Model], model: Model) -> None:
    def broken(frame: Frame) -> Outcome:
        return Failed(frame, "The network failed on CPU: not enough memory.")

    window = show(source(), make_model(model.contract, broken))
    at(window, LARGE)
    shoot(window, "analysis-failed")


def test_model_refused(show: Show, shoot: Shoot, qtbot: QtBot) -> None:
    refusal = Refusal(
        "threshold.onnx does not reproduce its own masks here, so it is not used. CPU failed the self-test."
    )
    window = show(source(), refusal, wait=False)
    qtbot.waitUntil(
        lambda: window.readout_state is not None and window.readout_state.card.title == "Model refused", timeout=5000
    )
    qtbot.waitUntil(lambda: window.view.canvas.picture.painted is not None, timeout=5000)
    shoot(window, "model-refused")


def test_source_refused(show: Show, shoot: Shoot, qtbot: QtBot) -> None:
    refusal = Refusal("Case1.nii.gz ends in the middle: copy it again, it has 1 024 of 4 096 bytes.")
    window = show(refusal, wait=False)
    qtbot.waitUntil(
        lambda: window.readout_state is not None and window.readout_state.card.title == "Source refused", timeout=5000
    )
    shoot(window, "source-refused")


def test_stale(show: Show, shoot: Shoot, qtbot: QtBot) -> None:
    stuck = Stuck(at=LARGE, speckle=0.2)
    window = show(stuck)
    qtbot.waitUntil(lambda: window.readout_state is not None and window.readout_state.dimmed, timeout=6000)
    pixels = shoot(window, "stale")
    assert on_canvas(window, pixels.max(axis=-1) > 0).sum() > 1000
    assert not on_canvas(window, near(pixels, theme.CYAN)).any()
    stuck.release.set()


def test_demonstration_on_a_patient(show: Show, at: At, shoot: Shoot, clinical_source: type[PhantomSource]) -> None:
    for size in ((1280, 800), (1920, 1080)):
        window = show(clinical_source(speckle=0.2, count=60), size=size, phase=Phase.BEFORE_DURA)
        settle(window, at, LARGE)
        pixels = shoot(window, f"demonstration-on-patient-{size[0]}")
        canvas, placement = window.view.canvas, window.view.canvas.placement
        assert placement is not None
        band = overlay.banner_rect(canvas._annotations, canvas.room, window._sizes or theme.Sizes())
        width = band.width()
        assert band.bottom() <= placement.seen.top(), "nothing is laid over the sector"
        assert window.view.canvas.room.top() <= band.top()
        font = overlay.banner_font(DEMONSTRATION_BANNER, width, window._sizes or theme.Sizes())
        assert QFontMetricsF(font).horizontalAdvance(DEMONSTRATION_BANNER) <= width
        assert on_canvas(window, near(pixels, theme.AMBER, 8)).sum() > 0.5 * width * QFontMetricsF(font).height()
        window.close()


def test_slice_of_a_volume(
    show: Show, at: At, shoot: Shoot, make_model: Callable[..., Model], clinical: ModelContract
) -> None:
    window = show(Volume(speckle=0.2, count=60), make_model(clinical), phase=Phase.BEFORE_DURA)
    settle(window, at, LARGE)
    shoot(window, "slice-of-volume")
    annotations, placement = window.view.canvas._annotations, window.view.canvas.placement
    assert annotations.letters == ("S", "I", "R", "L")
    assert annotations.note == "reconstructed slice, not probe view"
    assert (annotations.row_mm, annotations.col_mm) == (None, 0.22)
    assert placement is not None
    assert placement.across / placement.down == pytest.approx(0.22 / 0.15)
