"""What every live source shares: the newest picture only, reconnecting, and a scale that a changed signal voids.

A driver may block for seconds. It then blocks its own reader thread, never `frames()` or `close()`.
"""

import logging
import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

from inference.alarms import Alarm
from inference.display import display_levels
from inference.errors import SourceError
from inference.frame import ColourMap, Frame, Origin, Pixels, View, placed
from inference.latest import Latest
from inference.pose import Pose
from inference.sector import GrowingSector
from inference.source_info import SQUARE, SourceInfo, shape_words
from inference.sources.base import Closing
from inference.sources.depth_watch import DepthGuard, DepthWatch
from inference.sources.rhythm import Gap, Rhythm
from inference.sources.sleepless import sleepless
from inference.spacing import REMEDY, PixelSpacing, admitted

log = logging.getLogger(__name__)

FIRST_PICTURE_S = 8.0
"""How long opening waits for the first picture: an H.264 stream can be read only from its next key frame."""
RETRY_S = 0.25
"""Pause between two attempts to reconnect."""
JOIN_S = 1.0
INTERRUPTED = f"The signal was interrupted and its depth may have changed since: {REMEDY}."
WITHHELD = "The source is slow or was interrupted: wait for a few pictures, until its rate is known."
CHANGED = f"The stream's own scale changed, so that the one given by hand is void: {REMEDY}."


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture as it arrived.

    Attributes:
        pixels: (rows, cols), grey.
        spacing: the spacing that the signal itself states, or None.
        no_spacing_reason: why the signal states none; else empty.
        colour: where it was coloured; None if it was not.
        pose: where the signal says that it lies; None if it does not say.
        no_pose_reason: why a tracked sender does not; else empty.
        damaged: whether parts of it were lost on the way, or of a picture that it is built on.
        aspect: width of a pixel over its height, as the signal states it; 1 if it does not.
    """

    pixels: Pixels
    spacing: PixelSpacing | None
    no_spacing_reason: str
    colour: ColourMap | None = None
    pose: Pose | None = None
    no_pose_reason: str = ""
    damaged: bool = False
    aspect: float = 1.0


class Connection(Protocol):
    """An open device or stream, used and closed by a single thread."""

    def read(self) -> Picture | None:
        """The next picture, after at most a few seconds; None once the sender is gone.

        Raises:
            SourceError: if the signal can never be shown.
        """
        ...

    def close(self) -> None:
        """Free the device or stream."""
        ...


class Live(Closing, ABC):
    """Base of every `LiveSource`: a subclass only says how to connect. Waits for the first picture.

    Args:
        name: shown on screens and in exports; contains no password and no patient's name.
        typed: the user's own scale, in force until the signal changes or is interrupted.

    Raises:
        SourceError: if no picture comes, with what to do about it.
    """

    def __init__(self, name: str, typed: PixelSpacing | None = None) -> None:
        self._name = name
        self._closed = threading.Event()
        self._arrived = threading.Event()
        self._pictures: Latest[Frame] = Latest()
        self._error = ""
        self._index = 0
        self._rhythm = Rhythm()
        self._sector = GrowingSector()
        self._depth = DepthWatch()
        self._scale = threading.Lock()
        self._given = typed
        self._stated: PixelSpacing | _Unseen | None = _UNSEEN
        self._void, self._distrusted = "", False
        self._info: SourceInfo | None = None
        self._reader = threading.Thread(target=self._read_loop, name="live-reader", daemon=True)
        self._reader.start()
        if not self._arrived.wait(FIRST_PICTURE_S) or self._info is None:
            self.close()
            reason = self._error or f"{name} sends no picture: check that the sender runs, its address and port."
            raise SourceError(reason)

    @abstractmethod
    def _connect(self) -> Connection:
        """Open the device or stream.

        Raises:
            SourceError: if it is not available now.
        """

    @property
    def info(self) -> SourceInfo:
        """What the first picture told."""
        if self._info is None:  # the constructor has waited for it
            raise SourceError(f"{self._name} has sent no picture: open it again.")
        return self._info

    def set_spacing(self, spacing: PixelSpacing | None) -> None:
        """Use this scale from the next picture on; None returns to the signal's own, if that is trusted.

        If the watched depth text or ruler has changed, its present state becomes the reference.
        """
        self._depth.renew()
        with self._scale:
            self._given, self._stated = spacing, _UNSEEN
            if spacing is not None or not self._distrusted:  # to give none vouches for nothing
                self._void, self._distrusted = "", False

    def restore_spacing(self, spacing: PixelSpacing) -> None:
        """Reuse a scale that an interruption ended; if depth text or ruler has changed, the next picture voids it."""
        with self._scale:
            self._given, self._stated, self._void = spacing, _UNSEEN, ""

    def void_spacing(self, reason: str) -> None:
        """Trust no scale, given or stated, until a new one is given; the reason is shown to the user."""
        with self._scale:
            self._given, self._void, self._distrusted = None, reason, True

    def whole(self) -> Pixels | None:
        """The newest picture as the scanner drew it, for marking depth text; never kept, recorded or exported."""
        return self._depth.whole

    def watch_depth(self, guard: DepthGuard | None) -> None:
        """Void every scale from the first picture that differs from the guard's; None watches nothing."""
        self._depth.guard(guard)

    @property
    def depth_watched(self) -> bool:
        """Whether depth text and ruler are watched and still as they were marked."""
        return self._depth.guarding

    def frames(self) -> Iterator[Frame]:
        """The newest picture each time, until closed; none while the sender is gone.

        Raises:
            SourceError: if the signal has changed to another one, or cannot be shown.
        """
        while (frame := self._pictures.take()) is not None and not self._closed.is_set():
            yield frame
        if not self._closed.is_set():
            raise SourceError(self._error or f"{self._name} cannot be read any more: open it again.")

    def close(self) -> None:
        """End `frames()` at once; a driver that blocks is left to its own time limit."""
        self._closed.set()
        self._pictures.close()
        if self._reader is not threading.current_thread():
            self._reader.join(JOIN_S)

    def _read_loop(self) -> None:
        """Connect, read and reconnect, in the reader thread."""
        try:
            while not self._closed.is_set():
                self._try_once()
                if self._info is None:
                    return  # nothing there yet: tell the user now, not after many attempts
                self._closed.wait(RETRY_S)
        except _ChangedError as error:
            self._error = str(error)
        finally:
            self._pictures.close()
            self._arrived.set()

    def _try_once(self) -> None:
        """Serve one connection, from its first picture to its last."""
        try:
            connection = self._connect()
        except SourceError as error:
            self._error = str(error)
            return
        try:
            while not self._closed.is_set() and (picture := connection.read()) is not None:
                self._accept(picture)
        except _ChangedError:
            raise
        except SourceError as error:
            raise _ChangedError(str(error)) from error
        finally:
            connection.close()
        log.info("the sender is gone")
        self._interrupted()

    def _interrupted(self) -> None:
        """The depth may have changed meanwhile: a scale given by hand ends."""
        with self._scale:
            if self._given is not None:
                self._given, self._void = None, INTERRUPTED

    def _accept(self, picture: Picture) -> None:
        """Make a frame of a picture, or stop if the signal is no longer the one that was opened."""
        stated = picture.spacing, picture.no_spacing_reason
        spacing, reason = admitted(*stated, picture.pixels.shape[0], name=self._name)
        picture = replace(picture, spacing=spacing, no_spacing_reason=reason)
        if self._info is None:
            self._info = self._describe(picture)
        rows, cols = picture.pixels.shape
        if (rows, cols) != (self._info.rows, self._info.cols):
            raise _ChangedError(
                f"The picture changed from {self._info.cols} × {self._info.rows} to {cols} × {rows} pixels: "
                "open the source again, and calibrate."
            )
        if not math.isclose(picture.aspect, self._info.pixel_aspect, rel_tol=SQUARE):
            raise _ChangedError(
                f"The shape of its pixels changed, from {self._info.pixel_aspect:.3g} to {picture.aspect:.3g} times as "
                "wide as high: open the source again, and calibrate."
            )
        now = monotonic()
        # Without a connection, as over udp, only the gap tells a sender that came back from one that stayed; and also
        # with one, how long the computer slept meanwhile.
        gap = self._rhythm.judge(sleepless())
        if gap is Gap.LOST:
            self._interrupted()
        # Of a smear nothing is learnt: neither that the depth text changed, nor that the sector grew.
        changed = self._depth.fired if picture.damaged else self._depth.look(picture.pixels, now)
        if changed is not None:
            self.void_spacing(changed.sentence)
        spacing, reason = self._spacing_of(picture, withheld=gap is Gap.DOUBTFUL)
        if picture.damaged:
            spacing, reason = None, reason or Alarm.DAMAGED.sentence  # the depth may have changed unseen
        pose, no_pose_reason = placed(picture.pose, picture.no_pose_reason, spacing)
        frame = Frame(
            index=self._index,
            pixels=(self._sector.mask if picture.damaged else self._sector.apply)(picture.pixels),
            spacing=spacing,
            captured_at=now,
            origin=self._info.origin,
            no_spacing_reason=reason,
            depth_changed_at=None if changed is None else changed.since,
            colour=picture.colour,
            damaged=picture.damaged,
            pose=pose,
            no_pose_reason=no_pose_reason,
        )
        self._index += 1
        self._pictures.put(frame)
        self._arrived.set()

    def _describe(self, picture: Picture) -> SourceInfo:
        rows, cols = picture.pixels.shape
        return SourceInfo(
            origin=Origin(self._name, View.NATIVE, live=True),
            rows=rows,
            cols=cols,
            spacing=self._given or picture.spacing,
            no_spacing_reason="" if self._given else picture.no_spacing_reason,
            levels=display_levels(picture.pixels),
            notice=shape_words(self._name, picture.aspect),
            pixel_aspect=picture.aspect,
        )

    def _spacing_of(self, picture: Picture, *, withheld: bool) -> tuple[PixelSpacing | None, str]:
        """The scale in force for this picture, or the reason why there is none; one given by hand may be withheld."""
        with self._scale:
            if self._given is not None and self._stated is _UNSEEN:
                self._stated = picture.spacing
            if self._given is not None and self._stated != picture.spacing:
                self._given, self._void = None, CHANGED
            if self._given is not None:
                return (None, WITHHELD) if withheld else (self._given, "")
            if self._distrusted:
                return None, self._void
            # A signal that states its scale in every picture needs no one to set it; any other stays void.
            return picture.spacing, "" if picture.spacing else self._void or picture.no_spacing_reason


class _ChangedError(SourceError):
    """The signal is no longer the one that was opened: its settings no longer hold."""


class _Unseen:
    """No picture has come since the scale was given."""


_UNSEEN = _Unseen()
