"""ius-segment as a script uses it: files, columns, exit codes, one sentence for what is wrong."""

import csv
import gzip
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from outcomes import ANALYSIS, frame, record
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from tiny import threshold_model

from inference import cli
from inference.outcome import NothingFound
from inference.sources.record import CHANGED
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance
from inference.version import SOFTWARE

COLUMNS = (
    "frame,time_s,outcome,area_mm2,area_px,regions,largest_mm2,diameter_mm,size_state,touches_edge,"
    "spacing_row_mm,spacing_col_mm,spacing_provenance,latency_ms,reason,software,unlike_training,"
    "predicted_quality,likely_to_fail"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "threshold.onnx"
    # Halfway between tissue (70) and tumour (150), where the sector's outside is 0.
    threshold_model(path, level=110 / 150, spacing_mm=(0.3, 0.3), patch=(256, 256))
    return str(path)


@pytest.fixture
def segment(capsys):
    """Runs ius-segment with --json: (exit code, what stdout says, stderr)."""

    def call(*arguments):
        code = cli.main([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return call


def phantom_volume(path, brightest=255):
    """Four phantom frames as a NIfTI volume with rows of 0.3 mm and columns of 0.2 mm, none brighter than that."""
    source = PhantomSource(rows=160, cols=200, spacing_mm=(0.3, 0.2), count=4)
    image = sitk.GetImageFromArray(np.minimum([frame.pixels for frame in source.frames()], np.uint8(brightest)))
    image.SetSpacing((0.2, 0.3, 2.0))
    sitk.WriteImage(image, str(path))
    return source


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_run_writes_one_row_a_frame_and_masks_on_the_volume(segment, model, tmp_path):
    truth = phantom_volume(tmp_path / "v.nii.gz")
    code, summary, err = segment("run", tmp_path / "v.nii.gz", "--model", model, "--out", tmp_path / "new" / "out")
    out = tmp_path / "new" / "out"
    assert code == 0
    assert (out / "readings.csv").read_text().splitlines()[0] == COLUMNS
    rows = table(out / "readings.csv")
    volume, mask = sitk.ReadImage(str(tmp_path / "v.nii.gz")), sitk.ReadImage(str(out / "masks.nii.gz"))
    voxels = sitk.GetArrayFromImage(mask)
    assert mask.GetSpacing() == volume.GetSpacing()
    assert voxels.dtype == np.uint8
    assert [row["frame"] for row in rows] == ["0", "1", "2", "3"]
    for index, row in enumerate(rows):
        assert row["outcome"] == "tumour"
        if (area := truth.shape(index).area_mm2) > 20:
            assert float(row["area_mm2"]) == pytest.approx(area, rel=0.02)
        assert int(row["area_px"]) == np.count_nonzero(voxels[index])
        assert float(row["area_mm2"]) == pytest.approx(int(row["area_px"]) * 0.06, rel=1e-5)
        assert (float(row["spacing_row_mm"]), float(row["spacing_col_mm"])) == pytest.approx((0.3, 0.2))
        assert row["spacing_provenance"] == "header"
        assert row["size_state"] in ("above_200", "at_most_200", "at_most_35")
        assert (row["regions"], row["touches_edge"], row["reason"], row["time_s"]) == ("1", "false", "", "")
        assert float(row["diameter_mm"]) > 0
        assert float(row["latency_ms"]) > 0
    assert summary["tumour"] == 4
    assert "Research use only. Not for diagnosis or treatment." in summary["notices"]
    assert "DEMONSTRATION MODEL: trained on simulation" in summary["notices"]
    assert json.loads((out / "summary.json").read_text()) == summary
    assert "DEMONSTRATION MODEL" in err
    assert sorted(path.name for path in out.iterdir()) == ["masks.nii.gz", "readings.csv", "summary.json"]


@pytest.mark.parametrize("axis", ["i", "j", "k"])
def test_run_says_where_masks_on_the_volume_have_other_millimetres_than_the_readings(segment, model, tmp_path, axis):
    """A person's scale goes before that of the file, on whose grid the masks lie."""
    phantom_volume(tmp_path / "v.nii.gz")
    unknown = nib.load(tmp_path / "v.nii.gz")
    unknown = nib.Nifti1Image(np.asarray(unknown.dataobj), None)
    nib.save(unknown, tmp_path / "u.nii.gz")
    header = {"i": "2 × 0.3", "j": "2 × 0.2", "k": "0.3 × 0.2"}[axis]
    for file, typed, said in (("v", "0.6,0.5", f"states {header} mm a pixel"), ("u", "0.6,0.5", "states no scale")):
        volume, options = tmp_path / f"{file}.nii.gz", ("--model", model, "--out", tmp_path / "o", "--axis", axis)
        _, summary, err = segment("run", volume, *options, "--spacing", typed)
        sentence = f"masks.nii.gz lies on the file's own grid, which {said}: measure by the readings, not by it."
        assert sentence in summary["notices"]
        assert sentence in err
    _, summary, err = segment("run", tmp_path / "v.nii.gz", *options)
    assert "own grid" not in err + str(summary)


@pytest.mark.parametrize(("axis", "count", "spacing"), [("j", 160, (2.0, 0.2)), ("i", 200, (2.0, 0.3))])
def test_run_sweeps_along_the_axis(segment, model, tmp_path, axis, count, spacing):
    phantom_volume(tmp_path / "v.nii.gz")
    code, _, _ = segment("run", tmp_path / "v.nii.gz", "--model", model, "--out", tmp_path / "o", "--axis", axis)
    rows = table(tmp_path / "o" / "readings.csv")
    assert code == 0
    assert len(rows) == count
    assert (float(rows[0]["spacing_row_mm"]), float(rows[0]["spacing_col_mm"])) == pytest.approx(spacing)
    voxels = np.asarray(nib.load(tmp_path / "o" / "masks.nii.gz").dataobj)
    assert voxels.shape == (200, 160, 4)
    sums = voxels.sum(axis=(0, 2) if axis == "j" else (1, 2))
    assert [int(row["area_px"]) for row in rows] == sums.tolist()
    assert {row["outcome"] for row in rows} <= {"tumour", "none"}


def test_nothing_found_is_an_answer(segment, tmp_path):
    path = tmp_path / "never.onnx"
    threshold_model(path, level=2.0, unit="z", spacing_mm=(0.4, 0.4), patch=(128, 128))
    phantom_volume(tmp_path / "v.nii.gz", brightest=40)
    code, summary, _ = segment("run", tmp_path / "v.nii.gz", "--model", path, "--out", tmp_path)
    row = table(tmp_path / "readings.csv")[0]
    assert (code, summary["none"]) == (0, 4)
    assert row["outcome"] == "none"
    assert [row[name] for name in ("area_mm2", "area_px", "regions", "diameter_mm", "reason")] == [
        "0",
        "0",
        "0",
        "",
        "",
    ]
    assert not np.asarray(nib.load(tmp_path / "masks.nii.gz").dataobj).any()


def test_the_simulated_phantom_is_no_foreign_picture(segment, model, tmp_path):
    code, summary, _ = segment("run", "simulated:", "--model", model, "--out", tmp_path)
    assert (code, summary["frames"], summary["tumour"]) == (0, 240, 240)
    assert summary["notices"] == ["Research use only. Not for diagnosis or treatment."]
    rows = table(tmp_path / "readings.csv")
    assert rows[30]["spacing_provenance"] == "exact"
    assert float(rows[30]["time_s"]) == pytest.approx(1.0)
    assert float(rows[120]["area_mm2"]) == pytest.approx(PhantomSource().shape(120).area_mm2, rel=0.01)


def test_an_unknown_scale_is_no_bad_input(segment, model, tmp_path):
    picture = PhantomSource(rows=160, cols=200).read(0).pixels
    cv2.imwrite(str(tmp_path / "p.png"), picture)
    code, seen, _ = segment("inspect", tmp_path / "p.png")
    assert code == 0
    reason = seen.pop("reason")
    assert "does not say how large a pixel is" in reason
    assert reason.endswith("type the mm per pixel (--spacing ROW,COL).")
    nulls = {"spacing_row_mm": None, "spacing_col_mm": None, "spacing_provenance": None}
    assert seen == {"frames": 1, "rows": 160, "cols": 200, **nulls}
    code, summary, err = segment("run", tmp_path / "p.png", "--model", model, "--out", tmp_path / "o")
    (row,) = table(tmp_path / "o" / "readings.csv")
    assert (code, summary["not_analysed"]) == (1, 1)
    assert reason in err
    assert row.pop("software") == SOFTWARE
    assert {key: value for key, value in row.items() if value} == {
        "frame": "0",
        "outcome": "not_analysed",
        "spacing_provenance": "none",
        "reason": reason.replace(" (--spacing ROW,COL)", ""),
    }
    code, _, _ = segment("run", tmp_path / "p.png", "--model", model, "--out", tmp_path / "o", "--spacing", "0.15,0.15")
    (row,) = table(tmp_path / "o" / "readings.csv")
    assert (code, row["outcome"], row["spacing_provenance"]) == (0, "tumour", "typed")


def test_inspect_says_what_the_window_says_of_a_source(segment, tmp_path):
    Image.fromarray(PhantomSource(rows=160, cols=200).read(0).pixels).save(tmp_path / "p.png", dpi=(100, 50))
    code, seen, _ = segment("inspect", tmp_path / "p.png")
    assert (code, seen["notice"]) == (0, "The pixels of p.png are 0.5 times as wide as high.")


def test_inspect_gives_the_full_frame_and_asks_for_a_pane(segment, real_dicom):
    path = real_dicom("gdcm-US-ALOKA-16.dcm")
    code, seen, _ = segment("inspect", path)
    assert (code, seen["rows"], seen["cols"], seen["spacing_row_mm"]) == (0, 480, 640, None)
    assert "--region 0" in seen["reason"]
    assert "--region 1" in seen["reason"]
    code, seen, _ = segment("inspect", path, "--region", "1")
    assert seen == {
        "frames": 1,
        "rows": 480,
        "cols": 640,
        "spacing_row_mm": pytest.approx(0.38265306),
        "spacing_col_mm": pytest.approx(0.38265306),
        "spacing_provenance": "dicom_region",
    }


def test_run_asks_for_a_pane_before_it_works(segment, model, real_dicom, tmp_path):
    path = real_dicom("gdcm-US-ALOKA-16.dcm")
    code, out, err = segment("run", path, "--model", model, "--out", tmp_path / "o")
    assert (code, out) == (2, None)
    assert err.startswith("error: ")
    assert "--region 1" in err
    assert not (tmp_path / "o").exists()


def test_nothing_that_is_written_names_the_file_or_its_folder(segment, model, real_dicom, tmp_path):
    dataset = pydicom.dcmread(real_dicom("color3d_jpeg_baseline.dcm"))
    encoded = list(generate_frames(dataset.PixelData, number_of_frames=120))[:2]
    encoded[1] = b"\xff\xd8" + b"\0" * 100
    dataset.PixelData, dataset.NumberOfFrames = encapsulate(encoded), 2
    (tmp_path / "Doe_Jane").mkdir()
    dataset.save_as(tmp_path / "Doe_Jane" / "Doe_0815.dcm")
    _, summary, _ = segment("run", tmp_path / "Doe_Jane" / "Doe_0815.dcm", "--model", model, "--out", tmp_path / "o")
    assert summary["source"] == "a file (name left out)"
    (failed,) = [row for row in table(tmp_path / "o" / "readings.csv") if row["outcome"] == "failed"]
    assert failed["reason"].startswith("Frame 1 of the file cannot be decoded")
    for path in (tmp_path / "o").iterdir():
        data = path.read_bytes()
        assert b"Doe" not in (gzip.decompress(data) if path.suffix == ".gz" else data), path.name


def test_a_broken_frame_fails_and_the_others_do_not(segment, model, real_dicom, tmp_path):
    dataset = pydicom.dcmread(real_dicom("color3d_jpeg_baseline.dcm"))
    encoded = list(generate_frames(dataset.PixelData, number_of_frames=120))[:4]
    encoded[2] = b"\xff\xd8" + b"\0" * 100
    dataset.PixelData = encapsulate(encoded)
    dataset.NumberOfFrames = 4
    dataset.save_as(tmp_path / "a.dcm")
    code, summary, _ = segment("run", tmp_path / "a.dcm", "--model", model, "--out", tmp_path / "o")
    rows = table(tmp_path / "o" / "readings.csv")
    assert (code, summary["failed"]) == (1, 1)
    assert [row["outcome"] == "failed" for row in rows] == [False, False, True, False]
    assert "Frame 2" in rows[2]["reason"]
    assert float(rows[2]["time_s"]) == pytest.approx(2 * 0.033333)
    assert nib.load(tmp_path / "o" / "masks.nii.gz").shape == (640, 480, 4)


def test_model_shows_the_contract_and_the_self_test(segment, model):
    code, shown, _ = segment("model", model)
    assert code == 0
    assert shown["self_test"]["passed"] is True
    assert shown["self_test"]["cases"] > 0
    assert shown["provider"] in ("TensorRT", "CUDA", "CPU")
    assert shown["contract"]["identity"]["name"] == "threshold"
    assert shown["contract"]["input"]["patch"] == [256, 256]


def bad_inputs(tmp_path, model):
    (tmp_path / "half.nii.gz").write_bytes(b"\x1f\x8b\x08" + b"\0" * 30)
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "plain.onnx").write_text("hello")
    phantom_volume(tmp_path / "v.nii.gz")
    good = tmp_path / "v.nii.gz"
    out = ("--out", tmp_path / "o")
    return [
        ("inspect", tmp_path / "missing.nii"),
        ("inspect", tmp_path / "half.nii.gz"),
        ("inspect", tmp_path / "text.png"),
        ("inspect", tmp_path / "empty"),
        ("inspect", good, "--region", "1"),
        ("inspect", good, "--spacing", "0.3"),
        ("inspect", good, "--spacing", "0,0.3"),
        ("inspect", good, "--spacing", "0.3,nan"),
        ("inspect", good, "--spacing", "150,150"),
        ("run", good, "--model", model, "--spacing", "0.00015,0.00015", *out),
        ("run", tmp_path / "missing.nii", "--model", model, *out),
        ("run", good, "--model", tmp_path / "missing.onnx", *out),
        ("run", good, "--model", tmp_path / "plain.onnx", *out),
        ("run", good, "--model", model, "--out", tmp_path / "text.png" / "o"),
        ("model", tmp_path / "missing.onnx"),
        ("model", tmp_path / "plain.onnx"),
    ]


def test_bad_input_is_told_in_one_sentence(segment, model, tmp_path):
    for arguments in bad_inputs(tmp_path, model):
        code, out, err = segment(*arguments)
        assert (code, out) == (2, None), arguments
        assert err.startswith("error: "), err
        assert err.count("\n") == 1, err
    assert not (tmp_path / "o" / "readings.csv").exists()


def test_the_command_itself_is_silent_but_for_its_sentence(tmp_path):
    """Libraries that write to the terminal by themselves are caught only from outside."""
    for name in ("a.mp4", "a.mkv", "a.tif", "a.nii", "a.nrrd", "a.mha", "a.dcm"):
        (tmp_path / name).write_bytes(b"II*\0" + bytes(range(200)))
    script = "import sys; from inference.cli import main; [main(['inspect', path]) for path in sys.argv[1:]]"
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(cli.__file__).parent.parent,
    )
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 7
    assert all(line.startswith("error: a.") for line in lines)


def test_real_brain_volume(segment, model, shared_data, tmp_path):
    path = sorted((shared_data / "resect" / "us").glob("Case24*"))[0]
    code, summary, _ = segment("run", path, "--model", model, "--out", tmp_path, "--axis", "j")
    volume, mask = sitk.ReadImage(str(path)), sitk.ReadImage(str(tmp_path / "masks.nii.gz"))
    assert (code, summary["frames"]) == (0, volume.GetSize()[1])
    for geometry in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(mask, geometry)() == getattr(volume, geometry)()
    rows = table(tmp_path / "readings.csv")
    assert [int(row["area_px"]) for row in rows] == sitk.GetArrayFromImage(mask).sum(axis=(0, 2)).tolist()


def test_thorough_says_so(segment, model, tmp_path):
    phantom_volume(tmp_path / "v.nii.gz")
    _, fast, _ = segment("run", tmp_path / "v.nii.gz", "--model", model, "--out", tmp_path / "fast")
    code, thorough, _ = segment("run", tmp_path / "v.nii.gz", "--model", model, "--out", tmp_path / "t", "--thorough")
    assert (code, fast["mode"], thorough["mode"]) == (0, "fast", "thorough")
    # A threshold looks at single pixels: mirrors change nothing.
    areas = [[row["area_px"] for row in table(tmp_path / folder / "readings.csv")] for folder in ("fast", "t")]
    assert areas[0] == areas[1]


def test_more_frames_than_masks_can_count_are_refused_before_the_work(segment, model, tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "MOST_PICTURES", 3)
    phantom_volume(tmp_path / "volume.nii.gz")
    code, _, error = segment("run", tmp_path / "volume.nii.gz", "--model", model, "--out", tmp_path / "out")
    assert code == cli.BAD_INPUT
    assert "4 frames are more than masks.nii.gz can hold (3)" in error
    assert not (tmp_path / "out").exists()


def test_a_scale_that_changed_within_a_record_is_not_said_to_keep_its_frames_from_analysis(segment, model, tmp_path):
    shown = [NothingFound(frame(number), ANALYSIS) for number in range(2)]
    other = PixelSpacing(0.25, 0.35, Provenance.RULER)
    record(tmp_path / "r.mcap", [shown[0], replace(shown[1], frame=replace(shown[1].frame, spacing=other))])
    _, said, _ = segment("run", tmp_path / "r.mcap", "--model", model, "--out", tmp_path / "out", "--no-guards")
    assert said["not_analysed"] == 0
    assert CHANGED in said["notices"]


def test_what_a_run_that_was_stopped_leaves_is_not_mixed_with_the_run_before(segment, model, tmp_path, monkeypatch):
    """Same folder, another phantom: its readings beside masks and summary of the first would be taken for one run."""
    out = tmp_path / "out"
    save_masks = PhantomSource.save_masks

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    arguments = ("run", "simulated:", "--model", model, "--out", out)
    assert segment(*arguments)[0] == 0
    assert {one.name for one in out.iterdir()} == {"readings.csv", "masks.nii.gz", "summary.json"}
    monkeypatch.setattr(PhantomSource, "save_masks", stopped)
    code, _, said = segment(*arguments)
    assert code == 130
    assert said.splitlines()[-1] == "error: stopped before the end: what it was writing is missing, or there in part."
    assert {one.name for one in out.iterdir()} <= {"readings.csv"}
    monkeypatch.setattr(PhantomSource, "save_masks", save_masks)
    assert segment(*arguments)[0] == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_an_answer_that_cannot_be_written_is_one_sentence():
    command = [sys.executable, "-m", "inference.cli", "inspect", "simulated:", "--json"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "error: The output cannot be written (the disk is full): write it elsewhere.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="its pipes fail otherwise")
def test_a_reader_that_has_gone_is_no_traceback():
    command = [sys.executable, "-m", "inference.cli", "inspect", "simulated:", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert "Traceback" not in said
    assert said.startswith("error: ")


def test_what_a_script_leaves_empty_is_neither_the_current_folder_nor_the_bundled_model(
    segment, model, tmp_path, monkeypatch
):
    phantom_volume(tmp_path / "v.nii.gz")
    (tmp_path / "here").mkdir()
    Image.fromarray(np.full((64, 64), 90, np.uint8)).save(tmp_path / "here" / "another-patients.png")
    monkeypatch.chdir(tmp_path / "here")
    code, summary, err = segment("run", "", "--spacing", "0.3,0.3", "--model", model, "--out", tmp_path / "out")
    assert (code, summary) == (cli.BAD_INPUT, None)
    assert "No source is named" in err
    code, summary, err = segment("run", tmp_path / "v.nii.gz", "--model", "", "--out", tmp_path / "out")
    assert (code, summary) == (cli.BAD_INPUT, None)
    assert "There is no model" in err
