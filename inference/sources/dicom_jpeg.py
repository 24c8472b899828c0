"""JPEG and JPEG 2000 in DICOM: reads luma directly from the codec, and corrects a wrong colour label."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import ColourMap
from inference.sources import complaints
from inference.sources.colour import cells_coloured
from inference.sources.picture_file import jpeg_segments

_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
"""Makes every reader treat three components as YCbCr."""
_ADOBE_RGB = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
"""Makes every reader return three components unconverted."""
_AS_STORED = cv2.IMREAD_IGNORE_ORIENTATION
"""DICOM knows no EXIF: a camera's orientation in a frame's JPEG turns nothing (PS3.5 A.4.1)."""
_FRAMES = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))


def grey_of(frame: bytes) -> NDArray[np.uint8] | None:
    """The Y channel of a baseline JPEG without the detour through RGB, 30 times as fast; None if it is damaged."""
    if not frame:
        return None
    complaints.new()
    grey = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_GRAYSCALE | _AS_STORED)
    return None if grey is None or complaints.is_partial(complaints.new(), frame) else grey.astype(np.uint8, copy=False)


def luma_of(frame: bytes) -> NDArray[np.uint8] | None:
    """The first of three channels that are YCbCr, whatever the file's markers say."""
    return grey_of(frame[:2] + _JFIF + frame[2:])


def colour_of(frame: bytes) -> ColourMap | None:
    """Where the picture is coloured, decoded at a quarter of its size: the codec skips what is not needed."""
    small = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_REDUCED_COLOR_4 | _AS_STORED)
    return None if small is None else cells_coloured(small.astype(np.uint8, copy=False), order="BGR")


def is_ycbcr(frame: bytes) -> bool:
    """Whether three components are YCbCr although the file is labelled RGB, as many encoders leave it.

    Adobe's marker says so, JFIF's implies it, and sub-sampled components must be YCbCr. Without any of these, two
    channels around 128 are the colour differences of a grey picture; in RGB all three would be alike.
    """
    markers = dict(jpeg_segments(frame))  # of several segments of one kind, the last
    adobe = markers.get(0xEE, b"")
    if adobe.startswith(b"Adobe") and len(adobe) >= 12:
        return adobe[11] == 1
    if markers.get(0xE0, b"").startswith(b"JFIF"):
        return True
    components = next((body for kind, body in markers.items() if kind in _FRAMES), b"")
    if len(set(components[7:15:3])) > 1:
        return True
    as_rgb_data = np.frombuffer(frame[:2] + _ADOBE_RGB + frame[2:], np.uint8)
    channels: Any = cv2.imdecode(as_rgb_data, cv2.IMREAD_COLOR | _AS_STORED)
    if channels is None:
        return False
    third, second, first = (channels[::4, ::4, channel].astype(np.int16) for channel in range(3))
    as_rgb = np.abs(first - second).mean() + np.abs(first - third).mean()
    as_ycbcr = np.abs(second - 128).mean() + np.abs(third - 128).mean()
    return bool(as_ycbcr < as_rgb)


def is_transformed(frame: bytes) -> bool:
    """Whether a JPEG 2000 frame was made from RGB by the codec's own colour transform, which its decoder undoes.

    Its label is then YBR_RCT or YBR_ICT; some encoders leave another one (ISO 15444-1, A.6.1, marker COD).
    """
    at = frame.find(b"\xff\x4f\xff\x51") + 2  # a JP2 file has boxes before the codestream
    while 2 <= at < len(frame) - 8 and frame[at] == 0xFF and frame[at + 1] != 0x90:
        if frame[at + 1] == 0x52:
            return frame[at + 8] == 1
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return False
