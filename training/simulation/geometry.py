"""Where the ultrasound planes lie: the sector of a probe, its polar and Cartesian grids, and a plane's pose."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulation.noise import Field


@dataclass(frozen=True, slots=True)
class Pose:
    """A plane tilted in elevation about a line `pivot_mm` behind the face, then shifted and turned within itself."""

    tilt_rad: float
    pivot_mm: float
    shift_mm: float = 0.0
    turn_rad: float = 0.0

    def points(self, lateral: Field, depth: Field) -> tuple[Field, Field, Field]:
        """Box coordinates x, y, z (mm) of in-plane points given by lateral position and depth (mm)."""
        cos, sin = np.float32(np.cos(self.turn_rad)), np.float32(np.sin(self.turn_rad))
        x = cos * lateral + sin * depth + np.float32(self.shift_mm)
        along = cos * depth - sin * lateral + np.float32(self.pivot_mm)
        return (
            x.astype(np.float32),
            along * np.float32(np.sin(self.tilt_rad)),
            along * np.float32(np.cos(self.tilt_rad)) - np.float32(self.pivot_mm),
        )


@dataclass(frozen=True, slots=True)
class Sector:
    """A curved-array sector: face radius, depth and half angle, with `samples` x `lines` polar samples."""

    face_radius_mm: float
    depth_mm: float
    half_angle_rad: float
    samples: int
    lines: int

    @property
    def sample_mm(self) -> float:
        """Distance between samples along a line."""
        return self.depth_mm / (self.samples - 1)

    @property
    def ranges(self) -> Field:
        """Distance from the face of each sample, mm."""
        return np.linspace(0.0, self.depth_mm, self.samples, dtype=np.float32)

    @property
    def angles(self) -> Field:
        """Angle of each line, rad."""
        return np.linspace(-self.half_angle_rad, self.half_angle_rad, self.lines, dtype=np.float32)

    @property
    def top_mm(self) -> float:
        """Depth coordinate of the highest point of the face (its edges): 0 or less."""
        return self.face_radius_mm * (float(np.cos(self.half_angle_rad)) - 1.0)

    @property
    def half_width_mm(self) -> float:
        """Half the width of the sector at full depth."""
        return (self.face_radius_mm + self.depth_mm) * float(np.sin(self.half_angle_rad))

    def cartesian(self) -> tuple[Field, Field]:
        """Lateral position and depth (mm) of every polar sample, shape (samples, lines)."""
        distance = self.face_radius_mm + self.ranges[:, None]
        return distance * np.sin(self.angles)[None, :], distance * np.cos(self.angles)[None, :] - self.face_radius_mm

    def polar_index(self, lateral: Field, depth: Field) -> tuple[Field, Field, NDArray[np.bool_]]:
        """Line and sample coordinates of in-plane points, and whether each lies in the sector."""
        below = depth + self.face_radius_mm
        line = (np.arctan2(lateral, below) / self.half_angle_rad + 1.0) * (self.lines - 1) / 2.0
        sample = (np.hypot(lateral, below) - self.face_radius_mm) / self.sample_mm
        inside = (line >= 0) & (line <= self.lines - 1) & (sample >= 0) & (sample <= self.samples - 1)
        return line.astype(np.float32), sample.astype(np.float32), inside


@dataclass(frozen=True, slots=True)
class Raster:
    """A pixel grid in a plane, square pixels: coordinates of the first pixel's centre, pitch (mm), rows and columns."""

    left_mm: float
    top_mm: float
    pitch_mm: float
    rows: int
    cols: int

    def points(self) -> tuple[Field, Field]:
        """Lateral position (1, cols) and depth (rows, 1) of pixel centres, mm."""
        lateral = self.left_mm + self.pitch_mm * np.arange(self.cols, dtype=np.float32)
        depth = self.top_mm + self.pitch_mm * np.arange(self.rows, dtype=np.float32)
        return lateral[None, :].astype(np.float32), depth[:, None].astype(np.float32)


def square_raster(sector: Sector, size: int) -> Raster:
    """The finest `size` x `size` raster that holds the whole sector, centred, touching the top."""
    pitch = max(2.0 * sector.half_width_mm, sector.depth_mm - sector.top_mm) / (size - 3)
    return Raster(-pitch * (size - 1) / 2.0, sector.top_mm - pitch, pitch, size, size)
