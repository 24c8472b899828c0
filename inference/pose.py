"""Where a frame lies in the room: the plane of a tracked picture, in its sender's own coordinates."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

System: TypeAlias = Literal["lps", "ras"]
"""Directions of the three axes, as OpenIGTLink names them."""
SQUARE = 1e-3
"""Cosine by which the axes of a picture may differ from a right angle."""


@dataclass(frozen=True, slots=True)
class Pose:
    """The plane of one picture.

    Attributes:
        across: (x, y, z) mm from the centre of a pixel to that of its right neighbour.
        down: the same to the neighbour below.
        origin: (x, y, z) mm of the centre of the first pixel.
        system: the axes of these coordinates, as the sender names them; nothing is converted.

    Raises:
        ValueError: if these are not the axes of a picture.
    """

    across: tuple[float, float, float]
    down: tuple[float, float, float]
    origin: tuple[float, float, float]
    system: System = "lps"

    def __post_init__(self) -> None:
        """Refuse what is no plane."""
        across, down = np.array(self.across), np.array(self.down)
        row_mm, col_mm = self.sides_mm
        if not np.isfinite((*self.across, *self.down, *self.origin)).all() or not row_mm > 0 or not col_mm > 0:
            raise ValueError(f"{self} is no plane")
        if abs(float(across @ down)) > SQUARE * row_mm * col_mm:
            raise ValueError(f"the axes of {self} are not square")

    @classmethod
    def of_matrix(cls, matrix: ArrayLike, system: System = "lps") -> "Pose":
        """The pose in an image-to-world matrix.

        Args:
            matrix: (4, 4), from (column, row, 0, 1) of a pixel to mm.
            system: the axes of the mm.

        Raises:
            ValueError: if it is not that of a picture.
        """
        across, down, _, origin = np.asarray(matrix, np.float64)[:3].T.tolist()
        return cls(tuple(across), tuple(down), tuple(origin), system)

    @property
    def sides_mm(self) -> tuple[float, float]:
        """Height and width of a pixel, mm."""
        return math.hypot(*self.down), math.hypot(*self.across)

    @property
    def untracked(self) -> bool:
        """Whether it says nothing: x across and y down from 0, as senders without a tracker write it."""
        row_mm, col_mm = self.sides_mm
        plain = (col_mm, 0.0, 0.0), (0.0, row_mm, 0.0), (0.0, 0.0, 0.0)
        return bool(np.allclose((self.across, self.down, self.origin), plain, atol=1e-3 * min(row_mm, col_mm)))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(4, 4) from (column, row, 0, 1) to mm. Its third column is a unit normal and claims no thickness."""
        normal = np.cross(self.across, self.down)
        matrix = np.eye(4)
        matrix[:3] = np.stack([self.across, self.down, normal / np.linalg.norm(normal), self.origin], axis=1)
        return matrix

    def moved(self, transform: NDArray[np.floating]) -> "Pose":
        """The pose after a (4, 4) transform, in that one's coordinates."""
        return Pose.of_matrix(np.asarray(transform, np.float64) @ self.matrix, self.system)

    def points(self, line: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, 2) x and y in pixels as (n, 3) in mm."""
        xy = np.asarray(line, np.float64)
        placed: NDArray[np.float64] = self.matrix[:3, :2] @ xy.T + np.array(self.origin)[:, None]
        return placed.T
