"""The interface of every source of frames."""

from collections.abc import Iterator
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from inference.errors import SourceError
from inference.frame import Frame, Mask, Pixels, unreadable
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing

if TYPE_CHECKING:
    from inference.recording.judgements import Judgements
    from inference.sources.depth_watch import DepthGuard


LOST_AFTER_S = 0.5
"""A live source that gives no picture for this long has lost its signal; settings made by hand then no longer hold."""


class FrameSource(Protocol):
    """A stream of frames. `frames()` is called once, from one thread; `close()` may come from another."""

    @property
    def info(self) -> SourceInfo:
        """What is known before the first frame."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Frames in order, each as soon as it exists; ends with the source or after `close()`.

        Raises:
            SourceError: if the source breaks.
        """
        ...

    def close(self) -> None:
        """Free the source, and any thread that is stuck in it. Harmless when repeated."""
        ...


@runtime_checkable
class RecordedSource(FrameSource, Protocol):
    """A source that can be read at any index, any number of times: files, and the phantom."""

    def __len__(self) -> int:
        """Number of frames."""
        ...

    def read(self, index: int) -> Frame:
        """Frame `index`, 0 <= index < len(self); its `captured_at` is the time of this call.

        Raises:
            IndexError: outside the source.
            SourceError: if this frame cannot be read; others may still be.
        """
        ...

    def save_masks(self, masks: list[Mask], path: str) -> None:
        """Write one (rows, cols) 0/1 mask per frame as NIfTI, on the source's own geometry.

        Raises:
            OutputError: if the file cannot be written.
        """
        ...


@runtime_checkable
class Whole(Protocol):
    """A source that removes something from its pictures and can show them complete."""

    def whole(self) -> Pixels | None:
        """The newest picture before anything was removed: only for clicking on; see `LiveSource`."""
        ...


@runtime_checkable
class Judged(Protocol):
    """A recording that also holds what the user judged of its frames: our own records."""

    def judgements(self) -> "Judgements":
        """What the user judged."""
        ...


@runtime_checkable
class LiveSource(FrameSource, Protocol):
    """A device or stream: no frame comes twice, and the scale can be set while it runs."""

    def set_spacing(self, spacing: PixelSpacing | None) -> None:
        """Use this scale from the next picture on; None returns to the signal's own, if that is trusted.

        If the watched depth text or ruler has changed, its present state becomes the reference.
        """
        ...

    def restore_spacing(self, spacing: PixelSpacing) -> None:
        """Reuse a scale that an interruption ended, because the user says that the depth is unchanged.

        Unlike `set_spacing` this takes no new reference: if depth text or ruler has changed, the scale stays void.
        """
        ...

    def void_spacing(self, reason: str) -> None:
        """Trust no scale, given or stated, until a new one is given; the reason is shown to the user."""
        ...

    def whole(self) -> Pixels | None:
        """The newest picture as the scanner drew it, with text and ruler: only for marking a region on it.

        It may show a patient's name: it is never kept, recorded or exported.
        """
        ...

    def watch_depth(self, guard: "DepthGuard | None") -> None:
        """Compare every picture, before anything is blackened, with the one on which depth text and ruler were marked.

        The first picture that differs has no scale, given or stated, and neither has any later one until a new scale is
        given; `Frame.depth_changed_at` says so. None watches nothing.

        Args:
            guard: `DepthGuard(source.whole(), text, ruler)`, made from the picture that the user saw.
        """
        ...

    @property
    def depth_watched(self) -> bool:
        """Whether depth text and ruler are watched and still as they were marked; needed for `may_measure`."""
        ...


def read_or_black(source: RecordedSource, index: int) -> Frame:
    """Frame `index`; one that cannot be read costs nothing but itself, and says so in its place.

    Raises:
        IndexError: outside the source.
    """
    try:
        return source.read(index)
    except SourceError:
        info = source.info
        return unreadable(index, (info.rows, info.cols), monotonic(), info.origin)


class Closing:
    """Mixin that makes `with source:` close the source."""

    def __enter__(self) -> Self:
        """Return the source itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Close the source."""
        self.close()

    def close(self) -> None:
        """Free the source."""
