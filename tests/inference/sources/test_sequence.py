"""Tracked sequences as files: every depth, order of axes and compression, and one sentence for what is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences import FORMATS, file_of, mha_bytes, nrrd_bytes, pictures, slicer_bytes

from inference.errors import ChoiceError, FormatError, SourceError
from inference.frame import View
from inference.sources import open_here as open_source


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", ["s.igs.mha", "s.igs.nrrd"])
def test_depth_and_compression(open_bytes, name, compressed, dtype):
    frames = pictures(dtype=dtype)
    pixels = [frame.pixels for frame in open_bytes(name, file_of(name, frames, compressed=compressed)).frames()]
    np.testing.assert_array_equal(pixels, frames)
    assert pixels[0].dtype == (np.float32 if dtype == np.int16 else dtype)
    assert all(picture.flags.c_contiguous for picture in pixels)


@pytest.mark.parametrize("sizes", ["6 4", "6 4 1", "6 4 1 1"])
def test_one_frame_in_two_to_four_dimensions(open_bytes, sizes):
    frames = pictures(1)
    kinds = {2: "domain domain", 3: "domain domain list", 4: "domain domain domain list"}[len(sizes.split())]
    source = open_bytes("s.igs.mha", mha_bytes(frames, sizes=sizes, kinds=kinds, spacing="1 1 1 1"[: len(sizes)]))
    assert len(source) == 1
    np.testing.assert_array_equal(source.read(0).pixels, frames[0])


def test_files_that_do_not_name_their_axes_end_with_time(open_bytes):
    frames = pictures(3)
    data = mha_bytes(frames).replace(b"Kinds = domain domain list\n", b"")
    np.testing.assert_array_equal(open_bytes("s.igs.mha", data).read(2).pixels, frames[2])


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("name", ["s.igs.mha", "s.igs.nrrd"])
def test_colour_becomes_grey_by_its_luma(open_bytes, name, channels):
    frames = pictures(channels=(channels,))
    source = open_bytes(name, file_of(name, frames, letters="UF"))
    grey = frames[..., :3].astype(float) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose([frame.pixels for frame in source.frames()], grey[:, :, ::-1], atol=0.51)
    assert source.read(0).pixels.shape == (4, 6)


def test_a_single_picture_in_colour_has_no_list_axis(open_bytes):
    frames = pictures(1, channels=(3,))
    data = nrrd_bytes(frames).replace(b"dimension: 4", b"dimension: 3").replace(b"3 6 4 1\n", b"3 6 4\n")
    data = data.replace(b"vector domain domain list", b"vector domain domain").replace(b"(0,1) none", b"(0,1)")
    assert open_bytes("s.igs.nrrd", data).read(0).pixels.shape == (4, 6)


@pytest.mark.parametrize("kind", ["RF_REAL", "RF_IQ_LINE", "RF_I_LINE_Q_LINE"])
def test_radio_frequency_data_are_refused(open_bytes, kind):
    with pytest.raises(FormatError, match="radio-frequency"):
        open_bytes("s.igs.mha", mha_bytes(pictures(), letters="FM", UltrasoundImageType=kind))
    with pytest.raises(FormatError, match="radio-frequency"):
        open_bytes("s.igs.nrrd", nrrd_bytes(pictures(), **{"ultrasound image type": kind}))


@pytest.mark.parametrize(
    ("sizes", "kinds", "sentence"),
    [
        ("6 4 3", "domain domain domain", "volumes"),
        ("2 3 4 3", "domain domain domain list", "volumes"),
        ("0 0 3", "domain domain list", "positions of tools"),
        ("6 4 3", "domain list list", "axes"),
        ("6 4 3", "domain domain wind", "axes"),
        ("6 4 3", "domain domain", "axes"),
    ],
)
def test_what_is_no_list_of_pictures_is_refused(open_bytes, sizes, kinds, sentence):
    with pytest.raises(FormatError, match=sentence):
        open_bytes("s.igs.mha", mha_bytes(pictures(), sizes=sizes, kinds=kinds))


def test_the_list_axis_may_come_first_or_last(open_bytes):
    frames = pictures(5)
    for first in (True, False):
        source = open_bytes("s.seq.nrrd", slicer_bytes(frames, first=first, values="0 0.1 0.2 0.3 0.5"))
        np.testing.assert_array_equal([frame.pixels for frame in source.frames()], frames)
        assert [frame.time_s for frame in source.frames()] == pytest.approx([0, 0.1, 0.2, 0.3, 0.5])
        assert source.info.fps == pytest.approx(8)


def test_a_sequence_is_known_by_its_header_too(open_bytes, write_volume):
    frames = pictures()
    fields = {"Seq_Frame0000_Timestamp": "1"}
    for name, data in (
        ("old.mha", mha_bytes(frames, fields).replace(b"Kinds = domain domain list\n", b"")),
        ("old.nrrd", nrrd_bytes(frames, fields)),
        ("export.nrrd", slicer_bytes(frames)),
    ):
        np.testing.assert_array_equal(open_bytes(name, data).read(2).pixels, frames[2])
    for name in ("v.mha", "v.nrrd"):
        assert open_source(str(write_volume(name, frames))).info.origin.view is View.SLICE


def test_pixels_beside_their_header(open_bytes, tmp_path):
    frames = pictures()
    (tmp_path / "s.raw").write_bytes(frames.tobytes())
    header = mha_bytes(frames).partition(b"LOCAL")[0] + b"s.raw\n"
    np.testing.assert_array_equal(open_bytes("s.igs.mhd", header).read(1).pixels, frames[1])


def test_a_sequence_is_not_swept(open_bytes):
    with pytest.raises(ChoiceError, match="leave the axis out"):
        open_bytes("s.igs.mha", mha_bytes(pictures()), axis="j")


def test_an_hour_of_tracking_fits_in_the_header(open_bytes):
    count = 4000
    fields = {
        f"Seq_Frame{i:04}_{tool}ToTrackerTransform": "0.956683 -0.263308 0.124204 -190.886 " * 4
        for i in range(count)
        for tool in ("Probe", "Reference")
    }
    data = mha_bytes(np.full((count, 2, 2), 7, np.uint8), fields)
    assert data.index(b"LOCAL") > 1 << 20
    assert len(open_bytes("s.igs.mha", data)) == count


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9, 0.99])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", ["s.igs.mha", "s.igs.nrrd"])
def test_a_sequence_cut_short_is_refused(open_bytes, name, compressed, share):
    data = file_of(name, pictures(20, 30, 40), compressed=compressed)
    with pytest.raises(FormatError, match=name) as refusal:
        open_bytes(name, data[: int(len(data) * share)])
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", FORMATS)
def test_any_damage_to_a_header_gives_frames_or_one_sentence(tmp_path, name):
    content = file_of(name, pictures())
    end = content.index(b"LOCAL" if name.endswith("mha") else b"\n\n") + 5
    path = tmp_path / name

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, end), st.integers(0, 255)), min_size=1, max_size=4))
    def law(changes):
        damaged = bytearray(content)
        for place, value in changes:
            damaged[place] = value
        path.write_bytes(bytes(damaged))
        try:
            frame = open_source(str(path)).read(0)
        except SourceError as error:
            sentence = str(error)
        else:
            sentence = frame.no_spacing_reason
            assert bool(sentence) == (frame.spacing is None)
        assert "\n" not in sentence

    law()


@pytest.mark.parametrize(("vectors", "known"), [("(0.3,0) (0.15,0.26) none", False), ("(0.3,0) (0,0.3) none", True)])
def test_a_sequence_of_skew_axes_has_no_scale(tmp_path, vectors, known):
    path = tmp_path / "s.igs.nrrd"
    path.write_bytes(nrrd_bytes(pictures(3, 90, 90), spacing=vectors))
    info = open_source(str(path)).info
    assert (info.spacing is not None) == known
    assert known or "not perpendicular" in info.no_spacing_reason
