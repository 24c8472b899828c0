"""Frames and masks of a record as NIfTI: each in its place, with the scale that all of them have."""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from outcomes import INFO, SHAPE, SPACING, five, tumour
from outcomes import frame as made
from outcomes import record as record_of
from recorded import PASSED_OVER, record, rows_of

from inference import cli
from inference.assets import demo_clip_path
from inference.export.record import export_record
from inference.frame import Frame
from inference.model.engine import Engine
from inference.model.segmentation import regions_of
from inference.model.segmenter import Segmenter
from inference.nifti import picture_header, without_texts
from inference.outcome import Analysis, Outcome, Tumour
from inference.recording.packing import pack_pixels
from inference.recording.recorder import Recorder
from inference.recording.schema import Corrector
from inference.source_info import SweptGrid
from inference.sources import open_source
from inference.sources.record import RecordSource
from inference.spacing import PixelSpacing, Provenance


@pytest.mark.parametrize("axis", ["i", "j", "k"])
def test_masks_and_frames_lie_in_the_swept_volume(axis: str, engine: Engine, tmp_path: Path) -> None:
    """An oblique, anisotropic, asymmetric volume: world coordinates of every voxel are those of the source."""
    affine = np.array([[0.9, 0.1, 0.05, -20], [-0.2, 1.1, 0.3, 7], [0.0, -0.4, 1.6, 31], [0, 0, 0, 1]])
    voxels = np.random.default_rng(0).integers(1, 200, (60, 52, 44)).astype(np.float32)
    image = nib.Nifti1Image(voxels, affine)
    image.header.set_sform(affine, code=1)
    image.header.set_qform(affine, code=0)
    image.header["db_name"] = b"DOE^JANE"
    nib.save(image, tmp_path / "volume.nii.gz")

    def bright(frame: Frame) -> Outcome:
        margin = frame.pixels - np.float32(150)
        mask = (margin > 0).astype(np.uint8)
        analysis = Analysis("threshold", engine.sha256, "CPU", 1.0, 1.0, demonstration=False)
        return Tumour(frame, analysis, mask, regions_of(mask, margin, frame, engine.contract.reliability))

    with open_source(str(tmp_path / "volume.nii.gz"), axis=axis) as source:
        record(source, range(4, 14), tmp_path / "sweep.mcap", engine, bright)
    assert b"DOE" not in (tmp_path / "sweep.mcap").read_bytes()
    assert cli.main(["export", str(tmp_path / "sweep.mcap"), "--out", str(tmp_path)]) == cli.WELL
    placed = {"i": np.s_[4:14], "j": np.s_[:, 4:14], "k": np.s_[:, :, 4:14]}[axis]
    expected = np.zeros_like(voxels)
    expected[placed] = voxels[placed]
    for name in ("frames.nii.gz", "masks.nii.gz"):
        written = nib.load(tmp_path / name)
        assert written.shape == voxels.shape
        np.testing.assert_allclose(written.affine, nib.load(tmp_path / "volume.nii.gz").affine, atol=1e-6)
        assert int(written.header["sform_code"]) == 1
    assert np.array_equal(np.asarray(nib.load(tmp_path / "frames.nii.gz").dataobj), expected)
    expected[{"i": np.s_[9], "j": np.s_[:, 9], "k": np.s_[:, :, 9]}[axis]] = 0  # passed over
    assert np.array_equal(np.asarray(nib.load(tmp_path / "masks.nii.gz").dataobj), expected > 150)
    assert cli.main(["run", str(tmp_path / "sweep.mcap"), "--out", str(tmp_path / "again")]) in (0, 1)
    again = nib.load(tmp_path / "again" / "masks.nii.gz")
    np.testing.assert_allclose(again.affine, nib.load(tmp_path / "volume.nii.gz").affine, atol=1e-6)
    assert again.shape == voxels.shape


def test_a_real_sweep_is_exported_onto_its_volume(engine: Engine, shared_data: Path, tmp_path: Path) -> None:
    """RESECT, Case 24: every voxel of the exported frames and masks lies where it lay in the source."""
    volume = shared_data / "resect" / "us" / "Case24-US-before-0p5mm.nii.gz"
    with open_source(str(volume), axis="i") as source:
        first = len(source) // 3
        said = record(source, range(first, first + 12), tmp_path / "sweep.mcap", engine)
    assert cli.main(["export", str(tmp_path / "sweep.mcap"), "--out", str(tmp_path)]) == cli.WELL
    original, frames = nib.load(volume), nib.load(tmp_path / "frames.nii.gz")
    masks = nib.load(tmp_path / "masks.nii.gz")
    for written in (frames, masks):
        assert written.shape == original.shape
        np.testing.assert_array_equal(written.affine, original.affine)
    recorded = np.s_[first : first + 12]
    values = np.asarray(original.dataobj, np.float32)[recorded]
    np.testing.assert_array_equal(np.asarray(frames.dataobj)[recorded], values)
    expected = sum(o.area_px for n, o in enumerate(said) if isinstance(o, Tumour) and n != PASSED_OVER)
    assert np.count_nonzero(masks.dataobj) == expected > 0
    assert (values[np.asarray(masks.dataobj)[recorded] > 0] > 0).mean() > 0.99


def test_a_changed_scale_is_no_scale_of_the_stack(engine: Engine, tmp_path: Path) -> None:
    with open_source(str(demo_clip_path())) as source:
        frames = [source.read(index) for index in (90, 91)]
        recorder = Recorder(tmp_path / "scales.mcap", source.info, start=0.0)
    frames[1] = replace(frames[1], spacing=PixelSpacing(0.3, 0.3, Provenance.TYPED))
    for frame in frames:
        recorder.frame(frame)
        recorder.outcome(Segmenter(engine)(frame))
    recorder.close()
    assert cli.main(["export", str(tmp_path / "scales.mcap"), "--out", str(tmp_path)]) == cli.WELL
    header = nib.load(tmp_path / "masks.nii.gz").header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 0)
    assert bytes(header["descrip"]).startswith(b"scale unknown")
    assert [row["spacing_row_mm"] for row in rows_of(tmp_path)][1] == "0.3"


@pytest.mark.parametrize("damaged", [0, 2])
def test_a_damaged_frame_of_sixteen_bits_shifts_no_other(damaged: int, tmp_path: Path) -> None:
    outcomes = five(np.uint16)
    path = record_of(tmp_path / "deep.mcap", outcomes)
    data = bytearray(path.read_bytes())
    data[data.index(pack_pixels(outcomes[damaged].frame.pixels)) + 50] ^= 1
    path.write_bytes(data)
    with RecordSource(path) as source:
        export_record(source, tmp_path)
    written = nib.load(tmp_path / "frames.nii.gz")
    assert written.get_data_dtype() == np.uint16
    for number, outcome in enumerate(outcomes):
        expected = np.zeros(SHAPE) if number == damaged else outcome.frame.pixels
        assert np.array_equal(np.asarray(written.dataobj)[..., number].T, expected)


def test_a_slice_that_is_shown_again_keeps_its_contour_and_its_correction(tmp_path: Path) -> None:
    header = picture_header(SPACING)
    header.set_data_shape((SHAPE[1], SHAPE[0], 3))
    grid = SweptGrid("k", 3, without_texts(header).binaryblock)
    recorder = Recorder(tmp_path / "twice.mcap", replace(INFO, grid=grid), start=0.0)
    outcomes, mask = [tumour(made(place, at=float(place))) for place in range(3)], np.zeros(SHAPE, np.uint8)
    mask[5:15, 10:30] = 1
    for outcome in outcomes:
        recorder.frame(outcome.frame)
        recorder.outcome(outcome)
    assert recorder.correction(outcomes[1], mask, Corrector.USER)
    for place in range(3):  # shown again, too fast for the analysis
        recorder.frame(made(place, at=3.0 + place))
    recorder.close()
    with RecordSource(tmp_path / "twice.mcap") as source:
        export_record(source, tmp_path)
    masks, corrected = (np.asarray(nib.load(tmp_path / f"{name}.nii.gz").dataobj) for name in ("masks", "corrected"))
    for place, outcome in enumerate(outcomes):
        assert np.array_equal(masks[..., place].T, outcome.mask)
    assert np.array_equal(corrected[..., 1].T, mask)
    assert corrected.sum() == mask.sum()


def test_masks_in_a_volume_say_where_it_has_other_millimetres_than_the_readings(tmp_path: Path) -> None:
    header = picture_header(SPACING)
    header.set_data_shape((SHAPE[1], SHAPE[0], 1))
    grid = SweptGrid("k", 1, without_texts(header).binaryblock)
    path, said = record_of(tmp_path / "swept.mcap", [tumour(made(0))], replace(INFO, grid=grid)), "measure by the read"
    for typed in (None, PixelSpacing(0.6, 0.5, Provenance.TYPED)):
        with RecordSource(path, typed=typed) as source:
            export_record(source, tmp_path)
        for name in ("sweep.json", "summary.html"):
            assert (said in (tmp_path / name).read_text()) == (typed is not None), name


def test_no_volume_tells_when_it_was_exported(tmp_path: Path) -> None:
    """The day of the export may be that of the operation."""
    with RecordSource(record_of(tmp_path / "r.mcap", [tumour(made(0, at=0.0))])) as source:
        files = export_record(source, tmp_path)
    packed = [file.read_bytes() for file in files if file.suffix == ".gz"]
    assert [content[3:8] for content in packed] == [bytes(5)] * 2, "no name, no time (RFC 1952, 2.3.1)"


def test_a_record_longer_than_one_nifti_goes_into_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.export.record_volumes.MOST_PICTURES", 2)
    outcomes = five()
    with RecordSource(record_of(tmp_path / "long.mcap", outcomes)) as source:
        files = {file.name for file in export_record(source, tmp_path)}
    assert {"readings.csv", "summary.html", "sweep.json", "masks-from-000000.nii.gz"} < files
    for first in (0, 2, 4):
        written = np.asarray(nib.load(tmp_path / f"frames-from-{first:06}.nii.gz").dataobj)
        part = outcomes[first : first + 2]
        assert np.array_equal(written.transpose(2, 1, 0), np.stack([outcome.frame.pixels for outcome in part]))


def test_a_stack_has_no_scale_where_the_entry_on_its_change_is_damaged(tmp_path: Path) -> None:
    other = PixelSpacing(0.25, 0.35, Provenance.RULER)
    outcomes = [replace(one, frame=replace(one.frame, spacing=other)) if n else one for n, one in enumerate(five()[:3])]
    path = record_of(tmp_path / "two.mcap", outcomes)
    path.write_bytes(path.read_bytes().replace(b"0.25 mm a row", b"0.27 mm a row"))
    with RecordSource(path) as source:
        assert "1 damaged entries" in source.info.notice
        export_record(source, tmp_path)
    for name in ("frames", "masks"):
        header = nib.load(tmp_path / f"{name}.nii.gz").header
        assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 0)
