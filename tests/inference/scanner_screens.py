"""Screens drawn as scanners of several makers draw them, with a known scale: ruler, labels, depth, and other texts.

They imitate where things stand and how they look, from public pictures; no maker's software drew them. Their fonts are
others than those that `assets/glyphs.png` knows.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Font = tuple[str, int]
"""Name and weight: `hershey`, `bitmap`, or a name or file for `cv2.FontFace`."""
SANS, BOLD, STROKES, BITMAP = ("sans", 400), ("sans", 650), ("hershey", 1), ("bitmap", 1)


@dataclass(frozen=True)
class Style:
    """How a maker draws its screen; lengths are in mm on the picture or in pixels of a screen of 1280 × 960.

    Attributes:
        tick: distance between ticks, mm.
        longer: (every which mm, length in pixels) of longer ticks, the longest last.
        label: every which mm a number stands beside the ruler; 0 for none.
        unit: mm of the unit of labels and depth.
        depth: the depth's text, with {} for the number; empty for none.
        depth_at: (x, y) of that text as a share of the screen.
        whole: the ruler is drawn to whole ticks only, as every depth is not one.
    """

    name: str
    tick: float
    longer: tuple[tuple[float, int], ...]
    label: float = 0.0
    unit: float = 10.0
    depth: str = ""
    depth_at: tuple[float, float] = (0.02, 0.2)
    right: bool = True
    both: bool = False
    dots: bool = False
    line: bool = False
    short: int = 6
    font: Font = SANS
    size: int = 18
    ink: tuple[int, int, int] = (230, 230, 230)
    texts: tuple[tuple[str, float, float], ...] = ()
    shape: str = "curved"


STYLES = (
    Style("GE", 5, ((10, 12),), 50, 10, "D {} cm", (0.85, 0.3), font=BOLD,
          texts=(("FR 32", 0.85, 0.2), ("Gn 48", 0.85, 0.25), ("MI 1.1", 0.85, 0.06), ("1 L 2.10 cm", 0.02, 0.8))),
    Style("Philips", 10, ((50, 14),), 0, 10, "{}cm", (0.01, 0.16),
          texts=(("C5-1", 0.01, 0.08), ("28Hz", 0.01, 0.12), ("2D", 0.01, 0.24), ("Gn 60", 0.01, 0.28))),
    Style("BK", 1, ((5, 10), (10, 16)), 10, 10, "", ink=(120, 220, 240), size=16, shape="curved",
          texts=(("Res/Hz", 0.02, 0.2), ("B Gain 52 %", 0.02, 0.25), ("Freq. 9 MHz", 0.02, 0.3))),
    Style("Siemens", 10, ((50, 4),), 50, 10, "Depth {} cm", (0.8, 0.16), right=False, dots=True, short=2,
          texts=(("THI/H5.00", 0.8, 0.1), ("DR 65", 0.8, 0.13), ("2 dB", 0.8, 0.2))),
    Style("Canon", 5, ((10, 14),), 0, 10, "{}cm", (0.9, 0.93), line=True, font=STROKES, size=16,
          texts=(("T:0.4", 0.02, 0.1), ("DR:65", 0.02, 0.15), ("Dist 3.42 cm", 0.02, 0.8))),
    Style("SonoSite", 5, ((10, 14),), 0, 10, "{} cm", (0.88, 0.84), font=BOLD, shape="linear",
          texts=(("0.30cm", 0.02, 0.12), ("MI: 0.2", 0.15, 0.95), ("DR: 0", 0.9, 0.93))),
    Style("Butterfly", 2, ((10, 8),), 10, 10, "", size=14, ink=(150, 150, 150), shape="linear",
          texts=(("TIS: 0.01, MI: 0.18", 0.4, 0.02),)),
    Style("Clarius", 2, ((10, 3), (50, 4)), 0, 10, "{} cm", (0.7, 0.95), dots=True, short=1, shape="linear"),
    Style("Sonoque", 5, ((10, 12),), 10, 1, "D: {}mm", (0.05, 0.15), right=False, line=True, size=15, shape="linear",
          texts=(("GN: 70dB", 0.05, 0.1), ("F: H10.0MHz", 0.05, 0.22), ("48/48", 0.9, 0.95))),
    Style("Aloka", 10, ((50, 14),), 0, 10, "{}cm", (0.02, 0.3), right=False, font=BITMAP, size=14, ink=(40, 240, 40),
          texts=(("R15 G66", 0.1, 0.96), ("20HZ", 0.4, 0.05))),
    Style("Mindray", 10, ((50, 12),), 50, 10, "D {}", (0.85, 0.2), both=True,
          texts=(("F 8.5", 0.85, 0.15), ("G 56", 0.85, 0.25))),
)  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """A style at one depth, as it reaches the computer.

    Attributes:
        depth_mm: depth of the picture.
        scale: size of the screen, as a share of 1280 × 960.
        quality: of JPEG, 100 for none.
    """

    style: Style
    depth_mm: float
    scale: float = 1.0
    quality: int = 100
    seed: int = 0


@dataclass
class Drawn:
    """A screen (rows, cols, 3) uint8 in BGR order, and the mm of a pixel."""

    picture: NDArray[np.uint8]
    mm: float
    notes: list[str] = field(default_factory=list)


ROWS, COLS, TOP, BOTTOM = 960, 1280, 90, 860


def draw(shot: Shot) -> Drawn:
    """Draw the screen and bring it to the computer."""
    style, rng = shot.style, np.random.default_rng(shot.seed)
    paper = np.zeros((ROWS, COLS, 3), np.uint8)
    px = (BOTTOM - TOP) / shot.depth_mm
    left, right = _sector(paper, style.shape, rng)
    for side in {style.right, True} if style.both else {style.right}:
        _ruler(paper, style, px, shot.depth_mm, right + 60 if side else max(60, left - 60), side)
    if style.depth:
        number = shot.depth_mm / style.unit
        text = style.depth.format(f"{number:.1f}" if number % 1 else f"{number:.0f}")
        write(paper, text, round(style.depth_at[0] * COLS), round(style.depth_at[1] * ROWS), style)
    for text, x, y in style.texts:
        write(paper, text, round(x * COLS), round(y * ROWS), style)
    if shot.scale != 1:
        how = cv2.INTER_AREA if shot.scale < 1 else cv2.INTER_LINEAR
        paper = cv2.resize(paper, None, fx=shot.scale, fy=shot.scale, interpolation=how)
    if shot.quality < 100:
        paper = cv2.imdecode(cv2.imencode(".jpg", paper, [cv2.IMWRITE_JPEG_QUALITY, shot.quality])[1], cv2.IMREAD_COLOR)
    return Drawn(paper, 1 / (px * shot.scale))


def _sector(paper: NDArray[np.uint8], shape: str, rng: np.random.Generator) -> tuple[int, int]:
    """Speckle in the shape of a probe's picture; gives its left and right end."""
    speckle = cv2.GaussianBlur(rng.rayleigh(60, (ROWS, COLS)).astype(np.float32), (5, 3), 0)
    inside = np.zeros((ROWS, COLS), np.uint8)
    if shape == "linear":
        left, right = 400, 880
        inside[TOP:BOTTOM, left:right] = 1
    else:
        apex, inner = (COLS // 2, TOP - 140), 140
        cv2.ellipse(inside, apex, (BOTTOM - apex[1],) * 2, 0, 55, 125, 1, -1)
        cv2.ellipse(inside, apex, (inner,) * 2, 0, 0, 360, 0, -1)
        columns = np.flatnonzero(inside.any(axis=0))
        left, right = int(columns[0]), int(columns[-1])
    depth = np.linspace(1, 0.5, ROWS)[:, None]
    paper[:] = (np.clip(speckle * depth, 14, 255) * inside).astype(np.uint8)[..., None]
    return left, right


def _ruler(paper: NDArray[np.uint8], style: Style, px: float, depth_mm: float, x: int, right: bool) -> None:
    if style.line:
        cv2.line(paper, (x, TOP), (x, BOTTOM), style.ink)
    for k in range(int(depth_mm / style.tick + 1e-6) + 1):
        mm = k * style.tick
        y = round(TOP + mm * px)
        length = next((size for every, size in reversed(style.longer) if mm % every == 0), style.short)
        if style.dots:
            cv2.circle(paper, (x, y), length, style.ink, -1)
        else:
            cv2.line(paper, (x, y), (x - length if right else x + length, y), style.ink, 1 + (length > 12))
        if style.label and mm and mm % style.label == 0:
            at = x + 8 if right else x + 22 if style.short > 2 else x + 12
            write(paper, f"{mm / style.unit:g}", at, y, style)


def write(paper: NDArray[np.uint8], text: str, x: int, y: int, style: Style) -> None:
    """Write a text whose digits' middle is at row y, beginning at column x."""
    name, weight = style.font
    if name == "hershey":
        cv2.putText(
            paper, text, (x, y + style.size // 2), cv2.FONT_HERSHEY_TRIPLEX, style.size / 22, style.ink, 1, cv2.LINE_AA
        )
    elif name == "bitmap":
        _bitmap(paper, text, x, y - style.size // 2, style)
    else:
        # A font's size is that of its line; a digit takes seven tenths of it.
        cv2.putText(paper, text, (x, y + round(style.size * 0.36)), style.ink, _face(name), style.size, weight)


_FACES: dict[str, cv2.FontFace] = {}


def _face(name: str) -> cv2.FontFace:
    return _FACES.setdefault(name, cv2.FontFace(name))


DOTS = {
    "0": "01110 10001 10011 10101 11001 10001 01110", "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00010 00100 01000 11111", "3": "11111 00010 00100 00010 00001 10001 01110",
    "4": "00010 00110 01010 10010 11111 00010 00010", "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "00110 01000 10000 11110 10001 10001 01110", "7": "11111 00001 00010 00100 01000 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110", "9": "01110 10001 10001 01111 00001 00010 01100",
    ".": "00000 00000 00000 00000 00000 01100 01100", "c": "00000 00000 01110 10000 10000 10001 01110",
    "m": "00000 00000 11010 10101 10101 10001 10001", "R": "11110 10001 10001 11110 10100 10010 10001",
    "G": "01110 10001 10000 10111 10001 10001 01111", "H": "10001 10001 10001 11111 10001 10001 10001",
    "Z": "11111 00001 00010 00100 01000 10000 11111", "D": "11100 10010 10001 10001 10001 10010 11100",
}  # fmt: skip
"""The letters of character displays, 5 × 7 dots."""


def _bitmap(paper: NDArray[np.uint8], text: str, x: int, y: int, style: Style) -> None:
    dot = max(1, style.size // 7)
    for place, character in enumerate(text):
        for row, bits in enumerate(DOTS.get(character, "").split()):
            for column, bit in enumerate(bits):
                if bit == "1":
                    left, top = x + (6 * place + column) * dot, y + row * dot
                    paper[top : top + dot, left : left + dot] = style.ink


def shots(count: int, seed: int = 1, fonts: tuple[Font, ...] = ()) -> list[Shot]:
    """Screens of every style in turn, of random depth, size and quality; and font, if any are given."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        style = STYLES[number % len(STYLES)]
        if fonts and style.font[0] not in ("bitmap", "hershey"):
            style = replace(style, font=fonts[int(rng.integers(len(fonts)))])
        shallow = style.name in ("BK", "SonoSite", "Butterfly", "Clarius", "Sonoque")
        steps = (5, 10) if shallow else (10, 10, 5)
        step = steps[int(rng.integers(len(steps)))]
        depth = step * round(rng.uniform(*((25, 75) if shallow else (40, 190))) / step)
        scale = float(rng.choice([0.5, 0.625, 0.75, 1.0, 1.0, 1.5, 2.0]))
        found.append(Shot(style, float(depth), scale, int(rng.choice([100, 90, 75, 60])), int(rng.integers(1 << 30))))
    return found


def system_fonts() -> tuple[Font, ...]:
    """Fonts of this computer like those of scanners, and OpenCV's own."""
    folder = Path("/usr/share/fonts")
    names = ("NimbusSans-Regular.otf", "NimbusSans-Bold.otf", "Arial.ttf", "LiberationSans-Regular.ttf", "Verdana.ttf")
    files = [str(path) for name in names for path in folder.rglob(name)]
    return (SANS, BOLD, ("sans", 300), *((path, 400) for path in files))
