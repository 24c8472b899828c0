"""No spacing is invented: what the raw header lacks, zeroes or garbles is unknown, with the reason in one sentence."""

import struct
from pathlib import Path

import nibabel as nib
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from inference.errors import FormatError
from inference.sources import open_here as open_source
from inference.spacing import Provenance

VOXELS = np.ones((4, 5, 7), np.uint8)
BAD = [0.0, -0.4, float("nan"), float("inf")]


def nifti(tmp_path, pixdim=(0.3, 0.5, 1.25), *, codes=True, units=2, sform=(0.3, 0.5, 1.25)):
    """A NIfTI file with these very pixdim bytes, and the sform in the same units."""
    path = tmp_path / "v.nii"
    image = nib.Nifti1Image(VOXELS.T, np.diag([*sform, 1]) if codes else None)
    image.header.set_data_dtype(np.uint8)
    nib.save(image, path)
    data = bytearray(path.read_bytes())
    data[80:92] = struct.pack("<3f", *pixdim)
    data[123] = units
    path.write_bytes(data)
    return str(path)


def metaimage(tmp_path, spacing):
    path = tmp_path / "v.mha"
    lines = ["ObjectType = Image", "NDims = 3", "DimSize = 7 5 4", "ElementType = MET_UCHAR", "ElementDataFile = LOCAL"]
    if spacing is not None:
        lines.insert(3, f"ElementSpacing = {spacing}")
    path.write_bytes("\n".join(lines).encode() + b"\n" + VOXELS.tobytes())
    return str(path)


def nrrd_file(tmp_path, **header):
    path = tmp_path / "v.nrrd"
    nrrd.write(str(path), VOXELS.T, header)
    return str(path)


def unknown(path, axis="k"):
    source = open_source(path, axis=axis)
    reason = source.info.no_spacing_reason
    assert source.info.spacing is None
    assert source.read(0).spacing is None
    assert source.read(0).no_spacing_reason == reason
    assert reason.endswith("calibrate, or type the mm per pixel.")
    assert "\n" not in reason
    return reason


@pytest.mark.parametrize("bad", BAD)
def test_nifti_pixdim_that_is_no_length(tmp_path, bad):
    path = nifti(tmp_path, (0.3, bad, 1.25))
    assert "along j" in unknown(path, "k")
    assert "along j" in unknown(path, "i")
    # The plane of i and k doesn't need it.
    spacing = open_source(path, axis="j").info.spacing
    assert (spacing.row_mm, spacing.col_mm) == pytest.approx((1.25, 0.3))


def test_itk_invents_a_length_where_we_do_not(tmp_path):
    """The reason for reading raw headers; should ITK ever change, this says so."""
    path = metaimage(tmp_path, None)
    assert sitk.ReadImage(path).GetSpacing() == (1, 1, 1)
    assert "no ElementSpacing" in unknown(path)


def test_nifti_ones_without_codes(tmp_path):
    assert "without sform or qform" in unknown(nifti(tmp_path, (1, 1, 1), codes=False))


def test_ones_of_a_volume_that_lies_somewhere_are_a_spacing(tmp_path):
    path, affine = tmp_path / "v.nii", np.eye(4)
    affine[:3, 3] = (-90, 126, -72)
    nib.save(nib.Nifti1Image(VOXELS.T, affine), path)
    assert open_source(str(path)).info.spacing.row_mm == 1


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".nrrd"])
@pytest.mark.parametrize("shape", [(200, 180), (3, 200, 180), (3, 1, 200, 180)], ids=["2D", "3D", "2D+t"])
def test_an_array_that_a_library_wrote_without_a_scale_has_none(tmp_path, suffix, shape):
    path = tmp_path / f"v{suffix}"
    array = np.full(shape, 9, np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=False), str(path))
    assert "1 mm along all axes" in unknown(str(path))
    if suffix == ".nii":
        nib.save(nib.Nifti1Image(array.T, np.eye(4)), path)
        assert "1 mm along all axes" in unknown(str(path))


def test_nifti_lengths_without_codes_are_a_spacing(tmp_path):
    assert open_source(nifti(tmp_path, codes=False)).info.spacing.col_mm == pytest.approx(0.3)


@pytest.mark.parametrize(("units", "factor"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (10, 1)])
def test_nifti_units(tmp_path, units, factor):
    lengths = tuple(mm / factor for mm in (0.3, 0.5, 1.25))
    spacing = open_source(nifti(tmp_path, lengths, units=units, sform=lengths)).info.spacing
    assert spacing.row_mm == pytest.approx(0.5)
    assert spacing.provenance is Provenance.HEADER


def test_nifti_unit_that_does_not_exist(tmp_path):
    assert "unknown unit" in unknown(nifti(tmp_path, units=5))


def test_nifti_pixdim_and_sform_that_disagree(tmp_path):
    assert "disagree" in unknown(nifti(tmp_path, (0.3, 0.6, 1.25)))


@pytest.mark.parametrize("text", ["0 0 0", "nan nan 1", "inf 1 1", "0.3 -0.5 1", "0.3", "a b c", ""])
def test_metaimage_spacing_that_is_no_length(tmp_path, text):
    assert "ElementSpacing" in unknown(metaimage(tmp_path, text))


def test_metaimage_spacing_of_the_swept_axis_does_not_matter(tmp_path):
    spacing = open_source(metaimage(tmp_path, "0.3 0.5 0")).info.spacing
    assert (spacing.row_mm, spacing.col_mm) == (0.5, 0.3)


def test_nrrd_without_spacings(tmp_path):
    path = nrrd_file(tmp_path)
    assert sitk.ReadImage(path).GetSpacing() == (1, 1, 1)
    assert "neither spacings nor space directions" in unknown(path)


@pytest.mark.parametrize("bad", BAD)
def test_nrrd_spacings_that_are_no_length(tmp_path, bad):
    assert "spacings" in unknown(nrrd_file(tmp_path, spacings=[0.3, bad, 1.25]))


@pytest.mark.parametrize("bad", [0.0, float("nan")])
def test_nrrd_directions_that_are_no_length(tmp_path, bad):
    directions = np.diag([0.3, bad, 1.25])
    path = nrrd_file(tmp_path, **{"space": "left-posterior-superior", "space directions": directions})
    assert "along j" in unknown(path)


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("cm", 10), ("microns", 0.001)])
def test_nrrd_units(tmp_path, unit, factor):
    directions = np.diag([0.3, 0.5, 1.25]) / factor
    header = {"space": "LPS", "space directions": directions, "space units": [unit] * 3}
    assert open_source(nrrd_file(tmp_path, **header)).info.spacing.row_mm == pytest.approx(0.5)


def test_nrrd_unit_that_is_none(tmp_path):
    header = {"space": "LPS", "space directions": np.diag([0.3, 0.5, 1.25]), "space units": ["parsec"] * 3}
    assert "units" in unknown(nrrd_file(tmp_path, **header))


@pytest.mark.parametrize("kind", ["nifti", "metaimage", "nrrd"])
def test_masks_lie_on_a_volume_without_scale(tmp_path, kind):
    if kind == "nifti":
        path = nifti(tmp_path, (1, 1, 1), codes=False)
    else:
        path = metaimage(tmp_path, None) if kind == "metaimage" else nrrd_file(tmp_path)
    open_source(path).save_masks([VOXELS[0]] * 4, str(tmp_path / "m.nii.gz"))
    volume, mask = sitk.ReadImage(path), sitk.ReadImage(str(tmp_path / "m.nii.gz"))
    for geometry in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(mask, geometry)() == getattr(volume, geometry)()


def with_keys(path, **keys):
    """The MetaImage with further keys in its header."""
    data, lines = Path(path).read_bytes(), "".join(f"{key} = {value}\n" for key, value in keys.items())
    Path(path).write_bytes(data.replace(b"ElementDataFile", lines.encode() + b"ElementDataFile"))
    return path


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("cm", 10), ("um", 0.001), ("?", 1)])
def test_metaimage_units(tmp_path, unit, factor):
    """DistanceUnits, MetaIO's metaObject.h; the origin of a mask has the same ones."""
    spacing = " ".join(str(mm / factor) for mm in (0.3, 0.5, 1.25))
    path = with_keys(metaimage(tmp_path, spacing), DistanceUnits=unit, Offset=f"{7 / factor} 0 0")
    source = open_source(path)
    assert (source.info.spacing.row_mm, source.info.spacing.col_mm) == pytest.approx((0.5, 0.3))
    source.save_masks([VOXELS[0]] * 4, str(tmp_path / "m.nii.gz"))
    assert sitk.ReadImage(str(tmp_path / "m.nii.gz")).GetOrigin()[0] == pytest.approx(7)


def test_metaimage_unit_that_is_none(tmp_path):
    assert "DistanceUnits parsec" in unknown(with_keys(metaimage(tmp_path, "0.3 0.5 1.25"), DistanceUnits="parsec"))


def test_metaimage_directions_that_are_no_directions(tmp_path):
    """ITK multiplies the spacing with them, so that a voxel of 0.3 mm is 0.6 mm long."""
    path = with_keys(metaimage(tmp_path, "0.3 0.5 1.25"), TransformMatrix="2 0 0 0 1 0 0 0 1")
    assert "along i" in (reason := unknown(path))
    assert "TransformMatrix that scales it" in reason
    spacing = open_source(path, axis="i").info.spacing
    assert (spacing.row_mm, spacing.col_mm) == (1.25, 0.5)
    nothing = with_keys(metaimage(tmp_path, "0.3 0.5 1.25"), TransformMatrix="0 0 0 0 1 0 0 0 1")
    with pytest.raises(FormatError, match="without directions"):
        open_source(nothing)


@pytest.mark.parametrize("micro", ["\u00b5m", "\u03bcm"])
def test_nrrd_micrometres_are_no_metres(tmp_path, micro):
    header = {"space": "LPS", "space directions": np.diag([300, 500, 1250]), "space units": ["xx"] * 3}
    path = nrrd_file(tmp_path, **header)
    Path(path).write_bytes(Path(path).read_bytes().replace(b"xx", micro.encode()))
    assert open_source(path).info.spacing.row_mm == pytest.approx(0.5)


def test_nrrd_with_two_lengths_of_an_axis(tmp_path):
    header = {"space": "LPS", "space directions": np.diag([0.3, 0.5, 1.25])}
    assert open_source(nrrd_file(tmp_path, **header, spacings=[0.3, 0.5, np.nan])).info.spacing.row_mm == 0.5
    assert "disagree" in unknown(nrrd_file(tmp_path, **header, spacings=[0.3, 0.6, 1.25]))


def test_nrrd_that_does_not_say_which_byte_comes_first(tmp_path):
    path = tmp_path / "v.nrrd"
    nrrd.write(str(path), VOXELS.T.astype(np.uint16), {"spacings": [0.3, 0.5, 1.25]})
    path.write_bytes(path.read_bytes().replace(b"endian: little\n", b""))
    with pytest.raises(FormatError, match="in which order its bytes are"):
        open_source(str(path))


@pytest.mark.parametrize(
    ("sform", "letters"), [((0.3, 0.5, 1.25), ("P", "A", "L", "R")), ((-0.3, 0.5, 1.25), ("", "", "", ""))]
)
def test_nifti_that_exchanges_left_and_right_between_its_two_places(tmp_path, sform, letters):
    """nibabel believes the sform and ITK the qform: whoever is right, no letter is."""
    image = nib.Nifti1Image(VOXELS.T, None)
    image.set_qform(np.diag([0.3, 0.5, 1.25, 1]), 1)
    image.set_sform(np.diag([*sform, 1]), 1)
    nib.save(image, tmp_path / "v.nii")
    info = open_source(str(tmp_path / "v.nii")).info
    assert (info.edge_letters, "left and right are unknown" in info.notice) == (letters, letters[0] == "")
    assert info.spacing.row_mm == pytest.approx(0.5)
