"""Checksums of a Matroska file tell what its codec hides."""

import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from inference.errors import SourceError
from inference.sources import open_here as open_source
from inference.sources.matroska import torn_ms

MARK = b"\x1f\x43\xb6\x75"
CODECS = {
    "hevc": (
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=none:keyint=20:min-keyint=20:scenecut=0",
        "-preset",
        "ultrafast",
    ),
    "vp8": ("-c:v", "libvpx", "-g", "20", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M"),
}


@pytest.fixture(scope="module", params=CODECS)
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 pictures in three clusters, each of which begins with a key picture."""
    ffmpeg = shutil.which("ffmpeg") or pytest.skip("ffmpeg is not here")
    path = tmp_path_factory.mktemp("video") / f"{request.param}.mkv"
    speckle = np.random.default_rng(0).integers(40, 200, (60, 120, 160)).astype(np.uint8)
    raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "160x120", "-r", "25", "-i", "-", "-pix_fmt", "yuv420p")
    command = (ffmpeg, "-v", "error", *raw, *CODECS[request.param], str(path))
    subprocess.run(command, input=speckle.tobytes(), check=True, timeout=60)
    return path


def flipped(path: Path, at: int) -> Path:
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    damaged = path.with_name("damaged.mkv")
    damaged.write_bytes(data)
    return damaged


def clusters(path: Path) -> list[int]:
    data, found = path.read_bytes(), [-1]
    while (at := data.find(MARK, found[-1] + 1)) >= 0:
        found.append(at)
    return found[1:]


def test_what_is_whole_has_no_damage_and_a_cut_is_none(video: Path) -> None:
    assert len(clusters(video)) == 3
    assert torn_ms(video) == ()
    cut = video.with_name("cut.mkv")
    cut.write_bytes(video.read_bytes()[: clusters(video)[2] + 500])
    assert torn_ms(cut) == ()


def test_a_flipped_bit_is_found_wherever_it_is(video: Path) -> None:
    """In the identifier, the length, the checksum, the time and the pictures of a cluster."""
    first, second, third = clusters(video)
    for at in (*range(second, second + 16), (second + third) // 2):
        spans = torn_ms(flipped(video, at))
        assert min(begins for begins, _ in spans) <= 800.0, at
        assert max(ends for _, ends in spans) >= 1600.0, at
    assert torn_ms(flipped(video, (first + second) // 2)) == ((0.0, 800.0),)
    assert torn_ms(flipped(video, third + 900)) == ((1600.0, math.inf),)


def test_no_picture_of_a_damaged_cluster_is_shown_and_the_others_are_right(video: Path) -> None:
    """The decoder smears them, and says nothing."""
    _, second, third = clusters(video)
    with open_source(str(video)) as whole, open_source(str(flipped(video, (second + third) // 2))) as torn:
        assert len(torn) == 60
        for number in range(20, 40):
            with pytest.raises(SourceError, match="checksum"):
                torn.read(number)
        for number in (0, 3, 40, 59):
            np.testing.assert_array_equal(torn.read(number).pixels, whole.read(number).pixels)


def test_other_files_have_none(tmp_path: Path) -> None:
    for data in (b"", b"\x1a\x45\xdf\xa3", b"RIFF", b"\x1a\x45\xdf\xa3\x80" + MARK + b"\xff" + bytes(40)):
        (tmp_path / "a.mkv").write_bytes(data)
        assert torn_ms(tmp_path / "a.mkv") == ()
