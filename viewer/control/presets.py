"""Scales that are kept across starts, each for one device, one picture size and one crop."""

import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from PySide6.QtCore import QSettings

from inference.crop import Rect
from inference.errors import SpacingError
from inference.files import make_folder, replacing
from inference.frame import Pixels
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Marker

log = logging.getLogger(__name__)

ASIDE = "The stored presets could not be read and were set aside as {name}: calibrate again, and save a new preset."
STUCK = "The stored presets cannot be read: check {path}, or calibrate by hand."


@dataclass(frozen=True, slots=True)
class Place:
    """What a scale holds for, and nothing else.

    Attributes:
        device: a capture device's or stream's display name; never a file's name, which may name a patient.
        rows: picture height, pixels.
        cols: picture width, pixels.
        crop: the part of it that is used; None for all.
    """

    device: str
    rows: int
    cols: int
    crop: Rect | None = None


@dataclass(frozen=True, slots=True)
class Preset:
    """A scale and what goes with it.

    Attributes:
        place: what it holds for.
        row_mm: distance between rows, mm.
        col_mm: distance between columns, mm.
        watched: where the scanner's depth text and ruler are; None where nobody has marked them.
        marker: the probe's marker side.
        reference: what stood there when the scale was given: the watched pixels, 8 bits, row by row, packed by zlib.
        ruler: two points (x, y) on the scanner's depth scale; None for a typed scale.
    """

    place: Place
    row_mm: float
    col_mm: float
    watched: Rect | None = None
    marker: Marker = Marker.UNSET
    reference: bytes = b""
    ruler: tuple[tuple[float, float], tuple[float, float]] | None = None

    @property
    def reference_picture(self) -> Pixels | None:
        """A picture of the place's size that shows what was watched, and nothing else; None where nothing was."""
        if self.watched is None or not self.reference:
            return None
        picture = np.zeros((self.place.rows, self.place.cols), np.uint8)
        shape = (self.watched.rows, self.watched.cols)
        picture[self.watched.where] = np.frombuffer(zlib.decompress(self.reference), np.uint8).reshape(shape)
        return picture

    @property
    def spacing(self) -> PixelSpacing:
        """The scale, which says that it comes from a preset.

        Raises:
            SpacingError: if it is no scale.
        """
        return PixelSpacing(self.row_mm, self.col_mm, Provenance.PRESET)


class Presets:
    """The presets file: small, read once, written whole.

    Args:
        path: the file; None takes `presets.json` beside the settings.

    Attributes:
        complaint: one sentence where the file was damaged; empty otherwise.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or presets_path()
        self.complaint = ""
        self._kept: list[Preset] = self._read()

    def find(self, place: Place) -> Preset | None:
        """The preset of exactly this device, size and crop."""
        return next((preset for preset in self._kept if preset.place == place), None)

    def known(self, device: str, rows: int, cols: int) -> tuple[Preset, ...]:
        """The presets of this device and size, one a crop, the newest first: to be offered, with their crops."""
        return tuple(p for p in self._kept if (p.place.device, p.place.rows, p.place.cols) == (device, rows, cols))

    def save(self, preset: Preset) -> None:
        """Keep a preset, in place of the one for the same device, size and crop.

        Raises:
            OutputError: if it cannot be written.
            SpacingError: if it is no scale, or its rectangles lie outside the picture.
        """
        _check(preset)
        self._write([preset, *(old for old in self._kept if old.place != preset.place)])

    def remove(self, place: Place) -> None:
        """Forget a preset.

        Raises:
            OutputError: if it cannot be written.
        """
        self._write([old for old in self._kept if old.place != place])

    def _write(self, presets: list[Preset]) -> None:
        make_folder(self._path.parent)
        with replacing(self._path) as aside:
            aside.write_bytes(msgspec.json.format(msgspec.json.encode(presets)))
        self._kept = presets

    def _read(self) -> list[Preset]:
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError:
            self.complaint = STUCK.format(path=self._path)
            return []
        try:
            found = msgspec.json.decode(text, type=list[Preset])
            for preset in found:
                _check(preset)
        except (msgspec.DecodeError, SpacingError, ValueError, zlib.error):
            self._set_aside()
            return []
        return found

    def _set_aside(self) -> None:
        """Keep the damaged file under a name of its own: someone may want to look at it."""
        aside = next(name for name in _names(self._path) if not name.exists())
        try:
            self._path.rename(aside)
        except OSError:
            self.complaint = STUCK.format(path=self._path)
            return
        self.complaint = ASIDE.format(name=aside.name)
        log.warning("presets: damaged, set aside as %s", aside.name)


def presets_path() -> Path:
    """The presets file beside the settings."""
    store = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "ius", "viewer")
    return Path(store.fileName()).with_name("presets.json")


def _names(path: Path) -> Iterator[Path]:
    number = 1
    while True:
        yield path.with_name(f"{path.stem}-damaged-{number}{path.suffix}")
        number += 1


def _check(preset: Preset) -> None:
    """Refuse what cannot be a preset: a scale that is none, or rectangles of another picture."""
    _ = preset.spacing
    for rect in (preset.place.crop, preset.watched):
        if rect is not None and not rect.fits(preset.place.rows, preset.place.cols):
            raise SpacingError("The preset's crop or watched region lies outside the picture: mark it again.")
    _ = preset.reference_picture


def packed(whole: Pixels, region: Rect) -> bytes:
    """The pixels of a region, to be kept with a preset; nothing of a picture that has more than 8 bits."""
    return zlib.compress(whole[region.where].tobytes()) if whole.dtype == np.uint8 else b""
