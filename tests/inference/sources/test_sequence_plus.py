"""Sequences that PLUS itself recorded, of phantoms, with trackers that lose their tools; and a sweep made like them."""

import gzip
import re
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from sequences import mha_bytes, nrrd_bytes, pictures

from inference.cli import main
from inference.errors import FormatError
from inference.frame import View
from inference.sources import open_here as open_source
from inference.spacing import PixelSpacing, Provenance

CURVED = "BkCurvilinearScanConvertedData.igs.mha"
SAMPLE = "NrrdSample.igs.nrrd"
SEGMENTATION = "SegmentationTest_BKMedical_RandomStepperMotionData2_Trimmed.igs.mha"
SWEEP = "NwirePhantomFreehand.igs"
SWEEPS = [f"{SWEEP}.mha", f"{SWEEP}.nrrd"]


@pytest.fixture(scope="session")
def plus(shared_data: Path) -> Path:
    """The folder of PLUS's test images."""
    folder = shared_data / "plus"
    if not folder.is_dir():
        pytest.skip("../shared/data/plus is not here: sequences of PLUS")
    return folder


FIRST_S, SECOND_S, LAST_S = "345.627957", "345.706100", "355.783014"
"""Times of the N-wire sweep; the one that is made has them too."""


@pytest.fixture(scope="session", params=["made", "recorded"])
def sweep(request, tmp_path_factory):
    """A folder with a sweep of 97 frames as MHA and as NRRD: made here, and PLUS's own where that is."""
    if request.param == "recorded":
        return request.getfixturevalue("plus")
    folder, frames, times = tmp_path_factory.mktemp("sweep"), pictures(97, 12, 20), np.linspace(346, 355, 97)
    stamps = [FIRST_S, SECOND_S, *(f"{time:.6f}" for time in times[2:-1]), LAST_S]
    fields = {}
    for number, stamp in enumerate(stamps):
        fields |= {f"Seq_Frame{number:04}_Timestamp": stamp, f"Seq_Frame{number:04}_ImageStatus": "OK"}
    (folder / SWEEPS[0]).write_bytes(mha_bytes(frames, fields, compressed=True))
    (folder / SWEEPS[1]).write_bytes(nrrd_bytes(frames, fields))
    return folder


@pytest.fixture(scope="session")
def sweep_values(sweep):
    """(97, rows, cols) values of the sweep, inflated by hand."""
    header, _, local = (sweep / SWEEPS[0]).read_bytes().partition(b"ElementDataFile = LOCAL\n")
    cols, rows, _ = map(int, re.search(rb"DimSize = (\d+) (\d+) (97)", header).groups())
    return np.frombuffer(zlib.decompress(local), np.uint8).reshape(97, rows, cols)


@pytest.fixture
def edited(sweep, tmp_path):
    """A sweep with some bytes of its header exchanged."""

    def edit(name, *changes):
        data = (sweep / name).read_bytes()
        for old, new in changes:
            data = re.sub(old, new, data)
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    return edit


def test_the_sweep_is_the_same_as_mha_and_as_nrrd(sweep, sweep_values):
    mha, nrrd = (open_source(str(sweep / name)) for name in SWEEPS)
    assert len(mha) == len(nrrd) == 97
    for index, (one, other) in enumerate(zip(mha.frames(), nrrd.frames(), strict=True)):
        np.testing.assert_array_equal(one.pixels, sweep_values[index])
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert one.pixels.dtype == other.pixels.dtype == np.uint8
        assert one.time_s == other.time_s
    for source in (mha, nrrd):
        first, second, last = map(float, (FIRST_S, SECOND_S, LAST_S))
        assert source.info.fps == pytest.approx(96 / (last - first))
        assert (source.read(0).time_s, source.read(1).time_s) == pytest.approx((0, second - first))
        assert source.info.origin.view is View.NATIVE
        assert source.info.levels == (0, 255)
        # ITK and 3D Slicer would make 1 mm of this.
        assert source.info.spacing is None
        assert "counts pixels" in source.info.no_spacing_reason


def test_a_tool_that_is_never_seen_costs_no_frame(plus):
    header = (plus / SWEEPS[0]).read_bytes().partition(b"LOCAL")[0]
    assert header.count(b"StylusToTrackerTransformStatus = INVALID") == 97
    assert len(open_source(str(plus / SWEEPS[0]))) == 97


@pytest.mark.parametrize("name", SWEEPS)
def test_frames_that_are_marked_invalid_are_left_out(edited, sweep_values, name):
    status = rb"(Seq_Frame00(?:00|17|96)_(?:Image)?Status ?:?= ?)OK"
    source = open_source(edited(name, (status, rb"\1INVALID")))
    expected = np.delete(sweep_values, [0, 17, 96], axis=0)
    np.testing.assert_array_equal([frame.pixels for frame in source.frames()], expected)
    assert source.read(0).time_s == 0


@pytest.mark.parametrize(
    ("letters", "turned"),
    [("UFA", np.s_[:, :, ::-1]), ("MNA", np.s_[:, ::-1]), ("UNA", np.s_[:, ::-1, ::-1])],
)
@pytest.mark.parametrize("name", SWEEPS)
def test_flipped_sweeps_show_flipped_and_their_masks_fly_home(edited, sweep_values, tmp_path, name, letters, turned):
    path = edited(name, (rb"(?i)(ultrasound ?image ?orientation ?:?= ?)MFA", rb"\1" + letters.encode()))
    source = open_source(path)
    np.testing.assert_array_equal([frame.pixels for frame in source.frames()], sweep_values[turned])
    source.save_masks([(frame.pixels > 90).astype(np.uint8) for frame in source.frames()], str(tmp_path / "m.nii"))
    mask = np.asarray(nib.load(tmp_path / "m.nii").dataobj)
    np.testing.assert_array_equal(mask.T, sweep_values > 90)


def test_a_configuration_gives_the_sweep_its_scale(sweep, tmp_path, capsys):
    (tmp_path / "fcal.xml").write_text(
        '<PlusConfiguration version="2.1"><CoordinateDefinitions>'
        '<Transform From="Image" To="TransducerOriginPixel" Matrix="1 0 0 -410 0 1 0 5 0 0 1 0 0 0 0 1" />'
        '<Transform From="Image" To="Probe" Error="1.7" Matrix="\n 0.00454611\t0.186799\t-0.00209376\t14.5556\n'
        '-0.1865\t0.00465904\t0.0107243\t75.6785\n 0.0107727\t0.00182876\t0.186546\t-3.45472\n 0\t0\t0\t1" />'
        "</CoordinateDefinitions></PlusConfiguration>"
    )
    for name in SWEEPS:
        spacing = open_source(str(sweep / name), config=tmp_path / "fcal.xml").read(50).spacing
        assert (spacing.row_mm, spacing.col_mm) == pytest.approx((0.18686605, 0.18686614), rel=1e-6)
        assert spacing.provenance is Provenance.MATRIX
        assert main(["inspect", str(sweep / name), "--config", str(tmp_path / "fcal.xml")]) == 0
        assert "spacing_provenance: matrix" in capsys.readouterr().out


def test_one_frame_in_two_dimensions(plus):
    source = open_source(str(plus / CURVED))
    assert (len(source), source.info.rows, source.info.cols) == (1, 400, 600)
    data = (plus / CURVED).read_bytes()
    np.testing.assert_array_equal(source.read(0).pixels.ravel(), np.frombuffer(data[-240000:], np.uint8))
    assert (source.info.spacing, source.info.fps, source.read(0).time_s) == (None, None, 0)


def test_a_sequence_without_times_has_no_clock(plus):
    source = open_source(str(plus / SEGMENTATION))
    assert (len(source), source.info.rows, source.info.cols) == (6, 480, 640)
    assert len({frame.pixels.tobytes() for frame in source.frames()}) == 6
    assert (source.info.spacing, source.info.fps, source.read(3).time_s) == (None, None, None)


def test_sixteen_bits_in_nrrd(plus):
    source = open_source(str(plus / SAMPLE))
    values = np.frombuffer(gzip.decompress((plus / SAMPLE).read_bytes().partition(b"\n\n")[2]), np.int16)
    np.testing.assert_array_equal(source.read(0).pixels, values.reshape(256, 256))
    assert (len(source), source.info.spacing) == (1, None)


@pytest.mark.parametrize("share", [0.0005, 0.05, 0.5, 0.99])
@pytest.mark.parametrize("name", [CURVED, SAMPLE, SEGMENTATION, *SWEEPS])
def test_half_a_file_is_told_in_one_sentence(plus, tmp_path, name, share):
    data = (plus / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FormatError, match=re.escape(name)) as refusal:
        open_source(str(tmp_path / name))
    assert "\n" not in str(refusal.value)


def test_a_typed_spacing_ends_the_question(plus):
    typed = PixelSpacing(0.15, 0.15, Provenance.TYPED)
    frame = open_source(str(plus / CURVED), spacing=typed).read(0)
    assert (frame.spacing, frame.no_spacing_reason) == (typed, "")
