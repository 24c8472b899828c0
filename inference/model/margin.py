"""Margin: how far each pixel is over the threshold, at full resolution only where it is asked for.

The network answers at its own spacing. Between neighbouring answers of one sign, interpolation has that sign too.
So the coarse answer already determines the mask of the picture, except in a strip along the border.

    tiles blended -> folds averaged -> padding off -> linear to the crop -> rounded as nnU-Net -> greatest label

nnU-Net interpolates the logits of every label and takes the greatest afterwards, in the picture: so do we, and what
the coarse answer decides is decided against each other label by itself.

Source: nnunetv2 2.8, `nnUNetPredictor` and `export_prediction.py`.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import Mask
from inference.model import tiles
from inference.model.logits import TUMOUR, log_odds, over_others, over_others_rounded
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
    """Tumour logit minus the greatest other one, minus the cutoff: over 0 is tumour; `OUTSIDE` outside the crop.

    Args:
        logits: ([folds,] labels, rows, cols) of the patch, for each of `prepared.corners`; finite. The labels are
            background, tumour and, of a model that tells it apart, cavity.
        prepared: the result of `prepare`.
        cutoff: logit of the threshold; 0 with three labels.

    Attributes:
        shape: (rows, cols) of the frame.
    """

    def __init__(self, logits: Iterable[NDArray[np.float32]], prepared: Prepared, cutoff: float = 0.0) -> None:
        rows, cols = prepared.shape
        self.shape = (cols, rows) if prepared.transposed else (rows, cols)
        self._prepared, self._cutoff, self._label = prepared, np.float32(cutoff), TUMOUR
        if prepared.corners:
            shape = (prepared.image.shape[0], prepared.image.shape[1])
            self._coarse = tiles.blend_folds(logits, prepared.corners, shape)[:, *prepared.inner]
        else:
            self._coarse = np.zeros((3, 0, 0), np.float32)

    def of(self, label: int) -> "Margin":
        """The margin of another label, over 0 where nnU-Net's answer is that label: no pixel is over 0 in two."""
        other = copy(self)
        other._label = label
        other.__dict__.pop("_seen", None)
        return other

    @property
    def odds(self) -> "Margin":
        """The logit of the tumour's probability; of two labels that is the margin itself."""
        if len(self._coarse) == 2:
            return self
        other = copy(self)
        tumour = self._coarse[TUMOUR]
        other._coarse, other._label = np.stack([tumour - log_odds(self._coarse), tumour]), TUMOUR
        for name in ("_seen", "_fine", "_room"):
            other.__dict__.pop(name, None)
        return other

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
        """The log-odds at the network's spacing, of two labels the margin: (rows, cols) float32, (transposed) crop."""
        coarse: NDArray[np.float32] = log_odds(self._coarse, self._label) - self._cutoff
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
        planes = [plane[part] for plane in self._fine]
        over, room = over_others(planes, self._label), self._room
        found = over > self._cutoff + room
        doubtful = np.flatnonzero((over > self._cutoff - room) != found)
        _round(over, doubtful, planes, self._label)
        found.ravel()[doubtful] = over.ravel()[doubtful] > self._cutoff
        ring = cv2.morphologyEx(found.view(np.uint8), cv2.MORPH_GRADIENT, _AROUND, borderType=cv2.BORDER_CONSTANT)
        _round(over, np.flatnonzero(ring.view(np.bool_)), planes, self._label)
        if self._cutoff:
            over -= self._cutoff
        return _Seen(part, found, over)

    @cached_property
    def _fine(self) -> tuple[NDArray[np.float32], ...]:
        """The labels' logits interpolated to the crop, before rounding."""
        box = self._prepared.box
        return tuple(linear_resize(np.ascontiguousarray(one), box.rows, box.cols) for one in self._coarse)

    @cached_property
    def _room(self) -> np.float32:
        """The largest change that rounding makes to a margin."""
        return np.float32(_ROUNDING * np.abs(self._coarse).max(initial=0))

    def _near(self, level: float) -> Part:
        """Like `near`, in coordinates of the crop."""
        if self._coarse.size == 0:
            return _NOWHERE
        own, least = self._coarse[self._label], self._cutoff + np.float32(level) - self._room
        box = self._prepared.box
        rows, cols = slice(0, box.rows), slice(0, box.cols)
        # Against each other label by itself: between two pixels that two different ones win, this label may win.
        for at, other in enumerate(self._coarse):
            if at == self._label:
                continue
            over = own - other > least
            col, row, wide, high = cv2.boundingRect(over.view(np.uint8))
            if high == 0:
                return _NOWHERE
            rows = _shared(rows, _finer(row, row + high, over.shape[0], box.rows))
            cols = _shared(cols, _finer(col, col + wide, over.shape[1], box.cols))
        return (rows, cols) if rows.start < rows.stop and cols.start < cols.stop else _NOWHERE

    def _part(self, rows: slice, cols: slice) -> NDArray[np.float32]:
        """A part of the (transposed) frame."""
        part = np.full((max(0, rows.stop - rows.start), max(0, cols.stop - cols.start)), OUTSIDE, np.float32)
        box = self._prepared.box
        top, bottom = max(rows.start, box.row), min(rows.stop, box.row + box.rows)
        left, right = max(cols.start, box.col), min(cols.stop, box.col + box.cols)
        if top < bottom and left < right:
            seen = slice(top - box.row, bottom - box.row), slice(left - box.col, right - box.col)
            here = slice(top - rows.start, bottom - rows.start), slice(left - cols.start, right - cols.start)
            part[here] = over_others_rounded([plane[seen] for plane in self._fine], self._label)
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
    over: NDArray[np.float32], where: NDArray[np.intp], planes: Sequence[NDArray[np.float32]], label: int
) -> None:
    """Set some pixels of a contiguous plane to the difference of the logits as nnU-Net rounds them."""
    pixels = np.divmod(where, over.shape[1])
    over.ravel()[where] = over_others_rounded([plane[pixels] for plane in planes], label)


def _finer(start: int, stop: int, size: int, wanted: int) -> slice:
    """The pixels of a side of `wanted` that are interpolated from pixels start..stop-1 of `size`, and one more."""
    scale = wanted / size
    return slice(max(0, int((start - 1) * scale) - 2), min(wanted, int((stop + 1) * scale) + 2))


def _shared(one: slice, other: slice) -> slice:
    return slice(max(one.start, other.start), min(one.stop, other.stop))


def _shifted(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)
