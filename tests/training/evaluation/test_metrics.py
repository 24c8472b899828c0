"""The table of metrics: a metric added to it appears in every report, without being named again."""

from pathlib import Path

import cv2

from training.evaluation.conventions import WORDS
from training.evaluation.figures import box_table, draw_boxes
from training.evaluation.metrics import METRICS
from training.evaluation.population import Population
from training.evaluation.scoring import score_models, segments, write_scores
from training.evaluation.slice_tables import median_table, metric_table
from training.evaluation.tables import Table
from training.slicing.slices import read_slices


def test_every_metric_stands_in_tables_figures_files_and_words(discs: tuple[Path, dict[str, Path]], tmp_path: Path):
    store, masks = discs
    scores = score_models(read_slices(store), store, {"shifted": segments(masks["shifted"])})
    names = [one.name for one in METRICS]
    assert list(metric_table(scores).head[3:]) == names
    assert list(median_table(scores).head[1:]) == names
    assert list(dict.fromkeys(row[0] for row in box_table(scores).rows)) == [one.name for one in METRICS if one.boxed]
    write_scores(scores, tmp_path / "slices.csv")
    head = (tmp_path / "slices.csv").read_text().splitlines()[0].split(",")
    assert [name for name in head if name in {one.column for one in METRICS}] == [
        one.column for one in METRICS if one.column
    ]
    assert all(one.words in " ".join(WORDS) for one in METRICS)


def test_no_metric_is_named_twice():
    for values in ([one.name for one in METRICS], [one.column for one in METRICS if one.column]):
        assert len(values) == len(set(values))


def test_box_plots_have_a_panel_for_each_metric_that_is_added(tmp_path: Path):
    """A fifth one ended the report with a traceback, though it was added as the guide says."""
    sizes = []
    for number in (4, 5, 7):
        rows = tuple((f"metric {at}", "A", 9, 0.5, 0.5, 0.4, 0.6, 0.2, 0.8) for at in range(number))
        table = Table("box_plots", "", ("metric", "model", *"abcdefg"), rows, "")
        draw_boxes(table, tmp_path / f"{number}.png", Population.SIMULATED)
        sizes.append(cv2.imread(str(tmp_path / f"{number}.png")).shape[0])
    assert sizes[0] < sizes[1] < sizes[2]
