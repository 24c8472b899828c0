"""One picture with everything that must never be separated from it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.alarms import Alarm, Finding
from inference.pose import Pose
from inference.spacing import PixelSpacing

Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]


ColourMap: TypeAlias = NDArray[np.uint8]
"""1 where a picture was coloured, 0 elsewhere; covers the whole picture with several times fewer pixels a side."""


Mask: TypeAlias = NDArray[np.uint8]


OTHER_SCALE = "The sender's pose states another scale than the one in use, so that it places nothing."


class View(StrEnum):
    """The kind of plane that a frame shows."""

    NATIVE = "native"
    """A frame as the probe made it."""
    SLICE = "slice"
    """A plane cut from a reconstructed volume, not a probe view."""
    UNKNOWN = "unknown"
    """A picture file that does not say."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where frames come from, in words that may go on screens and into exports: never a patient's identity.

    Attributes:
        name: the source's display name (a file's name, a device's name).
        view: native frame, or slice of a volume.
        simulated: True only if the source says that it is simulated.
        live: True for a device or stream that cannot be rewound.
        record: True for one of our records, which we named ourselves; other files may be named after a patient.
    """

    name: str
    view: View
    simulated: bool = False
    live: bool = False
    record: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One ultrasound picture.

    Attributes:
        index: position in the source, from 0.
        pixels: (rows, cols), C order, dtype of the source (uint8, uint16 or float32), exactly 0 outside the sector.
        spacing: mm per pixel, or None if unknown.
        captured_at: when the picture reached this computer, `time.monotonic()` seconds.
        origin: where it comes from.
        time_s: position on the source's own clock, seconds, or None if it has no clock.
        no_spacing_reason: one sentence that says why `spacing` is None; empty otherwise.
        depth_changed_at: when the watched depth text or ruler changed, `time.monotonic()` seconds; None if it looks as
            it was marked, or none is watched.
        colour: where the picture was coloured before it was turned to grey; None if it was not. A tint of the whole
            picture does not count.
        damaged: whether parts of it were lost on the way, or of a picture that it is built on.
        pose: where its plane lies, as the sender says with the same scale; None if it does not say.
        no_pose_reason: one sentence that says why a tracked sender's `pose` is None; empty otherwise.
        findings: faults that the guards found; a frame has no contour if one of them forbids the analysis.
        face_row: row of the probe face, where a crop blackened it; None where it is the first that is not black.
    """

    index: int
    pixels: Pixels
    spacing: PixelSpacing | None
    captured_at: float
    origin: Origin
    time_s: float | None = None
    no_spacing_reason: str = ""
    depth_changed_at: float | None = None
    colour: ColourMap | None = None
    damaged: bool = False
    findings: tuple[Finding, ...] = ()
    pose: Pose | None = None
    no_pose_reason: str = ""
    face_row: int | None = None

    def __post_init__(self) -> None:
        """Refuse anything that is not one grey picture."""
        if self.pixels.ndim != 2 or 0 in self.pixels.shape:
            raise ValueError(f"a frame is one grey picture (rows, cols), not {self.pixels.shape}")
        if self.pixels.dtype not in (np.uint8, np.uint16, np.float32):
            raise ValueError(f"a frame is uint8, uint16 or float32, not {self.pixels.dtype}")
        if self.pixels.dtype == np.float32 and not (np.isfinite(self.pixels.max()) and np.isfinite(self.pixels.min())):
            raise ValueError("a frame is a picture of finite numbers")  # one that is not passes every comparison
        if self.depth_changed_at is not None and self.spacing is not None:
            raise ValueError("a frame whose depth has changed has no scale")
        if self.pose is not None and not _same_scale(self.pose, self.spacing):
            raise ValueError(f"a pose with pixels of {self.pose.sides_mm} mm on a frame of {self.spacing}")

    @property
    def rows(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def cols(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])


def unreadable(index: int, shape: tuple[int, int], captured_at: float, origin: Origin) -> Frame:
    """What stands in the place of a frame that cannot be read: black, without a scale, and never analysed.

    Args:
        index: its position in the source.
        shape: (rows, cols) of the source's pictures.
        captured_at: `time.monotonic()` seconds.
        origin: where it comes from.
    """
    alarm = Alarm.UNREADABLE
    finding = Finding(alarm, captured_at, alarm.sentence)
    black = np.zeros(shape, np.uint8)
    return Frame(index, black, None, captured_at, origin, no_spacing_reason=alarm.sentence, findings=(finding,))


def rescaled(frame: Frame, spacing: PixelSpacing | None, no_spacing_reason: str) -> Frame:
    """The frame with another scale, and with its pose if that states the same one."""
    pose, lost = placed(frame.pose, frame.no_pose_reason, spacing)
    return replace(frame, spacing=spacing, no_spacing_reason=no_spacing_reason, pose=pose, no_pose_reason=lost)


def placed(pose: Pose | None, reason: str, spacing: PixelSpacing | None) -> tuple[Pose | None, str]:
    """The pose of a frame with this scale, or None and why: one that states another scale places nothing.

    Args:
        pose: as stated; None if it is not known.
        reason: why it is not known; empty for a sender that has no tracker.
        spacing: the scale in use.
    """
    if pose is None or _same_scale(pose, spacing):
        return pose, reason
    return None, "" if pose.untracked else OTHER_SCALE


def _same_scale(pose: Pose, spacing: PixelSpacing | None) -> bool:
    return spacing is not None and np.allclose(pose.sides_mm, (spacing.row_mm, spacing.col_mm), rtol=1e-3)
