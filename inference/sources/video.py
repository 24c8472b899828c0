"""Video files: mp4, avi, mov, mkv, whatever the bundled ffmpeg decodes. They do not know the scale."""

import os
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
from numpy.typing import NDArray

from inference.errors import FormatError, SourceError
from inference.frame import ColourMap, Frame, Origin, Pixels, View
from inference.sector import sector_mask, spread
from inference.source_info import SourceInfo, shape_words
from inference.sources import complaints
from inference.sources.colour import colour_map
from inference.sources.matroska import torn_ms
from inference.sources.packets import pixel_aspect
from inference.sources.pixels import as_pixels, luma
from inference.sources.recorded import Recorded, quiet_opencv
from inference.sources.video_index import AHEAD, VideoIndex, decoded, listed, time_ms
from inference.sources.video_tracks import tracks_of
from inference.spacing import REMEDY, PixelSpacing

NO_SCALE = f"A video does not say how large a pixel is: {REMEDY}."
SAMPLED = 16
"""Number of frames examined to find the sector."""
TRIED = 48
"""This many pictures in a row must come as the index says; otherwise the index is rebuilt by decoding every picture."""
MISSING = 50
"""The last pictures of a file may be cut off; if more than this many are missing, the file cannot be used."""


class VideoSource(Recorded):
    """The frames of one video file, grey; everything outside the sector is exactly 0.

    Raises:
        FormatError: if it is not a video that can be decoded.
    """

    def __init__(self, path: Path, *, typed: PixelSpacing | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        tracks = tracks_of(path)
        if tracks.turned:
            raise FormatError(f"{path.name} is to be shown mirrored or aslant: convert it (ffmpeg -i OLD NEW).")
        self._reader = _Reader(path, _index_of(path))
        self._torn = _torn(path, self._reader.index)
        samples = self._samples()
        self._inside = sector_mask(samples)
        self._whole: Pixels | None = None
        rows, cols = samples[0].shape
        info = SourceInfo(
            origin=Origin(path.name, View.UNKNOWN),
            rows=rows,
            cols=cols,
            spacing=None,
            no_spacing_reason=NO_SCALE,
            levels=(0.0, 255.0),
            fps=self._reader.fps,
            pixel_aspect=self._reader.pixel_aspect,
            notice=_notice(self._reader, tracks.count),
        )
        super().__init__(info, typed)

    def __len__(self) -> int:
        """Number of frames that can be decoded."""
        return len(self._reader.index)

    def read(self, index: int) -> Frame:
        """Frame `index`, from 0, with the time at which the file shows it, counted from the first one.

        Raises:
            IndexError: outside the source.
            SourceError: if this frame cannot be decoded.
        """
        return replace(super().read(index), time_s=self._reader.time_s(index))

    def close(self) -> None:
        """Free the decoder, after a frame that is being decoded is done."""
        super().close()
        with self._lock:
            self._reader.close()

    def whole(self) -> Pixels | None:
        """The frame read last, with the scanner's text and ruler; never kept, recorded or exported."""
        return self._whole

    def _pixels(self, index: int) -> Pixels:
        return self._seen(index)[0]

    def _seen(self, index: int) -> tuple[Pixels, ColourMap | None]:
        picture = self._picture(index)
        grey = self._whole = _grey(picture)
        return as_pixels(cv2.bitwise_and(grey, grey, mask=self._inside)), colour_map(picture, order="BGR")

    def _samples(self) -> list[Pixels]:
        """Decoded frames from all over the clip; a broken one is left out, unless all are broken."""
        samples: list[Pixels] = []
        broken: SourceError | None = None
        for index in spread(len(self), SAMPLED):
            try:
                samples.append(_grey(self._picture(index)))
            except SourceError as error:
                broken = error
        if broken is not None and not samples:
            raise broken
        return samples

    def _picture(self, index: int) -> NDArray[Any]:
        if any(index in numbers for numbers in self._torn):
            raise SourceError(f"Frame {index} of {self._path.name} is damaged, by the file's checksum: copy it again.")
        with self._lock:
            picture = self._reader.picture(index)
        if picture is None:
            raise SourceError(f"Frame {index} of {self._path.name} cannot be decoded: convert the video.")
        return picture


class _Reader:
    """A decoder with the number of its present picture, known by the picture's time. Used by one thread at a time.

    A decoder that meets damage goes on, and fills the picture and those that are built on it with older ones. It says
    so on the terminal before it returns the first of them. Several threads decode far ahead of what they return, so
    after the first such message one thread goes on alone, which is `VideoIndex.ahead` pictures ahead at most: nothing
    is believed then before the next key picture that lies farther away.

    Raises:
        FormatError: if the file cannot be decoded.
    """

    def __init__(self, path: Path, index: VideoIndex) -> None:
        self._path = path
        self.index = index
        self._number = {time: number for number, time in enumerate(index.times_ms)} if index.placed else {}
        self._alone = False
        """Whether one thread decodes."""
        self._open()

    def _open(self) -> None:
        self._capture = _open(self._path, [cv2.CAP_PROP_N_THREADS, 1] if self._alone else ())
        self._begin()

    def _begin(self) -> None:
        """Begin anew at a key picture."""
        complaints.new()
        self._at = -1
        """Number of the picture that was grabbed last."""
        self._damaged: int | None = None
        """Number of the picture that was returned when the decoder last met damage."""

    @property
    def fps(self) -> float | None:
        """Pictures per second, on average; the usual rate where the file's clock jumps."""
        stated = float(self._capture.get(cv2.CAP_PROP_FPS))
        times, usual_ms = self.index.times_ms[: len(self.index)], self.index.usual_step_ms
        if self.index.rising and len(times) > 1:
            return (len(times) - 1) * 1e3 / (times[-1] - times[0])
        rate = stated if usual_ms is None else 1e3 / usual_ms
        return rate if 0 < rate < 1e4 else None

    @property
    def pixel_aspect(self) -> float:
        """Width of a pixel over its height; 1 if the file does not say."""
        turned = round(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 180 != 0
        aspect = pixel_aspect(self._capture)
        return 1 / aspect if turned else aspect

    def time_s(self, number: int) -> float | None:
        """Time at which a picture is shown, counted from the first one."""
        if self.index.rising:
            return (self.index.times_ms[number] - self.index.times_ms[0]) / 1e3
        return None if self.fps is None else number / self.fps

    def picture(self, number: int) -> NDArray[Any] | None:
        """Exactly picture `number`, whatever was decoded before; None if it cannot be decoded."""
        picture = self._seen(number)
        if self._damaged is None or self._alone:
            return picture
        self._alone = True
        self._capture.release()
        self._open()
        return self._seen(number)

    def _seen(self, number: int) -> NDArray[Any] | None:
        if not self._comes(number):
            self._jump(number)
        while self._at < number:
            if self._grab() is None:
                return None
        if self._at != number:
            return None
        found, picture = self._capture.retrieve()
        said = complaints.new()
        complaints.refuse_interlaced(said, self._path.name)
        self._hear(said)
        return picture if found and self._believed(number) else None

    def _believed(self, number: int) -> bool:
        """Whether a picture is built on nothing that may be damaged."""
        if self._damaged is None:
            return True
        return self._alone and self.index.key_of(number) > self._damaged + self.index.ahead

    def damaged_before(self, number: int) -> bool:
        """Whether the decoder met damage on the way to picture `number`, which is there then, though not believed."""
        return self._damaged is not None and self._damaged < number

    def comes_as(self, number: int) -> bool:
        """Whether picture `number` comes next."""
        return self._grab() == number

    def close(self) -> None:
        """Free the decoder."""
        self._capture.release()

    def _comes(self, number: int) -> bool:
        """Whether decoding on leads to the picture without passing a key picture that would be a shorter way."""
        return self._at <= number and self.index.key_of(number) <= max(self._at, 0) + 1

    def _jump(self, number: int) -> None:
        """Move to just before a picture by way of a key picture; to the beginning, if none can be reached."""
        keys, key = self.index.keys, self.index.key_of(number)
        place = bisect_right(keys, number) - 1
        if self._alone:  # so far back that all that is said about the key picture and later ones is heard on the way
            place = bisect_left(keys, key - self.index.ahead) - 1
        for earlier in (place, place - 1, place - 4):
            if earlier > 0 and self.index.placed and self._stand_at(key, from_key=keys[earlier]):
                return
        self._capture.release()
        self._open()

    def _stand_at(self, key: int, *, from_key: int) -> bool:
        """Seek to near `from_key` and decode up to picture `key`; what follows a key picture needs none before it."""
        self._begin()
        self._capture.set(cv2.CAP_PROP_POS_MSEC, self.index.times_ms[from_key])  # decodes from farther back
        if self._alone:
            complaints.new()
        while (at := self._grab()) is not None and at <= key:
            if at == key:
                return True
        return False

    def _grab(self) -> int | None:
        """The number of the next picture; None at the end, or if it is not in the index."""
        if not self._capture.grab():
            return None
        at = self._number.get(time_ms(self._capture)) if self.index.placed else self._at + 1
        if at is not None:
            self._at = at
        self._hear(complaints.new())
        return at

    def _hear(self, said: bytes) -> None:
        if complaints.is_damage(said):
            self._damaged = self._at


def _index_of(path: Path) -> VideoIndex:
    """The pictures of a file, without those at its end that cannot be decoded.

    Raises:
        FormatError: if there are none.
    """

    def opener(settings: Sequence[int] = ()) -> cv2.VideoCapture:
        return _open(path, settings)

    index = listed(opener)
    if not index.placed or not _holds(path, index):
        index = decoded(opener, index)
    reader = _Reader(path, index)
    try:
        for count in range(len(index), max(0, len(index) - MISSING), -1):
            if reader.picture(count - 1) is not None or reader.damaged_before(count - 1):
                return index if count == len(index) else index.cut(count)
    finally:
        reader.close()
    raise FormatError(f"{path.name} holds no frames that can be decoded here: copy it again, or convert it to mp4.")


def _torn(path: Path, index: VideoIndex) -> list[range]:
    """Numbers of the pictures that may be built on what is damaged by the file's own checksums."""
    spans = torn_ms(path)
    if spans and not index.rising:
        return [range(len(index))]
    torn = []
    for begins, ends in spans:
        later = [key for key in index.keys if index.times_ms[key] >= ends]
        torn.append(range(max(0, bisect_left(index.times_ms, begins) - AHEAD), min(later, default=len(index))))
    return torn


def _holds(path: Path, index: VideoIndex) -> bool:
    """Whether the first pictures come one by one as the index says: some codecs hide pictures, or return half ones."""
    reader = _Reader(path, index)
    try:
        return all(reader.comes_as(number) for number in range(min(len(index), TRIED)))
    finally:
        reader.close()


def _notice(reader: _Reader, videos: int) -> str:
    """What the user has to know about further videos, and pictures that are not square or not all of one size."""
    sentences = []
    if videos > 1:
        sentences.append(f"This file holds {videos} videos: the first one is shown.")
    if reader.index.short:
        sentences.append("The end of this file is missing or damaged: copy it again.")
    if reader.index.changed is not None:
        (number, (rows, cols)) = reader.index.changed
        sentences.append(f"From frame {number} on the picture has {cols} × {rows} pixels: that part is left out.")
    return " ".join([*sentences, shape_words("this video", reader.pixel_aspect)]).strip()


def _grey(picture: NDArray[Any]) -> Pixels:
    return as_pixels(luma(picture, order="BGR") if picture.ndim == 3 else picture)


def _open(path: Path, settings: Sequence[int] = ()) -> cv2.VideoCapture:
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # ffmpeg writes to the terminal directly
    with quiet_opencv():
        capture = cv2.VideoCapture(f"file:{path.absolute()}", cv2.CAP_FFMPEG, list(settings))
    if not capture.isOpened():
        raise FormatError(f"{path.name} is not a video that can be decoded: convert it to mp4 or avi.")
    return capture
