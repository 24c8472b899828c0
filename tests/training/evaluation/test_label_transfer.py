"""Label transfer: known masks give known Dice, and a broken case does not stop the others."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from cubes import recorded

from training.cli import main
from training.cohort.cases import Case, write_cases
from training.io.receipt import sha256
from training.registration.output import record_path
from training.registration.result import Registered

SHAPE, SPACING = (30, 36, 40), (0.8, 0.7, 0.6)


def ball(shift_mm: float = 0.0) -> np.ndarray:
    """A ball of 7 mm, shifted along i."""
    z, y, x = np.indices(SHAPE) * np.array(SPACING)[:, None, None, None]
    return ((z - 12) ** 2 + (y - 12.6) ** 2 + (x - 12 - shift_mm) ** 2 < 49).astype(np.uint8)


def write(pixels: np.ndarray, path: Path, spacing=SPACING) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(pixels)
    image.SetSpacing(spacing[::-1])
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def cohort(tmp_path) -> Path:
    """Six patients whose MRI mask is 3 mm off by navigation; one has a second volume, one a mask on another grid."""
    us = write(np.full(SHAPE, 50, np.float32), tmp_path / "us.nii.gz")
    own, shifted = write(ball(), tmp_path / "own.nii.gz"), write(ball(3.0), tmp_path / "mri.nii.gz")
    cases = []
    for number in range(8):
        case, patient = f"C{number}", f"P{min(number, 6) % 6}"
        off_grid = write(ball(), tmp_path / "off.nii.gz", (0.8, 0.7, 0.9)) if number == 7 else own
        cases.append(Case(case, patient, us=us, us_label=off_grid, mri_label=shifted, simulated=True))
        write(ball(0.6 if number < 6 else 6.0), tmp_path / "registered" / "labels" / f"{case}.nii.gz")
        recorded(tmp_path / "registered", Registered(case, "lc2"))
    write_cases(cases, tmp_path / "cases.csv")
    return tmp_path


def command(cohort: Path, *more: str) -> list[str]:
    where = [str(cohort / "cases.csv"), str(cohort / "registered"), "--out", str(cohort / "out")]
    return ["labels", *where, "--data", "balls", *more]


def test_label_transfer(cohort, capsys):
    assert main(command(cohort, "--simulated")) == 0
    assert "error: C7: " in capsys.readouterr().err
    tables = json.loads((cohort / "out" / "labels.json").read_text())
    cases = {row["case"]: row for row in tables["cases"]["rows"]}
    assert list(cases) == [f"C{number}" for number in range(7)]
    one = cases["C0"]
    true, before, after = ball() > 0, ball(3.0) > 0, ball(0.6) > 0
    dice = [2 * (mask & true).sum() / (mask.sum() + true.sum()) for mask in (before, after)]
    assert one["Dice after"] == pytest.approx(dice[1])
    assert one["Dice before"] == pytest.approx(dice[0], abs=0.01)
    assert one["centres mm"] == pytest.approx(0.6, abs=0.02)
    assert one["US mask cm³"] == pytest.approx(true.sum() * np.prod(SPACING) / 1000)
    assert one["US mask cm³"] == pytest.approx(4 / 3 * np.pi * 0.343, rel=0.02)
    (row,) = [row for row in tables["label_transfer"]["rows"] if row["volumes"] == "all"]
    # The second volume of P0 (C6) is 6 mm off and does not enter the means.
    assert row["patients"] == 6
    assert row["Dice after"]["mean"] == pytest.approx(dice[1])
    assert row["better after"] == 1.0
    with (cohort / "out" / "tables" / "cases.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 7


def test_a_mask_that_was_corrected_since_is_not_compared_with_the_old_ones_result(cohort, capsys):
    """Else *before* would be of the new mask and *after* of the old one; likewise of two labels, not all is tumour."""
    recorded(cohort / "registered", Registered("C0", "lc2"), label=[sha256(cohort / "mri.nii.gz")])
    write(ball(3.0) + ball(3.0) * (np.arange(SHAPE[2]) > 24), cohort / "two.nii.gz")
    table = (cohort / "cases.csv").read_text().splitlines()
    table[2] = table[2].replace("own.nii.gz", "two.nii.gz")
    (cohort / "cases.csv").write_text("\n".join(table))
    write(ball(2.0), cohort / "mri.nii.gz")
    assert main(command(cohort, "--simulated")) == 0
    told = capsys.readouterr().err
    assert "error: C0: " in told
    assert "mri.nii.gz is not what was registered" in told
    assert "error: C1: " in told
    assert "two.nii.gz holds the labels 1, 2" in told


def test_what_a_stopped_registration_left_is_not_measured(cohort, capsys):
    """Its mask lay there without the record that is written last, and its Dice went into the report."""
    record_path(cohort / "registered", "C0").unlink()
    assert main(command(cohort, "--simulated")) == 0
    assert "error: C0: The registration of C0 in" in (told := capsys.readouterr().err)
    assert "was not finished: run 'ius-train register' again" in told
    tables = json.loads((cohort / "out" / "labels.json").read_text())
    assert [row["case"] for row in tables["cases"]["rows"]] == [f"C{number}" for number in range(1, 7)]


def test_simulated_volumes_are_no_real_ones(cohort, capsys):
    assert main(command(cohort)) == 2
    assert "C0 is a simulated patient" in capsys.readouterr().err
    assert not (cohort / "out").exists()
