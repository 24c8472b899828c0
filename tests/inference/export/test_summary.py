"""The session's page: one file, nothing fetched, the right numbers, and a plot that shows gaps as gaps."""

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from inference.assets import demo_clip_path
from inference.export.capture import Capture
from inference.export.picture import annotated
from inference.export.plot import HEIGHT, WIDTH, area_plot, nice
from inference.export.readings import reading_row
from inference.export.summary import Session, page, write_summary
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.outcome import Outcome, Tumour
from inference.safety import DEMONSTRATION, INTENDED_USE
from inference.sources import open_source
from inference.sources.simulated import PhantomSource


@pytest.fixture(scope="module")
def outcomes(engine: Engine) -> list[Outcome]:
    """Four frames of the clip, then one of unknown scale."""
    segmenter = Segmenter(engine)
    with open_source(str(demo_clip_path())) as source:
        answers = [segmenter(source.read(index)) for index in (0, 40, 105, 160)]
    with PhantomSource(spacing_mm=None) as hidden:
        return [*answers, segmenter(hidden.read(0))]


@pytest.fixture(scope="module")
def session(engine: Engine, outcomes: Sequence[Outcome]) -> Session:
    return Session(
        origin=replace(outcomes[0].frame.origin, name="<b>clip & co</b>"),
        readings=[reading_row(outcome) for outcome in outcomes],
        contract=engine.contract,
        model_sha256=engine.sha256,
        provider=engine.provider,
        captures=[Capture(outcomes[2], (0.0, 255.0))],
        notes=("Phase: resection",),
    )


class _Reader(HTMLParser):
    """Rows of all tables, and whatever a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.fetched: list[str] = []
        self.words = ""
        self.in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("td", "th"):
            self.cells.append("")
            self.in_cell = True
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        assert tag not in ("script", "iframe", "link", "object", "b")

    def handle_data(self, data: str) -> None:
        self.words += data
        if self.in_cell:
            self.cells[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in ("td", "th")


def _rows(text: str) -> dict[str, str]:
    cells = _Reader(text).cells
    return dict(zip(cells[::2], cells[1::2], strict=True))


def test_the_page_fetches_nothing_and_holds_its_picture(session: Session, tmp_path: Path) -> None:
    write_summary(session, tmp_path / "summary.html")
    text = (tmp_path / "summary.html").read_text(encoding="utf-8")
    (source,) = _Reader(text).fetched
    assert "url(" not in text
    picture = np.frombuffer(base64.b64decode(source.removeprefix("data:image/png;base64,")), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(picture, cv2.IMREAD_COLOR), annotated(session.captures[0]))


def test_the_page_counts_and_names_everything(session: Session, outcomes: Sequence[Outcome], engine: Engine) -> None:
    text = page(session)
    rows = _rows(text)
    tumours = [outcome for outcome in outcomes if isinstance(outcome, Tumour)]
    assert rows["frames"] == "5"
    assert rows["tumour segmented"] == str(len(tumours))
    assert rows["not analysed"] == "1"
    assert rows["1 ×"] == "This phantom hides its scale: calibrate it."
    assert rows["Source"] == "<b>clip & co</b> (SIMULATED)"
    assert rows["sha256"] == engine.sha256
    assert rows["Note"] == "Phase: resection"
    assert rows["unknown"] == "1 frame"
    assert any("DICOM region" in name and count == "4 frames" for name, count in rows.items())
    limits = engine.contract.reliability
    assert f"{limits.min_reliable_area_mm2:g} mm²" in rows["Small: unreliable"]
    areas = [tumour.area_mm2 for tumour in tumours if tumour.area_mm2 is not None]
    assert f"{min(areas):.1f} to {max(areas):.1f} mm²" in text
    assert text.count(INTENDED_USE) == 2
    assert DEMONSTRATION not in text
    assert DEMONSTRATION in page(replace(session, origin=replace(session.origin, simulated=False)))


def test_a_session_without_model_or_scale_has_a_page_without_millimetres() -> None:
    with PhantomSource(spacing_mm=None) as source:
        info = source.info
    rows = [{"frame": 0, "outcome": "not_analysed", "reason": "No scale."}]
    words = _Reader(page(Session(info.origin, rows))).words
    assert "No area in mm²" in words
    assert re.search(r"\d mm", words) is None
    assert "<svg" not in page(Session(info.origin, []))


def _drawn(plot: str) -> list[list[tuple[float, float]]]:
    """The lines of a plot, points in pixels."""
    root = ElementTree.fromstring(plot)  # noqa: S314 (our own text)
    lines = [element.get("points", "") for element in root.iter("{http://www.w3.org/2000/svg}polyline")]
    return [[(float(x), float(y)) for x, y in (pair.split(",") for pair in line.split())] for line in lines]


def test_a_gap_and_a_jump_back_are_no_line() -> None:
    areas = [10.0, 20.0, None, 0.0, 5.0]
    rows = [{"frame": k, "time_s": k / 10, "area_mm2": area} for k, area in enumerate(areas)]
    again = [{"frame": k, "time_s": k / 10, "area_mm2": 1.0} for k in range(3)]
    assert [len(line) for line in _drawn(area_plot(rows + again))] == [2, 2, 3]
    lost = [{"frame": k, "time_s": k / 10 + (60.0 if k > 3 else 0.0), "area_mm2": 9.0} for k in range(8)]
    assert [len(line) for line in _drawn(area_plot(lost))] == [4, 4], "a minute without a frame has no area"
    slow = [{"frame": k, "time_s": k * 2.0, "area_mm2": 9.0} for k in range(8)]
    assert [len(line) for line in _drawn(area_plot(slow))] == [8]


def test_hours_stay_small_and_a_single_peak_stays() -> None:
    rows = [{"frame": k, "area_mm2": 1000.0 if k == 54_321 else 100.0 + k % 7} for k in range(100_000)]
    plot = area_plot(rows, (35.0, 200.0, 5000.0))
    (line,) = _drawn(plot)
    assert len(plot) < 60_000
    assert min(y for _, y in line) < 0.2 * HEIGHT
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in line)
    assert plot.count('class="limit" x1') == 2


@pytest.mark.parametrize("area", [0.0, 1e-3, 7.0, 1e6])
def test_one_reading_is_a_dot_inside_the_plot(area: float) -> None:
    root = ElementTree.fromstring(area_plot([{"frame": 3, "area_mm2": area}]))  # noqa: S314
    (dot,) = root.iter("{http://www.w3.org/2000/svg}circle")
    assert 0 <= float(dot.get("cy", "nan")) <= HEIGHT


def test_steps_are_one_two_five() -> None:
    assert [nice(step) for step in (0.011, 0.2, 3.0, 70.0)] == pytest.approx([0.02, 0.2, 5.0, 100.0])
