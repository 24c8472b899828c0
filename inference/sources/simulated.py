"""The phantom: ellipses whose area is known exactly. This is the reference source: read it before writing a new one."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.frame import Mask, Origin, View
from inference.source_info import SourceInfo
from inference.sources.recorded import Recorded
from inference.spacing import PixelSpacing, Provenance

SUBSAMPLES = 8
"""Sub-pixel positions per axis when a shape is drawn; partly covered pixels become intermediate grey."""
TISSUE = 70
TUMOUR = 150


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse in mm, measured from the picture's top left corner (the outer corner of the first pixel).

    Attributes:
        x_mm: centre, across.
        y_mm: centre, down.
        a_mm: first semi-axis.
        b_mm: second semi-axis.
        angle: angle between the first semi-axis and the direction of the columns, radians.
    """

    x_mm: float
    y_mm: float
    a_mm: float
    b_mm: float
    angle: float = 0.0

    @property
    def area_mm2(self) -> float:
        """Exact area, mm²."""
        return math.pi * self.a_mm * self.b_mm

    def raster(self, rows: int, cols: int, spacing: PixelSpacing) -> Mask:
        """Pixels whose centre is inside, (rows, cols) uint8 0/1; the area is right on average over all positions."""
        inside: Mask = (self.coverage(rows, cols, spacing, subsamples=1) > 0).astype(np.uint8)
        return inside

    def coverage(
        self, rows: int, cols: int, spacing: PixelSpacing, subsamples: int = SUBSAMPLES
    ) -> NDArray[np.float32]:
        """Share of each pixel that is inside the ellipse, (rows, cols) float32 in 0..1."""
        covered = np.zeros((rows, cols), np.float32)
        reach = max(self.a_mm, self.b_mm)
        y0, y1 = _window(self.y_mm, reach, spacing.row_mm, rows)
        x0, x1 = _window(self.x_mm, reach, spacing.col_mm, cols)
        if y1 <= y0 or x1 <= x0:
            return covered
        y = _centres(y0, y1, subsamples) * spacing.row_mm - self.y_mm
        x = _centres(x0, x1, subsamples) * spacing.col_mm - self.x_mm
        u = x[None] * math.cos(self.angle) + y[:, None] * math.sin(self.angle)
        v = y[:, None] * math.cos(self.angle) - x[None] * math.sin(self.angle)
        inside = (u / self.a_mm) ** 2 + (v / self.b_mm) ** 2 <= 1
        blocks = inside.reshape(y1 - y0, subsamples, x1 - x0, subsamples)
        covered[y0:y1, x0:x1] = blocks.mean(axis=(1, 3))
        return covered


def _window(centre_mm: float, reach_mm: float, spacing_mm: float, size: int) -> tuple[int, int]:
    """The pixels along one axis that the shape can reach."""
    low = math.floor((centre_mm - reach_mm) / spacing_mm)
    high = math.ceil((centre_mm + reach_mm) / spacing_mm)
    return max(0, low), min(size, high)


def _centres(start: int, stop: int, subsamples: int) -> NDArray[np.float64]:
    """Sub-pixel centres of pixels start..stop, in pixels from the outer edge."""
    return start + (np.arange((stop - start) * subsamples) + 0.5) / subsamples


class PhantomSource(Recorded):
    """A tumour-like ellipse that moves and breathes inside a sector.

    Args:
        rows: picture height.
        cols: picture width.
        spacing_mm: (row, col) mm per pixel; None for a source that hides its scale.
        count: frames until the motion repeats.
        fps: frames per second.
        speckle: standard deviation of the multiplicative noise; 0 for exact grey levels.
        typed: the user's own spacing.
    """

    def __init__(
        self,
        rows: int = 512,
        cols: int = 512,
        spacing_mm: tuple[float, float] | None = (0.15, 0.15),
        count: int = 240,
        fps: float = 30.0,
        speckle: float = 0.0,
        typed: PixelSpacing | None = None,
    ) -> None:
        self._true_spacing = PixelSpacing(*(spacing_mm or (0.15, 0.15)), Provenance.EXACT)
        self._count = count
        self._speckle = speckle
        self._sector = _sector(rows, cols)
        info = SourceInfo(
            origin=Origin("phantom", View.NATIVE, simulated=True),
            rows=rows,
            cols=cols,
            spacing=None if spacing_mm is None else self._true_spacing,
            no_spacing_reason="" if spacing_mm else "This phantom hides its scale: calibrate it.",
            levels=(0.0, 255.0),
            fps=fps,
        )
        super().__init__(info, typed)

    def __len__(self) -> int:
        """Number of frames."""
        return self._count

    def shape(self, index: int) -> Ellipse:
        """The ellipse in frame `index`; its area is the truth."""
        phase = 2 * math.pi * index / self._count
        height, width = self.info.rows * self._true_spacing.row_mm, self.info.cols * self._true_spacing.col_mm
        size = 0.12 * min(height, width) * (0.6 - 0.4 * math.cos(phase))
        return Ellipse(
            x_mm=width * (0.5 + 0.08 * math.sin(phase)),
            y_mm=height * (0.55 + 0.06 * math.cos(2 * phase)),
            a_mm=1.3 * size,
            b_mm=size,
            angle=0.5 + 0.3 * math.sin(phase),
        )

    def truth(self, index: int) -> Mask:
        """Pixels whose centre is inside the ellipse, (rows, cols) uint8 0/1."""
        return self.shape(index).raster(self.info.rows, self.info.cols, self._true_spacing)

    def _pixels(self, index: int) -> NDArray[np.uint8]:
        covered = self.shape(index).coverage(self.info.rows, self.info.cols, self._true_spacing)
        grey = TISSUE + (TUMOUR - TISSUE) * covered
        if self._speckle:
            noise = np.random.default_rng(index).standard_normal(grey.shape, np.float32)
            grey = grey * (1 + self._speckle * noise)
        return np.clip(np.rint(grey), 1, 255).astype(np.uint8) * self._sector


def _sector(rows: int, cols: int) -> Mask:
    """Mask that is 1 inside the fan."""
    depth, side = fan(rows, cols)
    inside: NDArray[np.bool_] = (np.abs(side) < 1) & (depth > 0) & (depth < 1)
    return inside.view(np.uint8)


def fan(rows: int, cols: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Position of each pixel in the phantom's fan, whose apex is above the picture.

    Returns:
        (rows, cols) float32 each: depth, 0 at the probe face and 1 at the far end; side, -1 at the left edge and 1 at
        the right one. Both continue outside the fan.
    """
    y, x = np.mgrid[:rows, :cols].astype(np.float32)
    down, across = y + 0.25 * rows, x - (cols - 1) / 2
    depth = (np.hypot(down, across) / rows - 0.32) / 0.9
    return depth.astype(np.float32), (np.arctan2(across, down) / 0.6).astype(np.float32)
