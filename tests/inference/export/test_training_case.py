"""A corrected frame as a training case: of nobody by name, with its scale, and as `ius-train cases` takes it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from outcomes import ANALYSIS

from inference.crop import Rect
from inference.errors import OutputError
from inference.export.training_case import NO_CODE, NO_SCALE, TrainingCase, write_training_case
from inference.frame import Frame
from inference.outcome import NothingFound
from inference.recording.schema import code_of_day
from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from training.cli import main
from training.cohort.cases import read_cases
from training.slicing.frames import read_frame

ROWS, COLS = 220, 280


def frame(*, bright: bool = False) -> Frame:
    """A sector with a name above it; or a picture that is bright everywhere, in which no sector stands out."""
    with PhantomSource(rows=ROWS, cols=COLS, count=8, speckle=0.2) as phantom:
        shown = phantom.read(3)
    pixels = np.full((ROWS, COLS), 90, np.uint8) if bright else shown.pixels.copy()
    pixels[4:8, 4:60:3] = 230
    return replace(shown, pixels=pixels)


def case(shown: Frame, **options: object) -> TrainingCase:
    mask = np.zeros((ROWS, COLS), np.uint8)
    mask[100:130, 120:170] = 1
    mask[0:10, 0:10] = 1
    made = TrainingCase(NothingFound(shown, ANALYSIS), mask, "GL-017", Phase.DURA_OPEN)
    return replace(made, **options)  # type: ignore[arg-type]


def test_ius_train_cases_takes_it(tmp_path: Path) -> None:
    shown = frame()
    table = write_training_case(case(shown), tmp_path / "cases")
    found = tmp_path / "found" / "cases.csv"
    found.parent.mkdir()
    assert main(["cases", "--folder", str(table), "--check", "--out", str(found)]) == 0
    (read,) = read_cases(found)
    assert (read.exclude, read.patient, read.phase, read.simulated) == (False, "GL-017", "dura_open", True)
    assert read.us is not None
    assert read.us_label is not None
    labelled = read_frame(read.us, read.us_label)
    assert shown.spacing is not None
    assert labelled.spacing[1:] == pytest.approx((shown.spacing.row_mm, shown.spacing.col_mm))
    assert np.array_equal(labelled.mask[0][100:130, 120:170], np.ones((30, 50), bool))
    assert labelled.mask.sum() == 30 * 50, "nothing outside the sector"
    inside = labelled.image[0] > 0
    assert np.array_equal(labelled.image[0][inside], shown.pixels[inside])


def test_it_names_nobody_and_no_day_and_says_who_corrected(tmp_path: Path) -> None:
    table = write_training_case(case(frame()), tmp_path)
    assert np.asarray(nib.load(table.parent / "image.nii.gz").dataobj)[:60, :10].max() == 0, "the name is black"
    facts = json.loads((table.parent / "corrected.json").read_text())
    assert (facts["corrected_by"], facts["model_sha256"]) == ("user", ANALYSIS.model_sha256)
    assert facts["spacing_provenance"] == "exact"
    mask = np.asarray(nib.load(table.parent / "mask.nii.gz").dataobj)
    assert (facts["corrected_area_px"], facts["outside_sector_px"]) == (int(mask.sum()), 100)
    written = {path.name for path in table.parent.iterdir()}
    assert written == {"image.nii.gz", "mask.nii.gz", "corrected.json", "case.csv"}
    assert write_training_case(case(frame()), tmp_path) == table, "the same frame is the same case"
    other = replace(frame(), pixels=frame().pixels // 2)
    assert write_training_case(case(other), tmp_path) != table


def test_without_scale_code_or_a_sector_it_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    unscaled = replace(frame(), spacing=None, no_spacing_reason="no scale")
    for refused, sentence in (
        (case(unscaled), NO_SCALE),
        (case(frame(), code=""), NO_CODE),
        (case(frame(), code=code_of_day(datetime.now(tz=UTC))), NO_CODE),
        (case(frame(bright=True)), "crop it (C)"),
    ):
        with pytest.raises(OutputError) as told:
            write_training_case(refused, tmp_path)
        assert sentence in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_a_crop_says_where_no_name_is(tmp_path: Path) -> None:
    table = write_training_case(case(frame(bright=True), rect=Rect(40, 50, 150, 200)), tmp_path)
    pixels = np.asarray(nib.load(table.parent / "image.nii.gz").dataobj)[:, :, 0].T
    assert (pixels[40:190, 50:250] > 0).all()
    assert pixels[:40].max() == 0
