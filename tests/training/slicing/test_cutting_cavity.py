"""The resection cavity from the simulator to the report: a tissue of its own, and never a tumour."""

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from inference.errors import IusError
from training.cohort.cases import read_cases, write_cases
from training.cohort.folds import draw_folds
from training.datasets.resect import find_cases
from training.evaluation.cavity_table import cavity_sections
from training.evaluation.population import Population
from training.evaluation.scoring import score_models, segments
from training.nnunet.dataset import Choice, DatasetError, labels_of, write_dataset
from training.simulation import CohortError
from training.simulation.cohort import Cohort, simulate_cohort
from training.slicing.cutting import Cutting
from training.slicing.slices import CAVITY, PAINTED, SliceRow, read_slice, read_slices, read_tumour, write_slice
from training.slicing.store import cut_cases

SEED = 5


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return simulate_cohort(tmp_path_factory.mktemp("resected"), 1, SEED, cohort="resected", small=True)


@pytest.fixture(scope="module")
def store(cohort: Cohort) -> Path:
    cases = find_cases(cohort.folder / "RESECT", cohort.folder / "RESECT_segmentation")
    cut_cases(cases, cohort.folder / "slices", Cutting(step_mm=10, negatives=3))
    return cohort.folder / "slices"


def pixels(cohort: Cohort, key: str) -> np.ndarray:
    return np.asarray(nib.load(cohort.folder / cohort.patients[0]["files"][key]).dataobj)


def test_the_simulator_writes_the_cavity_apart_from_the_tumour(cohort: Cohort):
    tumour, cavity, volume = pixels(cohort, "truth") > 0, pixels(cohort, "cavity") > 0, pixels(cohort, "volume")
    assert tumour.any()
    assert cavity.sum() > 50
    assert not (tumour & cavity).any()
    assert (volume[cavity] > 0).all()
    assert cohort.patients[0]["files"]["cavity"].endswith("Case1-US-during-resection.nii.gz")
    assert "sweep" not in cohort.patients[0]["files"]


def test_mri_after_resection_is_not_simulated(tmp_path: Path):
    with pytest.raises(CohortError, match="before resection only"):
        simulate_cohort(tmp_path, 1, SEED, cohort="resected", small=True, label_error="low")


def test_slices_tell_three_tissues_apart(cohort: Cohort, store: Path, tmp_path: Path):
    (case,) = find_cases(cohort.folder / "RESECT", cohort.folder / "RESECT_segmentation")
    assert (case.phase, case.exclude, case.cavity_label.name) == ("during", False, "Case1-US-during-resection.nii.gz")
    write_cases([case], tmp_path / "cases.csv")
    assert read_cases(tmp_path / "cases.csv")[0].cavity_label.name == case.cavity_label.name
    rows = read_slices(store)
    for row in rows:
        mask, pixel_mm2 = read_slice(row.label(store)), row.row_mm * row.col_mm
        assert set(np.unique(mask)) <= {0, 1, CAVITY}
        assert row.area_mm2 == pytest.approx((mask == 1).sum() * pixel_mm2)
        assert row.cavity_mm2 == pytest.approx((mask == CAVITY).sum() * pixel_mm2)
        assert (read_tumour(row.label(store)) == (mask == 1)).all()
    assert any(row.area_mm2 > 0 and row.cavity_mm2 for row in rows)


def test_without_the_cavitys_mask_store_and_data_set_stay_as_they_were(cohort: Cohort, tmp_path: Path):
    (case,) = find_cases(cohort.folder / "RESECT", cohort.folder / "RESECT_segmentation")
    cut_cases([replace(case, cavity_label=None)], tmp_path, Cutting(step_mm=15))
    rows = read_slices(tmp_path)
    assert "cavity" not in (tmp_path / "slices.csv").read_text()
    assert labels_of(rows) == {"background": 0, "tumor": 1}
    assert all(set(np.unique(read_slice(row.label(tmp_path)))) <= {0, 1} for row in rows)


def test_where_both_were_drawn_it_is_tumour_and_a_tumour_may_be_gone(cohort: Cohort, tmp_path: Path):
    (case,) = find_cases(cohort.folder / "RESECT", cohort.folder / "RESECT_segmentation")
    gone = tmp_path / "gone.nii.gz"
    image = nib.load(case.us_label)
    nib.save(nib.Nifti1Image(np.zeros(image.shape, np.uint8), image.affine, image.header), gone)
    cut_cases([replace(case, cavity_label=case.us_label)], tmp_path / "both", Cutting(step_mm=15))
    assert {row.cavity_mm2 for row in read_slices(tmp_path / "both")} == {0.0}
    cut_cases([replace(case, us_label=gone)], tmp_path / "gone", Cutting(step_mm=15))
    rows = read_slices(tmp_path / "gone")
    assert {row.area_mm2 for row in rows} == {0.0}
    assert all(row.cavity_mm2 for row in rows)
    with pytest.raises(IusError, match="is empty"):
        cut_cases([replace(case, us_label=gone, cavity_label=None)], tmp_path / "none", Cutting(step_mm=15))


def test_the_data_set_has_three_labels_and_never_two_meanings_of_one(store: Path, tmp_path: Path):
    rows = read_slices(store)
    others = [replace(rows[0], name=f"o{n}", case=f"o{n}", patient=f"o{n}") for n in range(4)]
    folds = draw_folds(sorted({row.patient for row in [*rows, *others]}), 0)
    write_dataset([store], tmp_path / "Dataset501_US", Choice(), folds)
    told = json.loads((tmp_path / "Dataset501_US" / "dataset.json").read_text())
    assert told["labels"] == {"background": 0, "tumor": 1, "cavity": 2}
    with pytest.raises(DatasetError, match="Painted and pseudo-labelled volumes"):
        labels_of([*rows, replace(rows[0], origin=PAINTED, cavity_mm2=None)])


def test_the_report_counts_tumour_alone_and_says_what_was_mistaken(store: Path, tmp_path: Path):
    rows = read_slices(store)

    def predicted(name: str, change: dict[int, int]) -> Path:
        for row in rows:
            mask = read_slice(row.label(store))
            made = mask.astype(np.uint8)
            for old, new in change.items():
                made[mask == old] = new
            write_slice(made, (row.row_mm, row.col_mm), tmp_path / name / f"{row.name}.nii.gz")
        return tmp_path / name

    masks = {
        "right": predicted("right", {}),
        "swallowed": predicted("swallowed", {CAVITY: 1}),
        "hidden": predicted("hidden", {1: CAVITY}),
    }
    scores = score_models(rows, store, {name: segments(one) for name, one in masks.items()})
    tumour = [one for one in scores["right"] if one.score.has_tumour]
    assert tumour
    assert all(one.score.dice == 1 for one in tumour)
    assert all(not one.score.positive for one in scores["hidden"])
    assert any((one.score.dice or 0) < 1 for one in scores["swallowed"])
    (one,) = cavity_sections(masks, store, rows, Population.SIMULATED)
    assert all(line[2:] == (None,) * 4 for line in one.tables[0].rows), "one patient is too few for a figure"
    kinds: dict[bool, int] = {}
    five = []
    for row in rows:  # five patients with tumour, and five with a cavity alone
        at = kinds[row.area_mm2 > 0] = kinds.get(row.area_mm2 > 0, -1) + 1
        five.append(replace(row, patient=f"P{at % 5}"))
    (section,) = cavity_sections(masks, store, five, Population.SIMULATED)
    lines = {line[0]: line[2:] for line in section.tables[0].rows}
    shown = sum(bool(row.cavity_mm2) for row in rows)
    assert section.tables[0].rows[0][1] == shown
    assert (lines["right"][1].mean, lines["right"][2].share, lines["right"][3].share) == (1, 0, 0)
    assert (lines["swallowed"][0].share, lines["swallowed"][2].share) == (0, 1)
    assert lines["hidden"][3].share == 1
    rare = [replace(row, patient="P0") if row.cavity_mm2 else row for row in five]
    (section,) = cavity_sections(masks, store, rare, Population.SIMULATED)
    assert {line[2:5] for line in section.tables[0].rows} == {(None,) * 3}, "all cavities are one patient's"
    plain = [SliceRow("a", "a", "a", "k", 0, 1.0, 4, 4, 1.0, 1.0)]
    assert cavity_sections(masks, store, plain, Population.SIMULATED) == []
