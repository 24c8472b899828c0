"""What is exported of the open record says the same as the screen."""

import csv
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from outcomes import INFO, SPACING, five, record

from inference.alarms import Alarm
from inference.assets import demo_model_path
from inference.jobs.background import BackgroundJobs
from inference.jobs.record_export import AS_RECORDED, MOVED, Form, RecordExport, Wanted
from inference.live.opening import load_model, open_source
from inference.live.requests import SourceRequest
from inference.live.session import Session
from inference.model.engine import Engine
from inference.outcome import Outcome
from inference.recording.recorder import Recorder
from inference.spacing import PixelSpacing, Provenance


@pytest.fixture
def session() -> Iterator[Session]:
    opened = Session(open_source, load_model)
    yield opened
    opened.close()


def exported(session: Session, shown: Outcome | None, folder: Path) -> dict[str, str]:
    """The first row of the table that E writes now."""
    background = BackgroundJobs()
    RecordExport(session, background).toggle(shown, {})
    background.close()
    with (folder / "readings.csv").open(newline="") as file:
        return next(csv.DictReader(file))


def test_the_open_record_is_exported_with_the_scale_that_it_has_on_the_screen(session: Session, tmp_path: Path) -> None:
    path, given = record(tmp_path / "r.mcap", five()[:4]), PixelSpacing(0.5, 0.4, Provenance.RULER)
    session.open(SourceRequest(str(path)))
    end = monotonic() + 30
    while (shown := session.tick().shown) is None and monotonic() < end:
        session.wait(0.016)
    for scale in (None, given):
        session.calibrate(scale)
        row, used = exported(session, shown, tmp_path / "r"), scale or SPACING
        assert (float(row["spacing_row_mm"]), float(row["spacing_col_mm"])) == (used.row_mm, used.col_mm)


def test_a_record_that_was_opened_by_a_relative_name_is_the_same_one_in_the_list(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, given = record(tmp_path / "r.mcap", five()[:4]), PixelSpacing(0.5, 0.4, Provenance.RULER)
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path / "folder")
    session.open(SourceRequest("../r.mcap"))
    end = monotonic() + 30
    while session.tick().shown is None and monotonic() < end:
        session.wait(0.016)
    session.calibrate(given)
    background = BackgroundJobs()
    RecordExport(session, background).begin([Wanted(path)])  # as the list calls it
    background.close()
    with (tmp_path / "r" / "readings.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert (float(row["spacing_row_mm"]), float(row["spacing_col_mm"])) == (0.5, 0.4)


def test_a_record_that_is_gone_is_one_sentence(session: Session, tmp_path: Path) -> None:
    background, gone = BackgroundJobs(), tmp_path / "gone.mcap"
    export = RecordExport(session, background)
    export.begin([Wanted(gone), Wanted(gone, form=Form.DICOM)])
    background.close()
    *_, (said, _) = iter(background.take, None)
    assert said == f"2 records could not be exported. {MOVED.format('gone.mcap')}"
    assert list(tmp_path.iterdir()) == []


def said_of_export(session: Session, path: Path) -> str:
    """What the window says of an export of this record, once it is open and shown."""
    session.open(SourceRequest(str(path)))
    end = monotonic() + 30
    while (session.opened is None or session.opened.text != str(path) or session.shown is None) and monotonic() < end:
        session.wait(0.016)
        session.tick()
    return said_of_opened(session)


def said_of_opened(session: Session) -> str:
    """What the window says of an export of the open record."""
    background = BackgroundJobs()
    RecordExport(session, background).toggle(session.shown, {})
    background.close()
    return list(iter(background.take, None))[-1][0]


def test_that_the_screen_answers_anew_is_said_of_an_export_with_why(session: Session, tmp_path: Path) -> None:
    path, answered = tmp_path / "same.mcap", five()
    recorder = Recorder(path, INFO, start=answered[0].frame.captured_at)
    recorder.model(Engine.load(demo_model_path()).sha256, "CPU", "{}")
    for outcome in answered[:2]:
        recorder.frame(outcome.frame)
        recorder.outcome(outcome)
    recorder.close()
    session.load(None)
    while session.model is None:
        session.wait(0.016)
        session.tick()
    assert said_of_export(session, path).endswith(f" in {tmp_path / 'same'}.")
    session.calibrate(PixelSpacing(0.5, 0.4, Provenance.TYPED))
    assert said_of_opened(session).endswith(AS_RECORDED.format("at another scale"))
    session.calibrate(PixelSpacing(SPACING.row_mm, SPACING.col_mm, Provenance.TYPED))
    assert said_of_opened(session).endswith(f" in {tmp_path / 'same'}."), "it is the same scale, whoever gave it"
    session.overrule(Alarm.GRAPHICS)
    assert said_of_opened(session).endswith(AS_RECORDED.format("an alarm was called false"))
    unanswered = record(tmp_path / "unanswered.mcap", answered[4:])  # no model's entry
    assert said_of_export(session, unanswered).endswith(AS_RECORDED.format("of another model"))
    session.calibrate(SPACING)
    both = AS_RECORDED.format("of another model, at another scale")
    assert said_of_opened(session).endswith(both), "as of a grabbed picture that is calibrated afterwards"


def test_the_record_that_stays_open_is_exported_after_another_was_refused(session: Session, tmp_path: Path) -> None:
    path, other = record(tmp_path / "r.mcap", five()), tmp_path / "other.mcap"
    other.write_bytes(b"no record")
    session.open(SourceRequest(str(path)))
    end = monotonic() + 30
    while (shown := session.tick().shown) is None and monotonic() < end:
        session.wait(0.016)
    session.open(SourceRequest(str(other)))
    while not session.source_refusal and monotonic() < end:
        session.wait(0.016)
        session.tick()
    assert exported(session, shown, tmp_path / "r")["outcome"] == "tumour"
