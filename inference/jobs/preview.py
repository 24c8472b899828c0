"""The first picture of a source that is only selected, opened and closed off the window's thread."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from inference.errors import SourceError
from inference.frame import Frame
from inference.live.requests import Compared, Opened, Refusal, SourceRequest
from inference.readout.facts import scale_words
from inference.readout.formatting import counted, source_words
from inference.source_info import SourceInfo
from inference.sources.base import LiveSource, RecordedSource


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """What a source looks like.

    Attributes:
        text: of the request.
        frame: its first picture; None where there is none.
        levels: (black, white) of the display.
        words: size, length and scale; or why it cannot be opened.
    """

    text: str
    frame: Frame | None
    levels: tuple[float, float]
    words: str


class Previews:
    """Answers the newest request only.

    Args:
        peek: opens a source, or refuses it; called in a thread of this object.
    """

    def __init__(self, peek: Callable[[SourceRequest], Opened | Refusal]) -> None:
        self._peek = peek
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ius-preview")
        self._running: Future[Preview] | None = None

    def ask(self, request: SourceRequest) -> None:
        """Begin to look at a source, in place of the one before."""
        if self._running is not None:
            self._running.cancel()
        self._running = self._pool.submit(_look, self._peek, request)

    def poll(self) -> Preview | None:
        """The answer to the newest request, once; None while there is none."""
        if self._running is None or not self._running.done():
            return None
        done, self._running = self._running, None
        return done.result()

    def close(self) -> None:
        """Wait for what was begun."""
        self._pool.shutdown(cancel_futures=True)


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
