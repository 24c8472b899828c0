"""The items drawn in a picture's own coordinates.

Picture and outlines keep the frame they were made from, and note that frame when they are really painted.
"""

from typing import TypeAlias

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from inference.display import grey, toned
from inference.frame import Frame
from inference.outcome import Outcome, Tumour
from inference.readout.marks import Line
from viewer.style import theme

OFF = 0.1
"""How far a line that is drawn may lie beside its outline, in picture pixels; outlines have steps of half a pixel, and
painting takes as long as they have points."""
Outlines: TypeAlias = tuple[NDArray[np.float32], ...]
CORRECTED, PROPOSED = [5.0, 1.2, 1.2, 1.2], [1.2, 2.4]
"""Dashes of the user's correction, and of one carried here that nobody has confirmed; in widths of the line."""
CAVITY = [4.0, 1.6, 0.8, 1.6]
"""Dashes of the resection cavity, which no tumour has; in widths of its line."""
_DASHES = {Line.SOLID: [], Line.DASHED: [4.0, 2.6], Line.DOTTED: [0.1, 2.2]}


class PictureItem(pg.ImageItem):  # type: ignore[misc]
    """The grey picture: uint8, row-major, fixed levels, which is pyqtgraph's fast path."""

    def __init__(self) -> None:
        super().__init__(axisOrder="row-major")
        self.frame: Frame | None = None
        self.painted: Frame | None = None

    def show_frame(self, frame: Frame, levels: tuple[float, float], tones: NDArray[np.uint8] | None = None) -> None:
        """Show the picture of `frame`, each of its grey levels as `tones` (256,) says, if that is given."""
        self.setImage(toned(grey(frame.pixels, levels), tones), autoLevels=False, levels=(0, 255))
        self.frame = frame

    def take_away(self) -> None:
        """Show nothing."""
        self.clear()
        self.frame = self.painted = None

    def paint(self, painter: QPainter, *args: object) -> None:
        """Paint, and note which frame was painted."""
        super().paint(painter, *args)
        self.painted = self.frame


class MapItem(pg.ImageItem):  # type: ignore[misc]
    """Where mirrored passes disagree, more opaque for more disagreement; drawn only over its own frame."""

    def __init__(self) -> None:
        super().__init__(axisOrder="row-major")
        self.frame: Frame | None = None

    def show_map(self, frame: Frame, spread: NDArray[np.float32] | None) -> None:
        """Show the map of `frame`, or nothing."""
        self.frame = None if spread is None else frame
        if spread is None:
            self.clear()
        else:
            self.setImage(coloured_map(spread), autoLevels=False, levels=(0, 255))


def coloured_map(spread: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(rows, cols, RGBA): opaque at 0.5, the largest spread that two values between 0 and 1 can have."""
    colour = QColor(theme.TRUTH)
    picture = np.empty((*spread.shape, 4), np.uint8)
    picture[..., :3] = (colour.red(), colour.green(), colour.blue())
    picture[..., 3] = np.clip(spread * np.float32(2 * 255), 0, 255)
    return picture


class ContourItem(QGraphicsItem):
    """All outlines of one frame, one path per style, reused from frame to frame."""

    def __init__(self) -> None:
        super().__init__()
        self.frame: Frame | None = None
        self.painted: Frame | None = None
        self.hidden = False
        self.width = 2.5
        self._paths: dict[Line, QPainterPath] = {}
        self._band, self._truth, self._cavity = QPainterPath(), QPainterPath(), QPainterPath()
        self._corrected: QPainterPath | None = None
        self._proposed = False
        self._bounds = QRectF()

    def show_outcome(
        self,
        outcome: Outcome,
        lines: tuple[Line, ...],
        truth: Outlines = (),
        corrected: Outlines | None = None,
        *,
        proposed: bool = False,
        cavity: Outlines = (),
    ) -> None:
        """Show the outlines of `outcome`, one style per region (no styles: no outlines), and the frame's true ones.

        The user's correction, if there is one, has the strong line; those of `outcome` are then thin. One that is only
        `proposed` is dotted, and those of `outcome` keep their line. The cavity's own line lies below all of them.
        """
        self.prepareGeometryChange()
        self._bounds = QRectF(0, 0, outcome.frame.cols, outcome.frame.rows)
        self._paths = outlines(outcome, lines) if isinstance(outcome, Tumour) else {}
        self._truth, self._cavity = _all_closed(truth), _all_closed(cavity)
        self._corrected, self._proposed = None if corrected is None else _all_closed(corrected), proposed
        self._band = band_path(outcome) if lines and isinstance(outcome, Tumour) else QPainterPath()
        self.frame = outcome.frame

    def take_away(self) -> None:
        """Show nothing."""
        self.prepareGeometryChange()
        self._bounds, self._paths = QRectF(), {}
        self._band, self._truth, self._cavity, self._corrected = QPainterPath(), QPainterPath(), QPainterPath(), None
        self.frame = self.painted = None

    def boundingRect(self) -> QRectF:
        """The whole picture."""
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002
        """Paint a dark rim, then the line; and note which frame was painted."""
        self.painted = self.frame
        if self.hidden:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for pen in _dashed_pens(theme.CAVITY, 0.7 * self.width, CAVITY):
            painter.strokePath(self._cavity, pen)
        painter.strokePath(self._band, _thin_pen(theme.BAND, self.width))
        painter.strokePath(self._truth, _thin_pen(theme.TRUTH, 1.6 * self.width))
        if self._corrected is not None:
            for pen in _dashed_pens(theme.CORRECTED, self.width, PROPOSED if self._proposed else CORRECTED):
                painter.strokePath(self._corrected, pen)
        for line, path in self._paths.items():
            thin = self._corrected is not None and not self._proposed
            for pen in (_thin_pen(theme.LINES[line], self.width),) if thin else _pens(line, self.width):
                painter.strokePath(path, pen)


def _pens(line: Line, width: float) -> tuple[QPen, QPen]:
    """The pen for the rim, which keeps the line visible on bright tissue, and the pen for the line."""
    pens = []
    for colour, extra in ((QColor(0, 0, 0, 150), 2.0), (QColor(theme.LINES[line]), 0.0)):
        cap = Qt.PenCapStyle.FlatCap if line is Line.DASHED else Qt.PenCapStyle.RoundCap
        pen = QPen(colour, width + extra, Qt.PenStyle.SolidLine, cap, Qt.PenJoinStyle.BevelJoin)
        if _DASHES[line]:
            pen.setDashPattern([length * width / (width + extra) for length in _DASHES[line]])
        pen.setCosmetic(True)
        pens.append(pen)
    return pens[0], pens[1]


def _dashed_pens(ink: str, width: float, dashes: list[float]) -> tuple[QPen, QPen]:
    """The pens for a line that is no tumour of the model: its own colour and dashes over a whole dark rim."""
    pens = []
    for colour, extra in ((QColor(0, 0, 0, 150), 2.0), (QColor(ink), 0.0)):
        pen = QPen(colour, width + extra, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.BevelJoin)
        if not extra:
            pen.setDashPattern(dashes)
        pen.setCosmetic(True)
        pens.append(pen)
    return pens[0], pens[1]


def _thin_pen(colour: str, width: float) -> QPen:
    """The pen for lines that are not the model's contour: thinner, and of another colour."""
    pen = QPen(QColor(colour), max(1.0, 0.4 * width))
    pen.setCosmetic(True)
    return pen


def band_path(tumour: Tumour) -> QPainterPath:
    """Both edges of the uncertainty band, if it was requested."""
    path = QPainterPath()
    if tumour.band is not None:
        for contour in (*tumour.band.outer, *tumour.band.inner):
            path.addPath(_closed(contour))
    return path


def _all_closed(contours: Outlines) -> QPainterPath:
    path = QPainterPath()
    for contour in contours:
        path.addPath(_closed(contour))
    return path


def _closed(contour: NDArray[np.float32]) -> QPainterPath:
    points = thinned(contour)
    closed = np.concatenate([points, points[:1]]).astype(np.float64) + 0.5
    path: QPainterPath = pg.functions.arrayToQPath(closed[:, 0], closed[:, 1], finiteCheck=False)
    return path


def thinned(contour: NDArray[np.float32]) -> NDArray[np.float32]:
    """The fewest of a closed outline's points (n, 2) whose lines stay within `OFF` of it (Douglas and Peucker)."""
    import cv2  # only once there is an outline: the window opens without it

    return np.asarray(cv2.approxPolyDP(contour[:, None], OFF, closed=True)[:, 0], np.float32)


def outlines(tumour: Tumour, lines: tuple[Line, ...]) -> dict[Line, QPainterPath]:
    """One closed path per style, in picture-edge coordinates (pixel centres at halves)."""
    paths: dict[Line, QPainterPath] = {}
    for region, line in zip(tumour.regions, lines, strict=False):
        for contour in region.contours:
            paths.setdefault(line, QPainterPath()).addPath(_closed(contour))
    return paths
