"""A corrected frame as a case for training: picture, mask and case table, of nobody by name."""

import io
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from inference.crop import Rect
from inference.errors import OutputError
from inference.export.deidentified import inside_of
from inference.files import make_folder, write_text
from inference.frame import Mask
from inference.nifti import picture_header, write_nifti
from inference.outcome import NothingFound, Outcome, Tumour
from inference.recording.schema import Corrector, patients_code
from inference.safety import INTENDED_USE
from inference.spacing import PixelSpacing
from inference.tables import write_table
from inference.version import SOFTWARE
from inference.view_notes import Phase

NO_SCALE = "A training case needs a scale, and this frame has none: calibrate (C), then correct and export it again."
NO_CODE = (
    "A training case needs the patient's case code, since training and test may never share a patient: "
    "type it first (Shift R)."
)
TABLE = "case.csv"
DATASET = "corrected by user"


@dataclass(frozen=True, slots=True, eq=False)
class TrainingCase:
    """What is known of a corrected frame.

    Attributes:
        outcome: the frame and the model's own answer to it.
        mask: the corrected (rows, cols) 0/1 mask.
        code: the patient's case code; one of the day is none.
        phase: phase of surgery.
        rect: the part of the picture that is kept; None if none was marked.
        who: who corrected it.
    """

    outcome: Outcome
    mask: Mask
    code: str
    phase: Phase = Phase.UNSET
    rect: Rect | None = None
    who: Corrector = Corrector.USER


def write_training_case(case: TrainingCase, folder: Path) -> Path:
    """Write a case into a folder of its own: image, mask, the table for `ius-train cases --folder`, and who corrected.

    The folder is named after the code and the picture, without any date; the same frame takes its place again.

    Args:
        case: the case.
        folder: where all cases go; made if it is missing.

    Returns:
        The case table.

    Raises:
        OutputError: without scale or the patient's code, if nothing says where names cannot be, or if a file cannot be
            written.
    """
    frame = case.outcome.frame
    if frame.spacing is None:
        raise OutputError(NO_SCALE)
    if not patients_code(case.code):
        raise OutputError(NO_CODE)
    inside = inside_of([frame], case.rect, "This frame")
    pixels = np.ascontiguousarray(frame.pixels * inside.astype(frame.pixels.dtype))
    name = f"case-{case.code}-{sha256(pixels.tobytes()).hexdigest()[:8]}"
    out = make_folder(folder / name)
    header = picture_header(frame.spacing)
    write_nifti(pixels.T[:, :, None], header, str(out / "image.nii.gz"))
    mask = case.mask & inside
    write_nifti(mask.T[:, :, None], header, str(out / "mask.nii.gz"))
    write_text(out / "corrected.json", json.dumps(_facts(case, mask, frame.spacing), indent=1) + "\n")
    write_text(out / TABLE, _table(case, name))
    return out / TABLE


def _table(case: TrainingCase, name: str) -> str:
    """One row as `ius-train cases --folder` reads it."""
    row = {
        "case": name,
        "patient": case.code,
        "dataset": DATASET,
        "us": "image.nii.gz",
        "us_label": "mask.nii.gz",
        "phase": "" if case.phase is Phase.UNSET else case.phase.value,
        "simulated": int(case.outcome.frame.origin.simulated),
    }
    text = io.StringIO()
    write_table(text, list(row), [row])
    return text.getvalue()


def _facts(case: TrainingCase, mask: Mask, spacing: PixelSpacing) -> dict[str, object]:
    """Who corrected what, by which scale, and how much of it is left out, since the picture is black there."""
    outcome = case.outcome
    return {
        "corrected_by": case.who.value,
        "model_sha256": outcome.analysis.model_sha256 if isinstance(outcome, Tumour | NothingFound) else None,
        "model_area_px": outcome.area_px if isinstance(outcome, Tumour) else 0,
        "corrected_area_px": int(np.count_nonzero(mask)),
        "outside_sector_px": int(np.count_nonzero(case.mask)) - int(np.count_nonzero(mask)),
        "spacing_row_mm": spacing.row_mm,
        "spacing_col_mm": spacing.col_mm,
        "spacing_provenance": spacing.provenance.value,
        "software": SOFTWARE,
        "intended_use": INTENDED_USE,
    }
