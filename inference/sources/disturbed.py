"""The phantom as a live signal on a scanner's screen, which can be disturbed while it runs: a public fake source.

    source = DisturbedSource()
    source.disturb(lifted)       from the next picture on
    source.disturb()             a good picture again
    source.unplug()              no picture any more, until plug()

It is a `Live` source in every respect: its BGR screens take the same path as a grabber's pictures. It states its scale,
as an OpenIGTLink stream would, unless told otherwise. From the command line: simulated:?disturb=lifted,depth&at=3.
"""

import threading
from dataclasses import replace
from functools import cache, partial
from time import monotonic
from urllib.parse import parse_qs

import cv2
import numpy as np

from inference.errors import ChoiceError, SourceError
from inference.source_info import SourceInfo
from inference.sources.colour import colour_map
from inference.sources.disturbances import NAMED, PSF, Colours, Disturbance, Screen, disturb, drawn
from inference.sources.live import Connection, Live, Picture
from inference.sources.pixels import grey
from inference.sources.simulated import PhantomSource, fan
from inference.spacing import REMEDY, PixelSpacing

LOOP = 24
"""Number of moments drawn once and then repeated."""
SPECKLE = 0.35
MARGIN = 20
"""Margin above and below the sector, and half the margin at its sides, pixels."""
NO_SCALE = f"This screen does not say how large a pixel is: {REMEDY}."


class DisturbedSource(Live):
    """A phantom's sector, live on a screen with clock, depth text and ruler.

    Args:
        rows: height of the screen, pixels.
        cols: width of the screen, pixels.
        fps: pictures per second.
        stated: whether the signal states its scale.
        disturbances: in force from the first picture on.
        typed: the user's own scale.
    """

    def __init__(
        self,
        rows: int = 480,
        cols: int = 640,
        *,
        fps: float = 25.0,
        stated: bool = True,
        disturbances: tuple[Disturbance, ...] = (),
        typed: PixelSpacing | None = None,
    ) -> None:
        self._screens = screens(rows, cols)
        self._fps, self._spacing = fps, PhantomSource(rows=1, cols=1).info.spacing if stated else None
        self._disturbances = disturbances
        self._shown, self._pulled = 0, threading.Event()
        self.disturbed_at: float | None = None
        """`time.monotonic()` seconds of the first picture with the present disturbances; None before it."""
        super().__init__("phantom, live", typed)

    @classmethod
    def parse(cls, query: str, typed: PixelSpacing | None = None) -> "DisturbedSource":
        """Build one from the text after the question mark: disturb=NAME[,NAME…] and at=SECONDS.

        Raises:
            ChoiceError: if there is no such disturbance, or the time is not a number.
        """
        given = parse_qs(query)
        names = [name for text in given.get("disturb", []) for name in text.split(",")]
        try:
            wanted = tuple(NAMED[name]() for name in names)
            after_s = float(given.get("at", ["0"])[0])
        except KeyError as error:
            raise ChoiceError(f"There is no disturbance {error}: choose of {', '.join(NAMED)}.") from error
        except ValueError as error:
            raise ChoiceError("The time at which it is disturbed is no number: give at=SECONDS.") from error
        source = cls(typed=typed)
        later = threading.Timer(after_s, partial(source.disturb, *wanted))
        later.daemon = True
        later.start()
        return source

    def disturb(self, *disturbances: Disturbance) -> None:
        """Disturb the screen like this from the next picture on; without arguments the picture is good again."""
        self.disturbed_at = None
        self._disturbances = disturbances

    def unplug(self) -> None:
        """Simulate the loss of the device."""
        self._pulled.set()

    def plug(self) -> None:
        """Simulate that the device is back."""
        self._pulled.clear()

    def _connect(self) -> Connection:
        if self._pulled.is_set():
            raise SourceError("The simulated device is unplugged: plug it in.")
        return _Cable(self)

    def _describe(self, picture: Picture) -> SourceInfo:
        info = super()._describe(picture)
        return replace(info, origin=replace(info.origin, simulated=True))

    def _next(self) -> Picture | None:
        """The picture that is due; None after unplugging or closing."""
        if self._closed.wait(1 / self._fps) or self._pulled.is_set():
            return None
        disturbances = self._disturbances
        self._shown += 1
        screen = replace(self._screens[self._shown % LOOP], index=self._shown)
        disturbed = disturb(screen, *disturbances)
        picture = drawn(disturbed)
        if disturbances is self._disturbances and self.disturbed_at is None:
            self.disturbed_at = monotonic()
        reason = "" if self._spacing else NO_SCALE
        colour = colour_map(picture, order="BGR")
        return Picture(grey(picture), self._spacing, reason, colour, damaged=disturbed.damaged)


class _Cable:
    def __init__(self, source: DisturbedSource) -> None:
        self._source = source

    def read(self) -> Picture | None:
        """The next picture."""
        return self._source._next()

    def close(self) -> None:
        """There is nothing to free."""


@cache
def screens(rows: int, cols: int, count: int = LOOP) -> tuple[Screen, ...]:
    """Undisturbed screens, one per moment: the phantom with living speckle, and room for text around it.

    Args:
        rows: height of the screen, pixels.
        cols: width of the screen, pixels.
        count: number of moments until the motion repeats.
    """
    inner = (rows - 2 * MARGIN, cols - 4 * MARGIN)
    phantom = PhantomSource(*inner, count=count, speckle=SPECKLE)
    depth, side = fan(*inner)
    placed = ((MARGIN, MARGIN), (2 * MARGIN, 2 * MARGIN))
    depth = np.pad(np.where((np.abs(side) < 1) & (depth < 1), depth, -1), placed, constant_values=-1)
    side = np.pad(side, placed)
    return tuple(
        Screen(np.pad(_picture(phantom, index), (*placed, (0, 0))), depth, side, index) for index in range(count)
    )


def _picture(phantom: PhantomSource, index: int) -> Colours:
    """One moment, as sharp as an echo and exactly black outside the sector."""
    sharp = np.asarray(phantom.read(index).pixels, np.uint8)
    echoes = np.where(sharp > 0, np.maximum(cv2.GaussianBlur(sharp, (0, 0), PSF), 1), 0).astype(np.uint8)
    return np.repeat(echoes[..., None], 3, axis=2)
