"""Volumes: every slice where SimpleITK has it, the spacing of the plane that is shown, masks on the very same grid."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.errors import ChoiceError, FormatError
from inference.frame import View
from inference.sources import open_here as open_source
from inference.spacing import PixelSpacing, Provenance

FORMATS = ["v.nii", "v.nii.gz", "v.nrrd", "v.nhdr", "v.mha", "v.mhd"]
NUMPY_AXIS = {"k": 0, "j": 1, "i": 2}
PLANE = {"k": (1, 0), "j": (2, 0), "i": (2, 1)}
"""(row, col) indices into SimpleITK's (i, j, k) spacing."""


def voxels(dtype=np.float32, shape=(4, 5, 7)):
    return (np.random.default_rng(3).random(shape) * 200).astype(dtype)


@pytest.mark.parametrize("axis", ["i", "j", "k"])
@pytest.mark.parametrize("name", FORMATS)
def test_slices_spacing_and_masks_agree_with_simpleitk(write_volume, tmp_path, name, axis):
    path = write_volume(name, voxels())
    image = sitk.ReadImage(str(path))
    array = sitk.GetArrayFromImage(image)
    source = open_source(str(path), axis=axis)

    assert len(source) == array.shape[NUMPY_AXIS[axis]]
    for index, frame in enumerate(source.frames()):
        assert frame.index == index
        np.testing.assert_array_equal(frame.pixels, array.take(index, NUMPY_AXIS[axis]))
    down, across = PLANE[axis]
    spacing = source.info.spacing
    assert (spacing.row_mm, spacing.col_mm) == pytest.approx((image.GetSpacing()[down], image.GetSpacing()[across]))
    assert spacing.provenance is Provenance.HEADER
    assert (source.info.rows, source.info.cols) == source.read(0).pixels.shape
    assert source.info.origin.view is View.SLICE

    source.save_masks([(frame.pixels > 100).astype(np.uint8) for frame in source.frames()], str(tmp_path / "m.nii.gz"))
    mask = sitk.ReadImage(str(tmp_path / "m.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(mask), array > 100)
    assert mask.GetPixelID() == sitk.sitkUInt8
    for geometry in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(mask, geometry)(), getattr(image, geometry)(), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    spacing=st.tuples(*[st.floats(0.05, 3)] * 3),
    shape=st.tuples(*[st.integers(2, 6)] * 3),
    axis=st.sampled_from("ijk"),
)
def test_the_plane_has_the_area_of_its_own_spacing(tmp_path_factory, spacing, shape, axis):
    image = sitk.GetImageFromArray(np.ones(shape[::-1], np.uint8))
    image.SetSpacing(spacing)
    path = tmp_path_factory.mktemp("v") / "v.nii"
    sitk.WriteImage(image, str(path))
    source = open_source(str(path), axis=axis)
    info = source.info
    # Pixels times spacing is the size of the box, whichever way it is cut.
    volume = len(source) * spacing["ijk".index(axis)] * info.rows * info.cols * info.spacing.pixel_mm2
    assert volume == pytest.approx(np.prod(shape) * np.prod(spacing), rel=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("name", ["v.nii", "v.nrrd", "v.mha"])
def test_depth_is_kept_or_becomes_float32(write_volume, name, dtype):
    pixels = open_source(str(write_volume(name, voxels(dtype)))).read(1).pixels
    assert pixels.dtype == (dtype if dtype in (np.uint8, np.uint16) else np.float32)
    np.testing.assert_allclose(pixels, voxels(dtype)[1], rtol=1e-6)


@pytest.mark.parametrize("name", ["p.nii.gz", "p.nrrd", "p.mha"])
def test_a_flat_file_is_one_picture(write_volume, tmp_path, name):
    path = write_volume(name, voxels(np.uint8, (5, 7)))
    source = open_source(str(path))
    assert (len(source), source.info.rows, source.info.cols) == (1, 5, 7)
    assert (source.info.spacing.row_mm, source.info.spacing.col_mm) == pytest.approx((0.5, 0.3))
    assert source.info.origin.view is View.UNKNOWN
    np.testing.assert_array_equal(source.read(0).pixels, voxels(np.uint8, (5, 7)))
    with pytest.raises(ChoiceError):
        open_source(str(path), axis="i")
    source.save_masks([np.ones((5, 7), np.uint8)], str(tmp_path / "m.nii.gz"))
    assert sitk.ReadImage(str(tmp_path / "m.nii.gz")).GetSpacing()[:2] == pytest.approx((0.3, 0.5))


def test_a_typed_spacing_goes_before_the_header(write_volume):
    typed = PixelSpacing(0.7, 0.9, Provenance.TYPED)
    assert open_source(str(write_volume("v.nii", voxels())), spacing=typed).read(0).spacing == typed


def test_letters_stand_where_simpleitks_directions_point(write_volume):
    # i runs to the patient's left (+x in LPS), j to the feet, k to the back.
    path = write_volume("v.nii", voxels(), direction=(1, 0, 0, 0, 0, 1, 0, -1, 0))
    assert open_source(str(path), axis="k").info.edge_letters == ("S", "I", "R", "L")
    assert open_source(str(path), axis="j").info.edge_letters == ("A", "P", "R", "L")
    assert open_source(str(path), axis="i").info.edge_letters == ("A", "P", "S", "I")


def test_an_oblique_axis_has_a_letter_only_where_it_is_clear(write_volume):
    root = np.sqrt(0.5)
    path = write_volume("v.mha", voxels(), direction=(root, -root, 0, root, root, 0, 0, 0, 1))
    assert open_source(str(path), axis="k").info.edge_letters == ("", "", "", "")
    assert open_source(str(path), axis="i").info.edge_letters == ("I", "S", "", "")


def test_voxels_that_are_no_number_are_background(write_volume):
    holes = voxels()
    holes[0, 0, :3] = np.nan, np.inf, -np.inf
    pixels = open_source(str(write_volume("v.nii", holes))).read(0).pixels
    assert pixels[0, :3].tolist() == [0, 0, 0]


def test_levels_of_float_voxels_leave_out_the_background(write_volume):
    grey = np.zeros((4, 50, 50), np.float32)
    grey[:, :10] = 80
    assert open_source(str(write_volume("v.nii", grey))).info.levels == (0.0, 80.0)


@pytest.mark.parametrize(("name", "colour"), [("c.nii", True), ("c.mha", True), ("t.nii", False), ("t.mha", False)])
def test_colour_and_time_are_refused(tmp_path, name, colour):
    array = np.zeros((3, 4, 5, 3), np.uint8)
    image = sitk.GetImageFromArray(array, isVector=True) if colour else sitk.GetImageFromArray(array.astype(np.float32))
    sitk.WriteImage(image, str(tmp_path / name))
    with pytest.raises(FormatError, match=r"colour|time"):
        open_source(str(tmp_path / name))


def test_simulated_is_what_the_header_says(tmp_path):
    image = sitk.GetImageFromArray(voxels(np.uint8))
    image.SetMetaData("ITK_FileNotes", "SIMULATED brain ultrasound")
    sitk.WriteImage(image, str(tmp_path / "s.nii"))
    assert open_source(str(tmp_path / "s.nii")).info.origin.simulated


def test_masks_carry_no_text_of_the_volume(tmp_path):
    image = sitk.GetImageFromArray(voxels(np.uint8))
    image.SetMetaData("ITK_FileNotes", "Jane Doe 1970")
    image.SetMetaData("aux_file", "Jane Doe")
    sitk.WriteImage(image, str(tmp_path / "s.nii"))
    source = open_source(str(tmp_path / "s.nii"))
    source.save_masks([np.zeros((5, 7), np.uint8)] * 4, str(tmp_path / "m.nii"))
    data = (tmp_path / "m.nii").read_bytes()
    assert b"Jane" not in data
    assert b"Research use only" in data


def test_real_brain_volumes_sweep_along_every_axis(shared_data: Path, tmp_path):
    paths = sorted((shared_data / "resect" / "us").glob("*.nii.gz"))
    assert len(paths) == 9
    for path, axis in zip(paths, "kjikjikji", strict=True):
        image = sitk.ReadImage(str(path))
        array = sitk.GetArrayFromImage(image)
        source = open_source(str(path), axis=axis)
        middle = len(source) // 2
        np.testing.assert_array_equal(source.read(middle).pixels, array.take(middle, NUMPY_AXIS[axis]))
        assert source.info.spacing.row_mm == pytest.approx(0.5, abs=0.005)
        source.save_masks([(frame.pixels > 30).astype(np.uint8) for frame in source.frames()], str(tmp_path / "m.nii"))
        mask = sitk.ReadImage(str(tmp_path / "m.nii"))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(mask), array > 30)
        for geometry in ("GetSpacing", "GetOrigin", "GetDirection"):
            assert getattr(mask, geometry)() == getattr(image, geometry)()


SKEWED = np.array([[0.3, 0.15, 0, 0], [0, 0.26, 0, 0], [0, 0, 0.3, 0], [0, 0, 0, 1]])
"""Voxels of 0.3 mm whose i and j are 60° apart: two lengths would make 15 % too much of each area."""


def write_skewed(path):
    data = voxels(np.uint8, (90, 90, 90))
    if path.suffix == ".nii":
        image = nib.Nifti1Image(data, SKEWED)
        image.header.set_zooms((0.3, 0.3, 0.3))
        image.to_filename(path)
    elif path.suffix == ".nrrd":
        space = "space dimension: 3" if "unnamed" in path.name else "space: right-anterior-superior"
        vectors = " ".join(f"({','.join(map(str, column))})" for column in SKEWED[:3, :3].T)
        head = f"NRRD0004\ntype: uint8\ndimension: 3\n{space}\nsizes: 90 90 90\nspace directions: {vectors}\n"
        path.write_bytes(f"{head}encoding: raw\n\n".encode() + data.tobytes())
    else:
        matrix = " ".join(str(number) for number in (SKEWED[:3, :3] / 0.3).T.ravel())
        head = "NDims = 3\nDimSize = 90 90 90\nElementType = MET_UCHAR\nElementSpacing = 0.3 0.3 0.3\n"
        path.write_bytes(f"{head}TransformMatrix = {matrix}\nElementDataFile = LOCAL\n".encode() + data.tobytes())
    return str(path)


@pytest.mark.parametrize("name", ["v.nii", "v.nrrd", "unnamed.nrrd", "v.mha"])
def test_axes_that_are_not_perpendicular_make_no_scale(tmp_path, name):
    path = write_skewed(tmp_path / name)
    with open_source(path, axis="k") as source:
        assert source.info.spacing is None
        assert source.read(0).spacing is None
        assert "not perpendicular (j and i)" in source.info.no_spacing_reason
    with open_source(path, axis="i") as source:  # j and k are
        assert (source.info.spacing.row_mm, source.info.spacing.col_mm) == pytest.approx((0.3, 0.3), rel=1e-3)
    with open_source(path, axis="k", spacing=PixelSpacing(0.3, 0.3, Provenance.TYPED)) as source:
        assert source.info.spacing.provenance is Provenance.TYPED
