"""The engine's answer to one frame. Only this module decides when to warn.

There are five answers, each with its own type: a tumour contour, nothing found, no scale, not analysed for another
reason, failed. None can be mistaken for another, and each carries the frame it belongs to.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.alarms import Alarm, forbidding
from inference.contract import Mode, Reliability
from inference.frame import Frame

_ROUNDING = 1e-6
"""Relative. A picture keeps 0.2 mm as 0.200000003, so that 5000 such pixels are 200.000006 mm²: 200, and not more."""


class SizeState(StrEnum):
    """The largest region's size against the contract's limits. A size above them is neutral, never 'reliable'."""

    ABOVE_200 = "above_200"
    AT_MOST_200 = "at_most_200"
    AT_MOST_35 = "at_most_35"


LOADING = "The model is being loaded."
"""The sentence for frames that come before the model is loaded."""


class Reason(StrEnum):
    """Why a frame was not analysed."""

    NO_SCALE = "no_scale"
    OFF = "analysis_off"
    GUARD = "guard"
    """A guard found that the signal cannot be believed."""
    DEMONSTRATION = "demonstration"
    """The model was trained on simulation, and the user did not choose it for live sources."""


@dataclass(frozen=True, slots=True)
class Diameters:
    """The longest diameter and the width perpendicular to it, mm, with their end points (x, y) in pixels."""

    longest_mm: float
    perpendicular_mm: float
    ends: tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One connected piece of the mask.

    Attributes:
        area_px: area, pixels.
        area_mm2: area, mm²; None without a scale.
        contours: outlines as (n, 2) float32 arrays of (x, y) in pixels, pixel centres at whole numbers: the outer one
            first, of which there are several where parts meet in a corner alone, then those of holes.
        diameters: its diameters; None without a scale.
        depth_mm: (nearest, deepest) point below the probe face, mm; None without a scale or a probe face.
        touches_edge: whether it reaches the edge of sector or picture, so that the tumour may go on outside.
        size: its size state; None without a scale, or for a mask that is no model's.
    """

    area_px: int
    area_mm2: float | None
    contours: tuple[NDArray[np.float32], ...]
    diameters: Diameters | None
    depth_mm: tuple[float, float] | None
    touches_edge: bool
    size: SizeState | None


@dataclass(frozen=True, slots=True)
class Analysis:
    """The model that analysed a frame, and how long it took.

    Attributes:
        model: the model's name in its contract.
        model_sha256: sha256 of the model file.
        provider: the ONNX Runtime provider really in use.
        latency_ms: duration of the whole analysis, from preprocessing to contours.
        network_ms: the network's part of it.
        demonstration: whether the model was trained on simulation and the source is not simulated.
        mode: the mode in which the network ran.
        unlike: how this frame differs from the model's training data, one sentence; empty if it does not. The measured
            figures do not cover a frame that differs.
    """

    model: str
    model_sha256: str
    provider: str
    latency_ms: float
    network_ms: float
    demonstration: bool
    mode: Mode = Mode.FAST
    unlike: str = ""


@dataclass(frozen=True, slots=True)
class PredictedQuality:
    """How well a contour is likely to fit, foretold by the network's own probabilities; never a promise.

    Attributes:
        score: the contract's score, from 0 to 1; it is no Dice.
        likely_to_fail: whether it lies below the contract's threshold.
    """

    score: float
    likely_to_fail: bool


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Where the network's own probability is 25 % and 75 %: its stated confidence, not a surgical margin.

    Attributes:
        outer: all outlines at 25 % in the frame, each (n, 2) float32 of (x, y) in pixels.
        inner: the same at 75 %.
    """

    outer: tuple[NDArray[np.float32], ...]
    inner: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cavity:
    """Where the model sees the resection cavity: never tumour, and nothing is measured or judged by it.

    Attributes:
        mask: (rows, cols) uint8 0/1, the full frame; no pixel of it is tumour.
        outlines: its outlines, at least one, each (n, 2) float32 of (x, y) in pixels.
    """

    mask: NDArray[np.uint8]
    outlines: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tumour:
    """Something was segmented.

    Attributes:
        frame: the frame the mask belongs to.
        analysis: which model, and how long it took.
        mask: (rows, cols) uint8 0/1, the full frame.
        regions: largest first, at least one.
        band: the network's uncertainty; None unless it was asked for.
        disagreement: (rows, cols) float32, standard deviation of the tumour probability between mirrored passes and
            folds; None if there was only one pass. It is not kept in the last half minute, nor recorded.
        quality: what the model foretells of this contour; None if its contract has no certainty for this mode, which
            says neither that it fits nor that it does not.
        cavity: the resection cavity beside it; None where none is seen, and of models that know none.
    """

    frame: Frame
    analysis: Analysis
    mask: NDArray[np.uint8]
    regions: tuple[Region, ...]
    band: Band | None = None
    disagreement: NDArray[np.float32] | None = None
    quality: PredictedQuality | None = None
    cavity: Cavity | None = None

    def __post_init__(self) -> None:
        """Refuse a frame that a guard forbids to believe, and a pixel that would be tumour and cavity."""
        _refuse_forbidden(self.frame)
        if self.cavity is not None and (self.mask & self.cavity.mask).any():
            raise ValueError("a pixel of the tumour is in the cavity too")

    @property
    def largest(self) -> Region:
        """The largest region, which decides on the size warning."""
        return self.regions[0]

    @property
    def area_px(self) -> int:
        """Area of all regions, pixels."""
        return sum(region.area_px for region in self.regions)

    @property
    def area_mm2(self) -> float | None:
        """Area of all regions, mm²; None without a scale."""
        spacing = self.frame.spacing
        return None if spacing is None else self.area_px * spacing.pixel_mm2

    @property
    def size(self) -> SizeState | None:
        """Size state of the largest region; None without a scale."""
        return self.largest.size

    @property
    def likely_to_fail(self) -> bool:
        """Whether the model foretells that this contour fails; False also where it foretells nothing."""
        return self.quality is not None and self.quality.likely_to_fail

    @property
    def touches_edge(self) -> bool:
        """Whether the edge cuts any region, which makes the area a lower bound."""
        return any(region.touches_edge for region in self.regions)


@dataclass(frozen=True, slots=True, eq=False)
class NothingFound:
    """The network ran and segmented nothing: no evidence that there is no tumour. The others are as in `Tumour`."""

    frame: Frame
    analysis: Analysis
    disagreement: NDArray[np.float32] | None = None
    cavity: Cavity | None = None

    def __post_init__(self) -> None:
        """Refuse a frame that a guard forbids to believe."""
        _refuse_forbidden(self.frame)


@dataclass(frozen=True, slots=True, eq=False)
class UnknownSpacing:
    """Not analysed, since the network's input is defined in mm and the scale is unknown."""

    frame: Frame
    sentence: str
    reason: Reason = field(default=Reason.NO_SCALE, init=False)


@dataclass(frozen=True, slots=True, eq=False)
class NotAnalysed:
    """Not analysed, on purpose, for a reason other than the scale; `alarm` says which guard forbade it."""

    frame: Frame
    reason: Reason
    sentence: str
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Failed:
    """The analysis failed on this frame."""

    frame: Frame
    sentence: str


Outcome: TypeAlias = Tumour | NothingFound | UnknownSpacing | NotAnalysed | Failed


def _refuse_forbidden(frame: Frame) -> None:
    if (finding := forbidding(frame.findings)) is not None:
        raise ValueError(f"a frame with the alarm {finding.alarm} has no answer of a network")


def size_state(area_mm2: float, reliability: Reliability) -> SizeState:
    """The size state of one region; an area exactly at the limit counts as small.

    Args:
        area_mm2: area of the region, mm².
        reliability: the contract's limits (paper, Results: above 200 mm² the models match experts, below they do not).
    """
    if not above(area_mm2, reliability.very_small_area_mm2):
        return SizeState.AT_MOST_35
    if not above(area_mm2, reliability.min_reliable_area_mm2):
        return SizeState.AT_MOST_200
    return SizeState.ABOVE_200


def above(area_mm2: float, limit_mm2: float) -> bool:
    """Whether an area is larger than a limit, by more than what rounding leaves."""
    return area_mm2 > limit_mm2 * (1 + _ROUNDING)
