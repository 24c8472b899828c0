"""One picture of all states: the folder that `IUS_SCREENSHOTS` filled, as a contact sheet.

python tests/viewer/contact_sheet.py work/screens docs/states.png
"""

import os
import re
import sys
from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter

from viewer.style import theme

ACROSS, WIDTH, HEIGHT, GAP, CAPTION = 5, 384, 240, 12, 26
LARGEST = 600_000
"""Bytes: it lies in the repository."""
SAME = re.compile(
    r"^(line|still|phase|longest)-|-(1366x768|1920x1080|1920|1120x700)$|^(notice|delete-kept-scale|preset-applied|tools-live|tools-frozen|quit-while-recording|caliper-px|caliper-mm-flipped|guard-depth|sector-fills-the-stage|thorough-paused|very-small-phase-unset|two-panes-calibrating.*|frozen-zoomed|models|source-list-1280x800|guard-no_signal|records-delete|thorough-view-frozen|trend-of-a-volume|teaching-a-pedal|records-live-1120)$"
)
"""Pictures that show a state once more: in another size, for a measurement, or with another sentence."""


def chosen(folder: Path) -> list[Path]:
    """One picture a state, in order of their names."""
    return [path for path in sorted(folder.glob("*.png")) if not SAME.search(path.stem)]


def sheet(paths: list[Path]) -> QImage:
    """The pictures in rows of `ACROSS`, each with its name."""
    rows = -(-len(paths) // ACROSS)
    size = (GAP + ACROSS * (WIDTH + GAP), GAP + rows * (HEIGHT + CAPTION + GAP))
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(QColor(theme.BORDER))
    painter = QPainter(image)
    painter.setFont(theme.Sizes().font(14))
    painter.setPen(QColor(theme.TEXT))
    for number, path in enumerate(paths):
        left = GAP + number % ACROSS * (WIDTH + GAP)
        top = GAP + number // ACROSS * (HEIGHT + CAPTION + GAP)
        smooth = Qt.TransformationMode.SmoothTransformation
        small = QImage(str(path)).scaled(WIDTH, HEIGHT, Qt.AspectRatioMode.KeepAspectRatio, smooth)
        painter.drawImage(left + (WIDTH - small.width()) // 2, top + (HEIGHT - small.height()) // 2, small)
        words = path.stem.replace("-1280x800", "").replace("-1280", "").replace("-", " ")
        painter.drawText(QRect(left, top + HEIGHT, WIDTH, CAPTION), Qt.AlignmentFlag.AlignCenter, words)
    painter.end()
    return image


def save(image: QImage, path: Path) -> None:
    """Write it with as many colours as fit in `LARGEST` bytes."""
    for colours in (256, 64, 48, 32):
        few = image.convertToFormat(QImage.Format.Format_Indexed8, _palette(image, colours))
        few.save(str(path), "PNG", 0)
        if path.stat().st_size <= LARGEST:
            return
    sys.exit(f"{path} is larger than {LARGEST} bytes: show fewer states")


def _palette(image: QImage, colours: int) -> list[int]:
    """The theme's own colours, which are little of the picture and say most, and those that occur most."""
    import cv2
    import numpy as np

    inks = (theme.CYAN, theme.AMBER, theme.GREEN, theme.BLUE, theme.RED, theme.GOLD, theme.CORRECTED, theme.CAVITY)
    own = [QColor(ink).rgb() for ink in (*inks, theme.TRUTH, *(tone.fill for tone in theme.TONES.values()))]
    small = image.convertToFormat(QImage.Format.Format_RGB32).scaledToWidth(480)
    pixels = np.frombuffer(small.constBits(), np.uint8).reshape(-1, 4)[:, :3].astype(np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0)
    cv2.setRNGSeed(0)
    _, _, centres = cv2.kmeans(pixels, colours - len(own), None, criteria, 1, cv2.KMEANS_PP_CENTERS)
    return own + [0xFF000000 | int(r) << 16 | int(g) << 8 | int(b) for b, g, r in centres.round()]


def main() -> None:
    """Make the sheet."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _ = QGuiApplication(sys.argv[:1])
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    paths = chosen(folder)
    save(sheet(paths), target)
    sys.stdout.write(f"{target}: {len(paths)} states, {target.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main()
