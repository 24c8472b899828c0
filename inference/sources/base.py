"""What every source of frames promises."""

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from inference.frame import Frame, Mask, Pixels
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing

if TYPE_CHECKING:
    from inference.sources.depth_watch import DepthGuard


LOST_AFTER_S = 0.5
"""A live source that gives no picture for this long has lost its signal, and what was said of it by hand is void."""


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

    def restore_spacing(self, spacing: PixelSpacing) -> None:
        """Use a scale that an interruption ended, on the user's word that the depth is unchanged.

        Unlike `set_spacing` it takes nothing new for right: where depth text or ruler has changed, it stays void.
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
