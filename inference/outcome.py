"""What the engine says of one frame. The only place that decides when to warn.

Five answers, five types: a tumour contour, nothing found, no scale, not analysed for another reason, failed. None of
them can be mistaken for another, and each carries the frame it speaks of.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.alarms import Alarm, forbidding
from inference.contract import Mode, Reliability
from inference.frame import Frame


class SizeState(StrEnum):
    """The size of the largest region against the contract's limits. Above them is neutral, never 'reliable'."""

    ABOVE_200 = "above_200"
    AT_MOST_200 = "at_most_200"
    AT_MOST_35 = "at_most_35"


LOADING = "The model is being loaded."
"""Why a frame is not analysed before the model is there."""


class Reason(StrEnum):
    """Why a frame was not analysed."""

    NO_SCALE = "no_scale"
    OFF = "analysis_off"
    GUARD = "guard"
    """A guard forbids to believe the signal."""
    DEMONSTRATION = "demonstration"
    """The model was trained on simulation, and nobody chose it for what is live."""


@dataclass(frozen=True, slots=True)
class Diameters:
    """Longest diameter and the width perpendicular to it, mm, with the end points (x, y) in pixels."""

    longest_mm: float
    perpendicular_mm: float
    ends: tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One connected piece of the mask.

    Attributes:
        area_px: pixels.
        area_mm2: mm², None without a scale.
        contours: outlines as (n, 2) float32 arrays of (x, y) in pixels, pixel centres at whole numbers: the outer one
            first, then those of holes.
        diameters: None without a scale.
        depth_mm: (nearest, deepest) below the probe face, None without a scale or where there is no probe face.
        touches_edge: reaches the edge of the sector or picture: the tumour may go on outside.
        size: None without a scale.
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
    """Which model looked, and how long it took.

    Attributes:
        model: the contract's name.
        model_sha256: sha256 of the model file.
        provider: the ONNX Runtime provider really in use.
        latency_ms: the whole of the analysis, preprocessing to contours.
        network_ms: the network's part of it.
        demonstration: the model was trained on simulation and the source is not simulated.
        mode: in which mode the network ran.
        unlike: what of this frame the model did not see in training, one sentence; empty where it saw the like. No
            measured figure speaks of such a frame.
    """

    model: str
    model_sha256: str
    provider: str
    latency_ms: float
    network_ms: float
    demonstration: bool
    mode: Mode = Mode.FAST
    unlike: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Where the network's own probability is 25 % and 75 %: how sure it says it is, and no surgical margin.

    Attributes:
        outer: outlines at 25 %, (n, 2) float32 of (x, y) pixels each, of everything in the frame.
        inner: the same at 75 %.
    """

    outer: tuple[NDArray[np.float32], ...]
    inner: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tumour:
    """Something was segmented.

    Attributes:
        frame: the frame the mask belongs to.
        analysis: which model, how long.
        mask: (rows, cols) uint8 0/1, the full frame.
        regions: largest first, at least one.
        band: the network's uncertainty; None unless it was asked for.
        disagreement: (rows, cols) float32, standard deviation of the tumour probability between mirrored passes and
            folds; None where there was one. Neither kept for the last half minute nor recorded.
    """

    frame: Frame
    analysis: Analysis
    mask: NDArray[np.uint8]
    regions: tuple[Region, ...]
    band: Band | None = None
    disagreement: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Refuse a frame that a guard forbids to believe."""
        _refuse_forbidden(self.frame)

    @property
    def largest(self) -> Region:
        """The region that decides on the size warning."""
        return self.regions[0]

    @property
    def area_px(self) -> int:
        """Pixels of all regions."""
        return sum(region.area_px for region in self.regions)

    @property
    def area_mm2(self) -> float | None:
        """mm² of all regions, None without a scale."""
        spacing = self.frame.spacing
        return None if spacing is None else self.area_px * spacing.pixel_mm2

    @property
    def size(self) -> SizeState | None:
        """Size state of the largest region, None without a scale."""
        return self.largest.size

    @property
    def touches_edge(self) -> bool:
        """Whether any region is cut by the edge: the area is then a lower bound."""
        return any(region.touches_edge for region in self.regions)


@dataclass(frozen=True, slots=True, eq=False)
class NothingFound:
    """The network ran and segmented nothing: no evidence that there is no tumour. `disagreement` as in `Tumour`."""

    frame: Frame
    analysis: Analysis
    disagreement: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Refuse a frame that a guard forbids to believe."""
        _refuse_forbidden(self.frame)


@dataclass(frozen=True, slots=True, eq=False)
class UnknownSpacing:
    """Not analysed, since the network's input is defined in mm and nobody knows the scale."""

    frame: Frame
    sentence: str
    reason: Reason = field(default=Reason.NO_SCALE, init=False)


@dataclass(frozen=True, slots=True, eq=False)
class NotAnalysed:
    """Not analysed, on purpose, for a reason other than the scale; `alarm` says which guard forbids it."""

    frame: Frame
    reason: Reason
    sentence: str
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Failed:
    """The analysis broke on this frame."""

    frame: Frame
    sentence: str


Outcome: TypeAlias = Tumour | NothingFound | UnknownSpacing | NotAnalysed | Failed


def _refuse_forbidden(frame: Frame) -> None:
    if (finding := forbidding(frame.findings)) is not None:
        raise ValueError(f"a frame with the alarm {finding.alarm} has no answer of a network")


def size_state(area_mm2: float, reliability: Reliability) -> SizeState:
    """Size state of one region: at the limit counts as small.

    Args:
        area_mm2: area of the region, mm².
        reliability: the contract's limits (paper, Results: over 200 mm² models compare with experts, below not).
    """
    if area_mm2 <= reliability.very_small_area_mm2:
        return SizeState.AT_MOST_35
    if area_mm2 <= reliability.min_reliable_area_mm2:
        return SizeState.AT_MOST_200
    return SizeState.ABOVE_200
