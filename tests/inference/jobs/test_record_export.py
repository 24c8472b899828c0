"""What is exported of the open record says the same as the screen."""

import csv
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from outcomes import SPACING, five, record

from inference.jobs.background import BackgroundJobs
from inference.jobs.record_export import RecordExport
from inference.live.opening import load_model, open_source
from inference.live.requests import SourceRequest
from inference.live.session import Session
from inference.outcome import Outcome
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
