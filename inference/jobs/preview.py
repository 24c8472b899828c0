"""The first picture of a source that is only selected: opened and closed outside the window's thread."""

from collections.abc import Callable
from dataclasses import dataclass

from inference.errors import SourceError
from inference.frame import Frame
from inference.jobs.newest import Newest
from inference.live.requests import Compared, Opened, Refusal, SourceRequest
from inference.readout.facts import scale_words
from inference.readout.formatting import counted, source_words
from inference.source_info import SourceInfo
from inference.sources.base import LiveSource, RecordedSource


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """Preview of one source.

    Attributes:
        text: text of the request.
        frame: first picture; None if there is none.
        levels: (black, white) display levels.
        words: size, length and scale, or why the source cannot be opened.
    """

    text: str
    frame: Frame | None
    levels: tuple[float, float]
    words: str


class Previews(Newest[Preview]):
    """Loads previews in the background, and answers only the newest request.

    Args:
        peek: opens a source or refuses it; called in this object's own thread.
    """

    def __init__(self, peek: Callable[[SourceRequest], Opened | Refusal]) -> None:
        super().__init__("ius-preview")
        self._peek = peek

    def ask(self, request: SourceRequest) -> None:
        """Start looking at a source; this replaces the request before."""
        self.begin(lambda: _look(self._peek, request))


def _look(peek: Callable[[SourceRequest], Opened | Refusal], request: SourceRequest) -> Preview:
    opened = peek(request)
    if isinstance(opened, Refusal):
        return Preview(request.text, None, (0.0, 255.0), opened.sentence)
    source = opened.source if isinstance(opened, Compared) else opened
    try:
        frame = source.read(0) if isinstance(source, RecordedSource) else next(iter(source.frames()), None)
        return Preview(request.text, frame, source.info.levels, _words(source, source.info))
    except SourceError as error:
        return Preview(request.text, None, (0.0, 255.0), str(error))
    finally:
        opened.close()


def _words(source: RecordedSource | LiveSource, info: SourceInfo) -> str:
    length = f"\n{counted(len(source), 'frame')}" if isinstance(source, RecordedSource) else "\nlive"
    return f"{source_words(info)}{length}\nscale {scale_words(info.spacing)}"
