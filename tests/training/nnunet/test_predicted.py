"""A mask is of one picture: none is kept, or scored, for another one, nor after somebody changed it."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny import threshold_model

from training.cli import main
from training.slicing.slices import SliceRow, read_slice, read_slices, write_slice, write_slices

SHAPE, MM = (48, 48), (0.5, 0.5)


def store_of(folder: Path, centre: int, names: tuple[str, ...] = ("p0", "p1")) -> Path:
    """Slices of a bright disc, somewhere."""
    y, x = np.indices(SHAPE)
    disc = (y - centre) ** 2 + (x - 20) ** 2 < 60
    rows = []
    for name in names:
        row = SliceRow(name, name, name, "k", 0, float(disc.sum()) * MM[0] * MM[1], *SHAPE, *MM)
        write_slice((40 + 120 * disc).astype(np.float32), MM, row.image(folder))
        write_slice(disc.astype(np.uint8), MM, row.label(folder))
        rows.append(row)
    write_slices(rows, folder / "slices.csv")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.onnx"
    threshold_model(path, spacing_mm=MM, patch=SHAPE)
    return path


def predict(model: Path, store: Path, out: Path) -> int:
    return main(["predict", str(model), str(store), "--out", str(out)])


def evaluate(out: Path, store: Path) -> int:
    report = str(out.with_name(f"{out.name}-report"))
    return main(["evaluate", str(out), str(store), "--out", report, "--data", "d", "--simulated"])


def test_slices_that_were_cut_anew_are_predicted_anew_and_never_scored_by_the_old_masks(model, tmp_path, capsys):
    """A corrected case keeps its slices' names: the mask of the wrong picture used to stay, and to be scored."""
    store, out = store_of(tmp_path / "store", 15), tmp_path / "masks"
    assert predict(model, store, out) == 0
    assert evaluate(out, store) == 0
    before = read_slice(out / "p0.nii.gz")
    store_of(store, 30, ("p0",)), write_slices(read_slices(store_of(tmp_path / "other", 15)), store / "slices.csv")
    capsys.readouterr()
    assert evaluate(out, store) == 2
    assert "was predicted from another picture than" in capsys.readouterr().err
    kept = (out / "p1.nii.gz").stat().st_mtime_ns
    assert predict(model, store, out) == 0
    assert (out / "p1.nii.gz").stat().st_mtime_ns == kept
    assert np.array_equal(read_slice(out / "p0.nii.gz"), np.roll(before, 15, axis=0))
    assert evaluate(out, store) == 0


def test_a_report_says_where_nothing_is_known_of_the_trainings_patients(model, tmp_path):
    """An export names none; the stores of its training, named and found apart, settle it."""
    store, out, report = store_of(tmp_path / "store", 15), tmp_path / "masks", tmp_path / "report"
    assert predict(model, store, out) == 0
    score = ["evaluate", f"A={out}", "--slices", str(store), "--out", str(report), "--data", "d", "--simulated"]
    words = "no receipt tells whether a model was trained on any of these patients"
    assert main(score) == 0
    assert words in (report / "report.md").read_text()
    assert words not in (report / "summaries" / "A.json").read_text(), "which the screen quotes"
    assert main([*score, "--trained-on", str(store_of(tmp_path / "training", 15, ("p7",)))]) == 0
    assert words not in (report / "report.md").read_text()


def test_a_mask_that_was_changed_is_not_scored_as_the_models(model, tmp_path, capsys):
    store, out = store_of(tmp_path / "store", 15), tmp_path / "masks"
    assert predict(model, store, out) == 0
    write_slice(np.ones(SHAPE, np.uint8), MM, out / "p1.nii.gz")
    assert evaluate(out, store) == 2
    assert "p1.nii.gz is not what 'ius-train predict' wrote there" in capsys.readouterr().err
    copied = tmp_path / "own"
    for name in ("p0", "p1"):
        write_slice(read_slice(out / f"{name}.nii.gz").astype(np.uint8), MM, copied / f"{name}.nii.gz")
    assert evaluate(copied, store) == 0, "masks of unknown origin are scored, as such"


def test_a_list_that_was_cut_off_by_a_kill_costs_that_mask_alone(model, tmp_path):
    store, out = store_of(tmp_path / "store", 15), tmp_path / "masks"
    assert predict(model, store, out) == 0
    listed = (out / "predicted.csv").read_text()
    (out / "predicted.csv").write_text(listed[:-9])
    kept = (out / "p0.nii.gz").stat().st_mtime_ns
    assert predict(model, store, out) == 0
    assert (out / "p0.nii.gz").stat().st_mtime_ns == kept
    assert evaluate(out, store) == 0


def test_two_stores_with_different_slices_of_one_name_are_refused(model, tmp_path, capsys):
    one, other = store_of(tmp_path / "one", 15), store_of(tmp_path / "other", 30)
    assert main(["predict", str(model), str(one), str(other), "--out", str(tmp_path / "masks")]) == 2
    assert "hold a slice named p0" in capsys.readouterr().err


@pytest.mark.parametrize(("out", "words"), [("store", "holds the slices: give --out a"), ("no", "no slice table at")])
def test_masks_are_not_written_among_the_slices_nor_of_none(model, tmp_path, capsys, out: str, words: str):
    store = store_of(tmp_path / "store", 15)
    before = set(store.rglob("*"))
    assert predict(model, store if out == "store" else tmp_path / "nothing", tmp_path / out) == 2
    assert words in capsys.readouterr().err
    assert set(store.rglob("*")) == before
    assert not (tmp_path / "no").exists()


def test_a_prediction_that_was_stopped_tells_what_it_was_made_with(model, tmp_path):
    """Its masks were scored as of unknown origin: nothing told whether their patients had trained the model."""
    store, damaged, out = (
        store_of(tmp_path / "store", 15),
        store_of(tmp_path / "damaged", 15, ("p8",)),
        tmp_path / "masks",
    )
    read_slices(damaged)[0].image(damaged).write_bytes(b"damaged, but there")
    assert main(["predict", str(model), str(store), str(damaged), "--out", str(out)]) == 2
    assert sorted(path.name for path in out.glob("*.nii.gz")) == ["p0.nii.gz", "p1.nii.gz"]
    told = json.loads((out / "receipt-predict.json").read_text())["settings"]
    assert (told["mode"], told["training_known"]) == ("fast", False)
    assert main(["predict", str(threshold_of(tmp_path, 0.6)), str(store), "--out", str(out)]) == 2
    assert json.loads((out / "receipt-predict.json").read_text())["settings"] == told, "of the masks that are there"


def threshold_of(folder: Path, level: float) -> Path:
    """Another model."""
    threshold_model(folder / "other.onnx", level=level, spacing_mm=MM, patch=SHAPE)
    return folder / "other.onnx"
