"""Lines for another program, which may read them slowly, never, or no more."""

import io
import os
import threading
import time

import pytest

from inference.errors import OutputError
from inference.live.line_output import MOST, LineOutput, putting


def test_a_reader_that_falls_behind_misses_the_oldest_lines_and_gets_the_newest() -> None:
    taken, reads, begun = list[str](), threading.Event(), threading.Event()

    def put(line: str) -> None:
        begun.set()
        reads.wait(10)
        taken.append(line)

    output = LineOutput(put)
    output.write("first")
    assert begun.wait(10)
    for number in range(MOST + 3):
        output.write(str(number))
    assert output.missed == 3
    reads.set()
    output.close()
    assert taken == ["first", *map(str, range(3, MOST + 3))]
    assert (output.missed, output.error) == (3, "")


def test_a_reader_that_never_reads_is_not_waited_for() -> None:
    reads = threading.Event()
    output = LineOutput(lambda _: bool(reads.wait(10)))
    for _ in range(5):
        output.write("line")
    begun = time.monotonic()
    output.close()
    assert time.monotonic() - begun < 1
    assert output.missed in (4, 5)
    reads.set()


def until_it_raises(output: LineOutput) -> None:
    for _ in range(1000):
        output.write("line")
        time.sleep(0.005)


def test_a_reader_that_has_gone_and_a_full_disk_are_two_things() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        gone = LineOutput(putting(pipe))
        with pytest.raises(BrokenPipeError):
            until_it_raises(gone)
    gone.close()
    assert (gone.error, gone.missed) == ("", 0)

    def full(_: str) -> None:
        raise OSError(28, "No space left on device")

    output = LineOutput(full)
    with pytest.raises(OutputError, match="disk is full"):
        until_it_raises(output)
    output.close()
    assert "disk is full" in output.error


def test_no_output_at_all_and_one_in_memory() -> None:
    memory = io.StringIO()
    for stream in (None, memory):
        output = LineOutput(putting(stream))
        output.write("line")
        output.close()
        assert not output.error
    assert memory.getvalue() == "line\n"
