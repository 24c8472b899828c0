"""What goes wrong on a scanner's screen, as functions that can be combined: for tests and demonstrations.

    screen = disturb(clean_screen(), lifted, depth("9.0 cm"))

Each takes a `Screen` and returns a new one; none changes its input.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Colours: TypeAlias = NDArray[Any]
"""(rows, cols, 3) uint8, BGR."""
FONT = cv2.FONT_HERSHEY_SIMPLEX
PSF = 1.0
"""Standard deviation of the point spread function, pixels; an echo is never as sharp as a stroke of text."""
WHITE = (230, 230, 230)


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """A scanner's screen at one moment.

    Attributes:
        picture: (rows, cols, 3) uint8, BGR: the sector without the text around it.
        depth: (rows, cols) float32: depth below the probe face as a share of the sector's; negative outside the sector.
        side: (rows, cols) float32: -1 at the sector's left edge, 1 at its right edge.
        index: number of the moment, from 0; the screen's clock shows it.
        depth_text: text at the top right.
        tick_px: pixels between two marks of the ruler.
        damaged: whether parts of it were lost on the way here.
    """

    picture: Colours
    depth: NDArray[Any]
    side: NDArray[Any]
    index: int
    depth_text: str = "8.0 cm"
    tick_px: int = 40
    damaged: bool = False

    @property
    def inside(self) -> NDArray[Any]:
        """(rows, cols) bool: True inside the sector."""
        return self.depth >= 0


Disturbance: TypeAlias = Callable[[Screen], Screen]


def black(screen: Screen) -> Screen:
    """A scanner that sends only its text."""
    return replace(screen, picture=np.zeros_like(screen.picture))


def no_signal(screen: Screen) -> Screen:
    """The blue picture of a grabber whose input is not connected."""
    return replace(screen, picture=np.full_like(screen.picture, (200, 30, 10)), depth_text="", tick_px=0)


def lifted(screen: Screen) -> Screen:
    """The probe in air: bright reverberation rings that die away, and no tissue."""
    rings = np.where(screen.inside, _rings(screen), 0).astype(np.uint8)
    return replace(screen, picture=np.repeat(rings[..., None], 3, axis=2))


def noisy(screen: Screen) -> Screen:
    """The scanner's own noise, which its gain amplifies with depth."""
    random = np.random.default_rng(screen.index)
    noise = 18 * np.clip(screen.depth, 0, 1) * random.rayleigh(1.0, screen.depth.shape)
    added = np.clip(screen.picture + noise[..., None], 0, 255)
    return replace(screen, picture=np.where(screen.inside[..., None], added, screen.picture).astype(np.uint8))


def partial_contact(screen: Screen, share: float = 0.4) -> Screen:
    """Air under the right `share` of the probe face, tissue under the rest."""
    air = screen.inside & (screen.side > 1 - 2 * share)
    return replace(screen, picture=np.where(air[..., None], _rings(screen)[..., None], screen.picture).astype(np.uint8))


def _rings(screen: Screen) -> NDArray[Any]:
    """(rows, cols) uint8: a ring every 8 % of the depth, each half as bright as the previous one."""
    phase = np.maximum(screen.depth, 0) / 0.08
    shine = 235 * np.exp2(-phase) * (0.35 + 0.65 * np.cos(np.pi * phase) ** 2)
    noise = 1 + 0.08 * np.random.default_rng(screen.index).standard_normal(shine.shape, np.float32)
    rings: NDArray[Any] = np.clip(shine * noise, 1, 255).astype(np.uint8)
    return rings


def cavity(screen: Screen, filled: str = "saline") -> Screen:
    """A resection cavity, dark with saline or bright with clot, brighter tissue below. Anatomy, so no guard fires."""
    hole = ((screen.side + 0.35) / 0.3) ** 2 + ((screen.depth - 0.35) / 0.17) ** 2 < 1
    below = (np.abs(screen.side + 0.35) < 0.28) & (screen.depth > 0.5)
    grey = 4 if filled == "saline" else 150
    random = np.random.default_rng(screen.index)
    speckle = cv2.GaussianBlur(random.rayleigh(0.8, hole.shape).astype(np.float32), (0, 0), PSF)
    content = np.clip(grey * speckle, 1, 255)[..., None]
    enhanced = np.where(below[..., None], np.minimum(screen.picture * 1.4, 255), screen.picture)
    return replace(screen, picture=np.where(hole[..., None], content, enhanced).astype(np.uint8))


def clot(screen: Screen) -> Screen:
    """The cavity filled with clot."""
    return cavity(screen, "clot")


def smeared(screen: Screen) -> Screen:
    """Packets lost on the network: a decoder goes on with what it has, a little further each time."""
    picture, rows = screen.picture.copy(), len(screen.picture)
    middle = slice(rows // 3, 2 * rows // 3)
    picture[middle] = np.roll(picture[middle], 24 + screen.index % 16, axis=1)
    return replace(screen, picture=picture, damaged=True)


def doppler(screen: Screen) -> Screen:
    """Red and blue vessels in the middle of the sector."""
    picture = screen.picture.copy()
    for depth, side, colour in ((0.45, -0.2, (30, 40, 210)), (0.6, 0.15, (220, 70, 30)), (0.5, 0.3, (20, 120, 230))):
        vessel = ((screen.side - side) / 0.12) ** 2 + ((screen.depth - depth) / 0.04) ** 2 < 1
        picture[vessel & screen.inside] = colour
    return replace(screen, picture=picture)


def elastography(screen: Screen) -> Screen:
    """A half-transparent stiffness map over a box."""
    box = (np.abs(screen.side) < 0.5) & (screen.depth > 0.3) & (screen.depth < 0.8)
    stiffness = np.clip(255 * (screen.depth - 0.3) / 0.5, 0, 255).astype(np.uint8)
    blended = cv2.addWeighted(screen.picture, 0.5, cv2.applyColorMap(stiffness, cv2.COLORMAP_JET), 0.5, 0)
    return replace(screen, picture=np.where(box[..., None], blended, screen.picture))


def tinted(screen: Screen) -> Screen:
    """The whole picture in sepia, as scanners offer it; no guard fires."""
    return replace(screen, picture=(screen.picture * np.array((0.55, 0.8, 1.0))).astype(np.uint8))


def two_panes(screen: Screen) -> Screen:
    """The scanner's compare view: the sector twice, side by side."""
    rows, cols = screen.picture.shape[:2]
    half = cv2.resize(screen.picture, (cols // 2, rows // 2), interpolation=cv2.INTER_AREA)
    picture = np.zeros_like(screen.picture)
    top = rows // 4
    for left in (0, cols - cols // 2):
        picture[top : top + rows // 2, left : left + cols // 2] = half
    return replace(screen, picture=picture)


def calipers(screen: Screen) -> Screen:
    """Two crosses with a dotted line between them, in the sector."""
    picture = screen.picture.copy()
    rows, cols = picture.shape[:2]
    ends = [(int(0.3 * cols), int(0.6 * rows)), (int(0.4 * cols), int(0.75 * rows))]
    for end in ends:
        cv2.drawMarker(picture, end, (250, 250, 250), cv2.MARKER_CROSS, 11, 1)
    for share in np.linspace(0, 1, 20)[1:-1]:
        x, y = (round(a + share * (b - a)) for a, b in zip(*ends, strict=True))
        picture[y, x] = 250
    return replace(screen, picture=picture)


def writing(screen: Screen) -> Screen:
    """A word written over the tissue."""
    rows, cols = screen.picture.shape[:2]
    at = (int(0.32 * cols), int(0.8 * rows))
    written = cv2.putText(screen.picture.copy(), "LESION", at, FONT, 0.5, (250, 250, 250), 1, cv2.LINE_AA)
    return replace(screen, picture=written)


def depth(text: str) -> Disturbance:
    """Another depth text; the picture stays the same."""
    return lambda screen: replace(screen, depth_text=text)


def ruler(tick_px: int) -> Disturbance:
    """Another ruler below the same text, as after a zoom."""
    return lambda screen: replace(screen, tick_px=tick_px)


def frozen() -> Disturbance:
    """The sector stays as at the first moment while the clock runs on."""
    kept: list[Screen] = []

    def still(screen: Screen) -> Screen:
        if not kept:
            kept.append(screen)
        return replace(screen, picture=kept[0].picture)

    return still


def larger(screen: Screen) -> Screen:
    """The signal switches to a picture 1.5 times as large."""
    size = tuple(side * 3 // 2 for side in screen.picture.shape[1::-1])
    grown = [cv2.resize(layer, size) for layer in (screen.picture, screen.depth, screen.side)]
    return replace(screen, picture=grown[0], depth=grown[1], side=grown[2])


NAMED: dict[str, Callable[[], Disturbance]] = {
    "black": lambda: black,
    "no-signal": lambda: no_signal,
    "lifted": lambda: lifted,
    "noisy": lambda: noisy,
    "partial": lambda: partial_contact,
    "saline": lambda: cavity,
    "clot": lambda: clot,
    "smeared": lambda: smeared,
    "doppler": lambda: doppler,
    "elastography": lambda: elastography,
    "tinted": lambda: tinted,
    "panes": lambda: two_panes,
    "calipers": lambda: calipers,
    "writing": lambda: writing,
    "depth": lambda: depth("12 cm"),
    "ruler": lambda: ruler(34),
    "frozen": frozen,
    "larger": lambda: larger,
}
"""Disturbances by their command-line names."""


def disturb(screen: Screen, *disturbances: Disturbance) -> Screen:
    """Apply the disturbances one after another."""
    for each in disturbances:
        screen = each(screen)
    return screen


def drawn(screen: Screen) -> Colours:
    """(rows, cols, 3) uint8, BGR: the whole screen with clock, depth text and ruler, as a grabber receives it."""
    picture = screen.picture.copy()
    rows, cols = picture.shape[:2]
    size = max(0.35, rows / 1000)
    cv2.putText(picture, f"10:42:{screen.index % 6000 / 100:05.2f}", (4, 14), FONT, size, WHITE, 1, cv2.LINE_AA)
    cv2.putText(picture, screen.depth_text, (cols - 70, 14), FONT, size, WHITE, 1, cv2.LINE_AA)
    for row in range(30, rows - 10, screen.tick_px) if screen.tick_px else ():
        cv2.line(picture, (cols - 14, row), (cols - 5, row), WHITE, 1)
    return picture
