"""Compares the scanner's depth text and ruler with what they were when the scale was given.

The text lies outside the sector, so frames no longer show it. A live source therefore compares its pictures before they
are blackened, and its frames carry only the time since when the depth has been different.
"""

import threading
from contextlib import suppress

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.alarms import Alarm, Finding
from inference.crop import Rect
from inference.errors import SpacingError
from inference.frame import Frame, Pixels

BLOCK = 4
"""Side of the patch over which a change is averaged, pixels: a digit's stroke fills one, codec noise does not."""
CHANGED = 0.09
"""Mean change of a patch, as a share of full white. Still screens with living speckle reach 0.07 in H.264 at CRF 30 and
0.03 in Motion JPEG; one digit of 8 px height changes by 0.10 or more. A worse codec may void a good scale, but never
keeps a bad one."""
CONTRAST = 0.25
"""A region whose greys span less than this share of white shows neither text nor ruler."""
BLANK = "The marked region shows neither text nor ruler: mark the scanner's depth text, and its ruler."
UNMARKED = "Nothing is marked that could be watched: mark the scanner's depth text, and its ruler."


class DepthGuard:
    """Compares the watched regions with the picture on which they were marked; once it has fired, it stays fired.

    A new scale needs a new guard, whose reference is what is marked at that time.

    Args:
        reference: (rows, cols), the whole picture as the scanner drew it, with text and ruler.
        regions: where depth text and ruler stand; a change of any one is a change.

    Raises:
        SpacingError: if there is no region, or one that lies outside the picture or shows nothing that could change.
    """

    def __init__(self, reference: Pixels, *regions: Rect) -> None:
        if not regions:
            raise SpacingError(UNMARKED)
        if not all(region.fits(*reference.shape) for region in regions):
            raise SpacingError("The marked region lies outside the picture: mark the depth text and ruler again.")
        self._regions, self._shape = regions, reference.shape
        self._white = 255.0 if reference.dtype == np.uint8 else max(1e-9, float(reference.max()))
        self._references = [self._greys(reference, region) for region in regions]
        if any(float(np.ptp(shown)) < CONTRAST for shown in self._references):
            raise SpacingError(BLANK)
        self._since: float | None = None

    def look(self, frame: Frame) -> Finding | None:
        """The verdict on a frame that still shows text and ruler."""
        return self.compare(frame.pixels, frame.captured_at)

    def compare(self, pixels: Pixels, at: float) -> Finding | None:
        """The verdict on a whole picture that came at `at`, `time.monotonic()` seconds."""
        if self._since is None and self.change(pixels) > CHANGED:
            self._since = at
        return None if self._since is None else Finding(Alarm.DEPTH, self._since, Alarm.DEPTH.sentence)

    def change(self, pixels: Pixels) -> float:
        """The largest change of any patch, as a share of full white; 1 for a picture of another size."""
        if pixels.shape != self._shape:
            return 1.0
        return max(
            float(cv2.blur(cv2.absdiff(self._greys(pixels, region), before), (BLOCK, BLOCK)).max())
            for region, before in zip(self._regions, self._references, strict=True)
        )

    def renewed(self, pixels: Pixels) -> "DepthGuard":
        """A guard of the same regions with this whole picture as its reference.

        Raises:
            SpacingError: if one of them shows nothing there.
        """
        return DepthGuard(pixels, *self._regions)

    def _greys(self, pixels: Pixels, region: Rect) -> NDArray[np.float32]:
        # Blurred first, so that a stroke that a codec moved by a fraction of a pixel hardly counts as a change.
        share = pixels[region.where].astype(np.float32) / np.float32(self._white)
        return cv2.GaussianBlur(share, (3, 3), 0).astype(np.float32)


class DepthWatch:
    """The depth guard of a running source, and its newest whole picture. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guard: DepthGuard | None = None
        self._whole: Pixels | None = None
        self._fired: Finding | None = None

    @property
    def whole(self) -> Pixels | None:
        """The newest whole picture; None before the first."""
        return self._whole

    @property
    def guarding(self) -> bool:
        """Whether something is watched and has not changed."""
        return self._guard is not None and self._fired is None

    @property
    def fired(self) -> Finding | None:
        """What was found in the picture that was looked at last; None if it was unchanged."""
        return self._fired

    def guard(self, guard: DepthGuard | None) -> None:
        """Use this guard from the next picture on; None watches nothing."""
        with self._lock:
            self._guard, self._fired = guard, None

    def renew(self) -> None:
        """After a change: take the newest picture as reference, or watch nothing if it shows neither text nor ruler."""
        with self._lock:
            fired, guard, whole = self._fired, self._guard, self._whole
            if fired is None or guard is None or whole is None:
                return
            self._guard = self._fired = None
            with suppress(SpacingError):
                self._guard = guard.renewed(whole)

    def look(self, pixels: Pixels, at: float) -> Finding | None:
        """Keep this whole picture as the newest one, and compare it."""
        with self._lock:
            self._whole = pixels
            self._fired = None if self._guard is None else self._guard.compare(pixels, at)
            return self._fired


def may_measure(*, captured: bool, own_scale: bool, watched: bool) -> bool:
    """Whether mm² may be shown.

    Args:
        captured: the picture comes from a live source.
        own_scale: the signal itself states its scale with every picture.
        watched: a depth guard covers the scanner's depth text and ruler, and has not fired.
    """
    return not captured or own_scale or watched
