"""All guards together: what is logged, and what a record is told."""

import logging
from dataclasses import replace

import pytest

from inference.alarms import Alarm, Event, Finding
from inference.frame import Frame
from inference.guards.thumbnail import Thumbnail
from inference.guards.watch import Watch
from inference.sources.simulated import PhantomSource


class Odd:
    """Finds something wrong with frames of odd number."""

    def __init__(self, alarm: Alarm) -> None:
        self._alarm = alarm

    def look(self, sketch: Thumbnail) -> Finding | None:
        return Finding(self._alarm, 0.0, f"{self._alarm} it is.") if sketch.frame.index % 2 else None


@pytest.fixture
def frames() -> list[Frame]:
    source = PhantomSource(count=8)
    named = replace(source.info.origin, name="Doe Jane 0815")
    return [replace(source.read(i), captured_at=float(i), origin=named) for i in range(8)]


def test_each_begin_and_end_is_told_once_with_its_time_and_sentence(frames: list[Frame]) -> None:
    watch = Watch((Odd(Alarm.BLACK), Odd(Alarm.COLOUR)))
    for frame in frames[:3]:
        watch.look(frame)
    both = (Alarm.BLACK, Alarm.COLOUR)
    begun = [Event(alarm, True, 1.0, f"{alarm} it is.") for alarm in both]
    over = [Event(alarm, False, 2.0, f"{alarm} it is.") for alarm in both]
    assert watch.events() == (*begun, *over)
    assert watch.events() == ()
    assert watch.ringing == ()
    watch.look(frames[3])
    assert {finding.alarm for finding in watch.ringing} == set(both)
    assert [event.at for event in watch.events()] == [3.0, 3.0]


def test_the_log_names_the_alarm_and_nothing_of_the_patient(
    frames: list[Frame], caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watch((Odd(Alarm.BLACK),))
    with caplog.at_level(logging.INFO):
        for frame in frames[:3]:
            watch.look(frame)
    assert [record.getMessage() for record in caplog.records] == [
        "guard: black_picture",
        "guard: black_picture is over",
    ]
    assert "Doe" not in caplog.text


def test_an_alarm_that_lasts_is_one_event(frames: list[Frame]) -> None:
    watch = Watch((Odd(Alarm.LIFTED),))
    for _ in range(50):
        watch.look(frames[1])
    assert len(watch.events()) == 1
