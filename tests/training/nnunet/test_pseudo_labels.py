"""Pseudo-labels: one body a volume, seen from three directions, with doubt around it; training alone gets them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from tiny import threshold_model

from inference.contract import Mode
from inference.errors import FormatError, NotFoundError, OutputError
from inference.model.engine import Engine
from training import cli
from training.cohort.cases import Case, write_cases
from training.export.training_facts import simulated_population
from training.io.receipt import sha256
from training.nnunet.dataset import labels_of as labels_in
from training.nnunet.pseudo_labels import Cut, labels_of, probability_of, pseudo_label
from training.slicing.slices import read_slice, read_slices

SIDE, MM, REFUSED = 48, 0.5, 2
BODY, OTHER = (18, 20, 18), (43, 42, 43)


def ball(centre: tuple[int, int, int], radius: float) -> np.ndarray:
    away = np.indices((SIDE, SIDE, SIDE)) - np.reshape(centre, (3, 1, 1, 1))
    return (away**2).sum(axis=0) <= radius**2


@pytest.fixture
def model(tmp_path: Path) -> Path:
    threshold_model(tmp_path / "threshold.onnx", level=0.6, spacing_mm=(MM, MM), patch=(64, 64))
    return tmp_path / "threshold.onnx"


@pytest.fixture
def cases(tmp_path: Path) -> list[Case]:
    """Two volumes, each with a bright body and a smaller bright thing far from it; the second is excluded."""
    found = []
    for number in (1, 2):
        path = tmp_path / f"Case{number}-US-before.nii.gz"
        pixels = 20.0 + np.random.default_rng(number).uniform(0, 5, (SIDE, SIDE, SIDE))
        pixels[ball(BODY, 11)], pixels[ball(OTHER, 4)] = 100, 100
        image = sitk.GetImageFromArray(pixels.astype(np.float32))
        image.SetSpacing((MM, MM, MM))
        sitk.WriteImage(image, str(path))
        found.append(Case(f"Case{number}", f"A-{number}", us=path, exclude=number > 1, reason="of the test"))
    return found


def test_the_body_is_tumour_and_what_is_far_from_it_is_none(cases: list[Case], model: Path, tmp_path: Path) -> None:
    rows = pseudo_label([model], cases, tmp_path / "store", Cut(1.0, 12))
    assert {(row.case, row.patient) for row in rows} == {("Case1", "A-1")}
    assert {row.axis for row in rows} == {"i", "j", "k"}
    assert rows == read_slices(tmp_path / "store")
    for row in rows:
        label, image = read_slice(row.label(tmp_path / "store")), read_slice(row.image(tmp_path / "store"))
        assert row.origin == "pseudo"
        assert row.area_mm2 == pytest.approx((label == 1).sum() * MM * MM)
        axis = {"k": 0, "j": 1, "i": 2}[row.axis]
        body, other = (np.take(ball(centre, r), row.index, axis) for centre, r in ((BODY, 9), (OTHER, 4)))
        assert (label[body] == 1).all()
        assert (label[other] == 0).all()
        assert (image[label == 1] > 90).all()


@pytest.mark.usefixtures("cases", "model")
def test_three_directions_and_all_models_count_alike(tmp_path: Path) -> None:
    threshold_model(tmp_path / "never.onnx", level=5.0, spacing_mm=(MM, MM), patch=(64, 64))
    engines = [Engine.load(tmp_path / name, trial=True) for name in ("threshold.onnx", "never.onnx")]
    pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "Case1-US-before.nii.gz")))
    alone, both = (probability_of(chosen, pixels, MM, Mode.FAST) for chosen in (engines[:1], engines))
    assert alone[BODY] > 0.55
    never = probability_of(engines[1:], pixels, MM, Mode.FAST)
    np.testing.assert_allclose(both, (alone + never) / 2, atol=1e-6)
    turned = probability_of(engines[:1], np.ascontiguousarray(pixels.transpose(2, 0, 1)), MM, Mode.FAST)
    np.testing.assert_allclose(turned, alone.transpose(2, 0, 1), atol=1e-5)


def test_doubt_near_the_body_is_ignored_and_further_away_is_none() -> None:
    probability = np.where(ball(BODY, 11), np.float32(0.95), np.float32(0.05))
    probability[ball(BODY, 16) & ~ball(BODY, 11)] = 0.45
    probability[ball(OTHER, 4)] = 0.45
    labels = labels_of(probability, MM)
    assert labels[BODY] == 1
    assert labels[BODY[0] + 14, BODY[1], BODY[2]] == 2
    assert labels[OTHER] == 0
    assert labels[2, 2, 2] == 0


@pytest.mark.parametrize(("radius", "inside"), [(0, 0.05), (5, 0.95), (11, 0.6)])
def test_without_a_body_that_is_believed_nothing_is_tumour(radius: int, inside: float) -> None:
    """0.5 cm3 is a ball of ten voxels of half a millimetre; a smaller or a doubtful one is neither tumour nor none."""
    labels = labels_of(np.where(ball(BODY, radius), np.float32(inside), np.float32(0.05)), MM)
    assert labels[BODY] == (2 if radius else 0)
    assert not (labels == 1).any()


def test_no_volume_left_is_one_sentence(cases: list[Case], model: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not excluded"):
        pseudo_label([model], cases[1:], tmp_path / "store", Cut(1.0, 12))


def test_a_missing_volume_is_said_before_any_is_labelled(cases: list[Case], model: Path, tmp_path: Path) -> None:
    lost = Case("Case3", "A-3", us=tmp_path / "lost.nii.gz")
    with pytest.raises(NotFoundError, match=r"lost\.nii\.gz"):
        pseudo_label([model], [*cases, lost], tmp_path / "store", Cut(1.0, 12))
    assert not (tmp_path / "store").exists()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        pseudo_label([model], cases, tmp_path / "file", Cut(1.0, 12))


def test_a_volume_of_nobody_is_not_labelled(cases: list[Case], model: Path, tmp_path: Path) -> None:
    """Its slices would stand in a training whose test may hold the same patient, under a name."""
    with pytest.raises(FormatError, match="has no patient, and could stand on both sides"):
        pseudo_label([model], [replace(cases[0], patient=" ")], tmp_path / "store", Cut(1.0, 12))
    assert not (tmp_path / "store").exists()


def test_a_run_that_ends_half_way_leaves_no_table_of_the_one_before(
    cases: list[Case], model: Path, tmp_path: Path
) -> None:
    pseudo_label([model], cases, tmp_path / "store", Cut(4.0, 3))
    (tmp_path / "broken.nii.gz").write_text("no volume")
    broken = Case("Case3", "A-3", us=tmp_path / "broken.nii.gz")
    with pytest.raises(FormatError):
        pseudo_label([model], [*cases, broken], tmp_path / "store", Cut(1.0, 12))
    assert not (tmp_path / "store" / "slices.csv").exists()


def test_nnunet_ignores_the_doubt_and_no_report_scores_it(
    cases: list[Case], model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    rows = pseudo_label([model], cases, store, Cut(4.0, 3))
    assert labels_in(rows) == {"background": 0, "tumor": 1, "ignore": 2}
    assert cli.main(["predict", str(model), str(store), "--out", str(tmp_path / "p")]) == 0
    scored = ["evaluate", f"own={tmp_path / 'p'}", "--slices", str(store), "--out", str(tmp_path / "r"), "--data", "x"]
    assert cli.main(scored) == REFUSED
    assert "for training alone" in capsys.readouterr().err


def test_a_volume_of_flat_voxels_is_labelled_as_one_of_cubes(cases: list[Case], model: Path, tmp_path: Path) -> None:
    cubes = max(row.area_mm2 for row in pseudo_label([model], cases, tmp_path / "cubes", Cut(1.0, 12)))
    flat = sitk.ReadImage(str(cases[0].us))[:, :, ::2]
    flat.SetSpacing((MM, MM, 2 * MM))
    sitk.WriteImage(flat, str(cases[0].us))
    rows = pseudo_label([model], cases, tmp_path / "store", Cut(1.0, 12))
    assert {row.row_mm for row in rows} == {rows[0].row_mm} == {rows[0].col_mm}
    assert max(row.area_mm2 for row in rows) == pytest.approx(cubes, rel=0.2)


def test_the_receipt_names_table_and_models(cases: list[Case], model: Path, tmp_path: Path) -> None:
    table, out = tmp_path / "cases.csv", tmp_path / "store"
    write_cases(cases, table)
    assert cli.main(["pseudolabel", str(table), str(model), "--out", str(out), "--mode", "fast"]) == 0
    receipt = json.dumps(json.loads((out / "receipt-pseudolabel.json").read_text()))
    assert sha256(model) in receipt
    assert sha256(table) in receipt
    assert {row.case for row in read_slices(out)} == {"Case1"}


def test_the_population_says_who_marked_the_tumours() -> None:
    words = simulated_population(3, native=False, painted=["RESECT-Case1"], marked=["RESECT-Case1"]).words
    assert "no person" in words
    assert "nothing was said" not in words
    assert "nothing was said" in simulated_population(3, native=False, painted=["RESECT-Case1"]).words
    assert "no real one" in simulated_population(3, native=False).words
