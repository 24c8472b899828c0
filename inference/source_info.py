"""Facts about a source that are known before its first frame."""

from dataclasses import dataclass

from inference.frame import Origin
from inference.spacing import PixelSpacing

SQUARE = 1e-3
"""How far the sides of a square pixel may differ."""


@dataclass(frozen=True, slots=True)
class SweptGrid:
    """The volume whose slices are the frames.

    Attributes:
        axis: the axis that is swept, i, j or k; a frame's index counts along it.
        count: number of slices along the axis.
        header: the volume's NIfTI header without any text, as bytes.
    """

    axis: str
    count: int
    header: bytes


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Facts about a source that are known before its first frame.

    Attributes:
        origin: name, view, simulated, live.
        rows: height of every frame, pixels.
        cols: width of every frame, pixels.
        spacing: mm per pixel, or None.
        no_spacing_reason: why `spacing` is None, one sentence; empty otherwise.
        levels: the grey values (black, white) of the display map, fixed for the whole source.
        fps: frames per second by the source's own clock, or None if it has none (a folder, a volume).
        edge_letters: anatomical letters at the (top, bottom, left, right) edges of the picture, empty where unknown.
        grid: where the frames lie in a volume; None for pictures that have no place in one.
        notice: what the user has to know before looking at it, one sentence; empty otherwise.
        phase: phase of surgery during the recording, in the contract's terms; `unset` if it changed or nobody set it,
            empty for sources that cannot know.
        flip: how the picture was flipped on the screen, in words, if that was so during the whole recording; or empty.
        marker: side of the unflipped picture, left or right, on which the probe's marker was throughout; or empty.
        regions: number and words of each ultrasound region of a DICOM picture, if there are several.
        case_code: the patient's case code that a record holds; empty for all other sources.
        pixel_aspect: width of a pixel over its height, if the file states it; 1 for square pixels.
        scale_varies: whether frames state scales of their own that differ, or only some state one: then each keeps its
            own, and a scale given by the user is only for those without one.
    """

    origin: Origin
    rows: int
    cols: int
    spacing: PixelSpacing | None
    no_spacing_reason: str
    levels: tuple[float, float]
    fps: float | None = None
    edge_letters: tuple[str, str, str, str] = ("", "", "", "")
    grid: SweptGrid | None = None
    notice: str = ""
    phase: str = ""
    flip: str = ""
    marker: str = ""
    pixel_aspect: float = 1.0
    regions: tuple[tuple[int, str], ...] = ()
    case_code: str = ""
    scale_varies: bool = False

    @property
    def aspect(self) -> float:
        """Width of a pixel over its height, as stated for pixels of any size, or else by the scale."""
        if self.pixel_aspect != 1 or self.spacing is None:
            return self.pixel_aspect
        return self.spacing.col_mm / self.spacing.row_mm


def shape_words(name: str, aspect: float) -> str:
    """One sentence on pixels that are not square; empty for square ones.

    Args:
        name: what holds them.
        aspect: width of a pixel over its height.
    """
    return "" if abs(aspect - 1) <= SQUARE else f"The pixels of {name} are {aspect:.3g} times as wide as high."
