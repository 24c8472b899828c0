"""Sources of frames, opened by `open_source` and `open_live` only, from the text that a user types, drops or picks."""

from functools import partial
from pathlib import Path

from inference.errors import ChoiceError, FormatError, NotFoundError
from inference.patience import ANSWER_S, BYTES_PER_S, SILENT, bytes_answered, in_time
from inference.sources.base import LiveSource, RecordedSource
from inference.sources.paths import (
    DICOM,
    DICOMDIR,
    PICTURES,
    RECORDS,
    VIDEOS,
    VOLUMES,
    dicom_files,
    is_sequence,
    natural_order,
    shown_address,
    suffix_of,
)
from inference.spacing import PixelSpacing

SIMULATED = "simulated:"
"""Opens the phantom of known area."""
DISTURBED = "simulated:?"
"""Opens the phantom as a live signal with disturbances: simulated:?disturb=lifted&at=3."""
DEVICE = "device:"
"""Prefix of a capture device's name."""
OPENIGTLINK = "igtl"
SHOWN = 4
"""So many folders are named to choose from."""
VIDEO_STREAMS = ("rtsp", "rtsps", "udp", "rtp", "srt", "http", "https")


def is_live(text: str) -> bool:
    """Whether this is a device or the address of a stream, rather than the name of a file."""
    if text.startswith((DEVICE, DISTURBED)):
        return True
    scheme, found, _ = text.partition("://")
    return bool(found) and scheme.lower() in (OPENIGTLINK, *VIDEO_STREAMS)


def open_live(text: str, *, spacing: PixelSpacing | None = None) -> LiveSource:
    """Open a stream and wait for its first picture.

    Args:
        text: device:NAME, simulated:?disturb=NAMES&at=SECONDS, igtl://host:port[/device], or a network video's address.
        spacing: the user's own spacing, in force until the signal changes or is interrupted.

    Raises:
        SourceError: if no picture comes, with what to do about it.
    """
    if text.startswith(DEVICE):
        from inference.sources.capture import CaptureSource

        return CaptureSource(text.removeprefix(DEVICE), typed=spacing)
    if text.startswith(DISTURBED):
        from inference.sources.disturbed import DisturbedSource

        return DisturbedSource.parse(text.removeprefix(DISTURBED), spacing)
    if text.lower().startswith(f"{OPENIGTLINK}://"):
        from inference.sources.openigtlink import OpenIGTLinkSource

        return OpenIGTLinkSource(text, typed=spacing)
    from inference.sources.network import NetworkSource

    return NetworkSource(text, typed=spacing)


def open_source(
    text: str,
    *,
    axis: str = "k",
    spacing: PixelSpacing | None = None,
    region: int | None = None,
    config: Path | None = None,
) -> RecordedSource:
    """Open a recorded source. Other people's files are decoded in a separate process, our own records in this one.

    Args:
        text: path of a file or folder, or `simulated:`.
        axis: NIfTI axis along which a volume is swept: i, j or k.
        spacing: the user's own spacing; takes precedence over the file's.
        region: number of a DICOM ultrasound region, where a picture holds several.
        config: the PLUS configuration a tracked sequence was recorded with; takes precedence over the file's spacing.

    Raises:
        SourceError: if it cannot be opened, with what to do about it.
    """
    if not text:  # as of a script's unset variable; to the system it is the current folder
        raise ChoiceError("No source is named: give a file, a folder or an address.")
    if text == SIMULATED:
        from inference.sources.simulated import PhantomSource

        return PhantomSource(typed=spacing)
    if is_live(text):
        raise ChoiceError(f"{shown_address(text)} is a live stream without an end: view it, or use `ius-segment live`.")
    path = Path(text).expanduser()
    size = bytes_answered(path)
    here = partial(open_here, text, axis=axis, spacing=spacing, region=region, config=config)
    if suffix_of(path) in RECORDS or size is None:
        limit_s = ANSWER_S + (size or 0) / BYTES_PER_S
        return in_time(here, limit_s, SILENT.format(path.name), dispose=lambda opened: opened.close())
    from inference.sources.remote import RemoteSource

    config = None if config is None else config.expanduser().absolute()
    return RemoteSource(str(path.absolute()), axis=axis, spacing=spacing, region=region, config=config)


def open_here(
    text: str,
    *,
    axis: str = "k",
    spacing: PixelSpacing | None = None,
    region: int | None = None,
    config: Path | None = None,
) -> RecordedSource:
    """Open a file in this process; `open_source` has another process do this.

    Libraries are loaded only for the files that need them, so that the first picture comes fast.
    """
    path = Path(text).expanduser()
    try:
        return _open(path, axis, spacing, region, config)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file or folder {path}: check the name.") from error
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read ({error.strerror}): check its name and rights.") from error


def device_names() -> list[str]:
    """The capture devices of this computer, as `open_live` takes them."""
    from inference.sources.capture import capture_devices

    return [DEVICE + device.name for device in capture_devices()]


def _open(
    path: Path, axis: str, spacing: PixelSpacing | None, region: int | None, config: Path | None
) -> RecordedSource:
    path.stat()
    if config is not None and not is_sequence(path):
        raise ChoiceError(f"{path.name} is no tracked sequence: leave the PLUS configuration out.")
    if suffix_of(path) in DICOM or dicom_files(path) or (path / DICOMDIR).is_file():
        from inference.sources.dicom import DicomSource

        return DicomSource(path, region=region, typed=spacing)
    if region is not None:
        raise ChoiceError(f"{path.name} is no DICOM file and has no regions: leave the region out.")
    if is_sequence(path):
        if axis != "k":
            raise ChoiceError(f"{path.name} is a sequence and has nothing to sweep along {axis}: leave the axis out.")
        from inference.sources.sequence import SequenceSource

        return SequenceSource(path, config=config, typed=spacing)
    return _open_other(path, axis, spacing)


def _open_other(path: Path, axis: str, spacing: PixelSpacing | None) -> RecordedSource:
    if path.is_dir():
        series = [folder for folder in natural_order(path.iterdir()) if folder.is_dir() and dicom_files(folder)]
        if series:
            names = " or ".join(folder.name for folder in series[:SHOWN])
            raise ChoiceError(f"Each DICOM series in {path.name} has a folder of its own: open {names} in it.")
        from inference.sources.images import FolderSource

        return FolderSource(path, typed=spacing)
    suffix = suffix_of(path)
    if suffix in VOLUMES:
        from inference.sources.volume import VolumeSource

        return VolumeSource(path, axis=axis, typed=spacing)
    if suffix in PICTURES:
        from inference.sources.images import PictureSource

        return PictureSource(path, typed=spacing)
    if suffix in RECORDS:
        from inference.sources.record import RecordSource

        return RecordSource(path, typed=spacing)
    if suffix in VIDEOS:
        from inference.sources.video import VideoSource

        return VideoSource(path, typed=spacing)
    raise FormatError(
        f"{path.name} is no kind of file that can be opened: give a picture, volume, sequence, DICOM, video or record."
    )
