"""The scale of a picture as stated in a PLUS configuration (PlusConfiguration XML).

PLUS keeps pictures in pixels; the pixel size is in the transform from the frame "Image" to a frame in mm, such as
"Probe" or "TransducerOrigin". Frames called "…Pixel" (TransducerOriginPixel) still count pixels: Image to
TransducerOriginPixel is only a shift and says nothing about the scale.
"""

import math
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError, NotFoundError
from inference.spacing import PixelSpacing, Provenance

IMAGE = "Image"
PIXELS = "Pixel"
"""Suffix of frames that count pixels."""
AGREE = 0.01
"""Relative difference up to which two routes to mm state the same scale: 2 % of an area."""
SQUARE = 0.05
"""Cosine between the picture's axes up to which they count as perpendicular; fCal leaves some skew."""
UNCALIBRATED = 1e-6
"""A scale this close to exactly 1 mm on both axes is a matrix that nobody has filled in."""

Matrix = NDArray[np.float64]


def config_spacing(path: Path) -> PixelSpacing:
    """The size of a pixel of the frame "Image": the lengths of the first two columns of its transform to mm.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it is not a PLUS configuration, or states no scale or two different ones.
    """
    scales = [_scale(matrix, path.name) for matrix in _to_millimetres(_transforms(path))]
    if not scales:
        raise FormatError(
            f"{path.name} has no transform from Image to Probe or another frame in mm: give the configuration that "
            "fCal saved after the calibration, or leave it out."
        )
    row_mm, col_mm = scales[0]
    if any(not np.allclose(scale, scales[0], rtol=AGREE, atol=0) for scale in scales):
        raise FormatError(f"{path.name} states two scales of Image that differ: give the one of this recording.")
    if abs(row_mm - 1) < UNCALIBRATED and abs(col_mm - 1) < UNCALIBRATED:
        raise FormatError(
            f"{path.name} leaves Image in pixels (not calibrated): give a calibrated one, or leave it out."
        )
    return PixelSpacing(row_mm, col_mm, Provenance.MATRIX)


def _transforms(path: Path) -> list[tuple[str, str, Matrix]]:
    """(from, to, matrix) of each coordinate definition, in the order of the file."""
    try:
        data = path.expanduser().read_bytes()
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read ({error.strerror}): check its name and rights.") from error
    try:
        root = ET.fromstring(data)  # noqa: S314 (expat fetches no entity and limits how far one grows)
    except (ET.ParseError, LookupError, ValueError) as error:
        raise FormatError(f"{path.name} is no XML, or was cut short: copy it again.") from error
    if root.tag != "PlusConfiguration":
        raise FormatError(f"{path.name} is no PLUS configuration: give the XML that PLUS was started with.")
    definitions = (
        (element.get("From", ""), element.get("To", ""), element.get("Matrix", ""))
        for element in root.iterfind("CoordinateDefinitions/Transform")
    )
    return [(start, end, _matrix(text, f"{path.name} states {start} to {end}")) for start, end, text in definitions]


def _matrix(text: str, what: str) -> Matrix:
    try:
        values = [float(value) for value in text.split()]
    except ValueError:
        values = []
    if len(values) != 16 or not all(map(math.isfinite, values)):
        raise FormatError(f"{what} by something else than 16 numbers: give another configuration.")
    return np.reshape(values, (4, 4))


def _to_millimetres(transforms: list[tuple[str, str, Matrix]]) -> list[Matrix]:
    """Each transform from the image, through frames in pixels, to a frame in mm."""
    found: list[Matrix] = []
    reached = {IMAGE: np.eye(4)}
    waiting = [IMAGE]
    while waiting:
        here = waiting.pop(0)
        for start, end, matrix in transforms:
            if start != here or end in reached:
                continue
            if end.endswith(PIXELS):
                reached[end] = matrix @ reached[here]
                waiting.append(end)
            else:
                found.append(matrix @ reached[here])
    return found


def _scale(matrix: Matrix, name: str) -> tuple[float, float]:
    """(row, column) mm per pixel: y runs down the rows, x across the columns."""
    across, down = matrix[:3, 0], matrix[:3, 1]
    col_mm, row_mm = math.hypot(*across), math.hypot(*down)
    if not (col_mm > 0 and row_mm > 0 and abs(across / col_mm @ (down / row_mm)) <= SQUARE):
        raise FormatError(f"{name} turns a pixel of Image into no rectangle: calibrate again.")
    return row_mm, col_mm
