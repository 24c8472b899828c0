"""Which way the axes of a stored picture point. It is shown as PLUS's "MF": probe on top, marked side to the right."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a stored picture differs from the picture as shown.

    Attributes:
        transposed: the rows of the file are scan lines, which PLUS expects only of radio-frequency data.
        flip_x: left and right are exchanged, after transposing.
        flip_y: near and far are exchanged, after transposing.
    """

    transposed: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def parse(cls, text: str, name: str) -> Self:
        """Read PLUS's letters (US_IMAGE_ORIENTATION): the directions in which x, y and perhaps z of the file increase.

        M and U: the marked or unmarked side of the probe; F and N: far from it or near to it; A and D: up or down from
        one picture to the next, which does not affect a single picture.

        Args:
            text: the letters; empty or "XX" if the file does not say, and the picture is shown as it is stored.
            name: name of the file, for the error.

        Raises:
            FormatError: unless they name the depth and the lateral axis; "AMF" of a 3D probe does not.
        """
        letters = text.strip().upper()
        if letters in ("", "XX"):
            return cls()
        first, second, third = (*letters, "", "", "")[:3]
        axes = {"M": "x", "U": "x", "F": "y", "N": "y"}
        if {axes.get(first), axes.get(second)} != {"x", "y"} or third not in ("", "A", "D") or len(letters) > 3:
            raise FormatError(f"{name} states the orientation {text}, which is no picture: export it again as MF.")
        return cls(transposed=axes[first] == "y", flip_x="U" in letters, flip_y="N" in letters)

    def shown(self, stored: NDArray[Any]) -> NDArray[Any]:
        """A stored (rows, cols) or (rows, cols, channels) picture turned as it is shown; a view."""
        picture = np.swapaxes(stored, 0, 1) if self.transposed else stored
        return picture[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]

    def stored(self, shown: NDArray[Any]) -> NDArray[Any]:
        """A shown (rows, cols) picture or mask turned as the file stores it; a view. Undoes `shown`."""
        picture = shown[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]
        return np.swapaxes(picture, 0, 1) if self.transposed else picture
