"""A session record: exact to the frame, readable up to its last whole entry, never in anybody's way."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.contract import Mode
from inference.errors import FormatError, OutputError
from inference.frame import Frame, Origin, Pixels, View
from inference.reading import (
    Analysis,
    Diameters,
    Failed,
    NotAnalysed,
    NothingFound,
    Outcome,
    Reason,
    Region,
    SizeState,
    Tumour,
    UnknownSpacing,
)
from inference.recording.keep import keep
from inference.recording.reader import RecordReader
from inference.recording.recorder import Recorder
from inference.recording.schema import Event, EventKind, checked_case_code
from inference.recording.timeline import settings as settings_of
from inference.ring import Ring
from inference.sources import open_source
from inference.sources.base import SourceInfo
from inference.sources.cropped import Rect, crop
from inference.sources.record import RecordSource
from inference.spacing import PixelSpacing, Provenance

UNLIKE = "Unlike the training data: smaller pixels."
ANALYSIS = Analysis("threshold", "0" * 64, "CPU", 16.0, 14.0, demonstration=False, mode=Mode.THOROUGH, unlike=UNLIKE)
SPACING = PixelSpacing(0.2, 0.3, Provenance.RULER)
SHAPE = (37, 53)
PROBE = Origin("probe", View.NATIVE, live=True)
INFO = SourceInfo(PROBE, *SHAPE, SPACING, "", (0.0, 255.0))


def frame(index: int, dtype: type = np.uint8, at: float | None = None) -> Frame:
    pixels: Pixels = np.random.default_rng(index).integers(0, 255, SHAPE).astype(dtype)
    return Frame(index, pixels, SPACING, monotonic() if at is None else at, PROBE, time_s=index / 25)


def tumour(shown: Frame) -> Tumour:
    line = np.array([[1.5, 2.0], [3.25, 4.0], [2.0, 8.125]], np.float32)
    diameters = Diameters(12.5, 7.25, ((1.0, 2.0), (3.0, 4.5)))
    large = Region(600, 36.0, (line, line[:2]), diameters, (3.5, 9.0), touches_edge=True, size=SizeState.AT_MOST_200)
    small = Region(9, None, (line,), None, None, touches_edge=False, size=None)
    return Tumour(shown, ANALYSIS, (shown.pixels > 100).astype(np.uint8), (large, small))


def five(dtype: type = np.uint8) -> list[Outcome]:
    return [
        tumour(frame(0, dtype)),
        NothingFound(frame(1, dtype), ANALYSIS),
        Failed(frame(2, dtype), "The network broke."),
        NotAnalysed(frame(3, dtype), Reason.GUARD, "Two panes."),
        UnknownSpacing(replace(frame(4, dtype), spacing=None, no_spacing_reason="no scale"), "no scale"),
    ]


def record(path: Path, outcomes: list[Outcome], info: SourceInfo = INFO, **options: object) -> Path:
    recorder = Recorder(path, info, start=outcomes[0].frame.captured_at, **options)  # type: ignore[arg-type]
    for outcome in outcomes:
        recorder.frame(outcome.frame)
        recorder.outcome(outcome)
    assert recorder.close().error == ""
    return path


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[RecordSource]:
    with RecordSource(record(tmp_path / "five.mcap", five(), case_code="GL-017")) as source:
        yield source


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_comes_out_is_what_went_in(dtype: type, tmp_path: Path) -> None:
    before = five(dtype)
    with open_source(str(record(tmp_path / "five.mcap", before))) as source:
        assert isinstance(source, RecordSource)
        assert (len(source), source.whole, source.info.fps is not None) == (5, True, True)
        for index, old in enumerate(before):
            new = source.outcome(index)
            assert type(new) is type(old)
            assert new is not None
            assert new.frame.pixels.dtype == dtype
            assert np.array_equal(new.frame.pixels, old.frame.pixels)
            assert (new.frame.spacing, new.frame.index) == (old.frame.spacing, index)
            assert getattr(new, "sentence", "") == getattr(old, "sentence", "")
            assert getattr(new, "reason", None) == getattr(old, "reason", None)
            assert getattr(new, "analysis", None) == getattr(old, "analysis", None)


def test_mask_regions_and_outlines_come_back(opened: RecordSource) -> None:
    old, new = tumour(frame(0)), opened.outcome(0)
    assert isinstance(new, Tumour)
    assert np.array_equal(new.mask, old.mask)
    for was, now in zip(old.regions, new.regions, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(was.contours, now.contours, strict=True))
        assert replace(was, contours=()).__repr__() == replace(now, contours=()).__repr__()


def test_frames_keep_their_own_scale_when_it_changes(tmp_path: Path) -> None:
    typed = PixelSpacing(0.5, 0.5, Provenance.TYPED)
    outcomes = [NothingFound(frame(i), ANALYSIS) for i in range(3)]
    outcomes[1] = replace(outcomes[1], frame=replace(outcomes[1].frame, spacing=typed))
    path = record(tmp_path / "scales.mcap", list(outcomes))
    with RecordSource(path) as source:
        assert [source.read(i).spacing for i in range(3)] == [SPACING, typed, SPACING]
        assert source.info.spacing is None
        assert "changed" in source.info.no_spacing_reason
    with RecordSource(path, typed=typed) as source:
        assert [source.read(i).spacing for i in range(3)] == [typed] * 3


def test_a_frame_that_was_never_analysed_is_no_answer(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "raw.mcap", INFO)
    recorder.frame(frame(0))
    stranger = NothingFound(frame(7), ANALYSIS)
    recorder.outcome(stranger)
    assert not recorder.event(EventKind.WRONG, "", stranger)
    recorder.close()
    with RecordSource(tmp_path / "raw.mcap") as source:
        assert (len(source), source.outcome(0)) == (1, None)


def test_only_the_crop_is_kept_and_said(tmp_path: Path) -> None:
    rect = Rect(5, 6, 20, 30)
    cropped = [replace(outcome, frame=crop(outcome.frame, rect)) for outcome in five()]
    with RecordSource(record(tmp_path / "crop.mcap", cropped, rect=rect)) as source:
        kept = source.read(0).pixels
        assert source.opening.crop == (5, 6, 20, 30)
        assert source.cropped
    assert np.array_equal(kept[rect.where], frame(0).pixels[rect.where])
    assert kept.sum() == kept[rect.where].sum()


def test_what_was_in_force_at_each_frame_is_known(tmp_path: Path) -> None:
    outcomes = [NothingFound(frame(number, at=float(number)), ANALYSIS) for number in range(5)]
    recorder = Recorder(tmp_path / "events.mcap", INFO, start=0.0)
    recorder.event(EventKind.PHASE, "dura_open", at=-0.5)
    recorder.model("0" * 64, "CPU", "{}")
    for outcome in outcomes:
        recorder.frame(outcome.frame)
        recorder.outcome(outcome)
    recorder.event(EventKind.GUARD_BEGIN, "scanner_frozen", at=3.0)
    recorder.event(EventKind.GUARD_END, "scanner_frozen", at=4.0)
    recorder.event(EventKind.PHASE, "resection", at=2.5)
    recorder.event(EventKind.FLIP, "FLIPPED up-down", at=3.5)
    assert recorder.event(EventKind.WRONG, "", outcomes[0])
    recorder.close()
    with RecordSource(tmp_path / "events.mcap") as source:
        settings = source.settings()
        assert [model.provider for model in source.models] == ["CPU"]
    assert [setting.phase for setting in settings] == ["dura_open"] * 3 + ["resection"] * 2
    assert [setting.guards for setting in settings] == [(), (), (), ("scanner_frozen",), ()]
    assert [setting.flip for setting in settings] == ["", "", "", "", "FLIPPED up-down"]
    assert [setting.wrong for setting in settings] == [True, False, False, False, False]


@given(st.lists(st.tuples(st.floats(0, 9), st.sampled_from(["a", "b", "c"])), max_size=20, unique_by=lambda c: c[0]))
def test_a_phase_holds_from_its_moment_on(changes: list[tuple[float, str]]) -> None:
    events = [Event(at_s=at_s, kind=EventKind.PHASE, words=word) for at_s, word in changes]
    times_s = [number + 0.5 for number in range(10)]
    for at_s, setting in zip(times_s, settings_of(events, times_s), strict=True):
        before = [event for event in events if event.at_s <= at_s]
        assert setting.phase == (max(before, key=lambda event: event.at_s).words if before else "")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("record") / "whole.mcap", [tumour(frame(i)) for i in range(4)])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(share=st.floats(0.0, 1.0))
def test_cut_anywhere_it_holds_every_whole_frame(share: float, whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(data[: int(share * len(data))])
    ends = _ends(whole)
    kept = sum(end <= cut.stat().st_size for end in ends)
    if kept == 0:
        with pytest.raises(FormatError):
            RecordSource(cut)
        return
    with RecordSource(cut) as source, RecordSource(whole) as original:
        assert len(source) == kept
        assert source.whole or f"cut off at {source.seconds:.1f} s" in source.info.notice
        for index in range(kept):
            assert np.array_equal(source.read(index).pixels, original.read(index).pixels)


def _ends(path: Path) -> list[int]:
    """Where each frame's entry ends."""
    reader = RecordReader(path)
    reader.close()
    return [place.offset + place.length for place in reader._index.pictures]


def test_damage_inside_is_named_and_the_others_stay(whole: Path, tmp_path: Path) -> None:
    data = bytearray(whole.read_bytes())
    data[_ends(whole)[1] - 20] ^= 0xFF
    (tmp_path / "hurt.mcap").write_bytes(data)
    with RecordSource(tmp_path / "hurt.mcap") as source:
        with pytest.raises(FormatError, match=r"Frame 1 .* damaged"):
            source.read(1)
        assert np.array_equal(source.read(2).pixels, frame(2).pixels)


def test_other_files_are_no_records(tmp_path: Path) -> None:
    (tmp_path / "other.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(40))
    (tmp_path / "text.mcap").write_text("no record")
    for name in ("other.mcap", "text.mcap"):
        with pytest.raises(FormatError):
            open_source(str(tmp_path / name))


def test_a_slow_disk_costs_frames_and_says_so_but_nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free, sync = threading.Event(), os.fsync

    def stuck(fd: int) -> None:
        free.wait(30)
        sync(fd)

    monkeypatch.setattr(os, "fsync", stuck)
    size = frame(0).pixels.nbytes
    recorder = Recorder(tmp_path / "slow.mcap", INFO, room=20 * size)
    recorder.frame(frame(0))
    deadline, sent, longest = monotonic() + 20, 1, 0.0
    while recorder.status().dropped < 5 and monotonic() < deadline:
        begun = monotonic()
        recorder.frame(frame(sent % 3))
        longest, sent = max(longest, monotonic() - begun), sent + 1
    assert recorder.status().dropped == 5
    assert longest < 1.0
    free.set()
    status = recorder.close()
    with RecordSource(tmp_path / "slow.mcap") as source:
        assert (len(source), source.dropped) == (status.frames, 5)
        assert len(source) + source.dropped == sent


def test_a_disk_that_fills_stops_the_record_with_a_sentence(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    path, limit = tmp_path / "full.mcap", 60_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        recorder, deadline, index = Recorder(path, INFO), monotonic() + 30, 0
        while not recorder.status().error and monotonic() < deadline:
            recorder.frame(frame(index))
            index += 1
        status = recorder.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert status.error.startswith("The disk is full")
    assert path.stat().st_size <= limit
    with RecordSource(path) as source:
        assert len(source) == status.frames > 10
        assert not source.whole
        assert np.array_equal(source.read(len(source) - 1).pixels, frame(len(source) - 1).pixels)


def test_another_picture_size_ends_the_record_whole(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "size.mcap", INFO)
    recorder.frame(frame(0))
    recorder.frame(replace(frame(1), pixels=np.zeros((9, 9), np.uint8)))
    assert "another size" in recorder.close().error
    with RecordSource(tmp_path / "size.mcap") as source:
        assert (len(source), source.whole) == (1, True)


def test_the_last_half_minute_is_kept_afterwards_with_its_marks(tmp_path: Path) -> None:
    ring, outcomes = Ring(), [tumour(frame(number, at=100.0 + number)) for number in range(40)]
    for outcome in outcomes:
        ring.add(outcome)
    held, phase = ring.held(), Event(at_s=0.0, kind=EventKind.PHASE, words="dura_open")
    marked = (35, outcomes[35].frame.captured_at)
    count = keep(held, tmp_path / "kept.mcap", INFO, in_force=[phase], wrong=[marked])
    with RecordSource(tmp_path / "kept.mcap") as source:
        assert len(source) == len(held) == count == 31
        assert source.whole
        assert source.info.spacing == SPACING
        settings = source.settings()
        for place, setting in enumerate(settings):
            outcome = source.outcome(place)
            assert isinstance(outcome, Tumour)
            assert np.array_equal(outcome.mask, outcomes[9 + place].mask)
            assert outcome.frame.time_s == pytest.approx(place)
            assert (setting.phase, setting.wrong) == ("dura_open", 9 + place == 35)


def test_a_record_never_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "there.mcap").write_text("precious")
    with pytest.raises(OutputError, match="cannot be made"):
        Recorder(tmp_path / "there.mcap", INFO)
    assert (tmp_path / "there.mcap").read_text() == "precious"


def test_it_is_readable_while_it_is_written(tmp_path: Path) -> None:
    recorder, deadline = Recorder(tmp_path / "growing.mcap", INFO), monotonic() + 20
    recorder.frame(frame(0))
    while recorder.status().frames < 1 and monotonic() < deadline:
        threading.Event().wait(0.01)
    with RecordSource(tmp_path / "growing.mcap") as source:
        assert (len(source), source.whole) == (1, False)
    recorder.close()


@given(st.text(st.sampled_from("abcXYZ-. 0189/ä"), max_size=40))
def test_a_case_code_is_never_a_name(text: str) -> None:
    code = text.strip()
    fits = code.isascii() and len(code) <= 32 and all(c.isalnum() or c == "-" for c in code)
    if not code or (fits and any(c.isdigit() for c in code)):
        assert checked_case_code(text) == code
    else:
        with pytest.raises(OutputError, match="never a name"):
            checked_case_code(text)
