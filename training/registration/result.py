"""One registration's row in registration.csv, and what makes it suspicious."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from inference.errors import FormatError, NotFoundError
from inference.tables import read_rows, write_table
from training.io.files import written_aside
from training.registration.align import Alignment

TABLE = "registration.csv"
FLAG_SHIFT_MM = 15.0
FLAG_ROTATION_DEG = 15.0
FLAG_OVERLAP_PERCENT = 60.0
FLAG_VOLUME_PERCENT = 10.0
"""Brain hardly compresses: a tumour that a transform makes larger or smaller by more is not the one that was drawn."""
FLAG_SUPPORT = 0.1
"""Between what right and wrong results had on a few pairs; it misses some wrong ones (LOG.md)."""
FLAG_CONTRAST = 0.25
"""True masks of 27 simulated patients had 0.43 or more; two in five of masks 10 mm beside had less (LOG.md)."""


@dataclass(frozen=True, slots=True)
class Registered:
    """One row of registration.csv.

    Attributes:
        case: its name; its transforms and label are named after it.
        metric: how it was registered.
        similarity_start: the last stage's similarity at the start.
        similarity: and at the result.
        shift_mm: how far the sector's centre moved from the start.
        rotation_deg: by how much it turned.
        overlap_percent: share of the sector with MRI in it.
        label_inside_percent: share of the MRI's tumour that the ultrasound shows.
        support: how far LC2 stands out there (see `Alignment`).
        kind: `rigid`, `affine` or `deformable`, of the result itself; empty in tables of earlier versions.
        refined_mm: how far at most a refinement moved anything in the sector; None where none was kept.
        volume_change_percent: by how much the tumour that is shown is larger than in the MRI; None without a mask.
        refused: why a refinement that was asked for was not kept, so that the result is the one before it.
        flags: what a person should look at first, with spaces: shift, rotation, overlap, worse, label, weak, faint,
            volume, refused, hand.
        error: why there is no result; the other columns are empty then.
        contrast: how far the carried-over tumour stands out in the ultrasound (see `contrast`); None without a mask,
            and in tables of earlier versions.
    """

    case: str
    metric: str
    similarity_start: float | None = None
    similarity: float | None = None
    shift_mm: float | None = None
    rotation_deg: float | None = None
    overlap_percent: float | None = None
    label_inside_percent: float | None = None
    support: float | None = None
    kind: str = ""
    refined_mm: float | None = None
    volume_change_percent: float | None = None
    refused: str = ""
    flags: str = ""
    error: str = ""
    contrast: float | None = None


_NUMBERS = tuple(field.name for field in fields(Registered) if field.type == (float | None))


def flags(
    found: Alignment,
    label_inside_percent: float | None,
    volume_percent: float | None = None,
    contrast: float | None = None,
    *,
    by_hand: bool = False,
) -> list[str]:
    """What makes a registration suspicious."""
    suspicious = {
        "shift": found.shift_mm > FLAG_SHIFT_MM,
        "rotation": found.rotation_deg > FLAG_ROTATION_DEG,
        "overlap": found.overlap_percent < FLAG_OVERLAP_PERCENT,
        "worse": found.similarity < found.similarity_start,
        "label": label_inside_percent == 0,
        "weak": found.support < FLAG_SUPPORT,
        "faint": contrast is not None and contrast < FLAG_CONTRAST,
        "volume": abs(volume_percent or 0.0) > FLAG_VOLUME_PERCENT,
        "refused": bool(found.refused),
        "hand": by_hand,
    }
    return [name for name, holds in suspicious.items() if holds]


def write_results(rows: Sequence[Registered], folder: Path) -> None:
    """Write registration.csv; an unknown value is an empty cell."""
    names = [field.name for field in fields(Registered)]
    with written_aside(folder / TABLE) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        write_table(stream, names, map(asdict, rows))


def read_results(folder: Path) -> list[Registered]:
    """Read registration.csv.

    Raises:
        NotFoundError: if there is none.
        FormatError: if it cannot be read.
    """
    path = folder / TABLE
    if not path.is_file():
        raise NotFoundError(f"There is no {path}: make it with 'ius-train register'.")
    with path.open(newline="", encoding="utf-8") as stream:
        _, rows = read_rows(stream)
    try:
        return [Registered(**{k: _value(k, text) for k, text in row.items()}) for row in rows]  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise FormatError(f"{path} is damaged ({error}): run 'ius-train register' again.") from error


def _value(name: str, text: str) -> str | float | None:
    """One cell."""
    if name not in _NUMBERS:
        return text
    return float(text) if text else None
