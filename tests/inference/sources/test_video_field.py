"""Videos as recorders, converters and pipes write them: the picture asked for, at the file's own time."""

import struct
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from senders import ffmpeg

from inference.errors import FormatError
from inference.export.mp4_times import retime
from inference.frame import Pixels
from inference.sources import open_source
from inference.sources.base import RecordedSource, read_or_black

COUNT = 90
VARIABLE = ["gap10.mp4", "jitter.mkv", "jitter.mp4", "vfr.mp4", "vfr_mp4v.mp4"]
WHOLE = {
    "gap1.mkv": 90, "live.webm": 90, "off.mkv": 90, "pipe.avi": 90, "ps_30.mpg": 30, "vcd1.mpg": 90, "vfr.webm": 90,
    "vfr.wmv": 90,
}  # fmt: skip


def number_of(grey: Pixels) -> int:
    """The picture's number, as eight blocks right of and below the middle."""
    row, col = grey.shape[0] // 2, grey.shape[1] // 2
    blocks = (grey[row + 4 : row + 12, col - 64 + 16 * bit + 4 : col - 64 + 16 * bit + 12].mean() for bit in range(8))
    return sum(int(mean > 120) << bit for bit, mean in enumerate(blocks))


def asked(source: RecordedSource, times: int = 30) -> list[tuple[int, int]]:
    """(asked for, shown) at random, after the whole sequence and before nothing."""
    order = np.random.default_rng(5).permutation(len(source))[:times]
    return [(int(index), number_of(source.read(int(index)).pixels)) for index in order]


def write_numbered(path: Path, times_s: NDArray[np.float64]) -> Path:
    """A video whose pictures tell their numbers, each with its own time."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (256, 128))
    for number in range(len(times_s)):
        picture = np.full((128, 256), 40, np.uint8)
        for bit in range(8):
            picture[64:80, 64 + 16 * bit : 80 + 16 * bit] = 220 if number >> bit & 1 else 20
        writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    writer.release()
    retime(path, times_s)
    return path


STEPS_S = {
    "gap": np.where(np.arange(COUNT) == 40, 0.44, 0.04),
    "jitter": np.random.default_rng(2).uniform(0.02, 0.09, COUNT),
    "slower": np.linspace(0.02, 0.12, COUNT),
}


@pytest.mark.parametrize("kind", STEPS_S)
def test_a_picture_is_the_one_asked_for_however_it_was_reached(tmp_path: Path, kind: str) -> None:
    the_ones_asked_for(write_numbered(tmp_path / f"{kind}.mp4", np.cumsum(STEPS_S[kind])))


@pytest.mark.parametrize("name", VARIABLE)
def test_so_it_is_in_files_of_the_field(shared_data: Path, name: str) -> None:
    the_ones_asked_for(shared_data / "field/vfr_random_access" / name)


def the_ones_asked_for(path: Path) -> None:
    with open_source(str(path)) as source:
        assert len(source) == COUNT
        assert [wrong for wrong in asked(source) if wrong[0] != wrong[1]] == []
        assert [number_of(frame.pixels) for frame in source.frames()] == list(range(COUNT))


def test_times_are_the_files(shared_data: Path) -> None:
    """Of a file with a hole of ten pictures: two rates by which a picture could be placed, and both are wrong."""
    with open_source(str(shared_data / "field/vfr_random_access/gap10.mp4")) as source:
        times = [source.read(index).time_s for index in range(COUNT)]
        steps = np.diff(np.array(times, float))
        assert np.allclose(steps[steps < 0.1], 0.04, atol=0.0011)
        assert steps.max() == pytest.approx(0.44, abs=0.0011)
        assert source.info.fps == pytest.approx((COUNT - 1) / (times[-1] or 0))


@pytest.mark.parametrize(("name", "count"), WHOLE.items())
def test_a_whole_file_is_opened_whatever_it_states(shared_data: Path, name: str, count: int) -> None:
    with open_source(str(shared_data / "field/video_refused_whole" / name)) as source:
        assert len(source) == count
        assert [wrong for wrong in asked(source, 12) if wrong[0] != wrong[1]] == []


def test_pixel_aspect_is_told(shared_data: Path) -> None:
    with open_source(str(shared_data / "field/video_sar/sar_pal169.mp4")) as source:
        assert source.info.pixel_aspect == pytest.approx(64 / 45)
        assert "1.42 times as wide as high" in source.info.notice


def numbered(number: int) -> bytes:
    """Speckle with the number in it."""
    picture = np.random.default_rng(number).integers(60, 100, (120, 160)).astype(np.uint8)
    for bit in range(8):
        picture[62:76, 16 + 16 * bit : 32 + 16 * bit] = 230 if number >> bit & 1 else 20
    return picture.tobytes()


def encoded(path: Path, *options: str, count: int = 60) -> Path:
    raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "160x120", "-r", "25", "-i", "-")
    pictures = b"".join(map(numbered, range(count)))
    command = (ffmpeg(), "-loglevel", "error", *raw, "-pix_fmt", "yuv420p", *options, str(path))
    subprocess.run(command, input=pictures, check=True, timeout=60)
    return path


SIBLINGS = {
    "packed_b.avi": ("-c:v", "mpeg4", "-bf", "2", "-g", "12", "-q:v", "2"),
    "open_gop.mkv": ("-c:v", "libx264", "-x264-params", "open-gop=1:keyint=12:bframes=3", "-crf", "12"),
    "hidden.webm": ("-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-g", "20", "-b:v", "2M"),
    "moved.mp4": ("-c:v", "libx264", "-crf", "12", "-vf", "setpts=PTS+N*N*0.0004/TB", "-fps_mode", "passthrough"),
    "every_other.mkv": ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=15", "-crf", "12"),
}


@pytest.mark.parametrize("name", SIBLINGS)
def test_siblings_of_other_codecs_and_containers(tmp_path: Path, name: str) -> None:
    with open_source(str(encoded(tmp_path / name, *SIBLINGS[name]))) as source:
        assert len(source) == 60
        assert [wrong for wrong in asked(source) if wrong[0] != wrong[1]] == []
        times = [frame.time_s or 0 for frame in source.frames()]
        assert times == sorted(set(times))


INTERLACED = {
    "halves.mpg": ("-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-g", "9", "-bf", "2", "-q:v", "2"),
    "interlaced.mp4": ("-c:v", "libx264", "-x264-params", "interlaced=1:keyint=20", "-crf", "12"),
}


@pytest.mark.parametrize("name", INTERLACED)
def test_interlaced_video_is_refused_and_never_shown_as_noise(tmp_path: Path, name: str) -> None:
    """OpenCV hands out memory that nobody wrote for each of its pictures."""
    with pytest.raises(FormatError, match=f"{name} is interlaced.*yadif"):
        open_source(str(encoded(tmp_path / name, *INTERLACED[name])))


def test_a_video_ends_where_its_picture_changes_its_size(tmp_path: Path) -> None:
    parts = [
        encoded(tmp_path / f"{size}.ts", "-c:v", "libx264", "-vf", f"scale={size}") for size in ("160:120", "240:120")
    ]
    path = tmp_path / "both.mpeg"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with open_source(str(path)) as source:
        assert (len(source), source.info.rows, source.info.cols) == (60, 120, 160)
        assert source.info.notice == "From frame 60 on the picture has 240 × 120 pixels: that part is left out."
        assert number_of(source.read(59).pixels) == 59


def test_a_name_with_a_colon_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("2026-01-01T12:30:00.mp4", "cache:a.mp4", "subfile,,start,0,,:b.mp4", "frame%03d.mkv"):
        encoded(tmp_path / name, "-c:v", "mpeg4", count=5) if ":" not in name else encoded(
            tmp_path / "plain.mp4", "-c:v", "mpeg4", count=5
        ).rename(tmp_path / name)
        with open_source(name) as source:
            assert len(source) == 5


LISTS = {
    "list.mp4": "ffconcat version 1.0\nfile other.mp4\n",
    "list.mkv": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nother.mp4\n#EXT-X-ENDLIST\n",
    "list.avi": "<?xml version='1.0'?><MPD type='static'><Period><AdaptationSet><Representation><BaseURL>other.mp4"
    "</BaseURL></Representation></AdaptationSet></Period></MPD>",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_file_that_names_another_one_opens_nothing(tmp_path: Path, name: str) -> None:
    encoded(tmp_path / "other.mp4", "-c:v", "mpeg4", count=5)
    (tmp_path / name).write_text(LISTS[name])
    with pytest.raises(FormatError, match="not a video that can be decoded"):
        open_source(str(tmp_path / name))


def test_one_picture_and_none(tmp_path: Path) -> None:
    with open_source(str(encoded(tmp_path / "one.mp4", "-c:v", "mpeg4", count=1))) as source:
        assert len(source) == 1
        assert source.info.fps is None or source.info.fps > 0
    writer = cv2.VideoWriter(
        str(tmp_path / "none.avi"), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (160, 120)
    )
    writer.release()
    with pytest.raises(FormatError):
        open_source(str(tmp_path / "none.avi"))


def test_what_damage_left_of_a_picture_is_not_shown(tmp_path: Path) -> None:
    """A decoder fills lost parts with older pictures, and those that are built on them too, without an error."""
    path = encoded(tmp_path / "a.mp4", "-c:v", "libx264", "-g", "12", "-bf", "2", "-crf", "12")
    data = bytearray(path.read_bytes())
    for share in (0.35, 0.5):
        at = data.index(b"mdat") + int((len(data) - data.index(b"mdat")) * share)
        data[at : at + 40] = np.random.default_rng(0).bytes(40)
    path.write_bytes(data)
    with open_source(str(path)) as source:
        assert len(source) == 60
        for order in (np.arange(60), np.random.default_rng(1).permutation(60)[:20]):
            shown = {int(index): read_or_black(source, int(index)) for index in order}
            lost = {index for index, frame in shown.items() if not frame.pixels.any()}
            for index in shown.keys() - lost:
                there = np.frombuffer(numbered(index), np.uint8).reshape(120, 160)
                assert np.abs(shown[index].pixels.astype(int) - there).mean() < 3
            assert 1 <= len(lost) <= 30
            assert not lost & {*range(12), *range(48, 60)}, "pictures that no damage can reach"


def turned(path: Path, to: Path, *matrix: int) -> str:
    """The MP4 with another matrix (a, b, c, d) in its track's header (ISO/IEC 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    a, b, c, d = (number << 16 for number in matrix)
    data[at : at + 20] = struct.pack(">5i", a, b, 0, c, d)
    to.write_bytes(data)
    return str(to)


def test_a_quarter_turn_is_made_and_a_mirror_refused(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", np.arange(5) / 25)
    with open_source(turned(path, tmp_path / "b.mp4", 0, 1, -1, 0)) as source:
        assert (source.info.rows, source.info.cols) == (256, 128)
    for mirrored in ((-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (1, 1, -1, 1)):
        with pytest.raises(FormatError, match="mirrored or aslant"):
            open_source(turned(path, tmp_path / "c.mp4", *mirrored))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_of_two_videos_it_is_said_which_one_is_shown(tmp_path: Path, suffix: str) -> None:
    for copies in (1, 2):
        path = encoded(tmp_path / f"{copies}{suffix}", *("-map", "0:v") * copies, "-c:v", "mpeg4", count=5)
        with open_source(str(path)) as source:
            assert ("holds 2 videos: the first one is shown" in source.info.notice) == (copies == 2)


def test_where_the_clock_begins_anew_no_picture_is_another_ones(tmp_path: Path) -> None:
    """Two recordings in one file, the second of another size: the decoder loses the last picture of the first."""
    small, large = (
        encoded(tmp_path / f"{size}.mpg", "-vf", f"scale={size}", "-c:v", "mpeg2video", "-f", "mpeg", count=24)
        for size in ("160:120", "320:240")
    )
    (tmp_path / "a.mpg").write_bytes(small.read_bytes() + large.read_bytes())
    with open_source(str(tmp_path / "a.mpg")) as source:
        assert 20 <= len(source) <= 24
        assert [number_of(frame.pixels) for frame in source.frames()] == list(range(len(source)))
        assert "the picture has 320 × 240 pixels" in source.info.notice
        assert np.diff([frame.time_s or 0 for frame in source.frames()]) == pytest.approx(0.04)
    (tmp_path / "b.mpg").write_bytes(small.read_bytes() * 2)
    with open_source(str(tmp_path / "b.mpg")) as source:
        assert source.info.fps == pytest.approx(25)


def test_the_first_half_of_a_file_is_shown(tmp_path: Path) -> None:
    """With its table of contents at its beginning, which lists pictures that are no longer there."""
    path = encoded(tmp_path / "a.mp4", "-c:v", "mpeg4", "-g", "6", "-movflags", "faststart")
    with open_source(str(path)) as source:
        assert not source.info.notice
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with open_source(str(path)) as source:
        assert 6 < len(source) < 40
        assert "The end of this file is missing" in source.info.notice
        *whole, last = (read_or_black(source, index).pixels for index in range(len(source)))
        assert [number_of(pixels) for pixels in whole] == list(range(len(source) - 1))
        assert not last.any() or number_of(last) == len(source) - 1, "the picture that was cut in two"


def test_damage_in_the_last_pictures_costs_no_others(tmp_path: Path) -> None:
    """All of them are built on one key picture: none can be believed behind the damage, and all before it can."""
    path = encoded(tmp_path / "a.mp4", "-c:v", "mpeg4", "-g", "250", "-sc_threshold", "1000000000", count=90)
    data = bytearray(path.read_bytes())
    at = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 4
    data[at : at + 40] = np.random.default_rng(0).bytes(40)
    path.write_bytes(data)
    with open_source(str(path)) as source:
        shown = [index for index in range(90) if read_or_black(source, index).pixels.any()]
        assert len(source) == 90
        assert shown == list(range(len(shown)))
        assert 0 < len(shown) < 40
