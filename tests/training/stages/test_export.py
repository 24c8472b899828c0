"""`ius-train export`: whom the file says that it was trained on."""

import json
from pathlib import Path

import numpy as np
import pytest

from training.cli import main
from training.io.receipt import write_receipt
from training.slicing.slices import PAINTED, PSEUDO, SliceRow, write_slice, write_slices

PEOPLE = {name: [] for name in ("tumour_types", "grades", "sites", "scanners", "surgery", "phases", "views")} | {
    "words": "Two patients.",
    "n_patients": 2,
    "simulated": False,
}


def store_of(folder: Path, simulated: str, origin: str = "us") -> Path:
    """Slices of two patients, cut from a case table with these cells."""
    rows = [SliceRow(f"{name}0", name, name, "k", 0, 2.0, 8, 8, 0.5, 0.5, origin) for name in "AB"]
    for row in rows:
        for path in (row.image(folder), row.label(folder)):
            write_slice(np.eye(8, dtype=np.uint8), (0.5, 0.5), path)
    write_slices(rows, folder / "slices.csv")
    table = folder.parent / f"{folder.name}-cases.csv"
    cells = "".join(f"{name},{name},{cell}\n" for name, cell in zip("AB", simulated, strict=True))
    table.write_text("case,patient,simulated\n" + cells)
    write_receipt(folder, "slice", {}, [table])
    return folder


def exported(model: Path, work: Path, *stores: Path, how: tuple[str, ...], **settings: object) -> int:
    """What exporting a model that was trained on these stores ends with."""
    told = {"train_patients": ["A", "B"], **settings}
    write_receipt(model / "fold_0", "fit", {"slices": list(stores), **told}, [])
    (work / "people.json").write_text(json.dumps(PEOPLE))
    return main(["export", str(model), "--out", str(work / "m.onnx"), "--name", "M", *how])


def test_a_model_of_simulated_patients_is_never_exported_as_one_of_real_ones(model_folder, tmp_path: Path, capsys):
    """Its population said so, as the template does, and no screen told a surgeon that it is a demonstration."""
    model, store = model_folder(), store_of(tmp_path / "slices", "11")
    real = ("--population", str(tmp_path / "people.json"), "--label-origin", "us")
    for how in (real, ()):
        assert exported(model, tmp_path, store, how=how) == 2
        assert "trained on simulated patients alone, as their case table says" in capsys.readouterr().err
    painted = store_of(tmp_path / "painted", "00", PAINTED)
    assert exported(model, tmp_path, store, painted, how=real) == 2
    assert "trained on simulated patients alone" in capsys.readouterr().err
    demo = {"name": "Demo 1", "n_patients": 5, "simulated": True}
    assert exported(model, tmp_path, store, how=real, start="demo.onnx", forebears=[demo]) == 2
    assert "trained on simulated patients alone" in capsys.readouterr().err
    assert not (tmp_path / "m.onnx").exists()


def test_a_model_of_real_patients_is_not_exported_as_one_of_simulated_ones(model_folder, tmp_path: Path, capsys):
    model, store = model_folder(), store_of(tmp_path / "slices", "10")
    assert exported(model, tmp_path, store, how=("--simulated",)) == 2
    assert "was trained on real patients, as their case table says" in capsys.readouterr().err


@pytest.mark.parametrize("simulated", ["00", "10", "1"])
def test_what_the_tables_do_not_deny_is_believed(model_folder, tmp_path: Path, capsys, simulated: str):
    """Of real patients among simulated ones, and of patients whose table is gone."""
    model, store = model_folder(), store_of(tmp_path / "slices", simulated.ljust(2, "1"))
    if simulated == "1":
        (tmp_path / "slices-cases.csv").unlink()
    people = ("--population", str(tmp_path / "people.json"), "--evaluation", "none.json")
    assert exported(model, tmp_path, store, how=people) == 2
    assert "There is no evaluation at none.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("origins", "said", "sentence"),
    [
        (("us",), (), "There is no evaluation"),
        (("us", "mri"), ("--label-origin", "both"), "There is no evaluation"),
        (("us",), ("--label-origin", "both"), "are of us, not of both"),
        (("us", "mri"), ("--label-origin", "mri"), "are of both, not of mri"),
        (("mri",), ("--label-origin", "us"), "are of mri, not of us"),
        ((PSEUDO,), (), "has to say where the labels come from"),
        ((PSEUDO,), ("--label-origin", "us"), "There is no evaluation"),
    ],
)
def test_labels_come_from_where_the_slices_say(model_folder, tmp_path: Path, capsys, origins, said, sentence: str):
    """The model card told a surgeon of labels drawn on ultrasound where all were carried over from MRI."""
    stores = [store_of(tmp_path / f"slices{at}", "00", origin) for at, origin in enumerate(origins)]
    people = ("--population", str(tmp_path / "people.json"), "--evaluation", "none.json")
    assert exported(model_folder(), tmp_path, *stores, how=(*people, *said)) == 2
    assert sentence in capsys.readouterr().err


def test_simulated_and_a_population_of_real_patients_contradict_each_other(model_folder, tmp_path: Path, capsys):
    """The file was written, of real patients: --simulated had been passed over."""
    (tmp_path / "people.json").write_text(json.dumps(PEOPLE))
    words = ["export", str(model_folder()), "--out", str(tmp_path / "m.onnx"), "--name", "M", "--simulated"]
    assert main([*words, "--population", str(tmp_path / "people.json")]) == 2
    assert "says that its patients are real, and --simulated that they are not" in capsys.readouterr().err
