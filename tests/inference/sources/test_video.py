"""Videos: every frame is the one asked for, in whatever order it is asked."""

import cv2
import numpy as np
import pytest

from inference.errors import FormatError
from inference.sources import open_source

FORMATS = [("a.avi", "MJPG"), ("a.mp4", "mp4v"), ("a.mov", "mp4v"), ("a.mkv", "MJPG")]
COUNT = 70


def marked(number):
    """A bright sector with the frame's number in it, as 7 big black or white squares."""
    picture = np.zeros((120, 160), np.uint8)
    picture[10:110, 10:150] = 90
    for bit in range(7):
        picture[50:66, 20 + bit * 18 : 34 + bit * 18] = 240 if number >> bit & 1 else 20
    return picture


def number_of(pixels):
    return sum((int(pixels[54:62, 24 + bit * 18 : 30 + bit * 18].mean()) > 130) << bit for bit in range(7))


def write(path, codec, count=COUNT):
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), 25.0, (160, 120))
    assert writer.isOpened()
    for number in range(count):
        writer.write(cv2.cvtColor(marked(number), cv2.COLOR_GRAY2BGR))
    writer.release()
    return str(path)


@pytest.mark.parametrize(("name", "codec"), FORMATS)
def test_any_order_gives_the_frames_of_the_sequence(tmp_path, name, codec):
    with open_source(write(tmp_path / name, codec)) as source:
        assert len(source) == COUNT
        assert source.info.fps == 25
        assert source.info.spacing is None
        in_order = [frame.pixels for frame in source.frames()]
        assert [number_of(pixels) for pixels in in_order] == list(range(COUNT))
        for index in np.random.default_rng(2).permutation(COUNT):
            frame = source.read(int(index))
            np.testing.assert_array_equal(frame.pixels, in_order[index])
            assert frame.time_s == pytest.approx(index / 25)


def test_outside_the_sector_is_exactly_zero(tmp_path):
    with open_source(write(tmp_path / "a.avi", "MJPG")) as source:
        pixels = source.read(3).pixels
        assert not pixels[:6].any()
        assert not pixels[:, -6:].any()
        assert pixels[12:108, 12:148].all()


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_what_is_no_video_is_refused(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    for data in (b"", b"no video at all" * 100):
        path.write_bytes(data)
        with pytest.raises(FormatError):
            open_source(str(path))


@pytest.mark.parametrize(("name", "codec"), FORMATS)
def test_a_video_cut_short_is_refused_or_ends_where_it_ends(tmp_path, name, codec):
    path = tmp_path / name
    write(path, codec, 120)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    try:
        source = open_source(str(path))
    except FormatError:
        return
    with source:
        assert len(list(source.frames())) == len(source) < 120


def test_a_closed_video_reads_no_more(tmp_path):
    source = open_source(write(tmp_path / "a.avi", "MJPG"))
    frames = source.frames()
    next(frames)
    source.close()
    source.close()
    assert list(frames) == []
