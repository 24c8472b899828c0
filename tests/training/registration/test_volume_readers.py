"""Volumes of a training are read as the viewer reads them: no spacing is invented, none is taken for another unit."""

from pathlib import Path

import nibabel as nib
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from inference.errors import FormatError
from training.cohort.cases import Case
from training.datasets.checks import checked_files
from training.datasets.planes import read_segmentation
from training.registration.inputs import read_inputs
from training.registration.mapping import read_mapping
from training.registration.pairs import Pair
from training.registration.volume import read_image, read_placed
from training.slicing.volumes import read_volume

OBLIQUE = (0.8, -0.6, 0.0, 0.48, 0.64, -0.6, 0.36, 0.48, 0.8)


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz", "v.nrrd", "v.nhdr", "v.mha", "v.mhd"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_what_itk_reads_right_is_read_the_same(tmp_path: Path, name: str, dtype: type) -> None:
    voxels = (np.random.default_rng(0).random((4, 5, 6)) * 100).astype(dtype)
    written = sitk.GetImageFromArray(voxels)
    written.SetSpacing((0.3, 0.5, 1.25))
    written.SetOrigin((-12.5, 7.25, 40.0))
    written.SetDirection(OBLIQUE)
    sitk.WriteImage(written, str(tmp_path / name))
    image, itk = read_image(tmp_path / name), sitk.ReadImage(str(tmp_path / name))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(itk))
    for geometry in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(image, geometry)(), getattr(itk, geometry)(), atol=1e-5)


@pytest.mark.parametrize(("image", "label"), [("us.nrrd", "l.nrrd"), ("us_s.nii.gz", "l_s.nii.gz")])
def test_micrometres_and_a_shear_of_rounding(shared_data: Path, image: str, label: str) -> None:
    folder = shared_data / "field/train_units_microns"
    pair = read_volume(folder / image, folder / label, "native")
    assert pair.spacing == pytest.approx((0.3, 0.3, 0.3), rel=1e-4)


def test_no_spacing_is_invented(shared_data: Path) -> None:
    with pytest.raises(FormatError, match="states no usable spacing"):
        read_image(shared_data / "field/train_spacing_invented/us0.nii")


def sheared(folder: Path, degrees: float) -> Path:
    affine: NDArray[np.float64] = np.diag([0.3, 0.3, 0.3, 1.0])
    affine[0, 1] = 0.3 * np.sin(np.radians(degrees))
    affine[1, 1] = 0.3 * np.cos(np.radians(degrees))
    nib.Nifti1Image(np.zeros((5, 6, 7), np.uint8), affine).to_filename(folder / "s.nii")
    return folder / "s.nii"


def test_a_shear_is_straightened_or_refused(tmp_path: Path) -> None:
    assert read_image(sheared(tmp_path, 0.1)).GetSpacing() == pytest.approx((0.3, 0.3, 0.3), rel=1e-4)
    with pytest.raises(FormatError, match="right angles"):
        read_image(sheared(tmp_path, 10.0))


def test_a_long_volume_with_a_rounded_direction_has_one_place(tmp_path: Path) -> None:
    """NRRD states its place once, so that its shear of a degree is none between two statements."""
    along = np.array([[1, 0, 0], [np.sin(np.radians(1)), np.cos(np.radians(1)), 0], [0, 0, 1.0]])
    header = {"space": "right-anterior-superior", "space directions": along, "space origin": [0, 0, 0]}
    nrrd.write(str(tmp_path / "v.nrrd"), np.zeros((5, 200, 5), np.uint8), header | {"kinds": ["domain"] * 3})
    assert read_image(tmp_path / "v.nrrd").GetSpacing() == pytest.approx((1.0, 1.0, 1.0))


def test_two_places_of_one_volume_are_none(tmp_path: Path) -> None:
    """A qform and a sform that exchange left and right: nibabel and ITK would train on different sides."""
    image = nib.Nifti1Image(np.zeros((5, 6, 7), np.uint8), None)
    image.set_qform(np.diag([0.3, 0.3, 0.3, 1]), 1)
    image.set_sform(np.diag([-0.3, 0.3, 0.3, 1]), 1)
    nib.save(image, tmp_path / "v.nii")
    with pytest.raises(FormatError, match="placed in two ways"):
        read_image(tmp_path / "v.nii")


@pytest.mark.parametrize(("mm", "unit"), [(12.0, "mm"), (12000.0, "micron")])
def test_two_places_beside_each_other_are_none(tmp_path: Path, mm: float, unit: str) -> None:
    """An MRI aligned to another: ITK, and so a mask drawn in Slicer, takes its qform, nibabel its sform."""
    scale = mm / 12
    qform, path = np.diag([scale, scale, scale, 1]), tmp_path / "v.nii"
    for shift, placed in ((np.array([0.0, mm, 0.0]), False), (np.array([0.0, 0.05 * scale, 0.0]), True)):
        sform = qform.copy()
        sform[:3, 3] += shift
        image = nib.Nifti1Image(np.zeros((5, 6, 7), np.uint8), None)
        image.header.set_xyzt_units(unit)
        image.set_qform(qform, 1)
        image.set_sform(sform, 2)
        nib.save(image, path)
        if placed:
            assert read_image(path).GetSpacing() == pytest.approx((1.0, 1.0, 1.0))
        else:
            with pytest.raises(FormatError, match="a qform and a sform that are 12 mm apart"):
                read_image(path)


def test_a_segmentation_whose_slices_run_down(shared_data: Path) -> None:
    mask = read_segmentation(shared_data / "field/seg_negative_spacing/seg_negative_sbs.dcm")
    assert mask.GetSize() == (80, 60, 6)
    assert sitk.GetArrayViewFromImage(mask).sum() == 6122


def unplaced(path: Path, voxels: NDArray[np.generic], qform: tuple[int, float] = (0, 0.0)) -> Path:
    """A NIfTI of 0.4 mm with neither qform nor sform code, or with a qform that is no rotation."""
    header = nib.Nifti1Header()
    header.set_data_dtype(voxels.dtype)
    header.set_data_shape(voxels.shape)
    header.set_zooms((0.4, 0.4, 0.4))
    header["qform_code"], header["quatern_b"], header["quatern_c"] = qform[0], qform[1], qform[1]
    header["vox_offset"], header["magic"] = 352, b"n+1"
    path.write_bytes(header.binaryblock + bytes(4) + voxels.tobytes(order="F"))
    return path


def placed(path: Path, voxels: NDArray[np.generic]) -> Path:
    nib.Nifti1Image(voxels, np.diag([0.4, 0.4, 0.4, 1.0])).to_filename(path)
    return path


def test_a_made_up_place_is_not_registered_to(tmp_path: Path) -> None:
    """nibabel puts its middle at 0 and ITK its first voxel: the MRI would lie centimetres off, or mirrored."""
    voxels = np.ones((8, 9, 10), np.uint8)
    there, nowhere = placed(tmp_path / "p.nii", voxels), unplaced(tmp_path / "u.nii", voxels)
    for us, mri, label in ((nowhere, there, there), (there, nowhere, there), (there, there, nowhere)):
        with pytest.raises(FormatError, match=r"u.nii does not state where it lies"):
            read_inputs(Pair("P1", us, (mri,), label))
    (case,) = checked_files([Case("P1", "P1", us=there, mri=(nowhere,))])
    assert case.exclude
    assert "does not state where it lies" in case.reason


def test_a_volume_without_a_place_is_sliced_with_its_own_kind(tmp_path: Path) -> None:
    """Its array and its spacing are known, and so is its mask's that states as little; where it lies is not."""
    voxels = np.ones((8, 9, 10), np.uint8)
    mask = np.zeros_like(voxels)
    mask[3:5, 3:5, 3:5] = 1
    us, label = unplaced(tmp_path / "u.nii", voxels), unplaced(tmp_path / "l.nii", mask)
    assert read_volume(us, label).spacing == pytest.approx((0.4, 0.4, 0.4))
    with pytest.raises(FormatError, match=r"u.nii does not state where it lies"):
        read_volume(us, placed(tmp_path / "p.nii", mask))


def test_a_qform_that_is_no_rotation_is_no_place(tmp_path: Path) -> None:
    """It ended in a traceback."""
    us = unplaced(tmp_path / "u.nii", np.ones((8, 9, 10), np.uint8), (1, 1.0))
    assert read_image(us).GetSpacing() == pytest.approx((0.4, 0.4, 0.4))
    with pytest.raises(FormatError, match="does not state where it lies"):
        read_placed(us)


@pytest.mark.parametrize("name", ["f.nii", "f.nrrd"])
def test_a_displacement_field_without_a_place_is_refused(tmp_path: Path, name: str) -> None:
    header = nib.Nifti1Header()
    header.set_intent("vector")
    field = nib.Nifti1Image(np.zeros((4, 4, 4, 1, 3), np.float32), None, header)
    if name.endswith("nii"):
        field.to_filename(tmp_path / name)
    else:
        nrrd.write(str(tmp_path / name), np.zeros((3, 4, 4, 4), np.float32), {"kinds": ["vector"] + ["domain"] * 3})
    with pytest.raises(FormatError, match="does not state where it lies"):
        read_mapping(tmp_path / name)
