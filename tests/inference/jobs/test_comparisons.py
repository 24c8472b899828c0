"""True masks beside a shown frame: of that frame alone, and never waited for."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import cv2
import numpy as np
import pytest
from outcomes import five

from inference.jobs.comparisons import AT_ONCE_S, Comparisons
from inference.live.truth import Truth
from inference.readout.screen_state import Comparison
from inference.sources import open_source
from inference.sources.remote import RemoteSource


@pytest.fixture
def masks(tmp_path: Path) -> RemoteSource:
    for number in range(len(five())):
        mask = np.zeros((37, 53), np.uint8)
        mask[5 : 10 + number, 5:20] = 255
        assert cv2.imwrite(str(tmp_path / f"{number}.png"), mask)
    made = open_source(str(tmp_path))
    assert isinstance(made, RemoteSource)
    return made


def height(found: Comparison) -> float:
    return float(np.ptp(found.outlines[0][:, 1]))


def until(look: Callable[[], Any]) -> None:
    end = monotonic() + 20
    while not look():
        assert monotonic() < end
        sleep(0.005)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_mask_that_does_not_come_holds_nobody_up_and_stands_on_no_other_frame(masks: RemoteSource) -> None:
    outcomes, comparisons = five(), Comparisons()
    truth = Truth(masks, masks.info, len(masks))
    until(lambda: comparisons.of(outcomes[1], truth).outlines)
    assert height(comparisons.of(outcomes[1], truth)) == 5
    assert masks._worker is not None
    process = masks._worker._process.pid
    os.kill(process, signal.SIGSTOP)
    begun = monotonic()
    for outcome in outcomes[2:]:
        assert comparisons.of(outcome, truth) == Comparison() or not comparisons.of(outcome, truth).outlines
    assert monotonic() - begun < 3 * AT_ONCE_S + 1
    os.kill(process, signal.SIGCONT)
    until(lambda: comparisons.of(outcomes[4], truth).outlines)
    assert height(comparisons.of(outcomes[4], truth)) == 8
    assert comparisons.of(None, truth).outlines == ()
    comparisons.close()
    masks.close()
