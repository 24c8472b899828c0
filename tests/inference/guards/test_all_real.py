"""The guards on real ultrasound: silent on good pictures, and firing on what is really there."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import msgspec
import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from inference.alarms import Alarm
from inference.assets import demo_clip_path, demo_model_path
from inference.contract import Seen
from inference.frame import Frame, View
from inference.guards.all import every_guard
from inference.model.engine import Engine
from inference.sources import open_source
from inference.sources.base import RecordedSource
from inference.sources.dicom_region import WHOLE
from inference.sources.simulated import PhantomSource

PERIOD_S = 0.04
FOREIGN = {Alarm.UNLIKE_TRAINING}


@pytest.fixture(scope="module")
def seen() -> Seen:
    """What the bundled model saw."""
    return Engine.load(demo_model_path()).contract.input.seen


def alarms(source: RecordedSource, seen: Seen, *, view: View | None = None, live: bool = False) -> Counter[Alarm]:
    """How often each guard fires when every frame of a source comes once."""
    return counted((source.read(index) for index in range(len(source))), seen, view=view, live=live)


def counted(frames: Iterable[Frame], seen: Seen, *, view: View | None = None, live: bool = False) -> Counter[Alarm]:
    watch, found = every_guard(), Counter[Alarm]()
    for step, frame in enumerate(frames):
        origin = replace(frame.origin, live=live, view=view or frame.origin.view)
        shown = replace(frame, origin=origin, captured_at=step * PERIOD_S)
        found.update(finding.alarm for finding in watch.look(shown, seen))
    return found


@pytest.mark.parametrize("live", [False, True])
def test_the_demonstration_clip_breaks_no_guard(seen: Seen, live: bool) -> None:
    with open_source(str(demo_clip_path())) as source:
        assert alarms(source, seen, live=live) == {}


@pytest.mark.parametrize("speckle", [0.0, 0.3])
def test_the_phantom_breaks_no_guard(seen: Seen, speckle: float) -> None:
    assert alarms(PhantomSource(count=60, speckle=speckle), seen, live=True) == {}


@pytest.fixture(scope="module")
def finer(seen: Seen) -> Seen:
    """What a model saw that was trained on smaller pixels than the volumes' 0.5 mm, and else as the bundled one."""
    return msgspec.structs.replace(seen, spacing_mm=(0.1, 0.4))


@pytest.fixture(scope="module")
def speckled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume like the real ones: tissue of several echogenicities under speckle, black around it, 0.5 mm a voxel."""
    path, rng, shape = tmp_path_factory.mktemp("volume") / "volume.nii.gz", np.random.default_rng(4), (72, 80, 64)
    speckle = np.abs(gaussian_filter(rng.normal(size=shape), 0.8) + 1j * gaussian_filter(rng.normal(size=shape), 0.8))
    tissue = gaussian_filter(rng.normal(size=shape), 7)
    grey = np.clip(110 + 45 * (np.log(speckle / np.median(speckle)) + 0.35 * tissue / tissue.std()), 1, 255)
    away = sum(((at - (side - 1) / 2) / (side / 2)) ** 2 for at, side in zip(np.indices(shape), shape, strict=True))
    volume = np.where(away < 0.95, grey, 0).astype(np.float32)
    nib.Nifti1Image(volume, np.diag([0.5, 0.5, 0.5, 1])).to_filename(path)
    return path


def breaks_only_that_of_the_training_data(path: Path, seen: Seen, axis: str) -> None:
    with open_source(str(path), axis=axis) as source:
        found = alarms(source, seen)
        assert found.keys() == FOREIGN, (path.name, found)
        assert found[Alarm.UNLIKE_TRAINING] == len(source)  # 0.5 mm a pixel


@pytest.mark.parametrize("axis", "ijk")
def test_no_sweep_of_a_volume_breaks_any_but_that_of_the_training_data(finer: Seen, speckled: Path, axis: str) -> None:
    breaks_only_that_of_the_training_data(speckled, finer, axis)


@pytest.mark.parametrize("axis", "ijk")
def test_nor_does_any_of_a_real_volume(finer: Seen, shared_data: Path, axis: str) -> None:
    volumes = sorted((shared_data / "resect" / "us").iterdir())
    assert len(volumes) == 9
    for path in volumes:
        breaks_only_that_of_the_training_data(path, finer, axis)


def test_real_slices_shown_as_a_probe_s_pictures_break_none_either(finer: Seen, shared_data: Path) -> None:
    """Brain as a live scan would show it; the ends of a sweep, with next to nothing in them, are left out."""
    for path in sorted((shared_data / "resect" / "us").iterdir()):
        with open_source(str(path)) as source:
            frames = [source.read(index) for index in range(0, len(source), 2)]
            full = [frame for frame in frames if np.count_nonzero(frame.pixels) > 0.1 * frame.pixels.size]
            assert len(full) > 40
            found = counted(full, finer, view=View.NATIVE, live=True)
            assert found.keys() == FOREIGN, (path.name, found)


REAL: list[tuple[str, int | None, set[Alarm]]] = [
    ("color3d_jpeg_baseline.dcm", None, set()),
    ("JPGLosslessP14SV1_1s_1f_8b.dcm", None, set()),
    ("examples_ybr_color.dcm", None, set()),
    ("gdcm-US-ALOKA-16.dcm", WHOLE, {Alarm.PANES, Alarm.GRAPHICS}),
    ("gdcm-US-ALOKA-16.dcm", 0, {Alarm.GRAPHICS}),  # a text is burnt into this pane
    ("gdcm-US-ALOKA-16.dcm", 1, set()),
    ("US1_UNCR.dcm", None, {Alarm.COLOUR, Alarm.GRAPHICS}),  # power Doppler in drawn boxes
]


@pytest.mark.parametrize(("name", "region", "expected"), REAL)
def test_real_dicom_files_break_what_they_should(
    seen: Seen, real_dicom: Callable[[str], str], name: str, region: int | None, expected: set[Alarm]
) -> None:
    with open_source(real_dicom(name), region=region) as source:
        frames = [source.read(index) for index in range(0, len(source), 4)]
        assert counted(frames, seen).keys() - FOREIGN == expected


def test_a_probe_that_a_scanner_recorded_in_air_is_lifted(seen: Seen, real_dicom: Callable[[str], str]) -> None:
    """A picture that pydicom shrunk: rings below the probe face and nothing else, cropped to the sector."""
    frame = open_source(real_dicom("examples_palette.dcm")).read(0)
    cropped = np.zeros_like(frame.pixels)
    cropped[66:, 320:600] = frame.pixels[66:, 320:600]
    assert counted([replace(frame, pixels=cropped, colour=None)], seen).keys() - FOREIGN == {Alarm.LIFTED}


PLUS: list[tuple[str, set[Alarm]]] = [
    ("BkCurvilinearScanConvertedData.igs.mha", set()),
    ("NrrdSample.igs.nrrd", set()),
    ("NwirePhantomFreehand.igs.mha", set()),  # bright wires in black water
    ("SegmentationTest_BKMedical_RandomStepperMotionData2_Trimmed.igs.mha", set()),  # text around the sector
]


@pytest.mark.parametrize(("name", "expected"), PLUS)
def test_tracked_sequences_of_phantoms_break_what_they_should(
    seen: Seen, shared_data: Path, name: str, expected: set[Alarm]
) -> None:
    with open_source(str(shared_data / "plus" / name)) as source:
        assert alarms(source, seen).keys() - FOREIGN == expected
