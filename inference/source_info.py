"""What is known of a source before its first frame."""

from dataclasses import dataclass

from inference.frame import Origin
from inference.spacing import PixelSpacing


@dataclass(frozen=True, slots=True)
class SweptGrid:
    """The volume whose slices are the frames.

    Attributes:
        axis: i, j or k, swept; a frame's index counts along it.
        count: slices along it.
        header: the volume's NIfTI header without any text, as bytes.
    """

    axis: str
    count: int
    header: bytes


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before its first frame.

    Attributes:
        origin: name, view, simulated, live.
        rows: height of every frame, pixels.
        cols: width of every frame, pixels.
        spacing: mm a pixel, or None.
        no_spacing_reason: why `spacing` is None, one sentence; empty otherwise.
        levels: the (black, white) grey values of the display map, fixed for the whole source.
        fps: frames a second of the source's own clock, or None if it has none (a folder, a volume).
        edge_letters: anatomical letters at the (top, bottom, left, right) edges of the picture, empty where unknown.
        grid: where the frames lie in a volume; None for pictures that have no place in one.
        notice: what has to be known before it is looked at, one sentence; empty otherwise.
        phase: of surgery while it was recorded, in the contract's terms; `unset` where it changed or nobody set it,
            empty for sources that cannot know.
        flip: how it was turned over on the screen all the time it was recorded, in words; empty otherwise.
        marker: side of the picture as it came on which the probe's marker was all the time, left or right; or empty.
        pixel_aspect: width of a pixel over its height, where the file states it; 1 for square ones.
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
