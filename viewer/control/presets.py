"""Scales kept from one start to the next, each for one device, one picture size and one crop."""

import logging
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from inference.crop import Rect
from inference.errors import OutputError, SourceError, SpacingError
from inference.files import make_folder, replacing
from inference.frame import Pixels
from inference.patience import in_time
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Marker
from viewer import settings

log = logging.getLogger(__name__)

ASIDE = "The stored presets could not be read and were set aside as {name}: calibrate again, and save a new preset."
STUCK = "The stored presets cannot be read: check {path}, or calibrate by hand."
DEAD = "The stored presets do not answer: connect the drive of {path}, or calibrate by hand."
ANSWER_S = 1.0
"""How long the presets may take to answer while the window is in use, which waits for them."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """What a scale is valid for, and nothing else.

    Attributes:
        device: display name of a capture device or stream; never a file's name, which may name a patient.
        rows: picture height, pixels.
        cols: picture width, pixels.
        crop: the part of the picture that is used; None for all of it.
    """

    device: str
    rows: int
    cols: int
    crop: Rect | None = None


@dataclass(frozen=True, slots=True)
class Preset:
    """A scale and the data kept with it.

    Attributes:
        place: what the scale is valid for.
        row_mm: distance between rows, mm.
        col_mm: distance between columns, mm.
        watched: where the scanner's depth text and ruler stand; empty if nobody has marked them.
        marker: the probe's marker side.
        reference: the watched pixels when the scale was given, 8 bits, region by region and row by row, packed by zlib.
        ruler: two points (x, y) on the scanner's depth scale; None for a typed scale.
    """

    place: Place
    row_mm: float
    col_mm: float
    watched: tuple[Rect, ...] = ()
    marker: Marker = Marker.UNSET
    reference: bytes = b""
    ruler: tuple[tuple[float, float], tuple[float, float]] | None = None

    @property
    def reference_picture(self) -> Pixels | None:
        """A picture of the place's size that shows only the watched regions; None if nothing was watched."""
        if not self.watched or not self.reference:
            return None
        picture = np.zeros((self.place.rows, self.place.cols), np.uint8)
        ends = np.cumsum([region.rows * region.cols for region in self.watched])
        kept = np.split(np.frombuffer(zlib.decompress(self.reference), np.uint8), ends)
        for region, pixels in zip(self.watched, kept[:-1], strict=True):
            picture[region.where] = pixels.reshape(region.rows, region.cols)
        return picture

    @property
    def spacing(self) -> PixelSpacing:
        """The scale, with its provenance from a preset.

        Raises:
            SpacingError: if the preset holds no valid scale.
        """
        return PixelSpacing(self.row_mm, self.col_mm, Provenance.PRESET)


class Presets:
    """The presets file: small, always written as a whole, and only by who has read it just before.

    Another window of this program may have changed it meanwhile: what that kept is not lost, nor what it deleted back.

    Args:
        path: the file; None uses `presets.json` beside the settings.

    Attributes:
        complaint: one sentence if the file was damaged, or could not be read; else empty.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or presets_path()
        self.complaint = ""
        self._one_by_one = threading.Lock()
        self._kept: list[Preset] | None = None
        try:
            self._kept = self._waited_for(self._read, settings.HOME_S)
        except OutputError as error:
            self.complaint = str(error)

    @property
    def unread(self) -> bool:
        """Whether the file could not be read, so that nobody knows whether there is a preset."""
        return self._kept is None

    def find(self, place: Place) -> Preset | None:
        """The preset for exactly this device, size and crop."""
        return next((preset for preset in self._kept or () if preset.place == place), None)

    def known(self, device: str, rows: int, cols: int) -> tuple[Preset, ...]:
        """The presets for this device and size, one per crop, newest first: to be offered together with their crops."""
        return tuple(
            p for p in self._kept or () if (p.place.device, p.place.rows, p.place.cols) == (device, rows, cols)
        )

    def save(self, preset: Preset) -> None:
        """Keep a preset; it replaces the one for the same device, size and crop.

        Raises:
            OutputError: if it cannot be written, or those before it cannot be read.
            SpacingError: if it holds no valid scale, or its rectangles lie outside the picture.
        """
        _check(preset)
        self._change(lambda kept: [preset, *(old for old in kept if old.place != preset.place)])

    def remove(self, place: Place) -> None:
        """Delete a preset.

        Raises:
            OutputError: if it cannot be written, or those before it cannot be read.
        """
        self._change(lambda kept: [old for old in kept if old.place != place])

    def _change(self, changed: Callable[[list[Preset]], list[Preset]]) -> None:
        self._kept = self._waited_for(lambda: self._written(changed(self._read())))

    def _waited_for(self, job: Callable[[], T], limit_s: float = ANSWER_S) -> T:
        """Read or write for a limited time; what is late is done once the drive answers, before what comes later."""

        def alone() -> T:
            with self._one_by_one:
                return job()

        try:
            return in_time(alone, limit_s, DEAD.format(path=self._path))
        except SourceError as error:
            raise OutputError(str(error)) from error

    def _written(self, presets: list[Preset]) -> list[Preset]:
        make_folder(self._path.parent)
        with replacing(self._path) as aside:
            aside.write_bytes(msgspec.json.format(msgspec.json.encode(presets)))
        return presets

    def _read(self) -> list[Preset]:
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(STUCK.format(path=self._path)) from error
        try:
            found = msgspec.convert(_of_now(msgspec.json.decode(text)), list[Preset])
            for preset in found:
                _check(preset)
        except (msgspec.DecodeError, SpacingError, ValueError, zlib.error):
            self._set_aside()
            return []
        return found

    def _set_aside(self) -> None:
        """Rename the damaged file to keep it: someone may want to look at it."""
        aside = next(name for name in _names(self._path) if not name.exists())
        try:
            self._path.rename(aside)
        except OSError as error:
            raise OutputError(STUCK.format(path=self._path)) from error
        self.complaint = ASIDE.format(name=aside.name)
        log.warning("presets: damaged, set aside as %s", aside.name)


def presets_path() -> Path:
    """The presets file beside the settings."""
    return settings.folder() / "presets.json"


def _names(path: Path) -> Iterator[Path]:
    number = 1
    while True:
        yield path.with_name(f"{path.stem}-damaged-{number}{path.suffix}")
        number += 1


def _check(preset: Preset) -> None:
    """Refuse an invalid preset: one without a valid scale, or with rectangles of another picture."""
    _ = preset.spacing
    for rect in (preset.place.crop, *preset.watched):
        if rect is not None and not rect.fits(preset.place.rows, preset.place.cols):
            raise SpacingError("The preset's crop or watched region lies outside the picture: mark it again.")
    _ = preset.reference_picture


def packed(whole: Pixels, regions: Sequence[Rect]) -> bytes:
    """The pixels of regions, to be kept with a preset; empty for pictures of more than 8 bits."""
    kept = b"".join(whole[region.where].tobytes() for region in regions)
    return zlib.compress(kept) if whole.dtype == np.uint8 else b""


def _of_now(presets: object) -> object:
    """What a presets file holds, with one watched rectangle, as files had until there were two, as the only one."""
    for preset in presets if isinstance(presets, list) else []:
        if isinstance(preset, dict) and not isinstance(watched := preset.get("watched", []), list):
            preset["watched"] = [] if watched is None else [watched]
    return presets
