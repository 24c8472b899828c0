"""Truth beside a replay: Dice and true contour of the very frame on the screen; masks of another recording refused."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from inference.dice import dice
from inference.errors import SourceError
from inference.frame import Mask
from inference.live.requests import Compared, Refusal, SourceRequest
from inference.live.truth import Truth
from inference.outcome import Outcome, Tumour
from inference.sources import open_source
from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from viewer import app
from viewer.main_window import MainWindow
from viewer.style import theme

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]


@pytest.fixture
def true_masks(tmp_path: Path) -> Path:
    """A folder of one mask a frame, shifted by as many pixels as its number, so that each Dice is its own."""
    folder = tmp_path / "truth"
    folder.mkdir()
    phantom = PhantomSource(count=12)
    for index in range(12):
        mask = (np.asarray(phantom.read(index).pixels) > 110).astype(np.uint8) * 255
        cv2.imwrite(str(folder / f"{index:03d}.png"), np.roll(mask, index, axis=1))
    return folder


def test_dice_and_true_contour_are_the_frames_own(
    show: Show, at: At, shoot: Shoot, qtbot: QtBot, true_masks: Path
) -> None:
    source = PhantomSource(count=12)
    truth = Truth(open_source(str(true_masks)), source.info, len(source))
    window = show(Compared(source, truth), phase=Phase.BEFORE_DURA)
    for index in (11, 3, 7):
        outcome = at(window, index)
        assert isinstance(outcome, Tumour)
        qtbot.waitUntil(lambda: window.state.comparisons._reading is None, timeout=5000)
        window.refresh.tick()
        own = np.roll((PhantomSource(count=12).read(index).pixels > 110).astype(np.uint8), index, axis=1)
        assert np.array_equal(truth.mask(index), own)
        wanted = dice(outcome.mask, own)
        assert wanted is not None
        assert window.view.canvas._annotations.truth == f"true contour (pink): Dice {wanted:.2f} on this frame"
        around, outline = window.view.canvas.contour._truth.boundingRect(), truth.outlines(index)[0]
        assert around.left() == pytest.approx(float(outline[:, 0].min()) + 0.5, abs=1)
        assert window.view.canvas.contour.frame is outcome.frame
    pixels = shoot(window, "truth")
    pink = np.array([int(theme.TRUTH[k : k + 2], 16) for k in (1, 3, 5)])
    assert (np.abs(pixels - pink).max(axis=-1) < 40).sum() > 100


class Slow(Truth):
    """True masks on a drive that answers when it is told to."""

    answers = threading.Event()

    def mask(self, index: int) -> Mask:
        self.answers.wait(20)
        return super().mask(index)


def test_a_true_contour_that_comes_late_is_drawn_on_its_frame(
    show: Show, at: At, qtbot: QtBot, true_masks: Path
) -> None:
    source = PhantomSource(count=12)
    truth = Slow(open_source(str(true_masks)), source.info, len(source))
    window = show(Compared(source, truth), phase=Phase.BEFORE_DURA)
    outcome, contour = at(window, 7), window.view.canvas.contour
    assert contour._truth.isEmpty()
    truth.answers.set()
    qtbot.waitUntil(lambda: not contour._truth.isEmpty(), timeout=5000)
    assert contour.frame is outcome.frame
    own = truth.outlines(7)[0]
    assert contour._truth.boundingRect().left() == pytest.approx(float(own[:, 0].min()) + 0.5, abs=1)


def test_masks_of_another_recording_are_refused(true_masks: Path) -> None:
    other = PhantomSource(count=13)
    with pytest.raises(SourceError, match="12 masks of 512 × 512 and phantom 13 frames"):
        Truth(open_source(str(true_masks)), other.info, len(other))
    refused = app.open_source(SourceRequest("simulated:", truth=true_masks / "missing"))
    assert isinstance(refused, Refusal)
    live = app.open_source(SourceRequest("igtl://127.0.0.1:1", truth=true_masks))
    assert isinstance(live, Refusal)
    assert "truth of a live picture" in live.sentence
