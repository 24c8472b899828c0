"""Tracked sequences: the same picture whichever way it is stored, only valid frames, no millimetre without a source."""

import gzip
import json
import zlib

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.cli import main
from inference.errors import ChoiceError, FormatError, NotFoundError, SourceError
from inference.frame import View
from inference.sources import open_source
from inference.sources.orientation import Orientation
from inference.spacing import PixelSpacing, Provenance

LETTERS = ["MF", "UF", "MN", "UN", "FM", "FU", "NM", "NU"]
FORMATS = ["s.igs.mha", "s.igs.nrrd", "s.seq.nrrd"]
ELEMENT = {"uint8": "MET_UCHAR", "uint16": "MET_USHORT", "int16": "MET_SHORT", "float32": "MET_FLOAT"}
PROBE = "0 0.08 0 11 -0.09 0 0 50 0 0 0.08 3 0 0 0 1"
"""Image to Probe, turned by a quarter: columns are 0.09 mm apart, rows 0.08 mm."""
SHIFT = "1 0 0 -410 0 1 0 5 0 0 1 0 0 0 0 1"
RNG = np.random.default_rng(5)


def pictures(count=3, rows=4, cols=6, dtype=np.uint8, channels=()):
    return RNG.integers(1, 250, (count, rows, cols, *channels)).astype(dtype)


def mha_bytes(frames, fields=None, *, letters="MFA", compressed=False, spacing="1 1 1", sizes=None, kinds=None, **more):
    """A file as PLUS writes it; `frames` is (n, rows, cols[, channels])."""
    count, rows, cols, *channels = frames.shape
    sizes = sizes or f"{cols} {rows} {count}"
    data = frames.tobytes()
    keys = {"ObjectType": "Image", "NDims": len(sizes.split()), "BinaryData": "True", "BinaryDataByteOrderMSB": "False"}
    keys |= {"CompressedData": compressed}
    if compressed:
        data = zlib.compress(data)
        keys["CompressedDataSize"] = f"{len(data)}             "
    keys |= {"DimSize": sizes, "ElementNumberOfChannels": channels[0] if channels else 1}
    keys |= {"ElementSpacing": spacing, "ElementType": ELEMENT[str(frames.dtype)]}
    keys |= {"Kinds": kinds or "domain domain list"[: 99 if len(sizes.split()) > 2 else 13]}
    keys |= {"UltrasoundImageOrientation": letters, **more, **(fields or {}), "ElementDataFile": "LOCAL"}
    return "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None).encode() + data


def nrrd_bytes(frames, fields=None, *, letters="MFA", spacing="(1,0) (0,1) none", kinds=None, compressed=True, **more):
    """A file as PLUS writes it; `frames` is (n, rows, cols[, channels])."""
    colour = frames.ndim == 4
    kinds = kinds or ("vector " * colour + "domain domain list")
    keys = {"dimension": frames.ndim, "encoding": "gz" if compressed else "raw", "endian": "little", "kinds": kinds}
    keys |= {"sizes": " ".join(map(str, frames.shape[::-1]))}
    keys |= {"space dimension": 2, "space directions": "none " * colour + spacing, "space origin": "(0,0)"}
    keys |= {"type": "float" if frames.dtype == np.float32 else str(frames.dtype)}
    texts = {"ultrasound image orientation": letters, **more, **(fields or {})}
    header = "".join(f"{key}: {value}\n" for key, value in keys.items())
    header += "".join(f"{key}:={value}\n" for key, value in texts.items() if value is not None)
    data = frames.tobytes()
    return f"NRRD0004\n{header}\n".encode() + (gzip.compress(data) if compressed else data)


def slicer_bytes(frames, *, first=True, geometry="(0.2,0,0) (0,0.3,0) (0,0,1)", origin="(0,0,0)", units="s", values=""):
    """A file as 3D Slicer writes it: the list axis first, or last where it writes image by image."""
    count, rows, cols = frames.shape
    volume = frames[:, None]  # (n, k, j, i), the slowest axis first
    order = (lambda one, three: f"{one} {three}") if first else (lambda one, three: f"{three} {one}")
    lines = ["NRRD0005", f"type: {frames.dtype}", "dimension: 4", "space: left-posterior-superior"]
    lines += [f"sizes: {order(count, f'{cols} {rows} 1')}", f"space directions: {order('none', geometry)}"]
    unit = order(f'"{units}"', '"" "" ""')
    lines += [f"kinds: {order('list', 'domain domain domain')}", f"units: {unit}", "endian: little", "encoding: gzip"]
    axis = 0 if first else 3
    lines += [f"space origin: {origin}", f"axis {axis} index type:=numeric", f"axis {axis} index values:={values}"]
    data = np.moveaxis(volume, 0, -1) if first else volume
    return "\n".join([*lines, "", ""]).encode() + gzip.compress(np.ascontiguousarray(data).tobytes())


def file_of(name, frames, fields=None, **options):
    if name.endswith(".mha"):
        return mha_bytes(frames, fields, **options)
    if name.endswith(".igs.nrrd"):
        return nrrd_bytes(frames, fields, **options)
    return slicer_bytes(frames, **options)


@pytest.fixture
def opened(tmp_path):
    """Opens bytes as a file of a name."""

    def opening(name, data, **options):
        path = tmp_path / name
        path.write_bytes(data)
        return open_source(str(path), **options)

    return opening


@pytest.fixture
def config(tmp_path):
    """Writes a PLUS configuration with some transforms (from, to, matrix)."""

    def write(*transforms, root="PlusConfiguration"):
        lines = "".join(f'<Transform From="{a}" To="{b}"\n Matrix="{m}" Error="0.4" />' for a, b, m in transforms)
        path = tmp_path / "config.xml"
        path.write_text(f'<{root} version="2.3"><CoordinateDefinitions>{lines}</CoordinateDefinitions></{root}>')
        return path

    return write


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
    @given(st.sampled_from(LETTERS), st.tuples(*[st.integers(1, 6)] * 3), st.data())
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
def test_marked_far_and_unknown_are_shown_as_stored(opened, name, letters):
    frames = pictures()
    source = opened(name, file_of(name, frames, letters=letters))
    np.testing.assert_array_equal([frame.pixels for frame in source.frames()], frames)
    assert source.info.origin.view is View.NATIVE
    assert source.info.origin.name == name


@pytest.mark.parametrize("letters", ["AMF", "MM", "MU", "M", "MFX", "MFAA", "QQ"])
def test_an_orientation_that_is_no_picture_is_refused(opened, letters):
    with pytest.raises(FormatError, match=f"orientation {letters}"):
        opened("s.igs.mha", mha_bytes(pictures(), letters=letters))


def test_scan_lines_have_no_scale_whoever_claims_one(opened, config):
    data = mha_bytes(pictures(), letters="FM", spacing="0.2 0.3 1")
    source = opened("s.igs.mha", data, config=config(("Image", "Probe", PROBE)))
    assert source.info.spacing is None
    assert "scan conversion" in source.read(0).no_spacing_reason


@pytest.mark.parametrize(("name", "field"), [("s.igs.mha", "ImageStatus"), ("s.igs.nrrd", "Status")])
def test_only_the_pictures_own_status_leaves_a_frame_out(opened, tmp_path, name, field):
    frames = pictures(5)
    fields = {f"Seq_Frame{i:04}_{field}": "INVALID" if i in (0, 3) else "OK" for i in range(4)}
    fields |= {f"Seq_Frame{i:04}_ProbeToTrackerTransformStatus": "INVALID" for i in range(5)}
    fields |= {f"Seq_Frame{i:04}_Timestamp": str(100 + i / 4) for i in range(5)}
    source = opened(name, file_of(name, frames, fields))
    np.testing.assert_array_equal([frame.pixels for frame in source.frames()], frames[[1, 2, 4]])
    assert [frame.index for frame in source.frames()] == [0, 1, 2]
    assert [frame.time_s for frame in source.frames()] == [0, 0.25, 0.75]
    # Masks stand at the frames of the file, so that both can be laid over each other.
    source.save_masks([frame > 100 for frame in frames[[1, 2, 4]]], str(tmp_path / "m.nii"))
    expected = np.where(np.isin(np.arange(5), [1, 2, 4])[:, None, None], frames > 100, False)
    np.testing.assert_array_equal(np.asarray(nib.load(tmp_path / "m.nii").dataobj).T, expected)


def test_a_file_of_invalid_frames_is_refused(opened):
    fields = {f"Seq_Frame{i:04}_ImageStatus": "INVALID" for i in range(3)}
    with pytest.raises(FormatError, match="All 3 frames"):
        opened("s.igs.mha", mha_bytes(pictures(3), fields))


@pytest.mark.parametrize(
    ("stamps", "times", "fps"),
    [
        (["7.5", "8.0", "9.5"], [0, 0.5, 2.0], 1.0),
        (["7.5", "7.5", "8.5"], [0, 0, 1.0], 2.0),
        (["7.5", "8.0"], [None] * 3, None),
        (["7.5", "8.0", "nan"], [None] * 3, None),
        (["7.5", "8.0", "soon"], [None] * 3, None),
        (["7.5", "8.0", "7.9"], [None] * 3, None),
        (["7.5", "7.5", "7.5"], [None] * 3, None),
        ([], [None] * 3, None),
    ],
)
def test_time_is_the_files_or_none(opened, stamps, times, fps):
    fields = {f"Seq_Frame{i:04}_Timestamp": stamp for i, stamp in enumerate(stamps)}
    fields |= {f"Seq_Frame{i:04}_UnfilteredTimestamp": "5" for i in range(3)}
    source = opened("s.igs.mha", mha_bytes(pictures(3), fields))
    assert [frame.time_s for frame in source.frames()] == times
    assert source.info.fps == fps


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("s.igs.mha", {"spacing": "1 1 1"}),
        ("s.igs.mha", {"spacing": None}),
        ("s.igs.mha", {"spacing": "0 0 0"}),
        ("s.igs.nrrd", {}),
        ("s.seq.nrrd", {"geometry": "(1,0,0) (0,1,0) (0,0,1)"}),
    ],
)
def test_a_pixel_of_one_millimetre_is_a_pixel_of_unknown_size(opened, name, options):
    frame = opened(name, file_of(name, pictures(), **options)).read(0)
    assert frame.spacing is None
    assert "--config" in frame.no_spacing_reason
    assert frame.no_spacing_reason.count("\n") == 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("s.igs.mha", {"spacing": "0.2 0.3 1"}),
        ("s.igs.nrrd", {"spacing": "(0.2,0) (0,0.3) none"}),
        ("s.seq.nrrd", {}),
        ("s.seq.nrrd", {"first": False}),
        ("s.seq.nrrd", {"geometry": "(0,0.2,0) (-0.18,0,0.24) (0,0,2)"}),
    ],
)
def test_a_real_spacing_of_the_header_is_used(opened, name, options):
    source = opened(name, file_of(name, pictures(), **options))
    spacing = source.info.spacing
    assert (spacing.row_mm, spacing.col_mm) == pytest.approx((0.3, 0.2))
    assert spacing.provenance is Provenance.HEADER
    assert source.read(1).no_spacing_reason == ""


@pytest.mark.parametrize("name", FORMATS)
def test_a_configuration_goes_before_the_header_and_a_typed_spacing_before_both(opened, config, name):
    data = file_of(name, pictures())
    xml = config(("Image", "Probe", PROBE))
    spacing = opened(name, data, config=xml).read(0).spacing
    assert (spacing.row_mm, spacing.col_mm) == pytest.approx((0.08, 0.09))
    assert spacing.provenance is Provenance.MATRIX
    typed = PixelSpacing(0.5, 0.6, Provenance.TYPED)
    assert opened(name, data, config=xml, spacing=typed).read(0).spacing == typed


@settings(max_examples=50, deadline=None)
@given(
    size=st.tuples(*[st.floats(0.01, 0.9)] * 2),
    turn=st.tuples(*[st.floats(-3, 3)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    shift=st.tuples(*[st.floats(-500, 500)] * 3),
)
def test_the_scale_is_that_of_the_transform_however_the_probe_is_held(tmp_path_factory, size, turn, shift):
    quaternion = np.array([1.0, *turn]) / np.linalg.norm([1.0, *turn])
    rotation = sitk.VersorTransform([float(v) for v in (*quaternion[1:], quaternion[0])]).GetMatrix()
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(rotation, (3, 3)) * [*size, 1]
    matrix[:3, 3] = shift
    text = " ".join(map(repr, map(float, matrix.ravel())))
    folder = tmp_path_factory.mktemp("c")
    (folder / "c.xml").write_text(
        "<PlusConfiguration><CoordinateDefinitions>"
        f'<Transform From="Image" To="Probe" Matrix="{text}"/></CoordinateDefinitions></PlusConfiguration>'
    )
    (folder / "s.igs.mha").write_bytes(mha_bytes(pictures()))
    spacing = open_source(str(folder / "s.igs.mha"), config=folder / "c.xml").info.spacing
    assert (spacing.col_mm, spacing.row_mm) == pytest.approx(size, rel=1e-6)


@pytest.mark.parametrize(
    "transforms",
    [
        [("Image", "TransducerOriginPixel", SHIFT), ("Image", "Probe", PROBE)],
        [("TransducerOriginPixel", "TransducerOrigin", PROBE), ("Image", "TransducerOriginPixel", SHIFT)],
        [("Image", "Reference", PROBE), ("Phantom", "Reference", SHIFT)],
        [("Image", "Probe", PROBE.replace("0 0 0.08 3", "0 0 0 3"))],
    ],
)
def test_a_scale_is_found_on_every_way_to_millimetres(opened, config, transforms):
    spacing = opened("s.igs.mha", mha_bytes(pictures()), config=config(*transforms)).info.spacing
    assert (spacing.row_mm, spacing.col_mm) == pytest.approx((0.08, 0.09))


@pytest.mark.parametrize(
    ("transforms", "sentence"),
    [
        ([], "no transform from Image"),
        # PLUS's own test files hold this one: a shift in pixels, which must not pass for 1 mm a pixel.
        ([("Image", "TransducerOriginPixel", SHIFT)], "no transform from Image"),
        ([("Stylus", "Probe", PROBE)], "no transform from Image"),
        ([("Image", "Probe", SHIFT)], "not calibrated"),
        ([("Image", "Probe", PROBE), ("Image", "Reference", PROBE.replace("0.09", "0.2"))], "two scales"),
        ([("Image", "Probe", "0.1 0.1 0 0 0 0.1 0 0 0 0 1 0 0 0 0 1")], "no rectangle"),
        ([("Image", "Probe", "0 0 0 0 0 0.1 0 0 0 0 1 0 0 0 0 1")], "no rectangle"),
        ([("Image", "Probe", "1 2 3")], "16 numbers"),
        ([("Image", "Probe", "")], "16 numbers"),
        ([("Image", "Probe", PROBE.replace("0.08", "nan"))], "16 numbers"),
    ],
)
def test_a_configuration_without_one_clear_scale_is_refused(opened, config, transforms, sentence):
    with pytest.raises(FormatError, match=rf"config\.xml .*{sentence}"):
        opened("s.igs.mha", mha_bytes(pictures()), config=config(*transforms))


def test_something_else_than_a_configuration_is_refused(opened, config, tmp_path, write_volume):
    data = mha_bytes(pictures())
    whole = config(("Image", "Probe", PROBE)).read_bytes()
    for content in (b"", whole[:-30], b"<a>&b;</a>", b"\0" * 50, whole.replace(b"PlusConfiguration", b"Other")):
        (tmp_path / "config.xml").write_bytes(content)
        with pytest.raises(FormatError, match=r"config\.xml"):
            opened("s.igs.mha", data, config=tmp_path / "config.xml")
    with pytest.raises(NotFoundError, match=r"gone\.xml"):
        opened("s.igs.mha", data, config=tmp_path / "gone.xml")
    with pytest.raises(ChoiceError, match="no tracked sequence"):
        open_source(str(write_volume("v.mha", np.ones((2, 3, 4), np.uint8))), config=config(("Image", "Probe", PROBE)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", ["s.igs.mha", "s.igs.nrrd"])
def test_depth_and_compression(opened, name, compressed, dtype):
    frames = pictures(dtype=dtype)
    pixels = [frame.pixels for frame in opened(name, file_of(name, frames, compressed=compressed)).frames()]
    np.testing.assert_array_equal(pixels, frames)
    assert pixels[0].dtype == (np.float32 if dtype == np.int16 else dtype)
    assert all(picture.flags.c_contiguous for picture in pixels)


@pytest.mark.parametrize("sizes", ["6 4", "6 4 1", "6 4 1 1"])
def test_one_frame_in_two_to_four_dimensions(opened, sizes):
    frames = pictures(1)
    kinds = {2: "domain domain", 3: "domain domain list", 4: "domain domain domain list"}[len(sizes.split())]
    source = opened("s.igs.mha", mha_bytes(frames, sizes=sizes, kinds=kinds, spacing="1 1 1 1"[: len(sizes)]))
    assert len(source) == 1
    np.testing.assert_array_equal(source.read(0).pixels, frames[0])


def test_files_that_do_not_name_their_axes_end_with_time(opened):
    frames = pictures(3)
    data = mha_bytes(frames).replace(b"Kinds = domain domain list\n", b"")
    np.testing.assert_array_equal(opened("s.igs.mha", data).read(2).pixels, frames[2])


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("name", ["s.igs.mha", "s.igs.nrrd"])
def test_colour_becomes_grey_by_its_luma(opened, name, channels):
    frames = pictures(channels=(channels,))
    source = opened(name, file_of(name, frames, letters="UF"))
    grey = frames[..., :3].astype(float) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose([frame.pixels for frame in source.frames()], grey[:, :, ::-1], atol=0.51)
    assert source.read(0).pixels.shape == (4, 6)


def test_a_single_picture_in_colour_has_no_list_axis(opened):
    frames = pictures(1, channels=(3,))
    data = nrrd_bytes(frames).replace(b"dimension: 4", b"dimension: 3").replace(b"3 6 4 1\n", b"3 6 4\n")
    data = data.replace(b"vector domain domain list", b"vector domain domain").replace(b"(0,1) none", b"(0,1)")
    assert opened("s.igs.nrrd", data).read(0).pixels.shape == (4, 6)


@pytest.mark.parametrize("kind", ["RF_REAL", "RF_IQ_LINE", "RF_I_LINE_Q_LINE"])
def test_radio_frequency_data_are_refused(opened, kind):
    with pytest.raises(FormatError, match="radio-frequency"):
        opened("s.igs.mha", mha_bytes(pictures(), letters="FM", UltrasoundImageType=kind))
    with pytest.raises(FormatError, match="radio-frequency"):
        opened("s.igs.nrrd", nrrd_bytes(pictures(), **{"ultrasound image type": kind}))


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
def test_what_is_no_list_of_pictures_is_refused(opened, sizes, kinds, sentence):
    with pytest.raises(FormatError, match=sentence):
        opened("s.igs.mha", mha_bytes(pictures(), sizes=sizes, kinds=kinds))


def test_the_list_axis_may_come_first_or_last(opened):
    frames = pictures(5)
    for first in (True, False):
        source = opened("s.seq.nrrd", slicer_bytes(frames, first=first, values="0 0.1 0.2 0.3 0.5"))
        np.testing.assert_array_equal([frame.pixels for frame in source.frames()], frames)
        assert [frame.time_s for frame in source.frames()] == pytest.approx([0, 0.1, 0.2, 0.3, 0.5])
        assert source.info.fps == pytest.approx(8)


@pytest.mark.parametrize(("units", "fps"), [("s", 2), ("ms", 2000), ("", None), ("mm", None)])
def test_index_values_are_times_only_where_their_unit_says_so(opened, units, fps):
    assert opened("s.seq.nrrd", slicer_bytes(pictures(3), units=units, values="0 0.5 1")).info.fps == fps


def test_masks_lie_where_slicer_shows_the_picture(opened, tmp_path):
    # Columns run along +y (posterior), rows along -x (to the right) of LPS.
    data = slicer_bytes(pictures(2), geometry="(0,0.2,0) (-0.3,0,0) (0,0,1)", origin="(10,20,30)")
    source = opened("s.seq.nrrd", data)
    mask = np.zeros((4, 6), np.uint8)
    mask[3, 5] = 1
    source.save_masks([mask, mask], str(tmp_path / "m.nii.gz"))
    image = sitk.ReadImage(str(tmp_path / "m.nii.gz"))
    assert image.GetPixel(5, 3, 0) == 1
    expected = np.array([10, 20, 30]) + 5 * np.array([0, 0.2, 0]) + 3 * np.array([-0.3, 0, 0])
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((5, 3, 0)), expected, atol=1e-4)


@pytest.mark.parametrize("letters", ["MF", "UN", "FM"])
def test_masks_have_the_size_of_their_pixels(opened, tmp_path, letters):
    frames = np.stack([stored_as(letters, frame) for frame in pictures()])
    typed = PixelSpacing(0.2, 0.3, Provenance.TYPED)
    source = opened("s.igs.mha", mha_bytes(frames, letters=letters), spacing=typed)
    source.save_masks([np.ones((4, 6), np.uint8)] * 3, str(tmp_path / "m.nii"))
    header = nib.load(tmp_path / "m.nii").header
    in_plane = np.array(header.get_data_shape()[:2]) * header.get_zooms()[:2]
    assert sorted(in_plane) == pytest.approx(sorted((4 * 0.2, 6 * 0.3)))
    assert tuple(in_plane) == pytest.approx((4 * 0.2, 6 * 0.3) if letters == "FM" else (6 * 0.3, 4 * 0.2))


def test_masks_carry_no_text_of_the_sequence(opened, tmp_path):
    fields = {"PatientName": "Doe^Jane", "Seq_Frame0000_OperatorName": "Doe"}
    for spacing in ("1 1 1", "0.2 0.2 1"):
        source = opened("s.igs.mha", mha_bytes(pictures(), fields, spacing=spacing))
        source.save_masks([np.zeros((4, 6), np.uint8)] * 3, str(tmp_path / "m.nii"))
        assert b"Doe" not in (tmp_path / "m.nii").read_bytes()
        assert "Doe" not in repr(source.info)


def test_a_sequence_is_known_by_its_header_too(opened, write_volume):
    frames = pictures()
    fields = {"Seq_Frame0000_Timestamp": "1"}
    for name, data in (
        ("old.mha", mha_bytes(frames, fields).replace(b"Kinds = domain domain list\n", b"")),
        ("old.nrrd", nrrd_bytes(frames, fields)),
        ("export.nrrd", slicer_bytes(frames)),
    ):
        np.testing.assert_array_equal(opened(name, data).read(2).pixels, frames[2])
    for name in ("v.mha", "v.nrrd"):
        assert open_source(str(write_volume(name, frames))).info.origin.view is View.SLICE


def test_pixels_beside_their_header(opened, tmp_path):
    frames = pictures()
    (tmp_path / "s.raw").write_bytes(frames.tobytes())
    header = mha_bytes(frames).partition(b"LOCAL")[0] + b"s.raw\n"
    np.testing.assert_array_equal(opened("s.igs.mhd", header).read(1).pixels, frames[1])


def test_a_sequence_is_not_swept(opened):
    with pytest.raises(ChoiceError, match="leave the axis out"):
        opened("s.igs.mha", mha_bytes(pictures()), axis="j")


def test_an_hour_of_tracking_fits_in_the_header(opened):
    count = 4000
    fields = {
        f"Seq_Frame{i:04}_{tool}ToTrackerTransform": "0.956683 -0.263308 0.124204 -190.886 " * 4
        for i in range(count)
        for tool in ("Probe", "Reference")
    }
    data = mha_bytes(np.full((count, 2, 2), 7, np.uint8), fields)
    assert data.index(b"LOCAL") > 1 << 20
    assert len(opened("s.igs.mha", data)) == count


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9, 0.99])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", ["s.igs.mha", "s.igs.nrrd"])
def test_a_sequence_cut_short_is_refused(opened, name, compressed, share):
    data = file_of(name, pictures(20, 30, 40), compressed=compressed)
    with pytest.raises(FormatError, match=name) as refusal:
        opened(name, data[: int(len(data) * share)])
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


def test_the_command_line_takes_a_configuration(tmp_path, config, capsys):
    (tmp_path / "s.igs.mha").write_bytes(mha_bytes(pictures()))
    xml = config(("Image", "Probe", PROBE))
    assert main(["inspect", str(tmp_path / "s.igs.mha"), "--config", str(xml), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["frames"], seen["spacing_provenance"]) == (3, "matrix")
    assert seen["spacing_row_mm"] == pytest.approx(0.08)
    assert main(["inspect", str(tmp_path / "s.igs.mha"), "--config", str(tmp_path / "gone.xml")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
