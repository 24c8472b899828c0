"""The frames beside one that stands: in the frozen half minute, or in the open recording. Read one by one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from inference.frame import Frame
from inference.live.guarded_source import GuardedSource
from inference.live.playback import Playback
from inference.live.ring import Held


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The frames beside one; every method may be called from any thread.

    Attributes:
        place: where that frame stands.
        count: number of frames there are.
        frame: the frame at a place.
    """

    place: int
    count: int
    frame: Callable[[int], Frame]

    def later(self) -> Iterator[Frame]:
        """Those that come later, the nearest first.

        Raises:
            SourceError: if one cannot be read.
        """
        return map(self.frame, range(self.place + 1, self.count))

    def before(self) -> Iterator[Frame]:
        """Those that came before, the nearest first.

        Raises:
            SourceError: if one cannot be read.
        """
        return map(self.frame, range(self.place - 1, -1, -1))


def in_half_minute(held: Held, frame: Frame) -> Neighbours | None:
    """The neighbours of a frame in the half minute; None if it is not there."""
    places = [place for place, at in enumerate(held.times) if at == frame.captured_at]
    return Neighbours(places[0], len(held), lambda place: held.outcome(place).frame) if places else None


def in_recording(playback: Playback, source: GuardedSource, frame: Frame) -> Neighbours:
    """The neighbours of a frame in a recording, cropped as it is; no guard has looked at them."""
    cropping = source.cropping
    return Neighbours(frame.index, len(playback), lambda place: cropping(playback.look_at(place)))
