"""What a person looks at to judge a registration: ultrasound alone, MRI's edges and the label on it, checkerboards."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.io.files import written_aside
from training.registration.planes import ORIENTATIONS, PIXEL_MM, Plane, cut_planes, middle
from training.registration.transforms import Matrix
from training.registration.volume import Pixels, Volume

# Canny's edges depend on the number of threads, and the same registration has to give the same pictures.
cv2.setNumThreads(1)

FOLDER = "pictures"
"""In that of the registrations."""
VIEWS = ("overlay-before", "overlay", "checker-before", "checker", "us")
SQUARE_MM = 10.0
EDGE, LABEL, INK = (255, 214, 64), (40, 170, 255), (235, 235, 235)
"""Colours as OpenCV has them, BGR: cyan, amber, near white."""
_JPEG = (
    cv2.IMWRITE_JPEG_QUALITY,
    88,
    # Lines one pixel wide keep their colour only so.
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)
_EDGE_SHARE = 90.0
"""Percentile of the gradient above which an edge begins; it goes on down to half of that."""
_EDGE_BLUR_MM = 0.8
_CONTEXT = 0.35

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Where the MRI is put.

    Attributes:
        matrix: MRI to ultrasound, RAS mm.
        label: its mask put there, in the ultrasound's world; None where there is none.
        mri: what is put by `matrix` instead of the MRI as it was read: one that is deformed already.
    """

    matrix: Matrix
    label: Volume | None
    mri: Volume | None = None


def write_pictures(folder: Path, case: str, us: Volume, mri: Volume, before: Placed, after: Placed) -> list[Path]:
    """Write FOLDER/CASE/PLANE-VIEW.jpg for three planes, through the mask as registered, and `VIEWS`.

    Args:
        folder: of all pictures.
        case: its name.
        us: ultrasound; 0 outside the sector.
        mri: the one that is shown, in its own world.
        before: at the start of the registration.
        after: as registered.
    """
    centre = middle(us, after.label)
    drawn: dict[str, dict[str, Picture]] = {one.name: {} for one in ORIENTATIONS}
    for placed, ending in ((after, ""), (before, "-before")):
        for plane in cut_planes(us, placed.mri or mri, placed.label, placed.matrix, centre):
            drawn[plane.orientation.name] |= {f"{view}{ending}": one for view, one in _views(plane).items()}
    for (name, view), path in picture_paths(folder, case).items():
        code = cv2.imencode(".jpg", drawn[name][view], _JPEG)[1]
        with written_aside(path) as aside:
            aside.write_bytes(code.tobytes())
    return list(picture_paths(folder, case).values())


def picture_paths(folder: Path, case: str) -> dict[tuple[str, str], Path]:
    """Plane and view -> file."""
    planes = ("axial", "coronal", "sagittal")
    return {(plane, view): folder / case / f"{plane}-{view}.jpg" for plane in planes for view in VIEWS}


def _views(plane: Plane) -> dict[str, Picture]:
    """The pictures of one plane."""
    inside, there = plane.us > 0, np.isfinite(plane.mri) & (plane.mri != 0)
    us, mri = _grey(plane.us, inside, inside), _grey(np.nan_to_num(plane.mri), there, there & inside)
    views = {
        "us": cv2.cvtColor(us, cv2.COLOR_GRAY2BGR),
        "overlay": cv2.cvtColor(us, cv2.COLOR_GRAY2BGR),
        "checker": cv2.cvtColor(_checkerboard(us, mri, inside), cv2.COLOR_GRAY2BGR),
    }
    views["overlay"][_edges(mri, inside)] = EDGE
    contours, _ = cv2.findContours(plane.label.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for view in ("overlay", "checker"):
        cv2.drawContours(views[view], contours, -1, LABEL, 1, cv2.LINE_AA)
    for picture in views.values():
        _annotate(picture, plane.orientation.letters)
    return views  # type: ignore[return-value]


def _grey(pixels: Pixels, where: NDArray[np.bool_], by: NDArray[np.bool_]) -> Picture:
    """8 bits from the 1st to the 99.5th percentile of the pixels `by`; 0 but `where` there is something."""
    if not by.any():
        return np.zeros(pixels.shape, np.uint8)
    low, high = np.percentile(pixels[by], (1.0, 99.5))
    scaled = np.clip((pixels - low) / max(float(high - low), 1e-6), 0.0, 1.0)
    return np.where(where, 255.0 * scaled**0.8, 0).astype(np.uint8)


def _checkerboard(us: Picture, mri: Picture, inside: NDArray[np.bool_]) -> Picture:
    """Squares of ultrasound and MRI by turns within the sector, and faint MRI around it."""
    rows, cols = (np.arange(n) * PIXEL_MM // SQUARE_MM for n in us.shape)
    even = (rows[:, None] + cols[None, :]) % 2 == 0
    around = (_CONTEXT * mri).astype(np.uint8)
    return np.where(inside, np.where(even, us, mri), around).astype(np.uint8)


def _edges(mri: Picture, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Canny's edges of the MRI within the sector: what is strong is what is strong there, not at the skull."""
    smooth = cv2.GaussianBlur(mri, (0, 0), _EDGE_BLUR_MM / PIXEL_MM)
    across, down = (cv2.Sobel(smooth, cv2.CV_16S, *order) for order in ((1, 0), (0, 1)))
    slope = np.hypot(across.astype(np.float32), down.astype(np.float32))
    strong = float(np.percentile(slope[inside], _EDGE_SHARE)) if inside.any() else 0.0
    if strong == 0:
        return np.zeros(mri.shape, bool)
    return inside & (cv2.Canny(across, down, strong / 2, strong, L2gradient=True) > 0)


def _annotate(picture: NDArray[Any], letters: str) -> None:
    """Patient directions at the four sides and a centimetre."""
    rows, cols = picture.shape[:2]
    places = ((4, rows // 2), (cols - 14, rows // 2), (cols // 2 - 5, 14), (cols // 2 - 5, rows - 6))
    for letter, place in zip(letters, places, strict=True):
        cv2.putText(picture, letter, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    start, length = (8, rows - 8), round(10.0 / PIXEL_MM)
    cv2.line(picture, start, (start[0] + length, start[1]), INK, 1)
    cv2.putText(picture, "1 cm", (8, rows - 13), cv2.FONT_HERSHEY_SIMPLEX, 0.34, INK, 1, cv2.LINE_AA)
