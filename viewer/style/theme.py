"""Colours, sizes and fonts. Dark for theatre light, distinguishable without red and green, WCAG AA for every text."""

from dataclasses import dataclass
from math import floor

from PySide6.QtCore import QSize
from PySide6.QtGui import QFont, QScreen

from inference.readout.marks import Ink, Line, Tone

LEAST = (1120, 680)
"""Least size of a window, px: what a 1366×768 laptop has beside any desktop's bars (Windows 11 leaves 689 rows)."""
FRAME = (16, 40)
"""What a window manager may add to a window, px."""
FAMILIES = ["Inter", "Noto Sans", "DejaVu Sans"]

BLACK = "#000000"
GROUND = "#0a0c0f"
PANEL = "#12161b"
RAISED = "#1a2028"
HOVER = "#232b35"
BORDER = "#2a323c"
TEXT = "#e8ecf1"
SOFT = "#b7c1cc"
MUTED = "#95a1ae"
FAINT = "#5c6672"
"""For what cannot be used now."""
CYAN = "#4cc9ff"
AMBER = "#ffc266"
GREY = "#aab4bf"
GREEN = "#7bd6a8"
BLUE = "#9ecbff"
BAND = "#7fa8d9"
TRUTH = "#ff8fd6"
RED = "#ff9c94"
GOLD = "#dcae58"
CORRECTED = "#c9a6ff"
CAVITY = "#e9f26b"


@dataclass(frozen=True, slots=True)
class ToneColours:
    """The colours of a card."""

    fill: str
    border: str
    title: str
    body: str
    number: str


TONES = {
    Tone.NEUTRAL: ToneColours("#181e25", "#2b343f", TEXT, SOFT, TEXT),
    Tone.NOTICE: ToneColours("#10202f", "#2f618f", "#b9dcff", "#a3cdf7", SOFT),
    Tone.WARNING: ToneColours("#2b2010", "#96702a", "#ffcf85", "#f2c680", AMBER),
    Tone.FAULT: ToneColours("#301416", "#96403f", "#ffb6b0", "#f6aca6", SOFT),
}
INKS = {
    Ink.MUTED: MUTED, Ink.GREY: GREY, Ink.GREEN: GREEN, Ink.BLUE: BLUE, Ink.RED: RED, Ink.AMBER: AMBER
}  # fmt: skip
LINES = {Line.SOLID: CYAN, Line.DASHED: AMBER, Line.DOTTED: GREY}


def least_on(screen: QScreen) -> QSize:
    """Least size of a window on this screen: `LEAST`, or what a small or much enlarged screen has room for."""
    return QSize(*LEAST).boundedTo(screen.availableSize() - QSize(*FRAME))


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes for one size of the window.

    At 1920×1080 the scale is 1.35: a touch target of 40 px becomes 54 px, which is 15 mm on a 24" screen, and the
    largest state text of 27 px becomes 36 px, 10 mm.

    Attributes:
        scale: 1 at 1280×800.
    """

    scale: float = 1.0

    @classmethod
    def for_window(cls, width: int, height: int) -> "Sizes":
        """The sizes for a window of this size; the scale is below 1 only where a whole screen is below `LEAST`."""
        share = min(width / LEAST[0], height / LEAST[1])
        return cls(max(1.0, round(min(width / 1280, height / 800), 2)) if share >= 1 else floor(100 * share) / 100)

    def px(self, size: float) -> int:
        """A length given for 1280×800, scaled."""
        return round(size * self.scale)

    def font(self, size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """A font with figures of equal width, so that changing numbers do not move."""
        font = QFont()
        font.setFamilies(FAMILIES)
        font.setPixelSize(self.px(size))
        font.setWeight(weight)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    @property
    def touch(self) -> int:
        """Side of the smallest touch target."""
        return self.px(40)
