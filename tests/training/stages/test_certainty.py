"""`ius-train certainty`: the file it writes is the same model, and says what its probabilities are worth."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import threshold_model

from inference.contract import Mode
from inference.model.engine import Engine
from inference.model.onnx_metadata import metadata_in
from training.cli import main
from training.evaluation import certainty
from training.slicing.slices import SliceRow, write_slice, write_slices

SHAPE, PIXEL_MM, SLICES = (48, 56), 0.5, 13


def _slice(rng: np.random.Generator, contrast: float) -> tuple[np.ndarray, np.ndarray]:
    """Speckle with a disc that stands out by so much; its truth."""
    rows, cols = np.indices(SHAPE)
    disc = (rows - 24) ** 2 + (cols - 28) ** 2 < rng.uniform(6, 14) ** 2
    return (60 + 40 * rng.random(SHAPE) + contrast * disc).astype(np.float32), disc.astype(np.uint8)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five patients, a slice in 13 of each tumour-free."""
    folder, rng, rows = tmp_path_factory.mktemp("certainty"), np.random.default_rng(2), []
    for number in range(5):
        for index in range(SLICES):
            pixels, mask = _slice(rng, 0 if index == 0 else 12 * index)
            mask *= index > 0
            name = f"P{number}_k{index:04d}"
            area = float(mask.sum()) * PIXEL_MM**2
            row = SliceRow(name, f"P{number}", f"P{number}", "k", index, area, *SHAPE, PIXEL_MM, PIXEL_MM)
            write_slice(pixels, (PIXEL_MM, PIXEL_MM), row.image(folder))
            write_slice(mask, (PIXEL_MM, PIXEL_MM), row.label(folder))
            rows.append(row)
    write_slices(rows, folder / "slices.csv")
    return folder


def test_the_file_is_the_same_model_and_says_what_its_probabilities_are_worth(store: Path, tmp_path: Path) -> None:
    model, out, report = tmp_path / "model.onnx", tmp_path / "new.onnx", tmp_path / "report"
    threshold_model(model, blur=3, spacing_mm=(PIXEL_MM, PIXEL_MM), patch=SHAPE)
    words = ["certainty", str(model), str(store), "--data", "discs", "--simulated"]
    assert main([*words, "--out", str(out), "--report", str(report)]) == 0
    before, after = Engine.load(model, threads=1), Engine.load(out, threads=1)
    assert before.contract.certainty == ()
    found = after.contract.certainty_in(Mode.FAST)
    assert found is not None
    assert (found.data, found.n_slices, found.n_patients) == ("discs", 5 * SLICES, 5)
    assert after.contract.certainty_in(Mode.THOROUGH) is None
    assert after.self_test.mismatched_per_million == 0
    pixels, _ = _slice(np.random.default_rng(5), 80)
    masks = [engine.segment(pixels, (PIXEL_MM, PIXEL_MM)).margin.mask() for engine in (before, after)]
    assert masks[0].any()
    assert np.array_equal(*masks)
    assert {"ius.contract", "ius.golden"} == set(metadata_in(out.read_bytes()))
    for name in ("report.html", "report.md", "receipt-certainty.json", "figures/reliability_diagram_fast.png"):
        assert (report / name).is_file()
    assert "What its probability is worth (fast mode)" in out.with_suffix(".md").read_text()


def test_what_was_measured_of_one_model_is_not_put_into_another(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Thousands of slices take hours, in which the same path may be exported again."""
    model, out = tmp_path / "model.onnx", tmp_path / "new.onnx"
    threshold_model(model, blur=3, spacing_mm=(PIXEL_MM, PIXEL_MM), patch=SHAPE)
    answer_all = certainty.answer_all

    def meanwhile(*arguments: Any) -> list[certainty.Answered]:
        threshold_model(model, blur=5, level=0.4, spacing_mm=(PIXEL_MM, PIXEL_MM), patch=SHAPE)
        return answer_all(*arguments)

    monkeypatch.setattr(certainty, "answer_all", meanwhile)
    words = ["certainty", str(model), str(store), "--data", "discs", "--simulated"]
    assert main([*words, "--out", str(out), "--report", str(tmp_path / "report")]) == 2
    told = capsys.readouterr().err
    assert "\n".join(Engine.load(model).fallbacks) in told, "why it was measured on another device or in other bits"
    assert "was replaced while it was in use" in told
    assert not out.exists()


@pytest.mark.parametrize("words", [["--certainty", "slices"], ["--certainty-data", "discs"]])
def test_an_export_wants_slices_and_their_words_together(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "model", "--out", "model.onnx", "--name", "m", *words]) != 0
    assert "say which slices these are" in capsys.readouterr().err


def test_a_patient_of_the_training_is_refused(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "model.onnx"
    threshold_model(model, spacing_mm=(PIXEL_MM, PIXEL_MM), patch=SHAPE)
    words = ["certainty", str(model), str(store), "--data", "discs", "--simulated", "--trained-on", str(store)]
    assert main([*words, "--out", str(tmp_path / "new.onnx"), "--report", str(tmp_path / "report")]) != 0
    assert "P0 is in training" in capsys.readouterr().err
    assert not (tmp_path / "new.onnx").exists()


def test_one_patient_under_two_names_is_not_in_both_halves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was fitted on one half of them would be measured on the same patient in the other."""
    stores = []
    for patient in ("P7", "p07"):
        row = SliceRow(f"{patient}_k0", patient, patient, "k", 0, 9.0, *SHAPE, PIXEL_MM, PIXEL_MM)
        stores.append(str(tmp_path / patient))
        write_slices([row], tmp_path / patient / "slices.csv")
    words = ["certainty", "model.onnx", *stores, "--data", "discs", "--simulated"]
    assert main([*words, "--out", str(tmp_path / "new.onnx"), "--report", str(tmp_path / "report")]) != 0
    assert "differ in spelling alone" in capsys.readouterr().err
