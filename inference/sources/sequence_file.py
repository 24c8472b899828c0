"""Tracked sequences as stored in their files: PLUS's MetaImage and NRRD, and Slicer's NRRD.

PLUS: 2D+t, with `Seq_FrameNNNN_…` keys for each frame (vtkIGSIOMetaImageSequenceIO, vtkIGSIONrrdSequenceIO).
Slicer: kinds `list domain domain domain`, k = 1, and "axis N index values". ITK reads a list as pixel components.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError
from inference.sources import metaimage, nrrd_file
from inference.sources.grid import grid_header
from inference.sources.paths import suffix_of

PLACES = ("domain", "space")
LISTS = ("list", "time")
COLOURS = ("vector", "rgb-color", "rgba-color")
FRAME_FIELD = re.compile(r"Seq_Frame(\d+)_(ImageStatus|Status|Timestamp)")
"""A frame's own fields. `…TransformStatus` is the status of a tool's transform, not of the picture."""
SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 0.001}


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """A sequence file before its pictures are oriented and its invalid frames are left out.

    Attributes:
        pictures: (frames, rows, cols) or (frames, rows, cols, channels), as stored.
        texts: the header's texts; keys in lower case without spaces, which PLUS writes in one format only.
        invalid: numbers of the frames without a valid picture.
        seconds: maps a frame's number to its time on the file's own clock.
        spacing: mm along i (columns) and j (rows); None if unknown.
        note: what the header says where a spacing is unknown; else empty.
        header: NIfTI header of the file's own grid; use it only if `spacing` is known.
    """

    pictures: NDArray[Any]
    texts: Mapping[str, str]
    invalid: frozenset[int]
    seconds: Mapping[int, float]
    spacing: tuple[float | None, float | None]
    note: str
    header: nib.Nifti1Header


def read_sequence(path: Path) -> Stack:
    """Read a sequence of pictures.

    Raises:
        FormatError: if it is damaged or cut short, or holds volumes or no pictures.
    """
    return _read_metaimage(path) if suffix_of(path) in (".mha", ".mhd") else _read_nrrd(path)


def _read_metaimage(path: Path) -> Stack:
    data = path.read_bytes()
    keys, offset = metaimage.header_keys(data, path.name)
    sizes = metaimage.header_sizes(keys, path.name)
    kinds = keys.get("Kinds", "").lower().split() or _usual_kinds(len(sizes))
    spatial = [axis for axis, kind in enumerate(kinds) if kind in PLACES]
    channels = metaimage.header_numbers(keys, "ElementNumberOfChannels", path.name, "1")
    if channels != [1]:
        sizes, kinds = [int(*channels[:1]), *sizes], ["vector", *kinds]
    _check(sizes, kinds, path.name)
    values = metaimage.read_voxels(path, data[offset:], keys, tuple(reversed(sizes)))
    axes = min(3, len(kinds) - kinds.count("vector"))
    matrix = metaimage.header_matrix(keys, axes, path.name)
    spacing, note = metaimage.header_spacing(keys, spatial, matrix)
    affine = metaimage.header_affine(keys, matrix, spacing, path.name)
    return _numbered(_stack(values.T, kinds, keys, spacing, note, affine, {}), path.name)


def _read_nrrd(path: Path) -> Stack:
    try:
        with nrrd_file.strict_numbers():
            header, values = nrrd_file.read_grid(path)
            kinds = [str(kind).lower() for kind in header.get("kinds", [])] or _usual_kinds(values.ndim)
            _check(values.shape, kinds, path.name)
            places = _of_places(header, [axis for axis, kind in enumerate(kinds) if kind in PLACES])
            spacing, note = nrrd_file.header_spacing(places)
            affine, _ = nrrd_file.header_affine(places, spacing)
            seconds = _index_seconds(header, kinds)
    except nrrd_file.DAMAGE as error:
        raise FormatError(f"{path.name} is damaged, cut short or no NRRD file: copy or export it again.") from error
    texts = {str(key): value for key, value in header.items() if isinstance(value, str)}
    return _numbered(_stack(values, kinds, texts, spacing, note, affine, seconds), path.name)


def _numbered(stack: Stack, name: str) -> Stack:
    """The stack, unless it describes frames that it doesn't hold: nobody knows then which ones are invalid, and when.

    Raises:
        FormatError: if so.
    """
    last = max((*stack.invalid, *stack.seconds), default=0)
    if last >= len(stack.pictures):
        raise FormatError(f"{name} describes frame {last}, but holds {len(stack.pictures)}: export it again.")
    return stack


def _usual_kinds(dimensions: int) -> list[str]:
    """Kinds assumed for a file that states none, as in PLUS: the last axis is time; two axes are a single picture."""
    return ["domain"] * max(2, dimensions - 1) + ["list"] * (dimensions > 2)


def _check(sizes: Sequence[int], kinds: Sequence[str], name: str) -> None:
    """Refuse anything but a list of pictures, grey or in colour."""
    places = [axis for axis, kind in enumerate(kinds) if kind in PLACES]
    lists, colours = (sum(kind in family for kind in kinds) for family in (LISTS, COLOURS))
    known = len(places) in (2, 3) and lists <= 1 and colours <= 1 and len(places) + lists + colours == len(kinds)
    if not known or len(kinds) != len(sizes):
        raise FormatError(f"{name} has axes ({' '.join(kinds)}) that are no sequence of pictures: export it again.")
    if min(sizes) < 1 or min(sizes[axis] for axis in places[:2]) < 2:
        raise FormatError(f"{name} holds positions only, no pictures (only positions of tools): record its video.")
    if len(places) == 3 and sizes[places[2]] > 1:
        raise FormatError(f"{name} is a sequence of volumes, not of pictures: export one volume of it.")
    if any(size not in (1, 3, 4) for size, kind in zip(sizes, kinds, strict=True) if kind in COLOURS):
        raise FormatError(f"{name} holds several values a pixel that are no colour: export it again in grey.")


def _stack(
    values: NDArray[Any],
    kinds: Sequence[str],
    texts: Mapping[str, str],
    spacing: tuple[float | None, float | None, float | None],
    note: str,
    affine: NDArray[np.float64],
    seconds: Mapping[int, float],
) -> Stack:
    across, down = spacing[:2]
    if across == down == 1:
        across, down, note = None, None, "its spacing of 1 1 counts pixels"
    statuses = {frame: text for key in ("ImageStatus", "Status") for frame, text in _of_frames(texts, key).items()}
    times = {frame: _number(text) for frame, text in _of_frames(texts, "Timestamp").items()}
    return Stack(
        pictures=_pictures(values, kinds),
        texts={key.replace(" ", "").lower(): value for key, value in texts.items()},
        invalid=frozenset(frame for frame, text in statuses.items() if text.strip().upper() != "OK"),
        seconds=times or seconds,
        spacing=(across, down),
        note=note,
        header=grid_header(affine),
    )


def _pictures(values: NDArray[Any], kinds: Sequence[str]) -> NDArray[Any]:
    """(frames, rows, cols[, channels]) from values whose axes are in file order, the fastest first."""
    lists, colours, places = (
        [axis for axis, kind in enumerate(kinds) if kind in family] for family in (LISTS, COLOURS, PLACES)
    )
    ordered = values.transpose(*lists, *places[2:], places[1], places[0], *colours)
    picture = ordered.shape[-2 - len(colours) :]
    # A list axis that comes first is interleaved by pixel: it is reordered once here, not once per frame.
    return np.ascontiguousarray(ordered).reshape(-1, *picture)


def _of_frames(texts: Mapping[str, str], field: str) -> dict[int, str]:
    """One field of every frame that has it, by the frame's number."""
    matches = ((FRAME_FIELD.fullmatch(key), value) for key, value in texts.items())
    return {int(match[1]): value for match, value in matches if match is not None and match[2] == field}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _of_places(header: Mapping[str, Any], axes: Sequence[int]) -> dict[str, Any]:
    """The header of the spatial axes alone."""
    per_axis = {key: header[key] for key in ("space directions", "spacings", "units") if header.get(key) is not None}
    return {**header, "dimension": len(axes), **{key: [of[axis] for axis in axes] for key, of in per_axis.items()}}


def _index_seconds(header: Mapping[str, Any], kinds: Sequence[str]) -> dict[int, float]:
    """Slicer's index values if they are times, which they are if the list axis has a unit of time."""
    axis = next((axis for axis, kind in enumerate(kinds) if kind in LISTS), None)
    units = [str(unit).strip().lower() for unit in header.get("units", [])]
    if axis is None or len(units) <= axis or units[axis] not in SECONDS:
        return {}
    values = str(header.get(f"axis {axis} index values", "")).split()
    return {frame: _number(value) * SECONDS[units[axis]] for frame, value in enumerate(values)}
