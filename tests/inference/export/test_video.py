"""A video of a record, decoded again: times, contours and words are its own, and nothing is outside the sector."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from answers import LIMITS
from numpy.typing import NDArray
from outcomes import ANALYSIS

from inference import cli
from inference.errors import OutputError
from inference.export.deidentified import DeidentifiedRecord
from inference.export.mp4_times import durations, retime
from inference.export.picture import CYAN, annotated, text_rows
from inference.export.record_capture import capture_of
from inference.export.video import write_video
from inference.export.words import caption
from inference.frame import Frame, Origin, View
from inference.model.segmentation import regions_of
from inference.outcome import NothingFound, Outcome, Tumour
from inference.recording.recorder import Recorder
from inference.safety import INTENDED_USE, NOT_ANALYSED
from inference.source_info import SourceInfo
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance

TIMES_S = (0.0, 0.041, 0.079, 0.500, 0.5335, 2.25, 2.251)
"""A rate that varies, with a pause; the last two within a millisecond."""
NOTHING, PASSED_OVER = 2, 4
ROWS, COLS = 301, 541
ORIGIN = Origin("OR3 grabber", View.NATIVE, live=True)
SPACING = PixelSpacing(0.2, 0.2, Provenance.RULER)


def centre(number: int) -> tuple[int, int]:
    """Where the tumour of a frame is: (x, y)."""
    return 200 + 22 * number, 150


def frame(number: int) -> Frame:
    """A screen with a name above the sector."""
    pixels = np.zeros((ROWS, COLS), np.uint8)
    with PhantomSource(rows=220, cols=380, count=8, speckle=0.2) as phantom:
        pixels[50:270, 70:450] = phantom.read(number).pixels
    cv2.putText(pixels, "DOE JANE 1961", (300, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 230, 2)
    return Frame(number, pixels, SPACING, TIMES_S[number], ORIGIN)


def outcome(number: int) -> Outcome:
    shown = frame(number)
    if number == NOTHING:
        return NothingFound(shown, ANALYSIS)
    mask = cv2.circle(np.zeros((ROWS, COLS), np.uint8), centre(number), 45, 1, -1)
    return Tumour(shown, ANALYSIS, mask, regions_of(mask, mask - np.float32(0.5), shown, LIMITS))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "iUS-20260301-101500.mcap"
    info = SourceInfo(ORIGIN, ROWS, COLS, SPACING, "", (0.0, 255.0))
    recorder = Recorder(path, info, case_code="GL-017", start=0.0)
    for number in range(len(TIMES_S)):
        said = outcome(number)
        recorder.frame(said.frame)
        if number != PASSED_OVER:
            recorder.outcome(said)
    assert recorder.close().error == ""
    return path


def decoded(path: Path) -> list[tuple[float, NDArray[np.uint8]]]:
    """Time, in seconds, and picture of each frame."""
    video, found = cv2.VideoCapture(str(path)), []
    while True:
        there, picture = video.read()
        if not there:
            return found
        found.append((video.get(cv2.CAP_PROP_POS_MSEC) / 1000, picture.astype(np.uint8)))


def coloured(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n, 2) x and y of pixels in the contour's colour."""
    near = np.abs(picture.astype(int) - CYAN).max(axis=2) < 90
    return np.argwhere(near & (np.ptp(picture, axis=2) > 90))[:, ::-1]


def test_each_picture_has_its_own_time_contour_and_words(path: Path, tmp_path: Path) -> None:
    with DeidentifiedRecord(path, None) as source:
        settings = source.settings()
        captures = [capture_of(source, number, settings[number]) for number in range(len(source))]
        frames = decoded(write_video(source, tmp_path / "video.mp4"))
    assert [time for time, _ in frames] == pytest.approx([*TIMES_S[:-1], 2.251], abs=0.00051)
    rows = max(map(text_rows, captures))
    for number, (capture, (_, picture)) in enumerate(zip(captures, frames, strict=True)):
        expected = annotated(capture, rows)
        high, wide = expected.shape[:2]
        off = np.abs(picture[:high, :wide].astype(int) - expected)
        assert off.mean() < 6, "it is this frame, with its own words"
        assert off[ROWS:].mean() < 4
        words = caption(capture)
        assert INTENDED_USE in words
        assert any(line.startswith(NOT_ANALYSED) for line in words) == (number == PASSED_OVER)
        line = coloured(picture[:ROWS])
        if number in (NOTHING, PASSED_OVER):
            assert len(line) < 20
        else:
            assert (line.min(axis=0) + line.max(axis=0)) / 2 == pytest.approx(centre(number), abs=4)


def test_nothing_of_a_name_is_in_a_video(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli.main(["export", str(path), "--out", str(out), "--video"]) == cli.WELL
    for _, picture in decoded(out / "video.mp4"):
        assert picture[:40].max() < 12, "black where the name stood"
        assert picture[50:270].max() > 100, "and the tissue is there"
    content = (out / "video.mp4").read_bytes()
    assert not any(secret in content for secret in (b"20260301", b"grabber", b"DOE"))


def test_where_no_sector_is_known_no_video_is_written(tmp_path: Path) -> None:
    info = SourceInfo(ORIGIN, ROWS, COLS, SPACING, "", (0.0, 255.0))
    recorder = Recorder(tmp_path / "whole.mcap", info, start=0.0)
    noise = np.random.default_rng(1).integers(90, 110, (ROWS, COLS)).astype(np.uint8)
    recorder.frame(replace(frame(0), pixels=noise))
    recorder.close()
    out = tmp_path / "out"
    assert cli.main(["export", str(tmp_path / "whole.mcap"), "--out", str(out), "--video"]) == cli.BAD_INPUT
    assert not list(out.glob("*.mp4"))


def test_a_video_that_was_cut_off_is_told_not_kept(path: Path, tmp_path: Path) -> None:
    with DeidentifiedRecord(path, None) as source:
        whole = write_video(source, tmp_path / "video.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    for content in (b"", whole[:5000], whole[:-40], whole):
        cut.write_bytes(content)
        with pytest.raises(OutputError, match="free space"):
            retime(cut, [*TIMES_S, 9.0])


def test_pictures_of_one_moment_follow_each_other() -> None:
    assert durations([5.0]) == [1000]
    assert durations([5.0, 5.0, 5.0, 5.04]) == [1, 1, 38, 38]
    assert sum(durations([0.0, *np.cumsum([0.0333] * 3000)])[:-1]) == pytest.approx(99_900, abs=1), "no drift"
