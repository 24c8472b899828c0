"""What a source gives, as it may be believed: cropped, and without a scale that nobody can vouch for."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from inference.alarms import Alarm, Event, Finding, forbidding
from inference.contract import Seen
from inference.crop import Cropping, Rect
from inference.frame import Frame, Pixels
from inference.live.playback import Playback
from inference.source_info import SourceInfo
from inference.sources.base import LiveSource
from inference.spacing import Provenance

UNWATCHED = (
    "The depth can be changed on the scanner, and nobody would notice: mark its depth text and ruler, then calibrate."
)
BY_HAND = frozenset({Provenance.TYPED, Provenance.RULER, Provenance.PRESET})


class Feed:
    """A `FrameSource` between a source and the stream. Every frame that is shown or analysed has come through it.

    Args:
        source: a recording being played, or something live; closed with the feed.
        look: shows every frame to the guards, and gives it back with what they found.

    Attributes:
        cropping: the part of the picture that is used.
        tap: given every frame on its way, from the capture thread; must not wait.
    """

    def __init__(self, source: Playback | LiveSource, look: Callable[[Frame], Frame]) -> None:
        self._source, self._look = source, look
        self._live = None if isinstance(source, Playback) else source
        self.cropping = Cropping()
        self.tap: Callable[[Frame], None] | None = None
        self.watched: Rect | None = None

    @property
    def info(self) -> SourceInfo:
        """What is known of the source."""
        return self._source.info

    @property
    def captured(self) -> bool:
        """Whether somebody may turn the scanner's depth while it runs."""
        return self._live is not None

    def frames(self) -> Iterator[Frame]:
        """The source's frames."""
        for frame in self._source.frames():
            tap = self.tap  # a record that begins now does not take a frame that was cropped before
            believable = self._look(self._believable(self.cropping(frame)))
            if tap is not None:
                tap(believable)
            yield believable

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def whole(self) -> Pixels | None:
        """The newest picture with the scanner's text and ruler: to click on, and for nothing else."""
        return self._source.whole()

    def watch(self, region: Rect, reference: Pixels) -> None:
        """Void the scale as soon as this region changes. A scale given before is void: it may be of another depth.

        Args:
            region: depth text and ruler.
            reference: the whole picture on which they are right.

        Raises:
            SpacingError: if there is nothing in the region that could change.
        """
        from inference.sources.depth_watch import DepthGuard

        if self._live is None:
            return
        guard = DepthGuard(reference, region)
        self._live.set_spacing(None)
        self._live.watch_depth(guard)
        self.watched = region

    def shows(self, region: Rect, reference: Pixels) -> bool:
        """Whether depth text and ruler are now what they were on this whole picture."""
        from inference.sources.depth_watch import CHANGED, DepthGuard

        whole = self.whole()
        return whole is not None and DepthGuard(reference, region).change(whole) <= CHANGED

    @property
    def guarded(self) -> bool:
        """Whether depth text and ruler are watched, and unchanged."""
        return self._live is not None and self._live.depth_watched

    def _believable(self, frame: Frame) -> Frame:
        """The same frame; without a hand-given scale while the scanner's depth is not watched."""
        from inference.sources.depth_watch import may_measure

        spacing = frame.spacing
        by_hand = spacing is not None and spacing.provenance in BY_HAND
        if may_measure(captured=self.captured and by_hand, own_scale=not by_hand, watched=self.guarded):
            return frame
        return replace(frame, spacing=None, no_spacing_reason=UNWATCHED)


class Sentry:
    """Shows every frame of one source to the guards, before anybody else gets it; called in the capture thread only.

    Attributes:
        findings: of the newest frame; may be read from another thread.
    """

    def __init__(self) -> None:
        from inference.guards.all import every_guard  # OpenCV: not before the window is there

        self._watch = every_guard()
        self.findings: tuple[Finding, ...] = ()

    def look(self, frame: Frame, seen: "Seen | None") -> Frame:
        """The same frame with what the guards found in it.

        Args:
            frame: the next one of the source.
            seen: what the loaded model saw in training; None while there is none.
        """
        self.findings = found = self._watch.look(frame, seen)
        return replace(frame, findings=found) if found else frame

    @property
    def frozen(self) -> Finding | None:
        """That the scanner stands still, where nothing worse is wrong."""
        found = self.findings
        return None if forbidding(found) else next((one for one in found if one.alarm is Alarm.FROZEN), None)

    @property
    def ringing(self) -> tuple[Finding, ...]:
        """The alarms at the newest frame."""
        return self._watch.ringing

    def events(self) -> tuple[Event, ...]:
        """Begins and ends of alarms since last asked; each is given once."""
        return self._watch.events()
