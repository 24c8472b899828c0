"""boxes.csv: the boxes that `ius-train predict --boxes` found in every slice, each with its score.

`head` boxes are those that a head predicted, `mask` boxes lie around the regions of the predicted mask. A slice with
nothing found has a line of its own, so that it is told apart from one that was not predicted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError, NotFoundError
from training.io.files import gz_content

TABLE = "boxes.csv"
HEAD, MASK = "head", "mask"
_COLUMNS = ("name", "picture", "source", "first_row", "first_col", "end_row", "end_col", "score")


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Boxes of one source in one slice.

    Attributes:
        boxes: (n, 4) first row and column, and those after the last, in pixels of the slice, not whole ones.
        scores: (n,) between 0 and 1.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]


def add(name: str, image: Path, found: Mapping[str, Found], folder: Path) -> None:
    """Write what was found in one slice, by source; of a slice that is written twice the last lines hold.

    One write a slice, and each line begins with its line break, so that one cut off by a kill does not spoil the next.
    """
    table, picture = folder / TABLE, gz_content(image)
    lines = [] if table.is_file() else [",".join(_COLUMNS)]
    for source, one in found.items():
        lines.append(f"\n{name},{picture},{source},,,,,")
        for box, score in zip(one.boxes.tolist(), one.scores.tolist(), strict=True):
            lines.append(f"\n{name},{picture},{source},{','.join(f'{side:.2f}' for side in box)},{score:.6f}")
    with table.open("a", encoding="utf-8") as stream:
        stream.write("".join(lines))


def sources(folders: Sequence[Path]) -> list[str]:
    """Whose boxes are in the tables of all of these folders of predictions; none if one has no table."""
    each = [{source for source, _ in _read(folder)} if (folder / TABLE).is_file() else set() for folder in folders]
    both = set[str].intersection(*each) if each else set()
    return [source for source in (HEAD, MASK) if source in both]


def read_boxes(folder: Path, source: str, pictures: Mapping[str, Path]) -> dict[str, Found]:
    """The boxes of one source in slices by name; empty ones where nothing was found.

    Args:
        folder: of predictions.
        source: `head` or `mask`.
        pictures: name of a slice -> its picture.

    Raises:
        FormatError: if boxes are of another picture than is given.
        NotFoundError: if a slice was not predicted with its boxes.
    """
    table = {name: one for (kind, name), one in _read(folder).items() if kind == source}
    known = {}
    for name, image in pictures.items():
        if name not in table:
            raise NotFoundError(f"{folder / TABLE} has no boxes of {name}: run 'ius-train predict --boxes' to its end.")
        picture, known[name] = table[name]
        if picture != gz_content(image):
            raise FormatError(
                f"{folder / TABLE} has boxes of another picture than {image}: the slices were cut anew since, so run "
                "'ius-train predict --boxes' on them into another folder."
            )
    return known


def _read(folder: Path) -> dict[tuple[str, str], tuple[str, Found]]:
    """(Source, name) -> content of the picture, and the boxes that were written last."""
    rows: dict[tuple[str, str], tuple[str, list[list[float]]]] = {}
    for line in (folder / TABLE).read_text(encoding="utf-8").splitlines()[1:]:
        parts = line.rsplit(",", len(_COLUMNS) - 1)
        if len(parts) != len(_COLUMNS) or parts[2] not in (HEAD, MASK):
            continue  # cut off by a kill, and written again below
        name, picture, source, *cells = parts
        if not any(cells):
            rows[source, name] = picture, []
        elif all(cells):
            rows[source, name][1].append([float(cell) for cell in cells])
    return {key: (picture, _found(each)) for key, (picture, each) in rows.items()}


def _found(rows: Sequence[Sequence[float]]) -> Found:
    cells = np.array(rows, np.float64).reshape(-1, 5)
    return Found(cells[:, :4], cells[:, 4])
