"""Readers in pairs and against their consensus, and typical slices chosen by rule."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.evaluation.boxes import find_boxes
from training.evaluation.compare import ModelNameError, all_named
from training.evaluation.example_figure import choose, spread_out
from training.evaluation.metrics import score
from training.evaluation.reader_tables import majority, observers
from training.evaluation.scoring import segments
from training.evaluation.strata import Scored
from training.slicing.slices import SliceRow, read_slices

masks = hnp.arrays(bool, (4, 5))


@given(st.lists(masks, min_size=1, max_size=5))
def test_the_consensus_is_what_more_than_half_marked(readers):
    votes = sum(mask.astype(int) for mask in readers)
    assert (majority(readers) == (votes > len(readers) / 2)).all()


def test_every_pair_and_each_against_the_consensus(discs):
    store, predictions = discs
    annotators = {name: segments(predictions[name]) for name in ("shifted", "loud")}
    table = observers(read_slices(store), store, annotators)
    pairs = [row[:2] for row in table.rows]
    assert pairs == [
        *(("shifted", "reference"), ("loud", "reference"), ("loud", "shifted")),
        *(("reference", "consensus"), ("shifted", "consensus"), ("loud", "consensus")),
    ]
    against = dict(zip(pairs, table.rows, strict=True))
    assert against["loud", "reference"][2] == 54
    # The loud reader marks all that the reference marks and more, so two of three agree on all of the reference.
    assert against["reference", "consensus"][3].mean > against["shifted", "consensus"][3].mean


def scored(name: str, patient: str, true: int, found: int) -> Scored:
    row = SliceRow(name, patient, patient, "k", 0, float(true), 1, 4000, 1.0, 1.0)
    t, p = np.zeros((1, 4000), bool), np.zeros((1, 4000), bool)
    t[0, :true], p[0, :found] = True, True
    return Scored(row, score(p, t, 1.0), find_boxes(p, t, 1.0))


def test_the_example_of_a_range_is_its_median_and_patients_differ():
    slices = [scored(f"s{at}", "A", 100, found) for at, found in enumerate((10, 90, 50))]
    slices += [scored("t0", "A", 300, 300), scored("t1", "B", 300, 30)]
    chosen = [slices[at].row.name for at in choose({"model": slices})]
    assert chosen == ["s2", "t1"]


@pytest.mark.parametrize(("count", "shown"), [(1, [0]), (5, [0, 1, 2, 3, 4]), (9, [0, 4, 8])])
def test_of_many_models_three_are_drawn(count, shown):
    assert spread_out([str(at) for at in range(count)]) == [str(at) for at in shown]


@pytest.mark.parametrize("name", ["reference", "consensus"])
def test_no_annotator_takes_the_place_of_the_reference_or_the_consensus(name):
    """Its masks stood for those of the store, in a table that called them the reference."""
    with pytest.raises(ModelNameError, match=f"'{name}' is what the table of readers calls its own"):
        all_named({"m": Path("m")}, {name: Path("r")})


def test_two_models_whose_names_differ_in_capitals_alone_would_have_one_summary():
    """On Windows and macOS the export of one took the scores of the other."""
    with pytest.raises(ModelNameError, match="differ in capitals alone"):
        all_named({"US_200": Path("a"), "us_200": Path("b")}, {})
