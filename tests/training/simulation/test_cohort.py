"""A small simulated cohort on disk: layout, headers, truth, calibration, realism, determinism, refusals."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from scipy import ndimage

from inference.errors import FormatError
from tests.training import realism
from training.datasets.resect import find_cases
from training.evaluation.population import cohort_of
from training.simulation import CohortError
from training.simulation.cohort import Cohort, simulate_clip, simulate_cohort
from training.simulation.files import write_sweep
from training.simulation.parameters import Echogenicity

SEED = 5
PATIENTS = 3


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Three small patients."""
    return simulate_cohort(tmp_path_factory.mktemp("cohort"), PATIENTS, SEED, small=True)


def _entries(cohort: Cohort) -> Iterator[tuple[dict, nib.Nifti1Image, nib.Nifti1Image]]:
    for entry in cohort.patients:
        yield entry, *(nib.load(cohort.folder / entry["files"][key]) for key in ("volume", "truth"))


def _frames(cohort: Cohort, entry: dict) -> tuple[pydicom.Dataset, np.ndarray]:
    """The sweep and its truth as (frames, rows, cols)."""
    truth = nib.load(cohort.folder / entry["files"]["sweep_truth"])
    return pydicom.dcmread(cohort.folder / entry["files"]["sweep"]), np.asarray(truth.dataobj).transpose(2, 1, 0)


def _bytes(folder: Path) -> dict[str, bytes]:
    """Every file but the receipt, which holds the time."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("receipt"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_files_lie_as_published(cohort: Cohort) -> None:
    for number in range(1, PATIENTS + 1):
        case = f"Case{number}"
        assert (cohort.folder / f"RESECT/NIFTI/{case}/US/{case}-US-before.nii.gz").is_file()
        assert (cohort.folder / f"RESECT_segmentation/{case}/{case}-US-before-tumor.nii.gz").is_file()
    table = json.loads((cohort.folder / "cohort.json").read_text())
    assert table["simulated"] is True
    assert table["seed"] == SEED
    assert [entry["case"] for entry in table["patients"]] == ["Case1", "Case2", "Case3"]
    assert (cohort.folder / "receipt-simulate.json").is_file()


def test_headers_are_those_of_resect_and_its_masks(cohort: Cohort) -> None:
    for _, volume, truth in _entries(cohort):
        assert volume.get_data_dtype() == np.float32
        assert truth.get_data_dtype() == np.uint8
        assert (int(volume.header["sform_code"]), int(volume.header["qform_code"])) == (1, 0)
        assert (int(truth.header["sform_code"]), int(truth.header["qform_code"])) == (0, 1)
        assert volume.shape == truth.shape
        assert np.abs(volume.affine - truth.affine).max() < 1e-3
        zooms = np.array(volume.header.get_zooms())
        assert np.ptp(zooms) < 1e-5
        turn = volume.affine[:3, :3] / zooms
        assert 29.9 < np.degrees(np.arccos((np.trace(turn) - 1.0) / 2.0)) < 50.1


def test_the_sector_is_grey_and_the_rest_exactly_zero(cohort: Cohort) -> None:
    for _, volume, truth in _entries(cohort):
        data, mask = np.asarray(volume.dataobj), np.asarray(truth.dataobj) > 0
        sector = data > 0
        assert 0.1 < sector.mean() < 0.6
        assert data[sector].min() >= 1.0
        assert 100 < data.max() <= 255
        assert ndimage.label(sector)[1] == 1
        assert mask.any()
        assert not (mask & ~sector).any()


def test_the_true_volume_is_the_tumours(cohort: Cohort) -> None:
    for entry, volume, truth in _entries(cohort):
        cm3 = np.asarray(truth.dataobj).sum() * float(volume.header.get_zooms()[0]) ** 3 / 1000.0
        assert 0.6 * entry["tumour_cm3"] < cm3 < 1.1 * entry["tumour_cm3"] + 0.05


def _contrast(image: np.ndarray, mask: np.ndarray) -> float:
    """Mean grey inside over that of the shell around, in the sector."""
    shell = ndimage.binary_dilation(mask, iterations=5) & ~ndimage.binary_dilation(mask, iterations=2) & (image > 0)
    return float(np.median(image[mask]) / np.median(image[shell]))


def test_truth_lies_on_the_picture(cohort: Cohort) -> None:
    """A hyperechoic tumour is brighter than its surroundings, in the volume and in the sweep's largest frame."""
    bright = [e for e in _entries(cohort) if e[0]["tumour"]["echogenicity"] == Echogenicity.HYPER]
    assert bright
    for entry, volume, truth in bright:
        assert _contrast(np.asarray(volume.dataobj), np.asarray(truth.dataobj) > 0) > 1.15
        sweep, masks = _frames(cohort, entry)
        largest = int(masks.sum(axis=(1, 2)).argmax())
        assert _contrast(sweep.pixel_array[largest], masks[largest] > 0) > 1.15


def test_sweeps_say_that_they_are_simulated_and_how_large_a_pixel_is(cohort: Cohort) -> None:
    for entry in cohort.patients:
        sweep, masks = _frames(cohort, entry)
        assert sweep.SOPClassUID == "1.2.840.10008.5.1.4.1.1.3.1"
        assert str(sweep.ImageComments).startswith("SIMULATED")
        assert sweep.SeriesDescription == "SIMULATED native sweep"
        assert str(sweep.PatientName) == "SIMULATED^PATIENT"
        assert sweep.LossyImageCompression == "01"
        assert float(sweep.FrameTime) == pytest.approx(33.33)
        (region,) = sweep.SequenceOfUltrasoundRegions
        assert (region.RegionSpatialFormat, region.RegionDataType) == (1, 1)
        assert (region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection) == (3, 3)
        assert (region.RegionLocationMaxX1, region.RegionLocationMaxY1) == (sweep.Columns - 1, sweep.Rows - 1)
        assert region.PhysicalDeltaX * 10 == pytest.approx(entry["pixel_mm"])
        assert masks.shape == sweep.pixel_array.shape
        zooms = nib.load(cohort.folder / entry["files"]["sweep_truth"]).header.get_zooms()
        assert zooms[:2] == pytest.approx((entry["pixel_mm"], entry["pixel_mm"]))


def test_a_sweep_passes_through_the_tumour(cohort: Cohort) -> None:
    for entry in cohort.patients:
        area = _frames(cohort, entry)[1].sum(axis=(1, 2))
        largest = int(area.argmax())
        assert 0 < largest < len(area) - 1
        assert max(area[0], area[-1]) < 0.35 * area[largest]


def test_grey_levels_and_speckle_lie_within_the_real_ones(cohort: Cohort) -> None:
    for path in realism.volumes_of(cohort.folder / "RESECT"):
        statistics = realism.measure(path)
        for level, (low, high) in zip(statistics.levels, realism.REAL_RANGES, strict=True):
            assert low <= level <= high, (path.name, statistics.levels)
        assert realism.REAL_VARIATION[0] <= statistics.variation <= realism.REAL_VARIATION[1], path.name


def test_the_real_ranges_are_those_of_the_nine_volumes(shared_data: Path) -> None:
    """The committed numbers, measured again."""
    measured = [realism.measure(path) for path in realism.volumes_of(shared_data / "resect" / "us")]
    assert len(measured) == 9
    levels = np.array([one.levels for one in measured])
    wanted = np.array(realism.REAL_RANGES)
    assert np.abs(levels.min(axis=0) - wanted[:, 0]).max() < 0.06
    assert np.abs(levels.max(axis=0) - wanted[:, 1]).max() < 0.06
    variation = [one.variation for one in measured]
    assert (round(min(variation), 2), round(max(variation), 2)) == realism.REAL_VARIATION


def test_the_figure_is_drawn_from_both(cohort: Cohort, tmp_path: Path) -> None:
    """The command line, with the small cohort standing on both sides."""
    out = tmp_path / "figures" / "simulation.png"
    volumes = str(cohort.folder / "RESECT")
    assert realism.main(["--cohort", volumes, "--real", volumes, "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_folder_without_volumes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert realism.main(["--real", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_files_do_not_depend_on_jobs_and_an_interrupted_run_goes_on(cohort: Cohort, tmp_path: Path) -> None:
    """Two processes that find patient 2 unfinished and patient 3 missing: the same bytes as in one go by one."""
    out = shutil.copytree(cohort.folder, tmp_path / "cohort")
    for file in out.rglob("*Case3*.*"):
        file.unlink()
    (out / "cohort.json").unlink()
    (out / "patients" / "Case2.json").unlink()
    (out / "sweeps" / "Case2" / "Case2-sweep.dcm").write_bytes(b"half a file")
    before = (out / "sweeps" / "Case1" / "Case1-sweep.dcm").stat().st_mtime_ns
    with pytest.raises(FormatError, match="its simulation was stopped"):  # they passed for RESECT's own
        find_cases(out / "RESECT", out / "RESECT_segmentation")
    with pytest.raises(FormatError, match="its simulation was stopped"):
        cohort_of(out / "RESECT" / "NIFTI" / "Case1" / "US" / "Case1-US-before.nii.gz")
    simulate_cohort(out, PATIENTS, SEED, jobs=2, small=True)
    assert (out / "sweeps" / "Case1" / "Case1-sweep.dcm").stat().st_mtime_ns == before
    assert _bytes(out) == _bytes(cohort.folder)


def test_other_seeds_and_kinds_give_other_patients(cohort: Cohort, tmp_path: Path) -> None:
    sealed = simulate_cohort(tmp_path / "sealed", 1, SEED, cohort="sealed", small=True)
    other = simulate_cohort(tmp_path / "other", 1, SEED + 1, small=True)
    scanners = [one.patients[0]["scanner"]["depth_mm"] for one in (cohort, sealed, other)]
    assert len(set(scanners)) == 3
    assert scanners[1] >= 62.0


@pytest.mark.parametrize(
    "change", [{"patients": 0}, {"seed": -1}, {"jobs": 0}, {"cohort": "validation"}, {"seed": SEED + 1}]
)
def test_what_makes_no_sense_is_refused(cohort: Cohort, change: dict) -> None:
    """The last one: the folder already holds the cohort of another seed."""
    arguments = {"patients": PATIENTS, "seed": SEED, "cohort": "train", "small": True} | change
    before = _bytes(cohort.folder)
    with pytest.raises(CohortError):
        simulate_cohort(cohort.folder, **arguments)
    assert _bytes(cohort.folder) == before


def test_the_clip_goes_into_a_tumour_and_out_again(tmp_path: Path) -> None:
    simulate_clip(tmp_path / "clip.dcm", 9, 7, truth=tmp_path / "truth.nii.gz")
    clip = pydicom.dcmread(tmp_path / "clip.dcm")
    truth = nib.load(tmp_path / "truth.nii.gz")
    area = np.asarray(truth.dataobj).sum(axis=(0, 1)) * np.prod(truth.header.get_zooms()[:2])
    assert clip.pixel_array.shape == (7, 512, 512)
    assert area[0] < 35
    assert area[-1] < 35
    assert area.max() > 600
    assert (tmp_path / "clip.dcm").stat().st_size < 7 * 49_000


def test_equal_pixels_give_equal_files_with_their_own_identity(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (2, 64, 64), dtype=np.uint8)
    for name, case in (("a", "Case1"), ("b", "Case1"), ("c", "Case2")):
        write_sweep(tmp_path / f"{name}.dcm", frames, 0.15, case)
    a, b, c = ((tmp_path / f"{name}.dcm").read_bytes() for name in "abc")
    assert a == b
    assert pydicom.dcmread(tmp_path / "a.dcm").SOPInstanceUID != pydicom.dcmread(tmp_path / "c.dcm").SOPInstanceUID
    assert a != c
