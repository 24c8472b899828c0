"""A source made safe to believe: cropped, checked by every guard, and without any scale that nobody vouches for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from inference.alarms import OVERRULABLE, Alarm, Event, Finding, forbidding
from inference.contract import Seen
from inference.crop import Cropping, Rect
from inference.frame import Frame, Pixels, rescaled
from inference.live.playback import Playback
from inference.source_info import SourceInfo
from inference.sources.base import LiveSource
from inference.spacing import PixelSpacing, Provenance

if TYPE_CHECKING:
    from inference.guards.watch import Watch

UNWATCHED = (
    "The depth can be changed on the scanner, and nobody would notice: mark its depth text and ruler, then calibrate."
)
BY_HAND = frozenset({Provenance.TYPED, Provenance.RULER, Provenance.READ, Provenance.PRESET})


def _nothing_seen() -> None:
    """The default for `seen`: no model is loaded, so its training data are unknown."""


def guarded(frame: Frame, guards: "Watch", seen: Seen | None) -> Frame:
    """The same frame with the guards' findings, after those that its source knows.

    Args:
        frame: the source's next frame.
        guards: the source's guards.
        seen: what the loaded model saw in training; None while no model is loaded.
    """
    known = {finding.alarm for finding in frame.findings}
    found = tuple(finding for finding in guards.look(frame, seen) if finding.alarm not in known)
    return replace(frame, findings=(*frame.findings, *found)) if found else frame


class GuardedSource:
    """A `FrameSource` between a source and the stream. Every frame that is shown or analysed comes through it.

    Args:
        source: a recording being played, or a live source; closed with this one.
        seen: what the currently loaded model saw in training; called once per frame, in the capture thread.

    Attributes:
        cropping: the part of the picture that is used.
        recorder: gets every frame, and the alarms that were overruled for it; called from the capture thread; must not
            wait.
        overruled: alarms that the user calls false on this source; they are marked on every frame, and forbid nothing.
        watched: the regions of the scanner's depth text and ruler; none if none was marked.
        findings: the guards' findings on the newest frame; may be read from another thread.
    """

    def __init__(self, source: Playback | LiveSource, seen: Callable[[], Seen | None] = _nothing_seen) -> None:
        from inference.guards.all import every_guard  # loads OpenCV: only once the window is open

        self._source, self._seen, self._guards = source, seen, every_guard()
        self._live = None if isinstance(source, Playback) else source
        self.cropping = Cropping()
        self.recorder: Callable[[Frame, frozenset[Alarm]], None] | None = None
        self.watched: tuple[Rect, ...] = ()
        self.overruled: frozenset[Alarm] = frozenset()
        self.findings: tuple[Finding, ...] = ()

    @property
    def info(self) -> SourceInfo:
        """What is known of the source."""
        return self._source.info

    @property
    def captured(self) -> bool:
        """Whether somebody may change the scanner's depth while the source runs."""
        return self._live is not None

    @property
    def rect(self) -> Rect | None:
        """The part of the picture that is used; None for all of it."""
        rect = self.cropping.rect
        return rect if rect is not None and rect.fits(self.info.rows, self.info.cols) else None

    def frames(self) -> Iterator[Frame]:
        """The source's frames, cropped, each with the guards' findings.

        Raises:
            SourceError: if the source breaks.
        """
        for frame in self._source.frames():
            # Read before the frame is cropped and guarded: both may change meanwhile, and the record must say what was
            # in force for this frame.
            recorder, overruled = self.recorder, self.overruled
            guarded = self._guard(self._believable(self.cropping(frame)), overruled)
            if recorder is not None:
                recorder(guarded, overruled)
            yield guarded

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def whole(self) -> Pixels | None:
        """The newest picture with the scanner's text and ruler, for the user to click on and for nothing else."""
        return self._source.whole()

    def watch(self, regions: Sequence[Rect], reference: Pixels) -> None:
        """Void the scale as soon as one of these regions changes. An earlier one is void at once: its depth may differ.

        Args:
            regions: those of depth text and ruler.
            reference: the whole picture on which they match the scale.

        Raises:
            SpacingError: if there is none, or one that shows nothing that could change.
        """
        from inference.sources.depth_watch import DepthGuard

        if self._live is None:
            return
        guard = DepthGuard(reference, *regions)
        self._live.set_spacing(None)
        self._live.watch_depth(guard)
        self.watched = tuple(regions)

    def shows(self, regions: Sequence[Rect], reference: Pixels) -> bool:
        """Whether depth text and ruler now look as they did on this whole picture."""
        from inference.sources.depth_watch import CHANGED, DepthGuard

        whole = self.whole()
        return whole is not None and DepthGuard(reference, *regions).change(whole) <= CHANGED

    def restore_spacing(self, spacing: PixelSpacing) -> None:
        """Use a scale again that an interruption ended: the user has said that the depth is unchanged."""
        if self._live is not None:
            self._live.restore_spacing(spacing)

    def overrule(self, alarm: Alarm) -> None:
        """Take the user's word from the next frame on that this alarm is false; until the source is closed.

        Raises:
            ValueError: for an alarm that nobody can judge by looking at the picture.
        """
        if alarm not in OVERRULABLE:
            raise ValueError(f"{alarm.value} cannot be overruled")
        self.overruled |= {alarm}

    def heed(self, alarm: Alarm) -> None:
        """Heed this alarm again from the next frame on."""
        self.overruled -= {alarm}

    @property
    def depth_watched(self) -> bool:
        """Whether depth text and ruler are watched, and unchanged."""
        return self._live is not None and self._live.depth_watched

    @property
    def frozen(self) -> Finding | None:
        """The finding that the scanner is frozen; None if it is not, or if another finding forbids the analysis."""
        found = self.findings
        return None if forbidding(found) else next((one for one in found if one.alarm is Alarm.FROZEN), None)

    @property
    def ringing(self) -> tuple[Finding, ...]:
        """The alarms at the newest frame."""
        return self._guards.ringing

    def guard_events(self) -> tuple[Event, ...]:
        """Alarms that began or ended since this was last called; each is given once."""
        return self._guards.events()

    def _guard(self, frame: Frame, overruled: frozenset[Alarm]) -> Frame:
        """The same frame with the guards' findings; one that could not be read has no picture to look at."""
        if forbidding(frame.findings) is not None:
            self.findings = frame.findings
            return frame
        seen = guarded(frame, self._guards, self._seen())
        if overruled & {finding.alarm for finding in seen.findings}:
            marked = (replace(one, overruled=one.alarm in overruled) for one in seen.findings)
            seen = replace(seen, findings=tuple(marked))
        self.findings = seen.findings
        return seen

    def _believable(self, frame: Frame) -> Frame:
        """The same frame, but without a scale given by hand while the scanner's depth is not watched."""
        from inference.sources.depth_watch import may_measure

        spacing = frame.spacing
        # A vouched scale rests on the user's word, which is shown beside every number; an interruption ends it too.
        by_hand = spacing is not None and spacing.provenance in BY_HAND
        if may_measure(captured=self.captured and by_hand, own_scale=not by_hand, watched=self.depth_watched):
            return frame
        return rescaled(frame, None, UNWATCHED)
