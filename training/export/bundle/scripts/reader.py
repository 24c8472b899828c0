"""MONAI's reader of NIfTI slices, which looks whether they state their millimetres."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from monai.data import NibabelReader
from monai.utils import ensure_tuple
from numpy.typing import NDArray

from .scale import unknown_scale

UNKNOWN = "ius_unknown_scale"
"""Key of a picture's metadata: why its scale is unknown, empty if its file states it. An error would not do: MONAI's
loader tries the next reader then."""


class SliceReader(NibabelReader):  # type: ignore[misc]
    """Reads a slice in its own grey values."""

    def read(self, data: str | PathLike[str] | Sequence[str | PathLike[str]], **settings: object) -> object:
        """Open the file or files of one picture."""
        self._unknown = " ".join(filter(None, (unknown_scale(str(path)) for path in ensure_tuple(data))))
        return super().read(data, **settings)

    def get_data(self, img: object) -> tuple[NDArray[Any], dict[str, Any]]:
        """Grey values, and metadata with what was found."""
        values, meta = super().get_data(img)
        return values, {**meta, UNKNOWN: self._unknown}
