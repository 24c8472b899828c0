"""Outlines drawn by eye: frozen, in the picture, between slices, and never beside a clinical or simulated figure."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from inference.errors import FormatError, NotFoundError
from training.evaluation.compare import compare
from training.evaluation.population import PopulationError, population_of
from training.evaluation.report import evaluate
from training.export.training_facts import read_measured
from training.io.receipt import sha256
from training.slicing.by_eye import (
    OUTLINES,
    Outline,
    Outlined,
    Outlines,
    mask_of,
    read_outlines,
    region_of,
    volume_of,
    write_store,
)
from training.slicing.slices import PAINTED, read_slice, read_slices, write_slice, write_slices

FROZEN = "e7ed2aa504ca681b0bec59385ef1ee7ed99b96e8ee5c7416c436f88e847b0a09"
"""Of the file as it was committed on 2026-11-27, before any training that is measured on it."""
SHAPE = (40, 30, 20)
SQUARE = ((10.0, 8.0), (19.0, 8.0), (19.0, 17.0), (10.0, 17.0))


def _outlined(path: Path, case: str = "Case7") -> Outlined:
    """A volume with two outlines and a slice on which nothing is visible."""
    slices = (
        Outline(4, "plain", (SQUARE,)),
        Outline(8, "likely", (SQUARE,)),
        Outline(15, "nothing plainly visible", ()),
    )
    return Outlined(case, SHAPE, sha256(path), "A square.", slices)


def _outlines(*volumes: Outlined) -> Outlines:
    return Outlines("by eye, no expert", "2026-01-01", "a test", "k", "voxels", "frozen", volumes)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    path = tmp_path / "us" / "Case7-US-before.nii.gz"
    path.parent.mkdir()
    image = sitk.GetImageFromArray(np.random.default_rng(1).uniform(1, 90, SHAPE[::-1]).astype(np.float32))
    image.SetSpacing((0.5, 0.5, 0.5))
    sitk.WriteImage(image, str(path))
    return path


def test_the_bundled_outlines_are_those_of_the_first_commit() -> None:
    assert hashlib.sha256(OUTLINES.read_bytes()).hexdigest() == FROZEN


def test_every_case_has_three_outlines_or_is_kept_as_one_where_nothing_is_visible() -> None:
    for one in read_outlines().volumes:
        drawn = [outline for outline in one.slices if outline.polygons]
        assert len(drawn) in (3, 4) or (one.case == "Case1" and not drawn)
        assert all((not outline.polygons) == (outline.certainty == "nothing plainly visible") for outline in one.slices)
        assert [outline.index for outline in one.slices] == sorted({outline.index for outline in one.slices})


def test_the_bundled_outlines_lie_in_the_sectors_of_their_volumes(shared_data: Path) -> None:
    for one in read_outlines().volumes:
        image = sitk.ReadImage(str(volume_of(one, shared_data / "resect" / "us")))
        assert image.GetSize() == one.shape
        pixels = sitk.GetArrayFromImage(image)
        for outline in one.slices:
            mask = mask_of(outline, one.shape)
            assert not mask.any() or (pixels[outline.index][mask] > 0).mean() > 0.98


def test_a_polygon_covers_its_corners_and_what_is_between() -> None:
    mask = mask_of(Outline(0, "plain", (SQUARE,)), SHAPE)
    assert mask.shape == (30, 40)
    assert mask.sum() == 100
    assert mask[8, 10]
    assert mask[17, 19]
    assert not mask[18, 19]


def test_the_region_joins_the_slices_and_ends_fifteen_millimetres_beyond(volume: Path) -> None:
    region = region_of(_outlined(volume), spacing_mm=2.0)
    assert region[4:9].sum(axis=(1, 2)).tolist() == [100] * 5
    assert region[15].sum() == 100  # 7 slices of 2 mm beyond
    assert not region[16:].any()


def test_a_volume_without_an_outline_has_no_region(volume: Path) -> None:
    bare = Outlined("Case7", SHAPE, sha256(volume), "", (Outline(3, "nothing plainly visible", ()),))
    assert not region_of(bare, 0.5).any()


def test_another_volume_of_the_name_is_refused(volume: Path, tmp_path: Path) -> None:
    outlined = _outlined(volume)
    volume.write_bytes(b"another")
    with pytest.raises(FormatError, match="not the volume"):
        volume_of(outlined, tmp_path)
    volume.unlink()
    with pytest.raises(NotFoundError, match="no volume of Case7"):
        volume_of(outlined, tmp_path)


def test_an_unknown_field_is_named(tmp_path: Path) -> None:
    path = tmp_path / "outlines.json"
    path.write_text(OUTLINES.read_text().replace('"drawn"', '"drawn_on"', 1))
    with pytest.raises(FormatError, match="drawn"):
        read_outlines(path)


def test_the_store_holds_slices_as_they_are_with_the_outlines_as_masks(volume: Path, tmp_path: Path) -> None:
    rows = write_store(_outlines(_outlined(volume)), tmp_path, tmp_path / "store")
    assert [(row.index, row.area_mm2, row.origin) for row in rows] == [
        (4, 25.0, "by eye"),
        (8, 25.0, "by eye"),
        (15, 0.0, "by eye"),
    ]
    assert read_slices(tmp_path / "store") == rows
    pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(volume)))
    np.testing.assert_array_equal(read_slice(rows[0].image(tmp_path / "store")), pixels[4])


def _predicted(store: Path, folder: Path) -> Path:
    """Perfect predictions."""
    for row in read_slices(store):
        mask = (read_slice(row.label(store)) > 0).astype(np.uint8)
        write_slice(mask, (row.row_mm, row.col_mm), folder / f"{row.name}.nii.gz")
    return folder


def test_a_report_says_by_eye_and_quotes_no_published_figure(volume: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    write_store(_outlines(_outlined(volume)), tmp_path, store)
    masks = _predicted(store, tmp_path / "masks")
    compare({"model": masks}, store, tmp_path / "report", data="a test", simulated=False)
    page = (tmp_path / "report" / "report.md").read_text()
    assert "by no expert: a yardstick, and no clinical figure" in page
    assert "Published" not in page


def test_no_model_carries_it_as_its_accuracy(volume: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    write_store(_outlines(_outlined(volume)), tmp_path, store)
    evaluate(_predicted(store, tmp_path / "masks"), store, tmp_path / "report", data="a test", simulated=False)
    with pytest.raises(FormatError, match="by eye, no expert"):
        read_measured([tmp_path / "report" / "summary.json"])


@pytest.mark.parametrize("origin", ["us", "painted"])
def test_other_masks_and_painted_ones_are_not_scored_beside(volume: Path, tmp_path: Path, origin: str) -> None:
    store = tmp_path / "store"
    rows = write_store(_outlines(_outlined(volume)), tmp_path, store)
    table = (store / "slices.csv").read_text().rsplit("by eye", 1)
    (store / "slices.csv").write_text(origin.join(table))
    assert len(read_slices(store)) == len(rows)
    masks = _predicted(store, tmp_path / "masks")
    with pytest.raises(PopulationError):
        compare({"model": masks}, store, tmp_path / "report", data="a test", simulated=False)


def test_painted_slices_alone_are_no_population_either() -> None:
    for simulated in (False, True):
        with pytest.raises(PopulationError, match="for training alone"):
            population_of([PAINTED], simulated=simulated)


def test_they_are_never_called_simulated(volume: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    write_slices(write_store(_outlines(_outlined(volume)), tmp_path, store), store / "slices.csv")
    masks = _predicted(store, tmp_path / "masks")
    with pytest.raises(PopulationError, match="leave --simulated out"):
        compare({"model": masks}, store, tmp_path / "report", data="a test", simulated=True)
