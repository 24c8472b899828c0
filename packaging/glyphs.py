"""Draws the letters and digits that `inference.screen.glyphs` knows: python packaging/glyphs.py FOLDER-OF-FONTS.

The fonts are looked for by name anywhere below the folder; all are free (Apache-2.0, OFL-1.1, Bitstream Vera). A row of
the picture is a font, a column a character of `CHARACTERS`, which stands at full height at the left of its cell.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from inference.assets import ASSETS
from inference.screen.glyphs import CELL, CHARACTERS

FONTS = (
    "Roboto-Regular.ttf",
    "Roboto-Bold.ttf",
    "Lato-Regular.ttf",
    "Lato-Bold.ttf",
    "SourceSansPro-Regular.ttf",
    "SourceSansPro-Semibold.ttf",
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono.ttf",
    "Inter-Regular.otf",
    "Inter-SemiBold.otf",
)
HERSHEY = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX)
"""Stroke fonts, like those of older scanners; public domain, inside OpenCV."""
DRAWN = 96
"""Height at which a character is drawn before it is made small, pixels."""


def main() -> None:
    """Draw every font and write the picture."""
    folder = Path(sys.argv[1])
    rows = [_row(ImageFont.truetype(str(next(folder.rglob(name))), DRAWN)) for name in FONTS]
    rows += [np.hstack([_cell(_stroked(character, font)) for character in CHARACTERS]) for font in HERSHEY]
    cv2.imwrite(str(ASSETS / "glyphs.png"), np.vstack(rows), [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _row(font: ImageFont.FreeTypeFont) -> NDArray[np.uint8]:
    cells = []
    for character in CHARACTERS:
        paper = Image.new("L", (3 * DRAWN, 3 * DRAWN))
        ImageDraw.Draw(paper).text((DRAWN, DRAWN // 2), character, 255, font)
        cells.append(_cell(np.asarray(paper)))
    return np.hstack(cells)


def _stroked(character: str, font: int) -> NDArray[np.uint8]:
    paper = np.zeros((3 * DRAWN, 3 * DRAWN), np.uint8)
    cv2.putText(paper, character, (DRAWN, 2 * DRAWN), font, 3.0, 255, 7, cv2.LINE_AA)
    return paper


def _cell(paper: NDArray[np.uint8]) -> NDArray[np.uint8]:
    x, y, cols, rows = cv2.boundingRect(cv2.findNonZero((paper > 64).astype(np.uint8)))
    height, width = CELL
    wide = min(width, max(2, round(cols * height / rows)))
    cell = np.zeros(CELL, np.uint8)
    cell[:, :wide] = cv2.resize(paper[y : y + rows, x : x + cols], (wide, height), interpolation=cv2.INTER_AREA)
    return cell


if __name__ == "__main__":
    main()
