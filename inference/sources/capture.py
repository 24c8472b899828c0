"""Capture devices by name: V4L2, DirectShow or AVFoundation through OpenCV. They do not know the scale.

Two functions are passed in: one lists the devices, one opens a device. Everything else can then be tested with real
streams. This code was never tested with an actual device.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
from numpy.typing import NDArray

from inference.errors import NotFoundError, SourceError
from inference.sources.colour import colour_map
from inference.sources.interlace import Weave
from inference.sources.live import Connection, Live, Picture
from inference.sources.pixels import grey
from inference.sources.recorded import quiet_opencv
from inference.spacing import REMEDY, PixelSpacing

NO_SCALE = f"A capture device does not say how large a pixel is: {REMEDY}."
BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}


@dataclass(frozen=True, slots=True)
class CaptureDevice:
    """A device as the system lists it.

    Attributes:
        name: the maker's name for it; two devices of one make share it.
        index: its present OpenCV number, which may change when it is plugged in again.
        path: the system's name for the port it is plugged into; empty if there is none.
    """

    name: str
    index: int
    path: str = ""


@dataclass(frozen=True, slots=True)
class CaptureFormat:
    """The format requested from a device; None leaves the choice to the device.

    Attributes:
        cols: width, pixels.
        rows: height, pixels.
        fps: pictures per second; only a wish.
        fourcc: four letters of the pixel format, such as MJPG or YUY2; only a wish.
    """

    cols: int | None = None
    rows: int | None = None
    fps: float | None = None
    fourcc: str | None = None


class Grabber(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def isOpened(self) -> bool: ...  # noqa: D102, N802
    def read(self) -> tuple[bool, NDArray[Any]]: ...  # noqa: D102
    def get(self, propId: int, /) -> float: ...  # noqa: D102, N803
    def set(self, propId: int, value: float, /) -> bool: ...  # noqa: D102, N803
    def release(self) -> None: ...  # noqa: D102


Lister = Callable[[], Sequence[CaptureDevice]]
Opener = Callable[[CaptureDevice], Grabber]


def capture_devices() -> list[CaptureDevice]:
    """The devices of this computer that deliver pictures, in the system's order."""
    from cv2_enumerate_cameras import enumerate_cameras, supported_backends

    backend = BACKENDS.get(sys.platform, cv2.CAP_ANY)
    if backend not in supported_backends:
        return []
    return [CaptureDevice(found.name, found.index, found.path or "") for found in enumerate_cameras(backend)]


def open_grabber(device: CaptureDevice) -> Grabber:
    """Open a device with OpenCV; `isOpened()` says whether that worked."""
    return cv2.VideoCapture(device.index, BACKENDS.get(sys.platform, cv2.CAP_ANY))


class CaptureSource(Live):
    """Pictures of one capture device, grey, each of a single moment; everything outside the sector is exactly 0.

    After an unplug the device is found again by its name, since its number may then belong to another device.

    Args:
        name: name of the device, as listed.
        path: port of the device, to tell two devices of the same name apart.
        wanted: size and format to request.
        typed: the user's own scale.
        lister: lists the devices.
        opener: opens a device.

    Raises:
        NotFoundError: if there is no such device, or several.
        SourceError: if it gives no picture, or one of another size than requested.
    """

    def __init__(
        self,
        name: str,
        *,
        path: str = "",
        wanted: CaptureFormat | None = None,
        typed: PixelSpacing | None = None,
        lister: Lister = capture_devices,
        opener: Opener = open_grabber,
    ) -> None:
        self._device, self._path = name, path
        self._wanted = wanted or CaptureFormat()
        self._lister, self._opener = lister, opener
        self._weave = Weave()
        super().__init__(name, typed)

    def _connect(self) -> Connection:
        device = find(self._lister(), self._device, self._path)
        with quiet_opencv():
            grabber = self._opener(device)
        try:
            _prepare(grabber, self._device, self._wanted)
        except SourceError:
            grabber.release()
            raise
        return _Grabbed(grabber, self._weave)


def find(devices: Sequence[CaptureDevice], name: str, path: str = "") -> CaptureDevice:
    """The device of that name; if there are several, the one at that path: no picture is better than another scanner's.

    Raises:
        NotFoundError: if there is no such device, or several that cannot be told apart.
    """
    named = [device for device in devices if device.name == name]
    if len(named) == 1:
        return named[0]
    there = [device for device in named if path and device.path == path]
    if len(there) == 1:
        return there[0]
    if named:
        raise NotFoundError(f"{len(named)} devices are called {name}: unplug the others, or choose one in the list.")
    raise NotFoundError(f"There is no device called {name}: plug it in, or choose one in the list.")


def _prepare(grabber: Grabber, name: str, wanted: CaptureFormat) -> None:
    """Request the newest picture only, and the format; refuse a size other than the one requested."""
    if not grabber.isOpened():
        raise SourceError(f"{name} cannot be opened: close other programs that use it, or plug it in again.")
    grabber.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if wanted.fourcc is not None:  # first, since it decides which sizes there are
        grabber.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*wanted.fourcc))
    sizes = ((cv2.CAP_PROP_FRAME_WIDTH, wanted.cols), (cv2.CAP_PROP_FRAME_HEIGHT, wanted.rows))
    for prop, value in (*sizes, (cv2.CAP_PROP_FPS, wanted.fps)):
        if value is not None:
            grabber.set(prop, value)
    given = [round(grabber.get(prop)) for prop, _ in sizes]
    if any(value is not None and value != got for (_, value), got in zip(sizes, given, strict=True)):
        asked = f"{wanted.cols or 'any'} × {wanted.rows or 'any'}"
        raise SourceError(f"{name} gives {given[0]} × {given[1]} pixels and not {asked}: choose another size.")


class _Grabbed:
    """An open device. Its reader thread never waits for anyone, so that the driver's queue stays empty."""

    def __init__(self, grabber: Grabber, weave: Weave) -> None:
        self._grabber = grabber
        self._weave = weave

    def read(self) -> Picture | None:
        """The next picture; None once the device is gone."""
        try:
            with quiet_opencv():
                decoded, picture = self._grabber.read()
        except cv2.error:
            return None  # some drivers hand over half a picture when they are unplugged
        if not decoded:
            return None
        return Picture(self._weave.apply(grey(picture)), None, NO_SCALE, colour_map(picture, order="BGR"))

    def close(self) -> None:
        """Free the device."""
        self._grabber.release()
