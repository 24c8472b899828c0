"""What decoders write to the terminal: what is damage, and what is harmless."""

import pytest

from inference.sources.complaints import is_damage, is_loss, is_lossy

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
