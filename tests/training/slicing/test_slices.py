"""Volumes and sweeps cut into slices: areas, spacings, negatives."""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
from scipy.spatial.transform import Rotation

from inference.errors import FormatError
from training.cohort.cases import Case
from training.slicing.areas import read_areas, summary
from training.slicing.cutting import CLEAR_MM, Cutting, clear_slices
from training.slicing.size_bands import within
from training.slicing.slices import SliceRow, larger_than, read_slice, read_slices, write_slice
from training.slicing.store import cut_cases
from training.slicing.volumes import Labelled, read_volume, sector


def write(array, path, spacing):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing[::-1])
    sitk.WriteImage(image, str(path))
    return path


def case_of(folder: Path, image, mask, spacing) -> Case:
    """`spacing` along (k, j, i)."""
    return Case(
        "Case1",
        "P1",
        us=write(image.astype(np.float32), folder / "us.nii.gz", spacing),
        us_label=write(mask.astype(np.uint8), folder / "label.nii.gz", spacing),
    )


spacings = st.tuples(*[st.sampled_from([0.2, 0.35, 0.5, 1.25])] * 3)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spacing=spacings, seed=st.integers(0, 99))
def test_area_is_mask_pixels_times_in_plane_spacing(tmp_path_factory, spacing, seed):
    folder = tmp_path_factory.mktemp("slices")
    rng = np.random.default_rng(seed)
    shape = (5, 6, 7)
    image, mask = rng.uniform(1, 9, shape), rng.random(shape) < 0.3
    rows = cut_cases([case_of(folder, image, mask, spacing)], folder / "store", Cutting(slicing="native"))
    for axis, name in enumerate("kji"):
        kept = [mm for at, mm in enumerate(spacing) if at != axis]
        cut = [row for row in rows if row.axis == name]
        pixels = np.moveaxis(mask, axis, 0)
        assert [row.index for row in cut] == [index for index in range(shape[axis]) if pixels[index].any()]
        for row in cut:
            assert (row.row_mm, row.col_mm) == pytest.approx(kept)
            assert row.area_mm2 == pytest.approx(pixels[row.index].sum() * kept[0] * kept[1])
            on_disk = sitk.ReadImage(str(row.image(folder / "store")))
            assert on_disk.GetDimension() == 2
            assert on_disk.GetSpacing() == pytest.approx(kept[::-1])
            np.testing.assert_array_equal(
                read_slice(row.image(folder / "store")), np.moveaxis(image, axis, 0)[row.index].astype(np.float32)
            )
            np.testing.assert_array_equal(read_slice(row.label(folder / "store")), pixels[row.index])


def test_isotropic_resampling_keeps_place_volume_and_background(tmp_path: Path):
    spacing = (1.2, 0.3, 0.4)
    shape = (20, 80, 60)
    k, j, i = (mm * (at + 0.5) for mm, at in zip(spacing, np.indices(shape), strict=True))
    mask = (k - 12) ** 2 + (j - 13) ** 2 + (i - 11) ** 2 < 49
    image = np.where(i < 20, 7.0, 0.0)
    case = case_of(tmp_path, image, mask, spacing)
    volume = read_volume(case.us, case.us_label)
    assert volume.spacing == pytest.approx((np.prod(spacing) ** (1 / 3),) * 3, rel=1e-5)
    assert volume.mask.sum() * np.prod(volume.spacing) == pytest.approx(4 / 3 * np.pi * 7**3, rel=0.03)
    centre = (np.argwhere(volume.mask).mean(axis=0) + 0.5) * volume.spacing[0]
    assert centre == pytest.approx([12, 13, 11], abs=0.1)
    outside = (np.arange(volume.image.shape[2]) + 0.5) * volume.spacing[2] > 20 + spacing[2] + volume.spacing[2]
    assert outside.any()
    assert (volume.image[:, :, outside] == 0).all()


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (0.5, 0.5, 1.25)])
def test_what_is_no_number_is_background(tmp_path: Path, spacing):
    """As in volumes that were resampled; one of them ended the cutting of all cases."""
    k, j, i = np.indices((24, 26, 28)) - 13
    distance = k**2 + j**2 + i**2
    speckle, mask = np.random.default_rng(0).uniform(20, 200, distance.shape), distance < 30
    stores = []
    for name, beyond in (("zero", 0.0), ("nan", np.nan), ("infinite", np.inf)):
        (tmp_path / name).mkdir()
        case = case_of(tmp_path / name, np.where(distance < 144, speckle, beyond), mask, spacing)
        cut_cases([case], tmp_path / name / "store", Cutting(negatives=9))
        stores.append(tmp_path / name / "store")
    zero, *others = ([(row, read_slice(row.image(store)).tolist()) for row in read_slices(store)] for store in stores)
    assert others == [zero, zero]


def test_isotropic_volumes_are_not_resampled(tmp_path: Path):
    image = np.random.default_rng(0).uniform(1, 9, (5, 6, 7)).astype(np.float32)
    case = case_of(tmp_path, image, image > 5, (0.35, 0.35, 0.35))
    np.testing.assert_array_equal(read_volume(case.us, case.us_label).image, image)


@given(
    labelled=st.lists(st.booleans(), min_size=12, max_size=40),
    spacing=st.sampled_from([0.3, 1.0, 2.5, 5.0, float("nan")]),
)
def test_tumour_free_slices_are_clear_of_every_label(labelled, spacing):
    mask = np.zeros((len(labelled), 3, 3), bool)
    mask[labelled, 1, 1] = True
    stack = Labelled(np.ones(mask.shape, np.float32), mask, (spacing, 1.0, 1.0))
    clear = set(clear_slices(stack, 0))
    for index in range(len(labelled)):
        steps = min((abs(index - at) for at, holds in enumerate(labelled) if holds), default=np.inf)
        expected = steps > 0 if np.isnan(spacing) else steps * spacing >= CLEAR_MM
        assert (index in clear) == expected


def test_tumour_free_slices_are_not_empty_corners():
    image = np.zeros((10, 8, 8), np.float32)
    image[2:8] = 1
    stack = Labelled(image, np.zeros(image.shape, bool), (1.0, 1.0, 1.0))
    assert clear_slices(stack, 0) == [2, 3, 4, 5, 6, 7]


def test_cut_off_is_strictly_larger_than_and_keeps_negatives(tmp_path: Path):
    image = np.ones((9, 20, 20))
    mask = np.zeros(image.shape, bool)
    mask[1, :5, :7] = mask[2, :5, :8] = True  # 35 and 40 mm² across k
    rows = cut_cases(
        [case_of(tmp_path, image, mask, (5.0, 1.0, 1.0))], tmp_path / "store", Cutting(negatives=3, slicing="native")
    )
    kept = {row.index for row in larger_than(rows, 35.0) if row.axis == "k" and row.area_mm2 > 0}
    assert kept == {2}
    free = [row for row in larger_than(rows, 35.0) if row.area_mm2 == 0]
    assert free
    assert free == [row for row in rows if row.area_mm2 == 0]
    assert not any(read_slice(row.label(tmp_path / "store")).any() for row in free)


@pytest.mark.parametrize("mm", [0.1, 0.2, 0.4, 0.5])
def test_an_area_at_a_cut_off_is_not_above_it_by_the_headers_rounding(tmp_path: Path, mm: float):
    """0.2 mm is 0.200000003 in a NIfTI header, which put 5000 such pixels above 200 mm²."""
    for limit in (100.0, 200.0):
        pixels = round(limit / mm**2)
        mask = np.zeros((2, pixels), bool)
        mask[0, :] = mask[1, :1] = True
        write_slice(mask.astype(np.uint8), (mm, mm), tmp_path / "m.nii.gz")
        image = sitk.ReadImage(str(tmp_path / "m.nii.gz"))
        area = pixels * float(np.prod(image.GetSpacing()))
        assert area == pytest.approx(limit)
        one = SliceRow("m", "C", "P", "k", 0, area, *mask.shape, mm, mm)
        assert larger_than([one], limit) == []
        assert within(area, (0.0, limit))
        more = replace(one, area_mm2=area + mm**2)
        assert larger_than([more], limit) == [more]
        assert not within(more.area_mm2, (0.0, limit))


def test_cutting_again_resumes_and_other_settings_or_files_cut_anew(tmp_path: Path):
    mask = np.zeros((6, 6, 6), bool)
    mask[2:5, 2:4, 2:4] = True
    store = tmp_path / "store"
    case = case_of(tmp_path, np.ones(mask.shape), mask, (1.0, 1.0, 1.0))
    first = cut_cases([case], store, Cutting())
    assert first == read_slices(store)
    stamps = {path: path.stat().st_mtime_ns for path in store.rglob("*_*.nii.gz")}
    assert cut_cases([case], store, Cutting()) == first
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*_*.nii.gz")} == stamps
    fewer = cut_cases([case], store, Cutting(step_mm=2))
    assert len(fewer) < len(first)
    assert {path.name for path in (store / "labels").iterdir()} == {f"{row.name}.nii.gz" for row in fewer}
    mask[5, 2:4, 2:4] = True
    case_of(tmp_path, np.ones(mask.shape), mask, (1.0, 1.0, 1.0))
    assert [row.index for row in cut_cases([case], store, Cutting()) if row.axis == "k"] == [2, 3, 4, 5]


def test_a_case_that_is_excluded_or_gone_leaves_no_slice_behind(tmp_path: Path):
    """MONAI and nnU-Net's commands read the folder, where a rejected registration or a patient of the training was."""
    mask = np.zeros((6, 6, 6), bool)
    mask[2:5, 2:4, 2:4] = True
    store, pictures, cases = tmp_path / "store", np.random.default_rng(1), []
    for name in "AB":
        (tmp_path / name).mkdir()
        case = case_of(tmp_path / name, pictures.uniform(1, 9, mask.shape), mask, (1.0, 1.0, 1.0))
        cases.append(replace(case, case=name, patient=name))
    both = cut_cases(cases, store, Cutting())
    files = {path for path in store.rglob("*") if path.is_file()}
    only = cut_cases([cases[0], replace(cases[1], exclude=True)], store, Cutting())
    assert read_slices(store) == only
    gone = files - {path for path in store.rglob("*") if path.is_file()}
    assert gone == {path for path in files if path.name.startswith("B")}
    assert len(gone) > 2 * (len(both) - len(only))
    assert cut_cases(cases, store, Cutting()) == both
    assert {path for path in store.rglob("*") if path.is_file()} == files


def oblique(folder: Path) -> tuple[Case, np.ndarray, np.ndarray]:
    """A volume as RESECT's, turned by 40 degrees, its voxels 0.3 × 0.5 × 0.9 mm; and its data in NIfTI's order, ijk.

    The picture's geometry is in the sform, the mask's in the qform, 3e-5 mm off.
    """
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("zyx", [40, 25, -15], degrees=True).as_matrix() * (0.3, 0.5, 0.9)
    affine[:3, 3] = (-31.0, 12.5, 7.25)
    i, j, k = np.indices((44, 26, 16))
    data = (1 + i + 44 * j + 2000 * k).astype(np.float32)
    ball = (0.3 * i - 6) ** 2 + (0.5 * j - 6) ** 2 + (0.9 * k - 7) ** 2 < 4.5**2
    mask = (ball & (i < 25)).astype(np.uint8)
    us, label = nib.Nifti1Image(data, None), nib.Nifti1Image(mask, None)
    us.set_qform(affine, 0)
    us.set_sform(affine, 1)
    affine[:3, 3] += 3e-5
    label.set_sform(None, 0)
    label.set_qform(affine, 1)
    for image, name in ((us, "us"), (label, "label")):
        image.header.set_xyzt_units("mm")
        nib.save(image, folder / f"{name}.nii.gz")
    return Case("Case1", "P1", us=folder / "us.nii.gz", us_label=folder / "label.nii.gz"), data, mask


@pytest.mark.parametrize("slicing", ["native", "as-published"])
def test_nnunet_reads_an_oblique_anisotropic_volume_right_in_three_directions(tmp_path: Path, slicing):
    """Grey values, which tell where each pixel was, its spacing and the area; as published, the first two zooms."""
    case, data, mask = oblique(tmp_path)
    rows = cut_cases([case], tmp_path / "store", Cutting(slicing=slicing))
    zooms = dict(zip("ijk", (0.3, 0.5, 0.9), strict=True))
    assert {row.axis for row in rows} == set("ijk")
    for row in rows:
        across = "ijk".index(row.axis)
        # NIfTI's first kept axis runs along the columns.
        expected, truth = (np.take(array, row.index, across).T for array in (data, mask))
        cols, rows_axis = (axis for axis in "ijk" if axis != row.axis)
        mm = (zooms["j"], zooms["i"]) if slicing == "as-published" else (zooms[rows_axis], zooms[cols])
        image, properties = SimpleITKIO().read_images([str(row.image(tmp_path / "store"))])
        label, of_label = SimpleITKIO().read_seg(str(row.label(tmp_path / "store")))
        np.testing.assert_array_equal(image[0, 0], expected)
        np.testing.assert_array_equal(label[0, 0], truth)
        assert list(properties["spacing"])[1:] == pytest.approx(mm)
        assert list(of_label["spacing"]) == list(properties["spacing"])
        assert row.area_mm2 == pytest.approx(truth.sum() * mm[0] * mm[1])


def test_isotropic_slices_of_an_oblique_volume_have_its_true_areas(tmp_path: Path):
    case, _, mask = oblique(tmp_path)
    rows = cut_cases([case], tmp_path / "store", Cutting())
    side = (0.3 * 0.5 * 0.9) ** (1 / 3)
    volume_mm3 = mask.sum() * side**3
    for axis in "ijk":
        cut = [row for row in rows if row.axis == axis]
        assert all((row.row_mm, row.col_mm) == pytest.approx((side, side), rel=1e-5) for row in cut)
        assert sum(row.area_mm2 for row in cut) * side == pytest.approx(volume_mm3, rel=0.04)
    _, properties = SimpleITKIO().read_images([str(rows[0].image(tmp_path / "store"))])
    assert list(properties["spacing"])[1:] == pytest.approx([side, side], rel=1e-5)


def test_the_three_slicings_are_counted_side_by_side(tmp_path: Path):
    """Their areas times the distance of slices give the volume, except as published, where only k is right."""
    case, _, mask = oblique(tmp_path)
    rows = cut_cases([case], tmp_path / "store", Cutting(slicing="native", step_mm=2))
    areas = read_areas(tmp_path / "store" / "areas.csv")
    volume_mm3, across = mask.sum() * 0.3 * 0.5 * 0.9, dict(zip("ijk", (0.3, 0.5, 0.9), strict=True))

    def volume(slicing: str, axis: str, step_mm: float) -> float:
        return step_mm * sum(area.area_mm2 for area in areas if (area.slicing, area.axis) == (slicing, axis))

    for axis in "ijk":
        assert volume("native", axis, across[axis]) == pytest.approx(volume_mm3)
        assert volume("as-published", axis, across[axis]) == pytest.approx(volume_mm3 * across[axis] / 0.9)
        assert volume("isotropic", axis, (0.3 * 0.5 * 0.9) ** (1 / 3)) == pytest.approx(volume_mm3, rel=0.04)
    native = {(area.axis, area.index): area.area_mm2 for area in areas if area.slicing == "native"}
    assert len(native) > len(rows)
    assert all(native[row.axis, row.index] == pytest.approx(row.area_mm2) for row in rows)
    assert "as-published" in summary(areas)


def test_refuses_a_mask_on_another_grid(tmp_path: Path):
    us = write(np.ones((4, 5, 6), np.float32), tmp_path / "us.nii.gz", (1.0, 1.0, 1.0))
    label = write(np.ones((4, 5, 6), np.uint8), tmp_path / "label.nii.gz", (1.0, 1.0, 1.1))
    with pytest.raises(FormatError, match="grid"):
        read_volume(us, label)


def test_sector_is_the_largest_bright_region_without_holes():
    brightest = np.zeros((30, 30), np.uint8)
    brightest[5:25, 5:25] = 60
    brightest[10:12, 10:12] = 0  # an anechoic hole stays inside
    brightest[0:2, 0:2] = 200  # a logo
    brightest[28, :] = 5  # JPEG noise
    expected = np.zeros((30, 30), bool)
    expected[5:25, 5:25] = True
    np.testing.assert_array_equal(sector(brightest), expected)
