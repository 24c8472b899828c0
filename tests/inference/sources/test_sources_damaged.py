"""Whatever a file holds, opening it gives frames or one sentence: never a traceback, never invented voxels."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.errors import FormatError, IusError, NotFoundError, SourceError
from inference.sources import open_here as open_source

VOXELS = np.random.default_rng(0).integers(0, 200, (6, 20, 30)).astype(np.int16)
VOLUMES = ["v.nii", "v.nii.gz", "v.nrrd", "v.mha"]


def damage(content, draw, first, last):
    """The bytes with up to four of them changed."""
    damaged = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        damaged[draw(st.integers(first, min(last, len(content) - 1)))] = draw(st.integers(0, 255))
    return bytes(damaged)


def opens_or_tells(path):
    try:
        frame = open_source(str(path)).read(0)
    except IusError as error:
        sentence = str(error)
    else:
        sentence = frame.no_spacing_reason
        assert bool(sentence) == (frame.spacing is None)
    assert "\n" not in sentence


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.95])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", VOLUMES)
def test_a_volume_cut_short_is_refused(tmp_path, name, compressed, share):
    path = tmp_path / name
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(path), compressed)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FormatError, match=name):
        open_source(str(path))


@pytest.mark.parametrize(("name", "other"), [("v.mhd", "v.raw"), ("v.nhdr", "v.raw")])
def test_a_header_needs_its_voxels(tmp_path, name, other):
    path = tmp_path / name
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(path))
    (tmp_path / other).write_bytes((tmp_path / other).read_bytes()[:-2])
    with pytest.raises(FormatError):
        open_source(str(path))
    (tmp_path / other).unlink()
    with pytest.raises(SourceError):
        open_source(str(path))


@pytest.mark.parametrize("name", [*VOLUMES, "v.nhdr", "v.mhd", "a.dcm", "a.txt", "noextension"])
@pytest.mark.parametrize("data", [b"", b"not an image\n", b"\0" * 1000, bytes(range(256)) * 8])
def test_what_is_something_else_is_refused(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FormatError, match=name):
        open_source(str(tmp_path / name))


@pytest.mark.parametrize("name", ["missing.nii", "missing.dcm", "missing.mp4", "missing", "simulated:x"])
def test_what_is_not_there_is_told(tmp_path, name):
    with pytest.raises(NotFoundError, match="no file or folder"):
        open_source(str(tmp_path / name))


@pytest.mark.parametrize("name", ["v.nii", "v.nrrd", "v.mha"])
def test_any_damage_to_a_header_gives_frames_or_one_sentence(tmp_path, name):
    path = tmp_path / name
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(path))
    content = path.read_bytes()

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def law(data):
        path.write_bytes(damage(content, data.draw, 0, 352))
        opens_or_tells(path)

    law()


@pytest.mark.parametrize(
    ("name", "line", "damaged"),
    [
        ("v.nrrd", b"sizes: 30 20 6", b"sizes: 30e20 6"),
        ("v.seq.nrrd", b"sizes: 30 20 6", b"sizes: 30e20 6"),
        ("v.nrrd", b"sizes: 30 20 6", b"sizes: 30 nan 6"),
        ("v.seq.nrrd", b"sizes: 30 20 6", b"sizes: 30 nan 6"),
        ("v.nrrd", b"(1,0,0) (0,1,0) (0,0,1)", b"(1e300,0,0) (0,1,0) (0,0,1)"),
    ],
)
def test_numbers_that_no_computer_holds_are_damage(tmp_path, name, line, damaged):
    path = tmp_path / name
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(path))
    assert line in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(line, damaged))
    with pytest.raises(FormatError, match="is damaged"):
        open_source(str(path))


def test_any_damage_to_a_dicom_gives_frames_or_one_sentence(write_dicom, us_region, fan):
    path = write_dicom("a.dcm", fan[None], [us_region()])
    content = path.read_bytes()

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def law(data):
        path.write_bytes(damage(content, data.draw, 132, 900))
        opens_or_tells(path)

    law()
