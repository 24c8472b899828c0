"""The scale of a tracked sequence: from a configuration or from its header, and no millimetre without a source."""

import json

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences import FORMATS, file_of, mha_bytes, pictures

from inference.cli import main
from inference.errors import ChoiceError, FormatError, NotFoundError
from inference.sources import open_here as open_source
from inference.spacing import PixelSpacing, Provenance

PROBE = "0 0.08 0 11 -0.09 0 0 50 0 0 0.08 3 0 0 0 1"
"""Image to Probe, turned by a quarter: columns are 0.09 mm apart, rows 0.08 mm."""
SHIFT = "1 0 0 -410 0 1 0 5 0 0 1 0 0 0 0 1"


def configuration(*transforms):
    """A PLUS configuration with some transforms (from, to, matrix)."""
    lines = "".join(f'<Transform From="{a}" To="{b}"\n Matrix="{m}" Error="0.4" />' for a, b, m in transforms)
    return (
        f'<PlusConfiguration version="2.3"><CoordinateDefinitions>{lines}</CoordinateDefinitions></PlusConfiguration>'
    )


@pytest.fixture
def config(tmp_path):
    """Writes a configuration with some transforms."""

    def write(*transforms):
        path = tmp_path / "config.xml"
        path.write_text(configuration(*transforms))
        return path

    return write


def test_scan_lines_have_no_scale_whoever_claims_one(open_bytes, config):
    data = mha_bytes(pictures(), letters="FM", spacing="0.2 0.3 1")
    source = open_bytes("s.igs.mha", data, config=config(("Image", "Probe", PROBE)))
    assert source.info.spacing is None
    assert "scan conversion" in source.read(0).no_spacing_reason


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
def test_a_pixel_of_one_millimetre_is_a_pixel_of_unknown_size(open_bytes, name, options):
    frame = open_bytes(name, file_of(name, pictures(), **options)).read(0)
    assert frame.spacing is None
    assert "PLUS configuration" in frame.no_spacing_reason
    assert "--" not in frame.no_spacing_reason
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
def test_a_real_spacing_of_the_header_is_used(open_bytes, name, options):
    source = open_bytes(name, file_of(name, pictures(), **options))
    spacing = source.info.spacing
    assert (spacing.row_mm, spacing.col_mm) == pytest.approx((0.3, 0.2))
    assert spacing.provenance is Provenance.HEADER
    assert source.read(1).no_spacing_reason == ""


@pytest.mark.parametrize("name", FORMATS)
def test_a_configuration_goes_before_the_header_and_a_typed_spacing_before_both(open_bytes, config, name):
    data = file_of(name, pictures())
    xml = config(("Image", "Probe", PROBE))
    spacing = open_bytes(name, data, config=xml).read(0).spacing
    assert (spacing.row_mm, spacing.col_mm) == pytest.approx((0.08, 0.09))
    assert spacing.provenance is Provenance.MATRIX
    typed = PixelSpacing(0.5, 0.6, Provenance.TYPED)
    assert open_bytes(name, data, config=xml, spacing=typed).read(0).spacing == typed


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
    (folder / "c.xml").write_text(configuration(("Image", "Probe", text)))
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
def test_a_scale_is_found_on_every_way_to_millimetres(open_bytes, config, transforms):
    spacing = open_bytes("s.igs.mha", mha_bytes(pictures()), config=config(*transforms)).info.spacing
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
def test_a_configuration_without_one_clear_scale_is_refused(open_bytes, config, transforms, sentence):
    with pytest.raises(FormatError, match=rf"config\.xml .*{sentence}"):
        open_bytes("s.igs.mha", mha_bytes(pictures()), config=config(*transforms))


def test_something_else_than_a_configuration_is_refused(open_bytes, config, tmp_path, write_volume):
    data = mha_bytes(pictures())
    whole = config(("Image", "Probe", PROBE)).read_bytes()
    for content in (b"", whole[:-30], b"<a>&b;</a>", b"\0" * 50, whole.replace(b"PlusConfiguration", b"Other")):
        (tmp_path / "config.xml").write_bytes(content)
        with pytest.raises(FormatError, match=r"config\.xml"):
            open_bytes("s.igs.mha", data, config=tmp_path / "config.xml")
    with pytest.raises(NotFoundError, match=r"gone\.xml"):
        open_bytes("s.igs.mha", data, config=tmp_path / "gone.xml")
    with pytest.raises(ChoiceError, match="no tracked sequence"):
        open_source(str(write_volume("v.mha", np.ones((2, 3, 4), np.uint8))), config=config(("Image", "Probe", PROBE)))


def test_the_command_line_takes_a_configuration(tmp_path, config, capsys):
    (tmp_path / "s.igs.mha").write_bytes(mha_bytes(pictures()))
    xml = config(("Image", "Probe", PROBE))
    assert main(["inspect", str(tmp_path / "s.igs.mha"), "--config", str(xml), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["frames"], seen["spacing_provenance"]) == (3, "matrix")
    assert seen["spacing_row_mm"] == pytest.approx(0.08)
    assert main(["inspect", str(tmp_path / "s.igs.mha"), "--config", str(tmp_path / "gone.xml")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_colour_axis_has_no_millimetres(open_bytes):
    """Where colour is an axis of its own, its spacing comes first and is none of the picture's."""
    frames = pictures(rows=60, cols=80, channels=(3,))
    data = mha_bytes(frames, sizes="3 80 60 3", kinds="vector domain domain list", spacing="1 0.5 0.4 1")
    source = open_bytes("s.igs.mha", data.replace(b"ElementNumberOfChannels = 3", b"ElementNumberOfChannels = 1"))
    assert (source.info.rows, source.info.cols) == (60, 80)
    assert (source.info.spacing.row_mm, source.info.spacing.col_mm) == (0.4, 0.5)


def test_frames_that_are_described_and_not_there(open_bytes):
    """Numbers that do not begin at 0, as of a part of a recording: which frame is invalid is then unknown."""
    fields = {f"Seq_Frame{number:04}_ImageStatus": "INVALID" if number == 5 else "OK" for number in (5, 6, 7)}
    with pytest.raises(FormatError, match="describes frame 5, but holds 3"):
        open_bytes("s.igs.mha", mha_bytes(pictures(), fields))
