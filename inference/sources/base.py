"""What every source of frames promises."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from inference.frame import Frame, Origin, Pixels
from inference.spacing import PixelSpacing

if TYPE_CHECKING:
    from inference.guards.depth import DepthGuard

Mask: TypeAlias = NDArray[np.uint8]

LOST_AFTER_S = 0.5
"""A live source that gives no picture for this long has lost its signal, and what was said of it by hand is void."""


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


class FrameSource(Protocol):
    """A stream of frames. `frames()` is called once, from one thread; `close()` may come from another."""

    @property
    def info(self) -> SourceInfo:
        """What is known before the first frame."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Frames in order, each as soon as it exists; ends at the end of the source or after `close()`.

        Raises:
            SourceError: if the source breaks.
        """
        ...

    def close(self) -> None:
        """Free the source and any thread stuck in it. Harmless when repeated."""
        ...


@runtime_checkable
class RecordedSource(FrameSource, Protocol):
    """A source that can be read anywhere, any number of times: files, and the phantom."""

    def __len__(self) -> int:
        """Number of frames."""
        ...

    def read(self, index: int) -> Frame:
        """Frame `index`, 0 <= index < len(self), `captured_at` being now.

        Raises:
            IndexError: outside the source.
            SourceError: if this frame cannot be read; others may still be.
        """
        ...

    def save_masks(self, masks: list[Mask], path: str) -> None:
        """Write one (rows, cols) 0/1 mask a frame on the source's own geometry as NIfTI.

        Raises:
            OutputError: if the file cannot be written.
        """
        ...


@runtime_checkable
class Whole(Protocol):
    """A source that takes something off its pictures, and can show what."""

    def whole(self) -> Pixels | None:
        """The newest picture before anything was taken off: to click on, and for nothing else; see `LiveSource`."""
        ...


@runtime_checkable
class LiveSource(FrameSource, Protocol):
    """A device or stream: no frame comes twice, and its scale can be set while it runs."""

    def set_spacing(self, spacing: PixelSpacing | None) -> None:
        """Use this scale from the next picture on; None goes back to the signal's own.

        If the watched depth text or ruler has changed, what stands there now is taken for right.
        """
        ...

    def void_spacing(self, reason: str) -> None:
        """Trust no scale, neither given nor stated, until a new one is given; the reason is shown."""
        ...

    def whole(self) -> Pixels | None:
        """The newest picture as the scanner drew it, text and ruler too: to mark a region on, and for nothing else.

        It may show a patient's name: it is never kept, recorded or exported.
        """
        ...

    def watch_depth(self, guard: "DepthGuard | None") -> None:
        """Compare every picture, while it is whole, with the one on which depth text and ruler were marked.

        The first that differs has no scale, neither given nor stated, and none after it has until a new one is given;
        `Frame.depth_changed_at` says so. None watches nothing.

        Args:
            guard: `DepthGuard(source.whole(), region)`, made of the picture that the user saw.
        """
        ...

    @property
    def depth_watched(self) -> bool:
        """Whether depth text and ruler are watched, and are as they were marked: `may_measure` asks for it."""
        ...


class Closing:
    """Mixin: `with source:` closes it."""

    def __enter__(self) -> Self:
        """Use the source."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Free the source."""
