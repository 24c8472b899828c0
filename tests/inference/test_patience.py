"""A drive that does not answer costs seconds and one sentence, wherever a user's path is opened."""

import gc
import linecache
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest
from outcomes import five, record
from tiny import threshold_model

import inference.sources as sources
from inference.errors import FormatError, ModelError, SourceError
from inference.jobs import model_glances, record_list
from inference.jobs.model_glances import GONE, glance_at
from inference.jobs.record_list import RecordList
from inference.model import engine
from inference.model.engine import Engine
from inference.patience import Watched, in_time
from inference.sources import open_source

Stall = Callable[..., None]
SHORT_S = 0.3


def test_a_job_in_time_gives_its_value_or_its_own_error() -> None:
    assert in_time(lambda: 7, 5.0, "late") == 7
    with pytest.raises(ZeroDivisionError):
        in_time(lambda: 1 / 0, 5.0, "late")


UNSPELT_NAME = os.fsdecode(b"\xcf\xe0\xf6")
"""Cyrillic of Windows, as an old archive or stick hands it over."""


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="its names are always letters")
def test_a_name_in_the_letters_of_another_system_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for path in (folder / f"{UNSPELT_NAME}.png", tmp_path / f"{UNSPELT_NAME}.onnx"):
        path.write_bytes(b"no picture, and no model")
    with pytest.raises(FormatError, match=r"The name .*\?\?\?\.png has signs of another system .* rename it"):
        open_source(str(folder / f"{UNSPELT_NAME}.png"))
    with pytest.raises(ModelError, match="rename it"):
        Engine.load(tmp_path / f"{UNSPELT_NAME}.onnx")
    with pytest.raises(FormatError, match=r"\?\?\?\.png is not a picture"):
        open_source(str(folder))


def test_nothing_is_collected_while_a_thread_is_looked_at() -> None:
    """Each thread's call is an object more, which would set off a collection."""
    release, seen = threading.Event(), list[str]()

    def note(phase: str, _: dict[str, int]) -> None:
        asking = sys._getframe(1)
        if phase == "start":
            seen.append(linecache.getline(asking.f_code.co_filename, asking.f_lineno))

    threads = [threading.Thread(target=release.wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    thresholds = gc.get_threshold()
    gc.callbacks.append(note)
    try:
        gc.set_threshold(1)
        assert Watched(threads[0]).stood_s() >= 0
        assert gc.isenabled()
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(note)
        release.set()
        for thread in threads:
            thread.join()
    assert seen, "whatever else is made sets one off"
    assert not [line for line in seen if "_current_frames" in line]


def test_what_is_late_is_one_sentence_and_holds_nobody_up() -> None:
    release, begun = threading.Event(), monotonic()
    with pytest.raises(SourceError, match=r"^It does not answer\.$"):
        in_time(release.wait, 0.1, "It does not answer.")
    assert monotonic() - begun < 5
    release.set()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("name", ["clip.mcap", "clip.nii.gz", "clip.dcm"])
def test_a_pipe_is_no_source(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(FormatError, match="neither a file nor a folder"):
        open_source(str(tmp_path / name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_pipe_is_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="neither a file nor a folder"):
        Engine.load(tmp_path / "m.onnx")
    assert glance_at(tmp_path / "m.onnx").words == GONE


def test_a_record_that_does_not_answer_is_refused(
    tmp_path: Path, stalled: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "ANSWER_S", SHORT_S)
    record(tmp_path / "a.mcap", five())
    stalled(tmp_path / "a.mcap")
    with pytest.raises(SourceError, match=r"^a\.mcap does not answer: is its drive connected\?$"):
        open_source(str(tmp_path / "a.mcap"))


def test_a_model_that_does_not_answer_is_refused(
    tmp_path: Path, stalled: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ANSWER_S", SHORT_S)
    monkeypatch.setattr(model_glances, "GLANCE_S", SHORT_S)
    threshold_model(tmp_path / "m.onnx", patch=(64, 64))
    stalled(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match=r"^m\.onnx does not answer: is its drive connected\?$"):
        Engine.load(tmp_path / "m.onnx")
    assert glance_at(tmp_path / "m.onnx").words == GONE


def test_the_list_of_records_goes_on_past_one_that_does_not_answer(
    tmp_path: Path, stalled: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_list, "LOOK_S", 1.0)
    for name in ("iUS-20260301-101500.mcap", "iUS-20260302-101500.mcap"):
        record(tmp_path / name, five())
    stalled(tmp_path / "iUS-20260302-101500.mcap")
    records = RecordList()
    begun = monotonic()
    records.look(tmp_path)
    assert monotonic() - begun < 0.5, "the window's thread asks no disk"
    found, end = [], monotonic() + 20
    while len(found) < 2 and monotonic() < end:
        records.count()
        if (one := records.poll()) is not None:
            found.append(one)
        sleep(0.005)
    records.close()
    late, whole = found
    assert (late.words, late.opens) == (f"{late.path.name} does not answer: is its drive connected?", False)
    assert "5 frames" in whole.words
