"""One table in four formats holds the same figures in each, and a page has one population only."""

import csv
import json

import pytest

from training.evaluation.figure_style import colours
from training.evaluation.page import Page, Section
from training.evaluation.population import Population, PopulationError
from training.evaluation.published import published
from training.evaluation.tables import Chance, Estimate, Percent, Spread, Table, shown

TABLE = Table(
    "k",
    "Title & more",
    ("model", "Dice", "PP", "mean", "p", "n"),
    (
        ("a|b", Spread(0.123456, 0.4), Percent(0.5), Estimate(-0.001, -0.2, 0.1), Chance(0.0001), 7),
        ("a|b", None, None, None, None, 0),
    ),
    "A note.",
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "–"),
        (0.005, "0.01"),
        (-0.004, "0.00"),
        (-1.5, "−1.50"),
        (Spread(0.6, 0.28), "0.60 ± 0.28"),
        (Percent(0.986), "98.6 %"),
        (Estimate(-0.12, -0.19, 0.06), "−0.12 [−0.19, 0.06]"),
        (Chance(0.03125), "0.031"),
        (Chance(0.00009), "< 0.001"),
        (12, "12"),
    ],
)
def test_cells_as_a_reader_sees_them(cell, text):
    assert shown(cell) == text


def test_csv_has_every_digit(tmp_path):
    TABLE.write_csv(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open() as stream:
        first, second = csv.DictReader(stream)
    assert first == {
        "model": "a|b",
        "Dice mean": "0.123456",
        "Dice SD": "0.4",
        "PP": "0.5",
        "mean mean": "-0.001",
        "mean low": "-0.2",
        "mean high": "0.1",
        "p": "0.0001",
        "n": "7",
    }
    assert second["Dice mean"] == second["mean high"] == second["p"] == ""


def test_json_has_null_where_nothing_is_given():
    rows = json.loads(json.dumps(TABLE.as_json()))["rows"]
    assert rows[0]["Dice"] == {"mean": 0.123456, "sd": 0.4}
    assert rows[0]["mean"] == {"mean": -0.001, "low": -0.2, "high": 0.1}
    assert (rows[1]["Dice"], rows[1]["PP"], rows[1]["n"]) == (None, None, 0)


def test_markdown_and_html_escape():
    assert "a\\|b" in TABLE.as_markdown()
    page = Page("t", "<data>", "", (Section("s", Population.REAL, tables=(TABLE,)),))
    assert "<data>" not in page.as_html()
    assert "Title &amp; more" in page.as_html()


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="k has rows"):
        Table("k", "t", ("a", "b"), (("x",),))


def test_a_page_holds_one_population(tmp_path):
    sections = (Section("a", Population.SIMULATED), Section("b", Population.REAL))
    with pytest.raises(PopulationError, match="never stand in one report"):
        Page("t", "d", "", sections).write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_published_figures_never_stand_beside_simulated_ones():
    with pytest.raises(PopulationError):
        published(("cutoffs",), Population.SIMULATED)
    tables = published(("cutoffs", "label_origin", "others", "registration"), Population.REAL).tables
    assert [len(table.rows) for table in tables] == [9, 4, 8, 5]


@pytest.mark.parametrize("count", [1, 3, 7, 9, 20])
def test_every_model_has_its_own_colour(count):
    names = [f"m{at}" for at in range(count)]
    found = colours(names)
    assert list(found) == names
    assert len(set(found.values())) == count
