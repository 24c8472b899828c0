"""What is in force when a record begins is written first, whether it begins now or is kept afterwards."""

from inference.alarms import Alarm
from inference.live.session_record import in_force
from inference.recording.schema import Event, EventKind
from inference.view_notes import Phase, ViewNotes


def words_of(notes: ViewNotes, overruled: frozenset[Alarm] = frozenset()) -> dict[EventKind, str]:
    return {entry.kind: entry.words for entry in in_force(notes, None, overruled) if isinstance(entry, Event)}


def test_an_overruled_alarm_is_in_force_from_the_first_frame() -> None:
    found = words_of(ViewNotes(Phase.DURA_OPEN), frozenset({Alarm.GRAPHICS}))
    assert found == {EventKind.PHASE: "dura_open", EventKind.OVERRULED: "graphics_in_sector"}


def test_what_was_never_said_is_not_written() -> None:
    assert EventKind.OVERRULED not in words_of(ViewNotes())
