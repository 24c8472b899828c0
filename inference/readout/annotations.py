"""The marks around a picture: chosen here, painted by `overlay`."""

import math
from dataclasses import dataclass

from inference.crop import Rect
from inference.frame import Frame, View
from inference.readout.marks import Ink
from inference.readout.states import SLICE_LINE
from inference.ruler import Point
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing
from inference.view_notes import AS_IT_CAME, Flip, Marker


@dataclass(frozen=True, slots=True)
class Ticks:
    """Our own centimetre ticks beside the scanner's depth scale, so that a wrong scale is noticed.

    Attributes:
        start: position of 0, (x, y) in picture pixels.
        step: from one centimetre to the next, (x, y) in picture pixels.
    """

    start: tuple[float, float]
    step: tuple[float, float]

    @classmethod
    def along(cls, ruler: tuple[Point, Point], spacing: PixelSpacing) -> "Ticks":
        """Ticks from the first point of the ruler towards the second."""
        (x0, y0), (x1, y1) = ruler
        length_mm = math.hypot((x1 - x0) * spacing.col_mm, (y1 - y0) * spacing.row_mm)
        return cls((x0, y0), ((x1 - x0) * 10 / length_mm, (y1 - y0) * 10 / length_mm))


@dataclass(frozen=True, slots=True)
class Annotations:
    """Everything drawn around and across the picture.

    Attributes:
        marker: orientation marker.
        letters: anatomical letters at (top, bottom, left, right).
        row_mm: mm per row, for the depth ruler; None without one.
        face_row: row of the probe face, where depth is 0.
        col_mm: mm per column, for the scale bar; None without one.
        phase: phase of surgery, in words.
        note: a sentence below the picture.
        truth: how well the contour matches the true one, if that is drawn; else empty.
        caliper: caliper points, picture pixels.
        distance: distance between the two caliper points, in words.
        measuring: what to do next with the caliper; empty without one.
        corrected: that the contour is the user's, with its area; empty if nothing is corrected.
        wrong: that the user marked the contour as wrong; else empty.
        hidden: that the contour is hidden; else empty.
        band: what the thin lines mean, if they are drawn; else empty.
        mode: the mode in which a still picture was analysed.
        disagreement: what the coloured map means, if it is drawn.
        flipped: how the picture is flipped, in words; empty if it is not.
        overruled: that the user has overruled a guard on this source; else empty.
        look: what of the screen's zoom, brightness and contrast is not neutral, in words.
        banner: words across the picture.
        points: calibration points, picture pixels.
        read: where the ruler and texts stand from which a scale is proposed.
        watched: where the scanner's depth text and ruler stand that are watched, while the scale is being set.
        ticks: our own centimetres along the scanner's; None if no scale was measured on them.
        framed: the user froze the picture while the source goes on.
        caption: age of the picture, if it is not the live one; else empty.
        caption_ink: colour of the caption and of the border.
        heading: LIVE, or the state of the live pane where there are two; else empty.
        heading_ink: colour of the heading.
    """

    marker: Marker = Marker.NONE
    letters: tuple[str, str, str, str] = ("", "", "", "")
    row_mm: float | None = None
    face_row: int = 0
    col_mm: float | None = None
    phase: str = ""
    note: str = ""
    truth: str = ""
    caliper: tuple[Point, ...] = ()
    distance: str = ""
    measuring: str = ""
    corrected: str = ""
    wrong: str = ""
    hidden: str = ""
    band: str = ""
    mode: str = ""
    disagreement: str = ""
    flipped: str = ""
    overruled: str = ""
    look: tuple[str, ...] = ()
    banner: str = ""
    points: tuple[tuple[float, float], ...] = ()
    read: tuple[Rect, ...] = ()
    watched: tuple[Rect, ...] = ()
    ticks: Ticks | None = None
    framed: bool = False
    caption: str = ""
    caption_ink: Ink = Ink.GREY
    heading: str = ""
    heading_ink: Ink = Ink.GREY


def annotations_of(
    frame: Frame,
    info: SourceInfo,
    marker: Marker,
    face_row: int | None,
    flip: Flip = AS_IT_CAME,
) -> Annotations:
    """The marks for a frame of this kind and scale.

    A native frame has a probe face and so a depth ruler; a slice has none, and gets letters and a scale bar. Without a
    known scale there is neither ruler nor bar.

    Args:
        frame: the picture.
        info: its source.
        marker: side of the unflipped picture on which the user says the probe's marker is.
        face_row: row of the probe face; None if there is none.
        flip: how the picture is flipped on the screen.
    """
    spacing, is_slice = frame.spacing, frame.origin.view is View.SLICE
    has_ruler = spacing is not None and face_row is not None
    return Annotations(
        marker=Marker.NONE if is_slice else marker.seen(flip),
        letters=flip.letters(info.edge_letters),
        flipped=flip.words,
        row_mm=spacing.row_mm if spacing is not None and has_ruler else None,
        face_row=face_row or 0,
        col_mm=None if spacing is None or has_ruler else spacing.col_mm,
        note=SLICE_LINE if is_slice else "",
    )
