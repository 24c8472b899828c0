"""One draw of folds for every model: nothing a patient owns on both sides, whatever the cut-off or the label set."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.errors import FormatError, NotFoundError
from training.cli import main
from training.cohort.folds import draw_folds, read_folds, split_slices, write_folds
from training.io.receipt import sha256
from training.nnunet.claims import claim
from training.nnunet.dataset import Choice, DatasetError, write_dataset
from training.nnunet.exclusions import check_exclusions, read_exclusions
from training.nnunet.names import model_folder
from training.nnunet.run import begin
from training.nnunet.settings import FitSettings
from training.slicing.slices import SliceRow, read_slices, write_slice, write_slices

PICTURE = np.arange(12, dtype=np.float32).reshape(3, 4)
MASK = np.eye(3, 4, dtype=np.uint8)
ONE_FOLD = (frozenset({"P0"}), frozenset())
CUTOFFS = (0, 5, 15, 25, 35, 70, 100, 200, 300)


def slice_row(name: str, patient: str, area: float) -> SliceRow:
    return SliceRow(name, patient, patient, "k", 0, area, 4, 4, 0.5, 0.5)


def store_of(folder: Path, rows: list[SliceRow]) -> Path:
    for row in rows:
        for path in (row.image(folder), row.label(folder)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(row.name.encode()))
    write_slices(rows, folder / "slices.csv")
    return folder


def nearly(picture: np.ndarray) -> np.ndarray:
    """The picture with the smallest change of one pixel."""
    changed = picture.copy()
    changed[1, 2] = np.nextafter(changed[1, 2], np.float32(99))
    return changed


areas = st.floats(0, 500) | st.sampled_from([float(cutoff) for cutoff in CUTOFFS])
patients = st.integers(0, 11).map(lambda number: f"P{number}")


@given(st.dictionaries(patients, st.sampled_from("abc"), min_size=5), st.integers(0, 2**32 - 1))
def test_each_group_is_spread_over_the_folds(group_of, seed):
    folds = draw_folds(group_of, seed, groups=group_of)
    assert sorted(patient for fold in folds for patient in fold) == sorted(group_of)
    for members in (set(group_of), *({p for p, g in group_of.items() if g == group} for group in "abc")):
        sizes = [len(members & fold) for fold in folds]
        assert max(sizes) - min(sizes) <= 1
    assert folds == draw_folds(reversed(group_of), seed, groups=group_of)


@settings(max_examples=20, deadline=None)  # each writes dozens of files
@given(
    mri=st.lists(st.tuples(patients, areas), min_size=1, max_size=30),
    us=st.lists(st.tuples(patients, areas), min_size=1, max_size=30),
    left_out=st.sets(patients, max_size=3),
    negatives=st.booleans(),
    seed=st.integers(0, 99),
)
def test_models_differ_in_their_data_alone(tmp_path_factory, mri, us, left_out, negatives, seed):
    """Two label sets that may hold the same patients, every cut-off, exclusions: one draw, no patient on both sides."""
    root = tmp_path_factory.mktemp("folds")
    rows = {
        name: [slice_row(f"{name}{at}", patient, area) for at, (patient, area) in enumerate(slices)]
        for name, slices in {"mri": mri, "us": us}.items()
    }
    stores = {name: store_of(root / name, held) for name, held in rows.items()}
    folds = draw_folds([*(f"P{number}" for number in range(12))], seed)
    home = {patient: at for at, fold in enumerate(folds) for patient in fold}
    for names in (("mri",), ("us",), ("mri", "us")):
        held = [row for name in names for row in rows[name]]
        for cutoff in CUTOFFS:
            raw = root / f"{'+'.join(names)}_{cutoff}"
            wanted = {
                row.name: row
                for row in held
                if row.case not in left_out and (row.area_mm2 > cutoff or (row.area_mm2 == 0 and negatives))
            }
            choice = Choice(cutoff, negatives, dict.fromkeys(left_out, "poor image"))
            if not any(row.area_mm2 > 0 for row in wanted.values()):
                with pytest.raises(DatasetError, match="lower the cut-off"):
                    write_dataset([stores[name] for name in names], raw, choice, folds)
                continue
            splits = write_dataset([stores[name] for name in names], raw, choice, folds)
            for fold, split in enumerate(splits):
                assert {home[wanted[name].patient] for name in split["val"]} <= {fold}
                assert fold not in {home[wanted[name].patient] for name in split["train"]}
                assert sorted(split["train"] + split["val"]) == sorted(wanted)


def test_every_cutoff_points_into_one_store(tmp_path: Path):
    rows = [slice_row(f"s{area}", f"P{at}", float(area)) for at, area in enumerate((1, *CUTOFFS[1:], 400))]
    store = store_of(tmp_path / "slices", rows)
    folds = draw_folds([row.patient for row in rows], 0)
    for cutoff in CUTOFFS:
        raw = tmp_path / "nnUNet_raw" / f"Dataset{cutoff:03d}_MRI"
        write_dataset([store], raw, Choice(cutoff), folds)
        assert sorted(path.name for path in raw.iterdir()) == ["dataset.json", "splits_final.json"]
        files = json.loads((raw / "dataset.json").read_text())["dataset"]
        assert set(files) == {row.name for row in rows if row.area_mm2 > cutoff}
        for row in rows:
            if row.name in files:
                assert (raw / files[row.name]["images"][0]).samefile(row.image(store))
                assert (raw / files[row.name]["label"]).samefile(row.label(store))


def test_slices_of_one_name_in_two_stores_are_refused(tmp_path: Path):
    stores = [store_of(tmp_path / name, [slice_row("a", name, 9.0)]) for name in "xy"]
    with pytest.raises(DatasetError, match="same name"):
        write_dataset(stores, tmp_path / "raw", Choice(), (frozenset("xy"),))


def test_a_second_data_set_of_one_number_is_refused_before_it_is_written(tmp_path: Path):
    """nnU-Net ended in a traceback, and from then on in every training of the first one too."""
    rows = [slice_row(f"s{at}", f"P{at}", 9.0) for at in range(5)]
    store, folds = store_of(tmp_path / "slices", rows), draw_folds([row.patient for row in rows], 0)
    first, second = (tmp_path / "nnUNet_raw" / f"Dataset501_{title}" for title in "AB")
    write_dataset([store], first, Choice(), folds)
    with pytest.raises(DatasetError, match="holds Dataset501_A already, and nnU-Net knows a data set by its number"):
        write_dataset([store], second, Choice(), folds)
    assert not second.exists()
    write_dataset([store], first, Choice(), folds)
    write_dataset([store], second.with_name("Dataset502_B"), Choice(), folds)


def write_one(store: Path, image: np.ndarray, label: np.ndarray, level: int = 6) -> SliceRow:
    """A store of one slice, packed at a level and a time of its own."""
    row = SliceRow("a", "c", "P0", "k", 0, 9.0, 3, 4, 0.5, 0.5)
    for pixels, path in ((image, row.image(store)), (label, row.label(store))):
        write_slice(pixels, (0.5, 0.5), path)
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), level, mtime=level))
    write_slices([row], store / "slices.csv")
    return row


def test_a_data_set_is_told_by_its_pixels_wherever_they_lie(tmp_path: Path):
    def digest(name: str, *pixels: np.ndarray, level: int = 6) -> str:
        write_one(tmp_path / name / "slices", *pixels, level=level)
        write_dataset([tmp_path / name / "slices"], tmp_path / name, Choice(), ONE_FOLD)
        return json.loads((tmp_path / name / "dataset.json").read_text())["slices_sha256"]

    first = digest("first", PICTURE, MASK)
    assert digest("elsewhere", PICTURE, MASK, level=1) == first
    assert digest("other-picture", nearly(PICTURE), MASK) != first
    assert digest("other-mask", PICTURE, np.fliplr(MASK)) != first


def test_a_training_is_not_resumed_on_other_pictures(tmp_path: Path):
    """The same slices with the same masks; what was preprocessed for the training stays as it is."""
    dataset, settings = "Dataset501_US", FitSettings()
    write_one(tmp_path / "slices", PICTURE, MASK)
    write_dataset([tmp_path / "slices"], tmp_path / "nnUNet_raw" / dataset, Choice(), ONE_FOLD)
    digest = json.loads((tmp_path / "nnUNet_raw" / dataset / "dataset.json").read_text())["slices_sha256"]
    splits = sha256(tmp_path / "nnUNet_raw" / dataset / "splits_final.json")
    fold = model_folder(tmp_path, dataset, settings.plan) / "fold_0"
    claim(fold / "data.sha256", f"{digest}\n{splits}", "data set's training")
    preprocessed = tmp_path / "nnUNet_preprocessed" / dataset / "dataset.json"
    preprocessed.parent.mkdir(parents=True)
    preprocessed.write_text("of the training that was begun")
    write_one(tmp_path / "slices", nearly(PICTURE), MASK)
    write_dataset([tmp_path / "slices"], tmp_path / "nnUNet_raw" / dataset, Choice(), ONE_FOLD)
    with pytest.raises(FormatError, match="fold_0 holds another data set's training: remove it, or choose another"):
        begin(tmp_path, dataset, settings)
    assert preprocessed.read_text() == "of the training that was begun"


@pytest.mark.parametrize("other", [{"loss": "slice-dice"}, {"tumour_free": 0.5}, {"learning_rate": 0.001}])
def test_a_training_is_not_taken_for_one_of_another_way_of_learning(other: dict[str, Any], tmp_path: Path):
    dataset = "Dataset501_US"
    write_one(tmp_path / "slices", PICTURE, MASK)
    write_dataset([tmp_path / "slices"], tmp_path / "nnUNet_raw" / dataset, Choice(), ONE_FOLD)
    digest = json.loads((tmp_path / "nnUNet_raw" / dataset / "dataset.json").read_text())["slices_sha256"]
    splits = sha256(tmp_path / "nnUNet_raw" / dataset / "splits_final.json")
    fold = model_folder(tmp_path, dataset, "full") / "fold_0"
    claim(fold / "data.sha256", f"{digest}\n{splits}", "data set's training")
    claim(fold / "learning.txt", "", "way of learning's training")
    with pytest.raises(FormatError, match="holds another way of learning's training"):
        begin(tmp_path, dataset, FitSettings(**other))
    with pytest.raises(NotFoundError, match=r"no gone\.onnx to start from"):
        begin(tmp_path, dataset, FitSettings(start="gone.onnx"))


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_slice_whose_file_is_gone_is_one_sentence(harm, tmp_path: Path):
    rows = [slice_row(f"s{at}", f"P{at}", 9.0) for at in range(5)]
    store = store_of(tmp_path / "slices", rows)
    harm(rows[1].label(store))
    with pytest.raises(NotFoundError, match=r"s1\.nii\.gz is missing or empty"):
        write_dataset([store], tmp_path / "raw", Choice(), draw_folds([row.patient for row in rows], 0))


def test_folds_read_back_and_are_the_same_file_for_the_same_seed(tmp_path: Path):
    folds = draw_folds([f"P{number}" for number in range(9)], 4)
    for name in ("a.json", "b.json"):
        write_folds(folds, 4, tmp_path / name)
    assert read_folds(tmp_path / "a.json") == folds
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize("text", ["no json", "[]", '{"folds": 3}', "{}"])
def test_a_damaged_list_of_folds_is_one_sentence(tmp_path: Path, text: str):
    (tmp_path / "folds.json").write_text(text)
    with pytest.raises(FormatError, match="does not list folds"):
        read_folds(tmp_path / "folds.json")


def test_a_patient_planted_in_training_and_test_stops_the_stage(tmp_path: Path, capsys):
    train = store_of(tmp_path / "train", [slice_row(f"t{number}", f"P{number}", 9.0) for number in range(6)])
    test = store_of(tmp_path / "test", [slice_row("other-name", "P3", 9.0)])
    assert main(["folds", str(train), "--test", str(test), "--out", str(tmp_path / "folds.json")]) == 2
    assert "The patient P3 is in training" in capsys.readouterr().err
    assert not (tmp_path / "folds.json").exists()


def test_folds_are_spread_over_label_sets_by_the_command(tmp_path: Path):
    mri = store_of(tmp_path / "mri", [slice_row(f"m{number}", f"M{number}", 9.0) for number in range(10)])
    us = store_of(tmp_path / "us", [slice_row(f"u{number}", f"U{number}", 9.0) for number in range(5)])
    assert main(["folds", str(mri), str(us), "--out", str(tmp_path / "folds.json")]) == 0
    for fold in read_folds(tmp_path / "folds.json"):
        assert sorted(patient[0] for patient in fold) == ["M", "M", "U"]
    splits = split_slices({"m0": "M0", "u0": "U0"}, read_folds(tmp_path / "folds.json"))
    assert len(splits) == 5


def test_exclusions_need_a_reason(tmp_path: Path):
    path = tmp_path / "exclude.csv"
    path.write_text("case,reason\nCase3,shadow over the tumour\n")
    assert read_exclusions(path) == {"Case3": "shadow over the tumour"}
    path.write_text("case,reason\nCase3, \n")
    with pytest.raises(FormatError, match="why Case3"):
        read_exclusions(path)
    path.write_text("case\nCase3\n")
    with pytest.raises(FormatError, match="columns"):
        read_exclusions(path)
    with pytest.raises(NotFoundError):
        read_exclusions(tmp_path / "none.csv")


def test_an_excluded_case_that_no_store_knows_is_a_misspelled_one(tmp_path: Path, capsys):
    """It was trained on, and the receipt said that it was not."""
    store = store_of(tmp_path / "store", [slice_row(f"s{number}", f"P{number}", 9.0) for number in range(5)])
    case = read_slices(store)[0].case
    path = tmp_path / "exclude.csv"
    path.write_text(f"case,reason\n{case.lower()}x,shadow\n")
    words = [str(store), "--work", str(tmp_path), "--dataset-id", "501", "--title", "T", "--exclude", str(path)]
    assert main(["fit", *words]) == 2
    assert f"excludes the case {case.lower()}x, which none of the slice stores holds" in capsys.readouterr().err
    (store / "left-out.csv").write_text("case,reason\nrejected,in the review\n")
    check_exclusions([case, "rejected"], [store], path)
