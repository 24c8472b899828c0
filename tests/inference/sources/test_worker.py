"""Decoders in a process of their own: what a file does there ends there, and the next one opens."""

import os
import signal
import sys
import threading
from pathlib import Path
from time import monotonic

import jpeg_ls
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, UltrasoundMultiFrameImageStorage, generate_uid

from inference.errors import ChoiceError, FormatError, SourceError
from inference.limits import available
from inference.sources import open_source, remote
from inference.sources.base import RecordedSource
from inference.sources.remote import CONNECT_S, RemoteSource
from inference.sources.wire import Connect
from inference.sources.worker import Worker
from inference.sources.worker_process import ROOM
from inference.spacing import PixelSpacing, Provenance

if os.name == "nt":
    pytest.skip("signals of POSIX", allow_module_level=True)


@pytest.fixture
def clip(tmp_path: Path) -> RemoteSource:
    np.save(tmp_path / "seed.npy", np.zeros(1))
    return opened(tmp_path)


def opened(folder: Path, count: int = 6) -> RemoteSource:
    import cv2

    for number in range(count):
        picture = np.full((64, 80), 40 + 20 * number, np.uint8)
        assert cv2.imwrite(str(folder / f"{number}.png"), picture)
    source = open_source(str(folder), spacing=PixelSpacing(0.2, 0.3, Provenance.TYPED))
    assert isinstance(source, RemoteSource)
    return source


def process_of(source: RemoteSource) -> int:
    worker = source._worker
    assert worker is not None
    return worker._process.pid


def values(source: RecordedSource) -> list[int]:
    return [int(frame.pixels[0, 0]) for frame in source.frames()]


def jpeg2000(picture: NDArray[np.uint8]) -> bytes:
    import cv2

    return cv2.imencode(".jp2", picture, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])[1].tobytes()


ABORTING = {
    "j2k-RGB.dcm": (JPEG2000Lossless, jpeg2000, {"PhotometricInterpretation": "RGB"}),
    "jls-Rows91.dcm": (JPEGLSLossless, lambda picture: jpeg_ls.encode_array(picture), {"Rows": 91}),
}
"""Whole streams under a header that contradicts them: gdcm ends its process on both."""


def write_aborting(folder: Path, name: str) -> Path:
    syntax, encode, lie = ABORTING[name]
    picture = np.random.default_rng(3).integers(0, 255, (90, 120)).astype(np.uint8)
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = UltrasoundMultiFrameImageStorage, generate_uid()
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames, dataset.SamplesPerPixel = 90, 120, 3, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    for keyword, value in lie.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = encapsulate([bytes(encode(picture))] * 3)
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dcmwrite(folder / name, dataset, enforce_file_format=True)
    return folder / name


def refused_beside(clip: RemoteSource, path: Path) -> None:
    with clip:
        with pytest.raises(FormatError, match=path.name) as told:
            open_source(str(path))
        assert "\n" not in str(told.value)
        assert values(clip) == [40, 60, 80, 100, 120, 140]


@pytest.mark.parametrize("name", ABORTING)
def test_a_file_that_aborts_its_decoder_is_one_sentence(
    tmp_path: Path, name: str, clip: RemoteSource, caplog: pytest.LogCaptureFixture
) -> None:
    made = tmp_path / "aborting"
    made.mkdir()
    refused_beside(clip, write_aborting(made, name))
    assert "the decoding process is lost" in caplog.text, "it was no abort"


@pytest.mark.parametrize("name", ["abort-j2k-RGB.dcm", "abort-jls-Rows91.dcm"])
def test_a_file_that_aborted_in_the_field_is_one_sentence(shared_data: Path, name: str, clip: RemoteSource) -> None:
    refused_beside(clip, shared_data / "hostile/min" / name)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_frame_that_ends_its_decoder_is_lost_and_no_other(clip: RemoteSource, end: int) -> None:
    with clip:
        first = process_of(clip)
        os.kill(first, end)
        with pytest.raises(FormatError, match=r"Frame 3 .* cannot be decoded"):
            clip.read(3)
        frame = clip.read(3)
        assert frame.pixels[0, 0] == 100
        assert frame.spacing == PixelSpacing(0.2, 0.3, Provenance.TYPED)
        assert process_of(clip) != first


def test_a_decoder_that_hangs_is_ended(clip: RemoteSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "READ_S", 0.5)
    with clip:
        os.kill(process_of(clip), signal.SIGSTOP)
        with pytest.raises(FormatError, match="Frame 0"):
            clip.read(0)
        monkeypatch.setattr(remote, "READ_S", 10.0)
        assert values(clip) == [40, 60, 80, 100, 120, 140]


def test_a_file_that_became_another_meanwhile_is_told(clip: RemoteSource, tmp_path: Path) -> None:
    with clip:
        os.kill(process_of(clip), signal.SIGKILL)
        with pytest.raises(FormatError):
            clip.read(0)
        (tmp_path / "5.png").unlink()
        with pytest.raises(SourceError, match="another file"):
            clip.read(0)


def test_one_process_is_kept_for_the_next_file(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        number = process_of(first)
    with opened(tmp_path) as second:
        assert process_of(second) == number
    assert second._worker is None


def test_two_sources_have_two_processes(tmp_path: Path) -> None:
    with opened(tmp_path) as first, opened(tmp_path) as second:
        assert process_of(first) != process_of(second)
        os.kill(process_of(first), signal.SIGSTOP)
        assert values(second) == [40, 60, 80, 100, 120, 140]


def test_a_closed_source_reads_no_more(clip: RemoteSource) -> None:
    clip.close()
    clip.close()
    assert values(clip) == []
    with pytest.raises(SourceError, match="closed"):
        clip.read(0)


@pytest.mark.parametrize("opening", [False, True])
def test_closing_waits_for_no_read(clip: RemoteSource, tmp_path: Path, opening: bool) -> None:
    """Nor for the process that takes the place of a lost one, and has not opened the file yet."""
    stopped = process_of(clip)
    if opening:
        with opened(tmp_path) as other:
            stopped = process_of(other)
        os.kill(process_of(clip), signal.SIGKILL)
        with pytest.raises(FormatError):
            clip.read(0)
    os.kill(stopped, signal.SIGSTOP)
    told: list[str] = []

    def read() -> None:
        try:
            clip.read(0)
        except SourceError as error:
            told.append(str(error))

    reading = threading.Thread(target=read)
    reading.start()
    end = monotonic() + 5
    while not (clip._worker is not None and clip._worker._lock.locked()):
        assert monotonic() < end
        reading.join(0.001)
    begun = monotonic()
    clip.close()
    reading.join(5)
    assert monotonic() - begun < 2
    (sentence,) = told
    assert "is closed: open it again." in sentence
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, 0)


def test_errors_keep_their_kind(tmp_path: Path, shared_data: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    with pytest.raises(FormatError):
        open_source(str(tmp_path / "no.mp4"))
    with pytest.raises(ChoiceError, match="no axis"):
        open_source(str(shared_data / "field/clip_2d_t/nf_2dt.nii"), axis="q")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pixels_and_masks_cross_whole(tmp_path: Path, dtype: type) -> None:
    import nibabel as nib

    generator = np.random.default_rng(3)
    voxels: NDArray[np.generic] = generator.integers(0, 250, (31, 40, 5)).astype(dtype)
    path = tmp_path / "v.nii"
    image = nib.Nifti1Image(voxels, np.diag([0.3, 0.4, 0.5, 1.0]))
    image.to_filename(path)
    with open_source(str(path)) as source:
        for number in range(5):
            np.testing.assert_array_equal(source.read(number).pixels, voxels[..., number].T)
        masks = [(generator.random((40, 31)) > 0.5).astype(np.uint8) for _ in range(5)]
        source.save_masks(masks, str(tmp_path / "m.nii.gz"))
    written = np.asarray(nib.load(tmp_path / "m.nii.gz").dataobj)
    np.testing.assert_array_equal(written, np.stack(masks).T)


@pytest.mark.skipif(sys.platform != "linux", reason="no such limit elsewhere")
def test_its_memory_is_limited_by_the_size_of_its_file(clip: RemoteSource) -> None:
    """A gigabyte and twice the file, beyond what the process itself has."""
    assert clip._worker is not None
    limits = Path(f"/proc/{clip._worker._process.pid}/limits").read_text()
    (limit,) = [line.split()[3] for line in limits.splitlines() if line.startswith("Max data size")]
    assert limit != "unlimited"
    assert ROOM < int(limit) < 3 * ROOM


@pytest.mark.skipif(sys.platform != "linux", reason="no such limit elsewhere")
def test_a_file_larger_than_the_memory_leaves_the_computer_some(tmp_path: Path, clip: RemoteSource) -> None:
    """A hole of 100 GB takes no room on the disk, and all of the memory where it is read whole."""
    huge = tmp_path / "huge.mha"
    with huge.open("wb") as file:
        file.write(b"NDims = 3\nDimSize = 64 64 3\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n")
        file.truncate(100 << 30)
    with clip, pytest.raises(FormatError, match=r"huge\.mha needs more memory"):
        open_source(str(huge))
    with open_source(str(tmp_path)) as again:  # its process was kept
        assert isinstance(again, RemoteSource)
        assert again._worker is not None
        limits = Path(f"/proc/{again._worker._process.pid}/limits").read_text()
    huge.unlink()
    (limit,) = [line.split()[3] for line in limits.splitlines() if line.startswith("Max data size")]
    assert int(limit) < available() + 3 * ROOM


def test_a_folder_of_many_files_has_the_time_to_be_read(clip: RemoteSource, tmp_path: Path) -> None:
    alone = remote._bytes(tmp_path / "0.png")
    with clip:
        assert remote._bytes(tmp_path) > 6 * (alone + remote.FILE_BYTES)


@pytest.mark.skipif(sys.platform != "linux", reason="no such limit elsewhere")
def test_the_memory_of_a_stream_is_limited_too() -> None:
    worker = Worker()
    try:
        with pytest.raises(SourceError, match="Nothing comes from"):
            worker.ask(Connect("tcp://127.0.0.1:1"), CONNECT_S)
        limits = Path(f"/proc/{worker._process.pid}/limits").read_text()
    finally:
        worker.end()
    (limit,) = [line.split()[3] for line in limits.splitlines() if line.startswith("Max data size")]
    assert limit != "unlimited"
    assert ROOM < int(limit) < 3 * ROOM
