"""What decoders write to the terminal: what is damage, and what is harmless."""

import os

import pytest

from inference.sources import complaints
from inference.sources.complaints import is_damage, is_loss, is_lossy, is_partial, is_torn

EXTRA = b"Corrupt JPEG data: 12 extraneous bytes before marker 0xd9\n"


@pytest.mark.parametrize(
    ("said", "lossy"),
    [
        (b"", False),
        (EXTRA, False),
        (b"Premature end of JPEG file\n", True),
        (EXTRA + b"Corrupt JPEG data: premature end of data segment\n", True),
        (b"Corrupt JPEG data: bad Huffman code\n" + EXTRA, True),
    ],
)
def test_bytes_too_many_are_harmless_and_hide_nothing_that_is_missing(said: bytes, lossy: bool) -> None:
    assert is_lossy(said) is lossy


def test_the_end_of_a_file_that_was_cut_is_no_damage_before_it() -> None:
    end = b"[OPENCV:FFMPEG:24] \n[OPENCV:FFMPEG:16] stream 0, offset 0x30: partial file\n"
    assert not is_damage(end)
    assert is_damage(end + b"[OPENCV:FFMPEG:16] error while decoding MB 3 4, bytestream -5\n")


@pytest.mark.parametrize(
    ("said", "damage", "loss"),
    [
        (
            b"[OPENCV:FFMPEG:24] Stream #0: not enough frames to estimate rate; consider increasing probesize\n",
            False,
            False,
        ),
        (b"[OPENCV:FFMPEG:32] concealing 160 DC, 160 AC, 160 MV errors in P frame\n", True, True),
        (b"[OPENCV:FFMPEG:24] Packet corrupt (stream = 0, dts = 306000).\n", False, True),
        (b"[OPENCV:FFMPEG:24] RTP: missed 3 packets\n", False, True),
        (b"[OPENCV:FFMPEG:16] error while decoding MB 3 4\n", True, True),
    ],
)
def test_what_never_came_and_what_was_invented_count_though_ffmpeg_calls_neither_an_error(
    said: bytes, damage: bool, loss: bool
) -> None:
    assert (is_damage(said), is_loss(said)) == (damage, loss)


@pytest.mark.parametrize(
    ("over", "marker", "tail", "partial"),
    [
        (12, b"d9", b"\x5a\x13" * 6, False),
        (64, b"d9", bytes(64), False),
        (64, b"d9", b"\x5a\x13" * 32, True),
        (64, b"da", bytes(64), True),
    ],
)
def test_data_that_are_over_are_of_blocks_that_went_lost_but_padding_is_not(
    over: int, marker: bytes, tail: bytes, partial: bool
) -> None:
    said = b"Corrupt JPEG data: %d extraneous bytes before marker 0x%s\n" % (over, marker)
    assert is_partial(said, b"\xff\xd8 picture " + tail + b"\xff\xd9\0") is partial


def test_of_what_libtiff_says_only_what_it_could_not_unpack_is_damage() -> None:
    said = b"[ WARN:0@0.5] global grfmt_tiff.cpp:123 TIFF_Warning "
    assert not is_torn(said + b"TIFFReadDirectory: Unknown field with tag 65000 (0xfde8) encountered\n")
    assert is_torn(said + b"PackBitsDecode: Discarding 39 bytes to avoid buffer overrun\n")
    assert is_torn(b"[ERROR:0@0.4] global grfmt_tiff.cpp:117 TIFF_Error LZWDecode: Not enough data at scanline 0\n")


def test_what_is_said_is_heard_for_a_while_and_then_shown_again(capfd: pytest.CaptureFixture[str]) -> None:
    with complaints.heard():
        os.write(2, b"Corrupt JPEG data: premature end of data segment\n")
        assert is_lossy(complaints.new())
    assert not complaints.listens()
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"
