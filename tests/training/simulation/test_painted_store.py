"""A store of painted slices: cases left out are not in it, and nnU-Net is told what to ignore."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from inference.errors import FormatError
from training.cohort.folds import draw_folds
from training.io.receipt import sha256
from training.nnunet.dataset import Choice, write_dataset
from training.nnunet.results.plans import shown_labels
from training.simulation import CohortError
from training.simulation.painted_store import Wanted, paint_store
from training.slicing.by_eye import Outline, Outlined, Outlines
from training.slicing.slices import SliceRow, read_slice

SIDE = 48
SQUARE = ((10.0, 18.0), (16.0, 18.0), (16.0, 26.0), (10.0, 26.0))


@pytest.fixture
def outlines(tmp_path: Path) -> Outlines:
    """Six balls of speckle, each with an outline."""
    k, j, i = np.indices((SIDE, SIDE, SIDE))
    inside = (k - 24) ** 2 + (j - 24) ** 2 + (i - 24) ** 2 < 23**2
    volumes = []
    for number in range(1, 7):
        path = tmp_path / f"Case{number}-US-before.nii.gz"
        grey = np.random.default_rng(number).rayleigh(25, inside.shape) + 2
        image = sitk.GetImageFromArray(np.where(inside, grey, 0).astype(np.float32))
        sitk.WriteImage(image, str(path))
        slices = (Outline(22, "plain", (SQUARE,)), Outline(26, "plain", (SQUARE,)))
        volumes.append(Outlined(f"Case{number}", (SIDE, SIDE, SIDE), sha256(path), "", slices))
    return Outlines("by eye", "2026-01-01", "a test", "k", "voxels", "frozen", tuple(volumes))


def _paint(outlines: Outlines, folder: Path, left_out: tuple[str, ...] = ("Case6",)) -> list[SliceRow]:
    return paint_store(outlines, folder, folder / "store", Wanted(1, 6.0, 3, 1), left_out)


def test_cases_left_out_are_in_no_slice(outlines: Outlines, tmp_path: Path) -> None:
    rows = _paint(outlines, tmp_path, ("Case6", "Case2"))
    assert {row.case for row in rows} == {"Case1", "Case3", "Case4", "Case5"}
    assert not list((tmp_path / "store").rglob("*Case2*"))


def test_labels_are_tumour_background_and_ignored_and_areas_count_the_tumour(
    outlines: Outlines, tmp_path: Path
) -> None:
    rows = _paint(outlines, tmp_path)
    labels = {row.name: read_slice(row.label(tmp_path / "store")) for row in rows}
    assert set(np.unique(np.concatenate([label.ravel() for label in labels.values()]))) == {0, 1, 2}
    for row in rows:
        assert row.area_mm2 == (labels[row.name] == 1).sum()
        assert row.origin == "painted"


def test_the_outline_and_eight_millimetres_around_it_are_ignored(outlines: Outlines, tmp_path: Path) -> None:
    rows = [row for row in _paint(outlines, tmp_path) if row.axis == "k" and 22 <= row.index <= 26]
    assert rows
    for row in rows:
        label = read_slice(row.label(tmp_path / "store"))
        assert (label[18:27, 10:17] == 2).all()
        assert label[22, 20] == 2


def test_nnunet_is_told_to_ignore_and_an_export_shows_two_labels(outlines: Outlines, tmp_path: Path) -> None:
    rows = _paint(outlines, tmp_path)
    folds = draw_folds((row.patient for row in rows), 0)
    write_dataset([tmp_path / "store"], tmp_path / "raw" / "Dataset501_US", Choice(), folds)
    dataset = json.loads((tmp_path / "raw" / "Dataset501_US" / "dataset.json").read_text())
    assert dataset["labels"] == {"background": 0, "tumor": 1, "ignore": 2}
    assert shown_labels(dataset) == {"background": 0, "tumor": 1}


def test_nothing_left_is_refused(outlines: Outlines, tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="left out"):
        _paint(outlines, tmp_path, tuple(f"Case{number}" for number in range(1, 7)))


def test_no_slice_is_named_twice_where_few_are_free_or_where_two_seeds_paint(
    outlines: Outlines, tmp_path: Path
) -> None:
    stores = [paint_store(outlines, tmp_path, tmp_path / str(seed), Wanted(1, 6.0, 300, seed), ()) for seed in (1, 2)]
    names = [row.name for rows in stores for row in rows]
    assert len(names) == len(set(names))


def test_volumes_of_any_name_are_painted(outlines: Outlines, tmp_path: Path) -> None:
    volumes = []
    for volume in outlines.volumes[:2]:
        named = volume.case.replace("Case", "OR-")
        (tmp_path / f"{volume.case}-US-before.nii.gz").rename(tmp_path / f"{named}-US-before.nii.gz")
        volumes.append(msgspec.structs.replace(volume, case=named))
    others = msgspec.structs.replace(outlines, volumes=tuple(volumes))
    rows = paint_store(others, tmp_path, tmp_path / "store", Wanted(1, 6.0, 3, 1), ())
    assert {row.case for row in rows} == {"OR-1", "OR-2"}


def test_a_volume_whose_voxels_are_no_cubes_is_refused(outlines: Outlines, tmp_path: Path) -> None:
    """All three sides were taken for the first: wrong mm² and tumours in another shape than they were drawn."""
    one = outlines.volumes[0]
    path = tmp_path / f"{one.case}-US-before.nii.gz"
    image = sitk.ReadImage(str(path))
    image.SetSpacing((0.5, 0.5, 1.0))
    sitk.WriteImage(image, str(path))
    other = msgspec.structs.replace(outlines, volumes=(msgspec.structs.replace(one, sha256=sha256(path)),))
    with pytest.raises(FormatError, match=r"has voxels of 0.5 x 0.5 x 1 mm: resample it to cubes"):
        _paint(other, tmp_path)
