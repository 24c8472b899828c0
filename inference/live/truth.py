"""A recording's true masks: Dice per frame, and the true outline."""

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.dice import dice
from inference.errors import SourceError
from inference.frame import Mask
from inference.outcome import NothingFound, Outcome, Tumour
from inference.source_info import SourceInfo
from inference.sources.base import RecordedSource


class Truth:
    """The true masks of one recording.

    Args:
        masks: one picture per frame, of the recording's size; pixels above 0 are tumour.
        of: the recording's info.
        count: the recording's number of frames.

    Raises:
        SourceError: if they cannot be this recording's.
    """

    def __init__(self, masks: RecordedSource, of: SourceInfo, count: int) -> None:
        own = masks.info
        if (own.rows, own.cols, len(masks)) != (of.rows, of.cols, count):
            raise SourceError(
                f"{own.origin.name} holds {len(masks)} masks of {own.cols} × {own.rows} and {of.origin.name} "
                f"{count} frames of {of.cols} × {of.rows}: give the masks of this recording."
            )
        self._masks = masks

    def mask(self, index: int) -> Mask:
        """(rows, cols) uint8 0/1 of frame `index`.

        Raises:
            SourceError: if the mask cannot be read.
        """
        return (self._masks.read(index).pixels > 0).astype(np.uint8)

    def dice(self, outcome: Outcome) -> float | None:
        """Dice of the segmented mask; None if the frame was not analysed, or both masks are empty."""
        truth = self.mask(outcome.frame.index)
        if isinstance(outcome, Tumour):
            return dice(outcome.mask, truth)
        return dice(np.zeros_like(truth), truth) if isinstance(outcome, NothingFound) else None

    def outlines(self, index: int) -> tuple[NDArray[np.float32], ...]:
        """Outlines of the true tumour through its pixels' centres, each (n, 2) of (x, y)."""
        traced, _ = cv2.findContours(self.mask(index), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        return tuple(np.asarray(line[:, 0], np.float32) for line in traced)

    def close(self) -> None:
        """Close the masks."""
        self._masks.close()
