"""Margin: how far each pixel is over the threshold, at full resolution only where it is asked for.

The network answers at its own spacing. Between neighbouring answers of one sign, interpolation has that sign too.
So the coarse answer already determines the mask of the picture, except in a strip along the border.

    tiles blended -> folds averaged -> padding off -> linear to the crop -> rounded as nnU-Net -> tumour less background

Source: nnunetv2 2.8, `nnUNetPredictor` and `export_prediction.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import Mask
from inference.model import tiles
from inference.model.preprocessing import Prepared
from inference.model.resampling import linear_resize

Part = tuple[slice, slice]
"""Rows and columns of a picture."""
OUTSIDE = np.float32(-100)
"""Margin outside the crop, which the network does not see: a tumour probability of 4e-44."""
_ROUNDING = 2.0**-9
"""Twice the change that rounding to float16 can make to a difference of logits, relative to the largest logit."""
_BORDER = 2
"""Pixels on each side of the border that an outline depends on."""
_AROUND = np.ones((2 * _BORDER + 1, 2 * _BORDER + 1), np.uint8)
_NOWHERE = slice(0, 0), slice(0, 0)
_Number = TypeVar("_Number", np.float32, np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Where the margin is over 0, in a part of the crop.

    Attributes:
        part: rows and columns of the crop; outside them nothing is over 0.
        found: (rows, cols) of the part, whether a pixel is over 0.
        over: (rows, cols), the margin; exact along the border.
    """

    part: Part
    found: NDArray[np.bool_]
    over: NDArray[np.float32]


class Margin:
    """Tumour logit minus background logit, minus the cutoff: over 0 is tumour; `OUTSIDE` outside the crop.

    Args:
        logits: ([folds,] 2, rows, cols) of the patch, background and tumour, for each of `prepared.corners`; finite.
        prepared: the result of `prepare`.
        cutoff: logit of the threshold.

    Attributes:
        shape: (rows, cols) of the frame.
    """

    def __init__(self, logits: Iterable[NDArray[np.float32]], prepared: Prepared, cutoff: float = 0.0) -> None:
        rows, cols = prepared.shape
        self.shape = (cols, rows) if prepared.transposed else (rows, cols)
        self._prepared, self._cutoff = prepared, np.float32(cutoff)
        if prepared.corners:
            shape = (prepared.image.shape[0], prepared.image.shape[1])
            self._coarse = tiles.blend_folds(logits, prepared.corners, shape)[:, *prepared.inner]
        else:
            self._coarse = np.zeros((2, 0, 0), np.float32)

    @property
    def crop(self) -> Part:
        """The part of the frame that the network saw."""
        return self._turned(self._prepared.box.slices)

    def whole(self) -> NDArray[np.float32]:
        """Every pixel of the frame, (rows, cols) float32."""
        return self[:, :]

    def __getitem__(self, part: Part) -> NDArray[np.float32]:
        """The pixels of a part of the frame, (rows, cols) float32."""
        rows, cols = (slice(*one.indices(size)[:2]) for one, size in zip(part, self.shape, strict=True))
        return self._upright(self._part(*self._turned((rows, cols))))

    def along_border(self, part: Part) -> NDArray[np.float32]:
        """Like `self[part]`, far cheaper: exact within `_BORDER` pixels of the mask's border, approximate elsewhere."""
        box, seen = self._prepared.box, self._seen
        rows, cols = self._turned(part)
        top, left = box.row + seen.part[0].start, box.col + seen.part[1].start
        height, width = seen.over.shape
        if rows.start < top or cols.start < left or rows.stop > top + height or cols.stop > left + width:
            return self[part]
        return self._upright(seen.over[_shifted(rows, -top), _shifted(cols, -left)])

    def near(self, level: float = 0.0) -> Part:
        """A part of the frame that contains all pixels over a level, with a margin of one pixel inside the frame."""
        box = self._prepared.box
        rows, cols = self._near(level) if level else self._seen.part
        return self._turned((_shifted(rows, box.row), _shifted(cols, box.col)))

    @property
    def coarse(self) -> NDArray[np.float32]:
        """The margin at the network's spacing: (rows, cols) float32 of the (transposed) crop."""
        background, tumour = self._coarse
        coarse: NDArray[np.float32] = tumour - background - self._cutoff
        return coarse

    def on_frame(self, coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        """Interpolate a plane from the network's spacing to the frame; 0 outside the crop.

        Args:
            coarse: (rows, cols), the shape of `self.coarse`.
        """
        box, plane = self._prepared.box, np.zeros(self._prepared.shape, np.float32)
        if coarse.size:
            plane[box.slices] = linear_resize(np.ascontiguousarray(coarse), box.rows, box.cols)
        return self._upright(plane)

    def mask(self) -> Mask:
        """Whether each pixel of the frame is over 0: (rows, cols) uint8 0/1, equal to `whole() > 0`."""
        mask = np.zeros(self._prepared.shape, np.uint8)
        mask[self._prepared.box.slices][self._seen.part] = self._seen.found
        return self._upright(mask)

    @cached_property
    def _seen(self) -> "_Seen":
        """The pixels over 0: by interpolation alone wherever it is further from 0 than rounding could move it."""
        part = self._near(0.0)
        if part == _NOWHERE:
            return _Seen(part, np.zeros((0, 0), np.bool_), np.zeros((0, 0), np.float32))
        background, tumour = (plane[part] for plane in self._fine)
        over, room = tumour - background, self._room
        found = over > self._cutoff + room
        doubtful = np.flatnonzero((over > self._cutoff - room) != found)
        _round(over, doubtful, background, tumour)
        found.ravel()[doubtful] = over.ravel()[doubtful] > self._cutoff
        ring = cv2.morphologyEx(found.view(np.uint8), cv2.MORPH_GRADIENT, _AROUND, borderType=cv2.BORDER_CONSTANT)
        _round(over, np.flatnonzero(ring.view(np.bool_)), background, tumour)
        if self._cutoff:
            over -= self._cutoff
        return _Seen(part, found, over)

    @cached_property
    def _fine(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Background and tumour interpolated to the crop, before rounding."""
        box = self._prepared.box
        background, tumour = (linear_resize(np.ascontiguousarray(one), box.rows, box.cols) for one in self._coarse)
        return background, tumour

    @cached_property
    def _room(self) -> np.float32:
        """The largest change that rounding makes to a margin."""
        return np.float32(_ROUNDING * np.abs(self._coarse).max(initial=0))

    def _near(self, level: float) -> Part:
        """Like `near`, in coordinates of the crop."""
        if self._coarse.size == 0:
            return _NOWHERE
        background, tumour = self._coarse
        over = tumour - background > self._cutoff + np.float32(level) - self._room
        col, row, cols, rows = cv2.boundingRect(over.view(np.uint8))
        if rows == 0:
            return _NOWHERE
        box = self._prepared.box
        return _finer(row, row + rows, over.shape[0], box.rows), _finer(col, col + cols, over.shape[1], box.cols)

    def _part(self, rows: slice, cols: slice) -> NDArray[np.float32]:
        """A part of the (transposed) frame."""
        part = np.full((max(0, rows.stop - rows.start), max(0, cols.stop - cols.start)), OUTSIDE, np.float32)
        box = self._prepared.box
        top, bottom = max(rows.start, box.row), min(rows.stop, box.row + box.rows)
        left, right = max(cols.start, box.col), min(cols.stop, box.col + box.cols)
        if top < bottom and left < right:
            seen = slice(top - box.row, bottom - box.row), slice(left - box.col, right - box.col)
            background, tumour = (tiles.to_half(plane[seen]) for plane in self._fine)
            here = slice(top - rows.start, bottom - rows.start), slice(left - cols.start, right - cols.start)
            np.subtract(tumour, background, out=part[here])
        if self._cutoff:
            part -= self._cutoff
        return part

    def _turned(self, part: Part) -> Part:
        """Convert a part between the frame and the (transposed) frame that the network sees; its own inverse."""
        return (part[1], part[0]) if self._prepared.transposed else part

    def _upright(self, plane: NDArray[_Number]) -> NDArray[_Number]:
        """Convert pixels of the (transposed) frame that the network sees to the frame."""
        return np.ascontiguousarray(plane.T) if self._prepared.transposed else plane


def _round(
    over: NDArray[np.float32],
    where: NDArray[np.intp],
    background: NDArray[np.float32],
    tumour: NDArray[np.float32],
) -> None:
    """Set some pixels of a contiguous plane to the difference of both logits as nnU-Net rounds them."""
    pixels = np.divmod(where, over.shape[1])
    over.ravel()[where] = tiles.to_half(tumour[pixels]) - tiles.to_half(background[pixels])


def _finer(start: int, stop: int, size: int, wanted: int) -> slice:
    """The pixels of a side of `wanted` that are interpolated from pixels start..stop-1 of `size`, and one more."""
    scale = wanted / size
    return slice(max(0, int((start - 1) * scale) - 2), min(wanted, int((stop + 1) * scale) + 2))


def _shifted(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)
