"""Scores, bands, rates, the baseline and the report."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from inference.errors import FormatError, NotFoundError
from training.cli import main
from training.evaluation.baseline import Threshold, tune
from training.evaluation.boxes import find_boxes
from training.evaluation.metrics import score
from training.evaluation.patient_tables import protocols
from training.evaluation.population import Population
from training.evaluation.report import evaluate
from training.evaluation.scoring import segments
from training.evaluation.sections import Evaluated
from training.evaluation.strata import BANDS, Scored, by_band, by_column, predicted_area, true_area
from training.evaluation.summary import summarise
from training.slicing.slices import SliceRow, write_slice, write_slices

masks = hnp.arrays(bool, (6, 7))


@given(masks, masks)
def test_scores_follow_their_definitions(predicted, true):
    one = score(predicted, true, 0.5)
    tp, fp, fn = (predicted & true).sum(), (predicted & ~true).sum(), (~predicted & true).sum()
    assert one.true_mm2 == 0.5 * true.sum()
    if true.any():
        assert one.dice == pytest.approx(2 * tp / (2 * tp + fp + fn))
        assert one.fnr == pytest.approx(fn / (tp + fn))
        assert one.precision == (pytest.approx(tp / (tp + fp)) if predicted.any() else 0)
    else:
        assert one.dice == (0 if predicted.any() else None)
        assert one.recall is None


def test_an_empty_prediction_on_tumour_counts_as_zero():
    true = np.eye(4, dtype=bool)
    one = score(np.zeros((4, 4), bool), true, 1.0)
    assert (one.dice, one.precision, one.recall, one.fnr, one.positive) == (0, 0, 0, 1, False)


def row(patient: int, number: int = 0, area: float = 0.0, shape=(30, 40), mm=(0.5, 0.4)) -> SliceRow:
    return SliceRow(f"P{patient}_{number}", f"P{patient}", f"P{patient}", "k", number, area, *shape, *mm)


def scored(patient: int, true: int, predicted: int, overlap: int) -> Scored:
    """A slice whose masks have that many mm², of which `overlap` are shared."""
    t, p = np.zeros(4000, bool), np.zeros(4000, bool)
    t[:true] = True
    p[true - overlap : true - overlap + predicted] = True
    return Scored(row(patient), score(p[None], t[None], 1.0), find_boxes(p[None], t[None], 1.0))


def test_a_figure_over_other_patients_says_over_how_many():
    """Six patients have tumour and five of them tumour-free slices: a specificity is none of six patients."""
    tumour, free = [scored(n, 100, 100, 50) for n in range(6)], [scored(n, 0, 40, 0) for n in range(5)]
    table = protocols({"m": [*tumour, *free]})
    assert table.rows[0][:2] == ("m", 6)
    assert table.note.endswith("as many as the others: no contour (5), none above 35 mm² (5).")
    assert "as many as" not in protocols({"m": [*tumour, *free, scored(5, 0, 0, 0)]}).note


@pytest.mark.parametrize(("area", "band"), [(35, 0), (36, 1), (200, 1), (201, 2)])
def test_bands_are_open_below_and_closed_above(area, band):
    slices = [scored(patient, area, area, area) for patient in range(5)]
    assert [line["n_slices"] for line in by_band(slices, true_area)] == [5 if at == band else 0 for at in range(3)]


def test_means_are_over_slices_with_population_sd():
    slices = [scored(patient, 100, 100, overlap) for patient, overlap in enumerate((100, 80, 60, 40, 20))]
    line = by_band(slices, true_area)[1]
    dice = [1, 0.8, 0.6, 0.4, 0.2]
    assert (line["dice_mean"], line["dice_sd"], line["dice_median"]) == pytest.approx(
        (np.mean(dice), np.std(dice), 0.6)
    )
    assert line["area_error_mean"] == 0


def test_fewer_than_five_patients_give_no_figure():
    slices = [scored(patient % 4, 100, 100, 100) for patient in range(40)]
    line = by_band(slices, true_area)[1]
    assert (line["n_slices"], line["n_patients"], line["dice_mean"], line["area_error_mean"]) == (40, 4, None, None)


def test_by_predicted_area_false_contours_count_as_zero():
    slices = [scored(patient, 100, 100, 100) for patient in range(5)] + [
        scored(patient, 0, 100, 0) for patient in range(5)
    ]
    line = by_band(slices, predicted_area)[1]
    assert (line["n_slices"], line["dice_mean"], line["area_error_mean"]) == (10, 0.5, None)


def test_rates_of_detection():
    tumour = [scored(patient, 100, 100, 100) for patient in range(5)] + [
        scored(patient, 100, 0, 0) for patient in range(5)
    ]
    free = [scored(patient, 0, size, 0) for patient, size in enumerate((0, 0, 0, 0, 0, 0, 20, 30, 500, 600))]
    report = summarise(tumour + free, "made up", simulated=True)
    assert report["positive_rate"] == 0.5
    assert report["miss_rate"] == 0.5
    assert report["data"]["tumour_where_silent"] == pytest.approx(5 / 11)
    assert report["specificity"] == 0.6
    assert report["specificity_35mm2"] == 0.8
    assert report["data"]["simulated"] is True


def store_with_discs(folder: Path, patients: int) -> list[SliceRow]:
    """Write slices of noise with one bright disc or none."""
    rng = np.random.default_rng(1)
    rows = []
    for patient in range(patients):
        for number, radius in enumerate((0.0, 7.0, 9.0)):
            y, x = np.indices((60, 80)) * np.array([0.5, 0.4])[:, None, None]
            mask = (y - 15) ** 2 + (x - 16) ** 2 < radius**2
            one = row(patient, number, float(mask.sum()) * 0.2, (60, 80))
            image = (50 + 20 * rng.standard_normal(mask.shape) + 40 * mask).astype(np.float32)
            image[:, :4] = 0
            write_slice(image, (0.5, 0.4), one.image(folder))
            write_slice(mask.astype(np.uint8), (0.5, 0.4), one.label(folder))
            rows.append(one)
    write_slices(rows, folder / "slices.csv")
    return rows


def test_a_tuned_threshold_finds_bright_discs(tmp_path: Path):
    rows = store_with_discs(tmp_path, 2)
    threshold = tune(rows, tmp_path)
    assert threshold.brighter
    y, x = np.indices((60, 80))
    disc = (y - 30) ** 2 + (x - 40) ** 2 < 200
    image = np.where(disc, 90, 50).astype(np.float32) + np.random.default_rng(2).normal(0, 5, disc.shape).astype(
        np.float32
    )
    assert score(threshold.segment(image, rows[0]), disc, 1.0).dice > 0.8


def test_a_threshold_paints_nothing_outside_the_sector():
    image = np.zeros((40, 50), np.float32)
    image[10:30, 10:40] = np.random.default_rng(0).uniform(20, 90, (20, 30))
    for brighter in (True, False):
        mask = Threshold(1.0, 0.0, brighter, largest=False).segment(image, row(0))
        assert mask.any()
        assert not mask[image == 0].any()


def test_report_of_perfect_predictions(tmp_path: Path):
    rows = store_with_discs(tmp_path / "store", 5)
    out = tmp_path / "report"
    evaluate(
        tmp_path / "store" / "labels",
        tmp_path / "store",
        out,
        data="discs",
        simulated=True,
        baseline_slices=tmp_path / "store",
    )
    report = json.loads((out / "summary.json").read_text())
    assert set(report) == {
        *("data", "mode", "by_predicted_area", "by_true_area", "miss_rate", "positive_rate", "specificity"),
        *("specificity_35mm2", "baseline"),
    }
    assert [line["band"] for line in report["by_true_area"]] == [[0, 35], [35, 200], [200, None]]
    assert [tuple(line["band"]) for line in report["by_predicted_area"]][:2] == [tuple(band) for band in BANDS[:2]]
    assert math.isinf(BANDS[2][1])
    for key in ("by_predicted_area", "by_true_area"):
        assert [line["dice_mean"] for line in report[key]] == [None, 1.0, 1.0]
    assert (report["specificity"], report["positive_rate"], report["miss_rate"]) == (1.0, 1.0, 0.0)
    assert 0 < report["baseline"]["dice_mean_above_200mm2"] < 1
    assert len((out / "slices.csv").read_text().splitlines()) == 1 + 2 * len(rows)  # the network's and the threshold's
    assert "never evidence of clinical accuracy" in (out / "report.md").read_text()
    assert "Research use only" in (out / "report.html").read_text()


def test_a_missing_prediction_is_not_an_empty_one(tmp_path: Path):
    store_with_discs(tmp_path / "store", 1)
    with pytest.raises(NotFoundError, match="P0_0"):
        evaluate(tmp_path, tmp_path / "store", tmp_path / "report", data="discs", simulated=True)


def test_area_error_is_relative_to_the_truth_and_signed():
    slices = [scored(patient, 100, size, 50) for patient, size in enumerate((50, 60, 70, 80, 150))]
    assert by_band(slices, true_area)[1]["area_error_mean"] == pytest.approx(-0.18)


def test_the_contract_can_hold_a_summary(tmp_path: Path):
    from training.export.training_facts import read_measured

    report = summarise([scored(patient, 100, 100, 100) for patient in range(5)], "made up", simulated=True)
    (tmp_path / "summary.json").write_text(json.dumps(report))
    (measured,) = read_measured([tmp_path / "summary.json"]).values()
    assert (measured.data, measured.n_patients, measured.by_true_area[1].dice_mean) == ("made up", 5, 1.0)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path, mask: write_slice(mask.T.astype(np.uint8), (0.4, 0.5), path), "has pixels of 0.4 x 0.5 mm"),
        (lambda path, mask: write_slice(mask.astype(np.uint8), (1.0, 1.0), path), "has pixels of 1 x 1 mm"),
        (lambda path, mask: write_slice((0.9 * mask).astype(np.float32), (0.5, 0.4), path), "not probabilities"),
        (lambda path, mask: write_slice(mask[:-1].astype(np.uint8), (0.5, 0.4), path), "has the shape"),
    ],
)
def test_masks_that_do_not_lie_as_their_slice_does_are_refused(tmp_path, write, words):
    """A square mask written with rows and columns exchanged has the right shape; its header tells."""
    slice_ = row(0, shape=(30, 30))
    mask = np.zeros((30, 30), bool)
    mask[5:9, 10:25] = True
    write(tmp_path / f"{slice_.name}.nii.gz", mask)
    with pytest.raises(FormatError, match=words):
        segments(tmp_path)(slice_)
    write_slice(mask.astype(np.uint8), (0.5, 0.4), tmp_path / f"{slice_.name}.nii.gz")
    assert np.array_equal(segments(tmp_path)(slice_), mask)


def test_a_report_says_which_truth_was_drawn_on_mri_and_shows_it_apart():
    slices = [scored(patient, 100, 90, 80) for patient in range(6)]
    plain = Evaluated({"m": slices}, {}, Path(), {}, Population.REAL, None)
    assert "MRI" not in plain.counts
    assert "truth drawn on" not in by_column(slices, {})
    mixed = [replace(one, row=replace(one.row, origin="mri")) if at < 2 else one for at, one in enumerate(slices)]
    assert "The truth of 2 of them (2 patients) was drawn on MRI" in replace(plain, scores={"m": mixed}).counts
    assert {name: len(own) for name, own in by_column(mixed, {})["truth drawn on"].items()} == {"mri": 2, "us": 4}


def test_a_threshold_is_never_tuned_on_the_patients_it_is_scored_on(tmp_path, capsys):
    """Its Dice would be that of the best of 304 thresholds on these very slices, and stand in the contract."""
    rows = [SliceRow("P1_k0", "P1", "P1", "k", 0, 9.0, 3, 3, 1.0, 1.0)]
    for name in ("tuned", "scored"):
        write_slices(rows, tmp_path / name / "slices.csv")
    words = [str(tmp_path / "masks"), str(tmp_path / "scored"), "--out", str(tmp_path / "report"), "--data", "d"]
    assert main(["evaluate", *words, "--baseline", str(tmp_path / "tuned")]) == 2
    assert "The patient P1 is in training (P1) and in the test set (P1)" in capsys.readouterr().err


def test_a_report_is_not_written_over_the_slices(tmp_path, capsys):
    """Both have a slices.csv: the scores took the place of the table that a training had just been made from."""
    write_slices([SliceRow("P1_k0", "P1", "P1", "k", 0, 9.0, 3, 3, 1.0, 1.0)], tmp_path / "slices.csv")
    before = (tmp_path / "slices.csv").read_bytes()
    assert main(["evaluate", "masks", str(tmp_path), "--out", str(tmp_path), "--data", "d", "--simulated"]) == 2
    assert "give --out a folder of its own" in capsys.readouterr().err
    assert (tmp_path / "slices.csv").read_bytes() == before
