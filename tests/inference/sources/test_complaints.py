"""What decoders write to the terminal: what is damage, and what is harmless."""

import pytest

from inference.sources.complaints import is_damage, is_lossy

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
