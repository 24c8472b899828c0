"""Jobs behind the window: one whose drive is dead is said once, and keeps nothing behind it."""

import threading
from collections.abc import Callable
from time import monotonic, sleep

import pytest

from inference.errors import OutputError
from inference.jobs import background
from inference.jobs.background import BackgroundJobs
from inference.readout.marks import Tone

LATE = "It does not answer."


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "ANSWER_S", 0.2)


def told(jobs: BackgroundJobs, until: Callable[[], bool]) -> list[tuple[str, Tone]]:
    """All that is said until something has happened, polled as the window does."""
    said, end = [], monotonic() + 10
    while not until():
        assert monotonic() < end
        said.append(jobs.take())
        sleep(0.01)
    said += [jobs.take() for _ in range(5)]
    return [one for one in said if one is not None]


def test_jobs_behind_one_on_a_dead_drive_go_on() -> None:
    jobs, release, order = BackgroundJobs(), threading.Event(), list[str]()

    def stuck() -> str:
        release.wait()
        order.append("stuck")
        return "written late"

    dead = jobs.begin(stuck, LATE)
    later = [jobs.begin(lambda number=number: order.append(str(number)) or "written") for number in range(3)]
    assert jobs.waits(dead)
    said = told(jobs, later[-1].done)
    assert said == [(LATE, Tone.FAULT), *[("written", Tone.NEUTRAL)] * 3]
    assert not jobs.waits(dead)
    assert not jobs.busy
    assert jobs.failed == (LATE,)
    release.set()  # the drive answers: what was asked for is done, by itself alone
    assert told(jobs, dead.done) == [("written late", Tone.NEUTRAL)]
    assert order == ["0", "1", "2", "stuck"]
    after = jobs.begin(lambda: "still there")
    assert told(jobs, after.done) == [("still there", Tone.NEUTRAL)]
    jobs.close()


def test_two_dead_drives_are_said_one_after_the_other() -> None:
    jobs, release = BackgroundJobs(), threading.Event()

    def refused() -> str:
        raise OutputError("full")

    for name in "ab":
        jobs.begin(lambda: str(release.wait()), f"{name} does not answer.")
    last = jobs.begin(refused)
    said = [sentence for sentence, _ in told(jobs, last.done)]
    assert said == ["a does not answer.", "b does not answer.", "full"]
    release.set()
    jobs.close()


def test_what_must_keep_its_order_waits_and_is_said_once() -> None:
    """Settings of before must not be written over those of now."""
    jobs, release, order = BackgroundJobs(strict=True), threading.Event(), list[str]()
    jobs.begin(lambda: str(release.wait() and order.append("old")), LATE)
    said = list[tuple[str, Tone]]()
    newer = jobs.begin(lambda: order.append("new") or "")
    said += told(jobs, lambda: bool(jobs.take()))  # the sentence itself ends this
    end = monotonic() + 0.5
    assert told(jobs, lambda: monotonic() > end) == []
    assert not newer.done()
    release.set()
    newer.result(5.0)
    assert order == ["old", "new"]
    jobs.close()
