"""Whatever time, discs and networks do to a file: it opens, or one sentence says why not; and nothing else suffers.

`IUS_FUZZ=2000 python -m pytest tests/fuzz` tries so many mutations of each format; without it, fifty.
"""

import os
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest
from corpora import FORMATS, SPACING, bombs, mutated
from texts import READERS
from trying import tried

from inference.errors import FormatError, IusError
from inference.sources import open_source
from inference.sources.remote import OPEN_S

COUNT = int(os.environ.get("IUS_FUZZ", "50"))
HANG_S = 3 * OPEN_S
"""A hang has no end; a machine that does other work takes longer than the limits add up to (10 s where it does not)."""

FOUND = {"dicom-jpeg": (61, 327, 806, 973), "dicom-j2k": (327, 806, 973), "dicom-jls": (327, 594, 806, 973)}
"""Accidents to which an exception of a library had no sentence: an offset table or an element of wild length."""


@pytest.fixture
def whole(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return FORMATS[request.param](tmp_path)


@pytest.mark.parametrize("whole", FORMATS, indirect=True)
def test_the_file_itself_is_whole(whole: Path) -> None:
    with open_source(str(whole)) as source:
        assert len(list(source.frames())) == len(source) > 0
        spacing = source.info.spacing
        assert spacing is None or spacing.row_mm == pytest.approx(SPACING)


@pytest.mark.timeout(120 + COUNT * 15)
@pytest.mark.parametrize("whole", FORMATS, indirect=True)
def test_an_accident_is_one_sentence_or_harmless(whole: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = whole.read_bytes()
    slowest = 0.0
    for seed in range(COUNT):
        whole.write_bytes(mutated(data, seed))
        begun = monotonic()
        tried(whole)
        slowest = max(slowest, monotonic() - begun)
        assert slowest < HANG_S, f"seed {seed} hung for {slowest:.1f} s"
    # A library in C may end its process; our own readers raise sentences.
    assert "exit code 1)" not in caplog.text


@pytest.mark.parametrize(("kind", "seeds"), FOUND.items())
def test_an_accident_that_once_ended_the_process_is_one_sentence(
    tmp_path: Path, kind: str, seeds: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    path = FORMATS[kind](tmp_path)
    data = path.read_bytes()
    for seed in seeds:
        path.write_bytes(mutated(data, seed))
        tried(path)
    assert "process is lost" not in caplog.text


@pytest.mark.timeout(120 + COUNT)
@pytest.mark.parametrize("kind", READERS)
def test_an_accident_to_what_is_no_picture_is_one_sentence_or_harmless(tmp_path: Path, kind: str) -> None:
    reader = READERS[kind]
    path = reader.write(tmp_path)
    data = path.read_bytes()
    for seed in range(COUNT):
        path.write_bytes(mutated(data, seed))
        with suppress(IusError):
            reader.read(path)


@pytest.mark.parametrize("kind", sorted(READERS.keys() - {"contract"}))
def test_what_is_no_picture_is_read_where_it_is_whole(tmp_path: Path, kind: str) -> None:
    READERS[kind].read(READERS[kind].write(tmp_path))


@pytest.mark.parametrize("name", bombs())
def test_a_bomb_is_refused_before_it_grows(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bombs()[name])
    with pytest.raises(FormatError):
        open_source(str(tmp_path / name))


def test_every_hostile_file_is_one_sentence_or_right(shared_data: Path) -> None:
    for folder in ("special", "fuzz", "min"):
        for path in sorted((shared_data / "hostile" / folder).iterdir()):
            if path.suffix not in (".pth", ".onnx", ".bin"):
                begun = monotonic()
                tried(path)
                assert monotonic() - begun < HANG_S, path.name
