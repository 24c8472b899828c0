"""A pair of PNGs for one outcome: the frame alone, and the frame with its contour above a caption."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import OutputError, legible
from inference.export.capture import Capture
from inference.export.words import caption
from inference.files import replacing
from inference.outcome import NothingFound, Region, SizeState, Tumour
from inference.safety import DEMONSTRATION
from inference.version import SOFTWARE

WIDTH = 480
"""A caption is at least this wide, pixels: a narrower picture gets a black margin on its right."""
SIZE, LINE, EDGE = 15, 22, 10
"""The caption's font size, line height and margin, pixels."""
PARTS = 16
"""Contours are drawn to a sixteenth of a pixel."""
CYAN, AMBER, GREY, TEXT, DARK = (255, 201, 76), (102, 194, 255), (191, 180, 170), (241, 236, 232), (15, 12, 10)
LEMON = (107, 242, 233)
"""The window's colours, as (blue, green, red)."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG: length, kind, data, checksum over both."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_AFTER_HEAD = 33
"""Bytes of a PNG's signature and its first chunk, IHDR."""
_SOFTWARE = _chunk(b"tEXt", b"Software\0" + SOFTWARE.encode())


@dataclass(frozen=True, slots=True)
class _Style:
    """A line's colour and its dash as (drawn, gap, ...) pixels; None for a solid line."""

    colour: tuple[int, int, int]
    dash: tuple[float, ...] | None


_STYLES = {
    None: _Style(GREY, (2.0, 4.0)),
    SizeState.ABOVE_200: _Style(CYAN, None),
    SizeState.AT_MOST_200: _Style(AMBER, (7.0, 4.0)),
    SizeState.AT_MOST_35: _Style(AMBER, (7.0, 4.0)),
}
"""As in the window: dashed if the region is too small or likely to be wrong, dotted if the scale is unknown."""
_CAVITY = _Style(LEMON, (9.0, 3.0, 2.0, 3.0))
"""As in the window: dash-dotted, in a colour and dashes that no tumour has."""


def write_pictures(capture: Capture, path: Path) -> tuple[Path, Path]:
    """Write both pictures, flipped as on the screen.

    Args:
        capture: the outcome.
        path: file for the plain frame, .png; the other one gets `_contour` after its name.

    Returns:
        The two files: plain, with contour and caption.

    Raises:
        OutputError: if a file cannot be written.
    """
    beside = path.with_name(f"{path.stem}_contour.png")
    for target, image in ((path, _turned(capture.pixels, capture.turned_over)), (beside, annotated(capture))):
        content = png(image)
        with replacing(target) as aside:
            aside.write_bytes(content)
    return path, beside


def png(image: NDArray[np.uint8]) -> bytes:
    """Encode a picture, grey or blue-green-red, as PNG that says which program made it (its section 11.3.3.2)."""
    done, content = cv2.imencode(".png", image)
    if not done:
        raise OutputError("The picture cannot be packed as PNG: capture another frame.")
    packed = content.tobytes()
    return packed[:_AFTER_HEAD] + _SOFTWARE + packed[_AFTER_HEAD:]


def annotated(capture: Capture, rows_of_text: int = 0) -> NDArray[np.uint8]:
    """The frame with its contour, flipped as on the screen, and the caption below.

    Args:
        capture: the outcome.
        rows_of_text: the room below is at least so many rows of text high.

    Returns:
        (rows + strip, cols or more, 3) uint8, blue-green-red.
    """
    picture = _turned(outlined(capture), capture.turned_over)
    rows, cols = picture.shape[:2]
    strip = _strip(_lines(capture), max(cols, WIDTH), rows_of_text)
    canvas = np.zeros((rows + len(strip), strip.shape[1], 3), np.uint8)
    canvas[:rows, :cols] = picture
    canvas[rows:] = strip
    return canvas


def text_rows(capture: Capture) -> int:
    """How many rows of text the caption below the frame takes."""
    return len(_rows(_lines(capture), max(capture.pixels.shape[1], WIDTH)))


def outlined(capture: Capture) -> NDArray[np.uint8]:
    """The frame with its contour, (rows, cols, 3) uint8, blue-green-red."""
    picture = np.ascontiguousarray(np.repeat(capture.pixels[..., None], 3, axis=2))
    outcome = capture.outcome
    if isinstance(outcome, Tumour | NothingFound) and outcome.cavity is not None:
        _draw(picture, outcome.cavity.outlines, _CAVITY)
    if isinstance(outcome, Tumour):
        for region in outcome.regions:
            _draw(picture, region.contours, _style(region, outcome))
    return picture


def _turned(picture: NDArray[np.uint8], turned_over: tuple[bool, bool]) -> NDArray[np.uint8]:
    left_right, up_down = turned_over
    rows, cols = slice(None, None, -1 if up_down else 1), slice(None, None, -1 if left_right else 1)
    return np.ascontiguousarray(picture[rows, cols])


def _flip_words(turned_over: tuple[bool, bool]) -> tuple[str, ...]:
    ways = [way for way, on in zip(("left-right", "up-down"), turned_over, strict=True) if on]
    return (f"FLIPPED {', '.join(ways)} as on the screen.",) if ways else ()


def _style(region: Region, tumour: Tumour) -> _Style:
    """Each region's by its size, but all of a contour that the model foretells to fail as of a small one."""
    small = tumour.likely_to_fail and region.size is not None
    return _STYLES[SizeState.AT_MOST_200 if small else region.size]


def _draw(picture: NDArray[np.uint8], contours: tuple[NDArray[np.float32], ...], style: _Style) -> None:
    """Draw a dark rim, which keeps the line visible on bright tissue, then the line."""
    pieces = [piece for contour in contours for piece in _pieces(contour, style.dash)]
    whole = style.dash is None
    for colour, width in (((0, 0, 0), 3), (style.colour, 1)):
        cv2.polylines(picture, pieces, whole, colour, width, cv2.LINE_AA, PARTS.bit_length() - 1)


def _pieces(contour: NDArray[np.float32], dash: tuple[float, ...] | None) -> list[NDArray[np.int32]]:
    """A contour in sixteenths of a pixel: in one piece, or cut into dashes."""
    if dash is None or len(contour) < 2:
        return [_fixed(contour)]
    closed = np.concatenate([contour, contour[:1]]).astype(np.float64)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    pieces = []
    starts = np.cumsum([0.0, *dash])[:-1:2]
    for round_ in np.arange(0.0, along[-1], sum(dash)):
        for start, drawn in zip(round_ + starts, dash[::2], strict=True):
            if start >= along[-1]:
                break
            at = np.linspace(start, min(start + drawn, along[-1]), 8)
            pieces.append(_fixed(np.column_stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)])))
    return pieces


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    fixed: NDArray[np.int32] = np.rint(points * PARTS).astype(np.int32)
    return fixed


def _lines(capture: Capture) -> tuple[str, ...]:
    return (*_flip_words(capture.turned_over), *caption(capture))


def _rows(lines: tuple[str, ...], width: int) -> list[tuple[str, str]]:
    """Each row of the wrapped caption, after the line that it belongs to."""
    font = cv2.FontFace("sans")  # which ends the program where it meets what is no letter
    return [(line, row) for line in lines for row in _wrapped(legible(line), width - 2 * EDGE, font)]


def _strip(lines: tuple[str, ...], width: int, least: int) -> NDArray[np.uint8]:
    """The caption, wrapped to the width, in a strip of at least so many rows of text."""
    font, rows = cv2.FontFace("sans"), _rows(lines, width)
    strip = np.full((max(len(rows), least) * LINE + 2 * EDGE, width, 3), DARK, np.uint8)
    for number, (line, row) in enumerate(rows):
        colour = AMBER if line == DEMONSTRATION else TEXT
        cv2.putText(strip, row, (EDGE, EDGE + number * LINE + SIZE), colour, font, SIZE, 400)
    return strip


def _wrapped(line: str, width: int, font: cv2.FontFace) -> list[str]:
    """Wrap a line to the width: between words, or inside a word that is too long by itself."""
    pieces: list[str] = []
    rest = line
    while _length(rest, font) > width:
        end = next(end for end in range(len(rest) - 1, 0, -1) if end == 1 or _length(rest[:end], font) <= width)
        space = rest.rfind(" ", 1, end + 1)
        end = space if space > 0 else end
        pieces.append(rest[:end])
        rest = rest[end:].lstrip()
    return [*pieces, rest]


def _length(text: str, font: cv2.FontFace) -> int:
    return int(cv2.getTextSize((0, 0), text, (0, 0), font, SIZE, 400)[2])
