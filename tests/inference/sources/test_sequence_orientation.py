"""Orientations of tracked sequences: the same picture whichever way it is stored, and its masks go home."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences import file_of, mha_bytes, pictures, slicer_bytes

from inference.errors import FormatError
from inference.frame import View
from inference.sources import open_here as open_source
from inference.sources.orientation import Orientation
from inference.spacing import PixelSpacing, Provenance

LETTERS = ["MF", "UF", "MN", "UN", "FM", "FU", "NM", "NU"]


def stored_as(letters, picture):
    """A picture as a file of these letters holds it, by the definition: which side increasing x and y lead to."""
    rows, cols = picture.shape
    along = {"M": lambda _, col: col, "U": lambda _, col: cols - 1 - col, "F": lambda row, _: row}
    along["N"] = lambda row, _: rows - 1 - row
    of_x, of_y = along[letters[0]], along[letters[1]]
    width, height = (cols, rows) if letters[0] in "MU" else (rows, cols)
    stored = np.zeros((height, width), picture.dtype)
    for row, col in np.ndindex(rows, cols):
        stored[of_y(row, col), of_x(row, col)] = picture[row, col]
    return stored


@given(st.sampled_from(LETTERS), st.sampled_from(["", "A", "D"]), st.tuples(*[st.integers(1, 7)] * 2))
def test_showing_and_storing_undo_each_other(letters, third, shape):
    orientation = Orientation.parse(letters + third, "x")
    picture = np.arange(np.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(orientation.stored(orientation.shown(picture)), picture)
    np.testing.assert_array_equal(orientation.shown(orientation.stored(picture)), picture)


@pytest.mark.parametrize("name", ["s.igs.mha", "s.igs.nrrd"])
def test_every_orientation_shows_the_same_picture_and_takes_its_masks_home(tmp_path, name):
    @settings(max_examples=40, deadline=None)
    @given(st.sampled_from(LETTERS), st.tuples(st.integers(1, 6), st.integers(2, 6), st.integers(2, 6)), st.data())
    def law(letters, shape, data):
        count, rows, cols = shape
        frames = np.arange(1, count * rows * cols + 1, dtype=np.uint16).reshape(shape)
        stored = np.stack([stored_as(letters, frame) for frame in frames])
        path = tmp_path / name
        path.write_bytes(file_of(name, stored, letters=letters))
        source = open_source(str(path))
        np.testing.assert_array_equal([frame.pixels for frame in source.frames()], frames)
        assert (source.info.rows, source.info.cols) == (rows, cols)

        marked = data.draw(st.integers(1, frames.size))
        source.save_masks([(frame == marked).astype(np.uint8) for frame in frames], str(tmp_path / "m.nii"))
        mask = np.asarray(nib.load(tmp_path / "m.nii").dataobj)
        np.testing.assert_array_equal(mask, (stored == marked).T)

    law()


@pytest.mark.parametrize("letters", ["MFA", "MFD", "mf", "", "XX", None])
@pytest.mark.parametrize("name", ["s.igs.mha", "s.igs.nrrd"])
def test_marked_far_and_unknown_are_shown_as_stored(open_bytes, name, letters):
    frames = pictures()
    source = open_bytes(name, file_of(name, frames, letters=letters))
    np.testing.assert_array_equal([frame.pixels for frame in source.frames()], frames)
    assert source.info.origin.view is View.NATIVE
    assert source.info.origin.name == name


@pytest.mark.parametrize("letters", ["AMF", "MM", "MU", "M", "MFX", "MFAA", "QQ"])
def test_an_orientation_that_is_no_picture_is_refused(open_bytes, letters):
    with pytest.raises(FormatError, match=f"orientation {letters}"):
        open_bytes("s.igs.mha", mha_bytes(pictures(), letters=letters))


def test_masks_lie_where_slicer_shows_the_picture(open_bytes, tmp_path):
    # Columns run along +y (posterior), rows along -x (to the right) of LPS.
    data = slicer_bytes(pictures(2), geometry="(0,0.2,0) (-0.3,0,0) (0,0,1)", origin="(10,20,30)")
    source = open_bytes("s.seq.nrrd", data)
    mask = np.zeros((4, 6), np.uint8)
    mask[3, 5] = 1
    source.save_masks([mask, mask], str(tmp_path / "m.nii.gz"))
    image = sitk.ReadImage(str(tmp_path / "m.nii.gz"))
    assert image.GetPixel(5, 3, 0) == 1
    expected = np.array([10, 20, 30]) + 5 * np.array([0, 0.2, 0]) + 3 * np.array([-0.3, 0, 0])
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((5, 3, 0)), expected, atol=1e-4)


@pytest.mark.parametrize("letters", ["MF", "UN", "FM"])
def test_masks_have_the_size_of_their_pixels(open_bytes, tmp_path, letters):
    frames = np.stack([stored_as(letters, frame) for frame in pictures()])
    typed = PixelSpacing(0.2, 0.3, Provenance.TYPED)
    source = open_bytes("s.igs.mha", mha_bytes(frames, letters=letters), spacing=typed)
    source.save_masks([np.ones((4, 6), np.uint8)] * 3, str(tmp_path / "m.nii"))
    header = nib.load(tmp_path / "m.nii").header
    in_plane = np.array(header.get_data_shape()[:2]) * header.get_zooms()[:2]
    assert sorted(in_plane) == pytest.approx(sorted((4 * 0.2, 6 * 0.3)))
    assert tuple(in_plane) == pytest.approx((4 * 0.2, 6 * 0.3) if letters == "FM" else (6 * 0.3, 4 * 0.2))


def test_masks_carry_no_text_of_the_sequence(open_bytes, tmp_path):
    fields = {"PatientName": "Doe^Jane", "Seq_Frame0000_OperatorName": "Doe"}
    for spacing in ("1 1 1", "0.2 0.2 1"):
        source = open_bytes("s.igs.mha", mha_bytes(pictures(), fields, spacing=spacing))
        source.save_masks([np.zeros((4, 6), np.uint8)] * 3, str(tmp_path / "m.nii"))
        assert b"Doe" not in (tmp_path / "m.nii").read_bytes()
        assert "Doe" not in repr(source.info)
