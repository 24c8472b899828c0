"""Which marks stand around a picture: decided here, painted by `overlay`."""

import math
from dataclasses import dataclass

from inference.frame import Frame, View
from inference.readout.marks import Ink
from inference.readout.states import SLICE_LINE
from inference.ruler import Point
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing
from inference.view_notes import AS_IT_CAME, Flip, Marker


@dataclass(frozen=True, slots=True)
class Ticks:
    """Our own centimetres beside the scanner's depth scale, so that a wrong scale is seen.

    Attributes:
        start: where 0 is, (x, y) in picture pixels.
        step: from one centimetre to the next, (x, y) in picture pixels.
    """

    start: tuple[float, float]
    step: tuple[float, float]

    @classmethod
    def along(cls, ruler: tuple[Point, Point], spacing: PixelSpacing) -> "Ticks":
        """From the first point of the ruler towards the second."""
        (x0, y0), (x1, y1) = ruler
        length_mm = math.hypot((x1 - x0) * spacing.col_mm, (y1 - y0) * spacing.row_mm)
        return cls((x0, y0), ((x1 - x0) * 10 / length_mm, (y1 - y0) * 10 / length_mm))


@dataclass(frozen=True, slots=True)
class Annotations:
    """What stands around and across the picture.

    Attributes:
        marker: orientation marker.
        letters: anatomical letters at (top, bottom, left, right).
        row_mm: mm a row, for the depth ruler; None without one.
        face_row: the row where depth 0 is.
        col_mm: mm a column, for the scale bar; None without one.
        phase: the phase in words.
        note: a sentence at the foot of the picture.
        truth: how well the contour fits the true one, where that is drawn; empty where it is not.
        caliper: points of the caliper, picture pixels.
        distance: between its two points, in words.
        band: what the thin lines are, where they are drawn; empty where they are not.
        mode: in which mode a picture that stands was analysed.
        disagreement: what the coloured map is, where it is drawn.
        flipped: which way the picture is turned over, in words; empty where it is not.
        banner: words across the picture.
        points: calibration points, picture pixels.
        ticks: our own centimetres along the scanner's; None without a scale measured on them.
        framed: the picture stands still by the user's wish while the source goes on.
        caption: how old the picture is, where it is not the live one; empty where it is.
        caption_ink: its colour, and that of the border.
        heading: LIVE, or what the live one of two panes is; empty elsewhere.
        heading_ink: its colour.
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
    band: str = ""
    mode: str = ""
    disagreement: str = ""
    flipped: str = ""
    banner: str = ""
    points: tuple[tuple[float, float], ...] = ()
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
    """The marks that belong to a frame's kind and scale.

    A native frame has a probe face, hence a depth ruler; a slice has none, hence letters and a scale bar. Without a
    known scale there is neither.

    Args:
        frame: the picture.
        info: its source.
        marker: at which side of the unflipped picture the user says the probe's marker is.
        face_row: row of the probe face, None where there is none.
        flip: which way the picture is turned over on the screen.
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


def face_row(frame: Frame) -> int | None:
    """The row of the probe face, where depth is counted from; None where there is none."""
    from inference.model.segmentation import probe_face_row  # OpenCV: not before the window is there

    return probe_face_row(frame)
