"""A session record: exact to the frame, with what was in force at each, and of nobody by name."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outcomes import ANALYSIS, INFO, SPACING, five, frame, record, tumour

from inference.alarms import Alarm, Finding
from inference.crop import Rect, crop
from inference.errors import OutputError
from inference.guards.base import Sight
from inference.guards.coloured import coloured
from inference.guards.damaged import damaged
from inference.guards.watch import Watch
from inference.live.guarded_source import guarded
from inference.live.keep_last import keep
from inference.live.playback import Playback
from inference.live.policy import forbidden, not_analysed
from inference.live.ring import Ring
from inference.model.segmentation import probe_face_row
from inference.outcome import NotAnalysed, NothingFound, PredictedQuality, Tumour, UnknownSpacing
from inference.recording.reader import RecordReader
from inference.recording.recorder import Recorder
from inference.recording.schema import Corrector, End, Event, EventKind, checked_case_code
from inference.recording.timeline import settings as settings_of
from inference.sources import open_source
from inference.sources.base import read_or_black
from inference.sources.record import RecordSource
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[RecordSource]:
    with RecordSource(record(tmp_path / "five.mcap", five(), case_code="GL-017")) as source:
        yield source


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_comes_out_is_what_went_in(dtype: type, tmp_path: Path) -> None:
    before = five(dtype)
    with open_source(str(record(tmp_path / "five.mcap", before))) as source:
        assert isinstance(source, RecordSource)
        assert (len(source), source.finished, source.info.fps is not None) == (5, True, True)
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


def test_what_was_foretold_comes_back_and_its_absence_too(tmp_path: Path) -> None:
    foretold = PredictedQuality(0.4375, likely_to_fail=True)
    answers = [replace(tumour(frame(0)), quality=foretold), tumour(frame(1))]
    with RecordSource(record(tmp_path / "two.mcap", list(answers))) as source:
        kept = [source.outcome(index) for index in range(2)]
    assert [one.quality for one in kept if isinstance(one, Tumour)] == [foretold, None]


def test_nothing_comes_after_the_end_however_late(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "one.mcap", INFO)
    recorder.frame(frame(0))
    recorder.event(EventKind.ENDED, End.SOURCE)
    recorder.frame(frame(1))
    recorder.outcome(tumour(frame(0)))
    assert not recorder.event(EventKind.ENDED, End.STOPPED)
    recorder.close()
    with RecordSource(tmp_path / "one.mcap") as source:
        assert (len(source), source.outcome(0)) == (1, None)
    reader = RecordReader(tmp_path / "one.mcap")
    assert reader.events[-1].words == End.SOURCE
    reader.close()


def test_frames_keep_their_own_scale_when_it_changes(tmp_path: Path) -> None:
    typed = PixelSpacing(0.5, 0.5, Provenance.TYPED)
    outcomes = [NothingFound(frame(i), ANALYSIS) for i in range(3)]
    outcomes[1] = replace(outcomes[1], frame=replace(outcomes[1].frame, spacing=typed))
    path = record(tmp_path / "scales.mcap", list(outcomes))
    with RecordSource(path) as source:
        assert [source.read(i).spacing for i in range(3)] == [SPACING, typed, SPACING]
        assert source.info.spacing is None
        assert "changed" in source.info.no_spacing_reason
    with RecordSource(path, typed=replace(typed, row_mm=0.7)) as source:
        assert [source.read(i).spacing for i in range(3)] == [SPACING, typed, SPACING]


SCALES = (None, SPACING, PixelSpacing(0.1, 0.15, Provenance.RULER))


@settings(max_examples=15, deadline=None)
@given(scales=st.lists(st.sampled_from(SCALES), min_size=1, max_size=5))
def test_a_scale_given_afterwards_is_none_of_frames_from_another_depth(
    scales: list[PixelSpacing | None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Typed before the record is opened or given while it plays: it holds for all only where no depth was turned."""
    given = PixelSpacing(0.5, 0.6, Provenance.TYPED)
    path = tmp_path_factory.mktemp("scales") / "a.mcap"
    frames = [replace(frame(at, at=100.0 + at), spacing=scale) for at, scale in enumerate(scales)]
    record(path, [NothingFound(one, ANALYSIS) for one in frames])
    expected = [given if len(set(scales)) == 1 else scale or given for scale in scales]
    with RecordSource(path, typed=given) as typed:
        assert [typed.read(at).spacing for at in range(len(scales))] == expected
        assert typed.info.spacing == (given if len(set(scales)) == 1 else None)
    playback = Playback(RecordSource(path))
    playback.set_spacing(given)
    assert [playback.look_at(at).spacing for at in range(len(scales))] == expected
    assert playback.info.spacing == (given if len(set(scales)) == 1 else None)
    assert ("each frame keeps its own" in playback.info.notice) == (len(set(scales)) > 1)
    playback.close()


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


def test_a_frame_keeps_its_probe_face_though_a_crop_blackened_it(tmp_path: Path) -> None:
    """What was recorded of it is cropped already: nothing else tells from where its depth is counted."""
    whole, edge = tumour(frame(0, at=100.0)), frame(0, at=100.0).rows // 2
    cut = crop(whole.frame, Rect(edge, 0, whole.frame.rows - edge, whole.frame.cols))
    record(tmp_path / "a.mcap", [whole, replace(whole, frame=replace(cut, index=1, captured_at=100.1))])
    with RecordSource(tmp_path / "a.mcap") as source:
        faces = [probe_face_row(source.read(number)) for number in (0, 1)]
    assert faces == [0, 0]


def test_a_recorded_frame_that_is_not_of_numbers_is_damaged(tmp_path: Path) -> None:
    outcomes = [NothingFound(frame(number, np.float32), ANALYSIS) for number in range(3)]
    outcomes[1].frame.pixels[3, 4] = np.nan
    with RecordSource(record(tmp_path / "a.mcap", list(outcomes))) as source:
        found = [read_or_black(source, number).findings for number in range(3)]
    assert [[one.alarm for one in each] for each in found] == [[], [Alarm.UNREADABLE], []]


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


def test_the_last_half_minute_is_kept_afterwards_with_its_marks(tmp_path: Path) -> None:
    ring, outcomes = Ring(), [tumour(frame(number, at=100.0 + number)) for number in range(40)]
    for outcome in outcomes:
        ring.add(outcome)
    held, phase = ring.held(), Event(at_s=0.0, kind=EventKind.PHASE, words="dura_open")
    marked = (35, outcomes[35].frame.captured_at)
    count = keep(held, tmp_path / "kept.mcap", INFO, in_force=[phase], wrong=[marked])
    with RecordSource(tmp_path / "kept.mcap") as source:
        assert len(source) == len(held) == count == 31
        assert source.finished
        assert source.info.spacing == SPACING
        settings = source.settings()
        for place, setting in enumerate(settings):
            outcome = source.outcome(place)
            assert isinstance(outcome, Tumour)
            assert np.array_equal(outcome.mask, outcomes[9 + place].mask)
            assert outcome.frame.time_s == pytest.approx(place)
            assert (setting.phase, setting.wrong) == ("dura_open", 9 + place == 35)


@settings(max_examples=25, deadline=None)
@given(
    alarms=st.lists(
        st.sets(st.sampled_from([Alarm.FROZEN, Alarm.GRAPHICS, Alarm.UNLIKE_TRAINING])), min_size=1, max_size=6
    ),
    overruled=st.lists(st.booleans(), min_size=6, max_size=6),
    now=st.booleans(),
)
def test_the_last_half_minute_keeps_the_alarms_of_each_frame(
    alarms: list[set[Alarm]], overruled: list[bool], now: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A frozen scanner, and the user's word against a guard, are said in exports of a contour: the event tells them."""
    ring, path = Ring(), tmp_path_factory.mktemp("kept") / "kept.mcap"
    for number, found in enumerate(alarms):
        seen = frame(number, at=100.0 + number)
        findings = (
            Finding(one, 0.0, one.sentence, one is Alarm.GRAPHICS and overruled[number]) for one in sorted(found)
        )
        ring.add(UnknownSpacing(replace(seen, findings=tuple(findings)), "no scale"))
    said = [Event(at_s=0.0, kind=EventKind.OVERRULED, words=Alarm.GRAPHICS.value)] if now else []
    keep(ring.held(), path, INFO, in_force=said)
    with RecordSource(path) as source:
        kept = source.settings()
    assert [set(one.guards) for one in kept] == [{alarm.value for alarm in found} for found in alarms]
    for number, (found, setting) in enumerate(zip(alarms, kept, strict=True)):
        if Alarm.GRAPHICS in found:
            assert setting.overruled == ((Alarm.GRAPHICS.value,) if overruled[number] else ())


def barred(number: int, alarm: Alarm) -> NotAnalysed:
    """The answer to a frame that a guard forbids."""
    seen = frame(number, at=100.0 + number)
    found = Finding(alarm, seen.captured_at, alarm.sentence)
    return not_analysed(replace(seen, findings=(found,)), found)


@pytest.mark.parametrize("afterwards", [False, True])
def test_what_the_grey_picture_does_not_show_forbids_its_analysis_for_ever(tmp_path: Path, afterwards: bool) -> None:
    """Colour and lost packets: a guard that looks at the record's grey pictures finds neither."""
    path, alarms = tmp_path / "a.mcap", (Alarm.COLOUR, Alarm.DAMAGED, Alarm.GRAPHICS)
    outcomes = [tumour(frame(0, at=100.0)), *(barred(number, alarm) for number, alarm in enumerate(alarms, 1))]
    if afterwards:
        ring = Ring()
        for outcome in outcomes:
            ring.add(outcome)
        keep(ring.held(), path, INFO)
    else:
        record(path, outcomes)
    odd = Sight(Alarm.UNLIKE_TRAINING, lambda _: "Another probe.")
    guards = Watch((Sight(Alarm.DAMAGED, damaged), Sight(Alarm.COLOUR, coloured), odd))
    with RecordSource(path) as source:
        refused = [forbidden(guarded(source.read(index), guards, None)) for index in range(4)]
    # Graphics stand in the grey picture, where their own guard finds them again.
    assert [one and one.alarm for one in refused] == [None, Alarm.COLOUR, Alarm.DAMAGED, None]


@given(st.text(st.sampled_from("abcXYZ-. 0189/ä"), max_size=40))
def test_a_case_code_is_never_a_name(text: str) -> None:
    code = text.strip()
    fits = code.isascii() and len(code) <= 32 and all(c.isalnum() or c == "-" for c in code)
    if not code or (fits and any(c.isdigit() for c in code)):
        assert checked_case_code(text) == code
    else:
        with pytest.raises(OutputError, match="never a name"):
            checked_case_code(text)


def test_a_correction_stands_beside_the_answer_and_the_last_one_holds(tmp_path: Path) -> None:
    outcomes, path = five(), tmp_path / "corrected.mcap"
    first, last = (np.full(outcomes[0].frame.pixels.shape, value, np.uint8) for value in (1, 0))
    last[3:9, 4:11] = 1
    recorder = Recorder(path, INFO, start=outcomes[0].frame.captured_at)
    for outcome in outcomes:
        recorder.frame(outcome.frame)
        recorder.outcome(outcome)
    assert recorder.correction(outcomes[1], first, Corrector.USER)
    assert recorder.correction(outcomes[1], last, Corrector.CARRIED)
    assert not recorder.correction(tumour(frame(9)), last, Corrector.USER), "its frame is not in the record"
    assert recorder.close().error == ""
    with RecordSource(path) as source:
        found = source.correction(1)
        assert found is not None
        assert np.array_equal(found, last)
        assert (source.correction(0), source.corrected, source.corrector(1)) == (None, (1,), Corrector.CARRIED)
        assert isinstance(source.outcome(1), NothingFound), "the answer is what it was"


def test_the_last_half_minute_is_kept_with_its_corrections(tmp_path: Path) -> None:
    ring, outcomes = Ring(), [tumour(frame(index)) for index in range(3)]
    for outcome in outcomes:
        ring.add(outcome)
    mask, shown = np.ones(outcomes[1].frame.pixels.shape, np.uint8), outcomes[1].frame
    keep(
        ring.held(), tmp_path / "kept.mcap", INFO, corrected={(shown.index, shown.captured_at): (mask, Corrector.USER)}
    )
    with RecordSource(tmp_path / "kept.mcap") as source:
        assert source.corrected == (1,)


def test_the_shape_of_pixels_is_kept_for_whoever_calibrates_the_record(tmp_path: Path) -> None:
    with PhantomSource(count=1) as source:
        info, frame = replace(source.info, pixel_aspect=16 / 15), source.read(0)
    recorder = Recorder(tmp_path / "wide.mcap", info)
    recorder.frame(replace(frame, spacing=None, no_spacing_reason="No scale."))
    recorder.close()
    with RecordSource(tmp_path / "wide.mcap") as record:
        assert record.info.pixel_aspect == pytest.approx(16 / 15)
        assert "1.07 times as wide as high" in record.info.notice
