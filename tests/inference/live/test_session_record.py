"""What is in force when a record begins is written first; a choice holds from the very frame it was used for."""

from pathlib import Path

from inference.alarms import Alarm
from inference.live.guarded_source import GuardedSource
from inference.live.session_record import SessionRecord, in_force
from inference.recording.schema import Event, EventKind
from inference.sources import open_source
from inference.sources.disturbances import writing
from inference.sources.disturbed import DisturbedSource
from inference.sources.record import RecordSource
from inference.view_notes import Flip, Marker, Phase, ViewNotes


def words_of(notes: ViewNotes, overruled: frozenset[Alarm] = frozenset()) -> dict[EventKind, str]:
    return {entry.kind: entry.words for entry in in_force(notes, None, overruled) if isinstance(entry, Event)}


def test_an_overruled_alarm_is_in_force_from_the_first_frame() -> None:
    found = words_of(ViewNotes(Phase.DURA_OPEN), frozenset({Alarm.GRAPHICS}))
    assert found == {EventKind.PHASE: "dura_open", EventKind.OVERRULED: "graphics_in_sector"}


def test_what_was_never_said_is_not_written() -> None:
    assert EventKind.OVERRULED not in words_of(ViewNotes())


def test_what_is_in_force_holds_for_a_frame_that_was_captured_before_it_could_be_written(tmp_path: Path) -> None:
    source = GuardedSource(DisturbedSource(120, 160))
    frame = next(source.frames())
    record = SessionRecord(tmp_path / "record.mcap", source)
    record.begin(ViewNotes(Phase.RESECTION, Flip(left_right=True), Marker.LEFT), None)
    assert source.recorder is not None
    source.recorder(frame, frozenset())
    source.close()
    record.finish()
    with open_source(str(tmp_path / "record.mcap")) as reopened:
        assert isinstance(reopened, RecordSource)
        assert (reopened.info.phase, reopened.info.flip) == ("resection", "FLIPPED left-right")
        assert reopened.info.marker == "left"


def test_an_alarm_is_overruled_from_the_very_frame_and_to_the_very_frame(tmp_path: Path) -> None:
    source = GuardedSource(DisturbedSource(120, 160, disturbances=(writing,)))
    record, frames = SessionRecord(tmp_path / "record.mcap", source), source.frames()
    record.begin(ViewNotes(), None)
    for change in (None, source.overrule, None, source.heed, None):
        if change is not None:
            change(Alarm.GRAPHICS)  # with no tick of a window after it
        next(frames)
    source.close()
    record.finish()
    with open_source(str(tmp_path / "record.mcap")) as reopened:
        assert isinstance(reopened, RecordSource)
        said = [bool(setting.overruled) for setting in reopened.settings()]
    assert said == [False, True, True, False, False]
