"""How the picture is looked at: zoom, place, brightness and contrast of the screen alone.

Nothing here reaches what is analysed, measured, recorded or exported.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.crop import Rect
from inference.ruler import Point

MOST = 8.0
"""Largest zoom: a pixel of a small picture is then some twenty of the screen."""
BRIGHTEST, CONTRASTS = 100, (0.4, 4.0)
"""Limits of brightness, grey levels of 255 either way, and of contrast."""
NEUTRAL_KEY = "N: as it came"


@dataclass(frozen=True, slots=True)
class Look:
    """The user's look at the picture.

    Attributes:
        zoom: 1 fits the sector to the window.
        centre: (x, y) in picture pixels, shown in the middle; None for the middle of the sector.
        brightness: grey levels of 255 that are added.
        contrast: by how much distances from middle grey are stretched.
    """

    zoom: float = 1.0
    centre: Point | None = None
    brightness: float = 0.0
    contrast: float = 1.0

    def zoomed(self, by: float, at: Point, centre: Point) -> "Look":
        """Zoom in or out; what is at `at` stays in its place.

        Args:
            by: factor.
            at: (x, y) in picture pixels.
            centre: what is in the middle now, (x, y) in picture pixels.
        """
        zoom = min(max(self.zoom * by, 1.0), MOST)
        by = zoom / self.zoom
        x, y = (there + (here - there) / by for here, there in zip(centre, at, strict=True))
        return replace(self, zoom=zoom, centre=None if zoom == 1.0 else (x, y))

    def moved(self, x: float, y: float, centre: Point) -> "Look":
        """Move what is shown by picture pixels; a sector that fits as a whole stays where it is.

        Args:
            x: to the right.
            y: downwards.
            centre: what is in the middle now, (x, y) in picture pixels.
        """
        return self if self.zoom == 1.0 else replace(self, centre=(centre[0] + x, centre[1] + y))

    def lighter(self, by: float) -> "Look":
        """More or less brightness, within limits."""
        return replace(self, brightness=min(max(self.brightness + by, -BRIGHTEST), BRIGHTEST))

    def sharper(self, by: float) -> "Look":
        """More or less contrast by a factor, within limits."""
        low, high = CONTRASTS
        contrast = min(max(self.contrast * by, low), high)
        return replace(self, contrast=1.0 if abs(contrast - 1) < 0.02 else contrast)

    @property
    def words(self) -> tuple[str, ...]:
        """What differs from the picture as it came; empty if nothing does."""
        toned = []
        if round(self.brightness):
            toned.append(f"brightness {round(self.brightness):+d}".replace("-", "\u2212"))
        if self.contrast != 1.0:
            toned.append(f"contrast {self.contrast:.1f}×")
        parts = [f"zoom {self.zoom:.1f}×"] if self.zoom > 1.0 else []
        parts += [f"{', '.join(toned)}: on screen only"] if toned else []
        return (*parts, NEUTRAL_KEY) if parts else ()

    @property
    def tones(self) -> NDArray[np.uint8] | None:
        """(256,) the grey level shown for each grey level; None for the levels as they came."""
        if not round(self.brightness) and self.contrast == 1.0:
            return None
        levels = (np.arange(256) - 127.5) * self.contrast + 127.5 + round(self.brightness)
        shown: NDArray[np.uint8] = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        shown[0] = 0  # what is not tissue stays black
        return shown

    def middle(self, box: Rect) -> Point:
        """The picture position in the middle of the view, such that the view never leaves the sector.

        Args:
            box: the sector's box, to which a zoom of 1 fits.
        """
        left, top = box.left - 0.5, box.top - 0.5
        x, y = (left + box.cols / 2, top + box.rows / 2) if self.centre is None else self.centre
        free = (1 - 1 / self.zoom) / 2
        return (
            _within(x, left + box.cols / 2, free * box.cols),
            _within(y, top + box.rows / 2, free * box.rows),
        )


def _within(value: float, middle: float, reach: float) -> float:
    return min(max(value, middle - reach), middle + reach)


AS_IT_CAME = Look()
