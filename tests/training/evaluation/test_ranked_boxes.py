"""Average precision and sensitivity: cases by hand, an independent implementation, and laws of the resampling."""

import numpy as np
import pytest
from monai.apps.detection.metrics.coco import COCOMetric
from monai.apps.detection.metrics.matching import matching_batch

from training.evaluation.detector_table import detector_sections
from training.evaluation.population import Population
from training.evaluation.ranked_boxes import RATES, Slice, _curve, ranked
from training.nnunet.boxes.table import HEAD, MASK, Found, add
from training.slicing.boxes import boxes_of, iou
from training.slicing.slices import read_slices, read_tumour

TRUE = np.array([[0, 0, 10, 10]])


def found(*boxes: tuple[float, ...]) -> Found:
    """Boxes of four sides and a score each."""
    cells = np.array(boxes, float).reshape(-1, 5)
    return Found(cells[:, :4], cells[:, 4])


def sliced(patient: int, predicted: Found, true: np.ndarray = TRUE, mm2: float = 100.0) -> Slice:
    return Slice(f"P{patient}", true, np.full(len(true), mm2), predicted)


RIGHT, WRONG = (0, 0, 10, 10), (50, 50, 60, 60)


def test_by_hand():
    """Ranked: found, false, found, found; of five. Precision at each: 1, then 2/3 and 3/4, of which the best is 3/4."""
    slices = [
        sliced(0, found((*RIGHT, 0.9))),
        sliced(1, found((*WRONG, 0.8))),
        sliced(2, found((*RIGHT, 0.7))),
        sliced(3, found((*RIGHT, 0.6))),
        sliced(4, found()),
    ]
    figures = ranked(slices, 0.5).figures()
    assert figures is not None
    assert figures.precision.value == pytest.approx((1 + 0.75 + 0.75) / 5)
    by_rate = dict(zip(RATES, (one.value for one in figures.sensitivity), strict=True))
    assert by_rate[0.1] == pytest.approx(0.2), "half a false box is none"
    assert by_rate[0.2] == by_rate[1.0] == pytest.approx(0.6), "one in five slices"
    empty = [sliced(at, found(), np.zeros((0, 4), int)) for at in range(5)]
    more = ranked([*slices, *empty], 0.5).figures()
    assert more is not None
    assert more.sensitivity[0].value == pytest.approx(0.6), "slices without tumour allow false boxes too"


def test_an_area_at_a_bands_end_is_in_it_whatever_rounding_makes_of_it():
    """5000 pixels of a NIfTI's 0.2 mm are 200.00000596 mm²: 35–200 mm² here as in every other table, and not above."""
    mm = float(np.float32(0.2))
    ranking = ranked([sliced(at, found((*RIGHT, 0.9)), mm2=5000 * mm * mm) for at in range(5)], 0.5)
    small = ranking.figures((35.0, 200.0))
    assert small is not None
    assert small.precision.value == 1
    assert ranking.figures((200.0, np.inf)) is None


def test_each_true_box_is_found_once_and_by_the_box_of_the_highest_score():
    twice = [sliced(at, found((*RIGHT, 0.5), (1, 0, 10, 10, 0.9))) for at in range(5)]
    figures = ranked(twice, 0.5).figures()
    assert figures is not None
    assert figures.precision.value == pytest.approx(1.0), "the second of each slice is false, and ranked below all"
    assert ranked(twice, 0.95).figures().precision.value == pytest.approx(0.5), "now only the lower ones fit"


def random_slices(rng: np.random.Generator, patients: int = 6) -> list[Slice]:
    slices = []
    for at in range(5 * patients):
        corners = rng.uniform(0, 60, (int(rng.integers(0, 4)), 2))
        true = np.hstack([corners, corners + rng.uniform(5, 25, corners.shape)])
        moved = true[rng.random(len(true)) < 0.8] + rng.normal(0, 2, (1, 4))
        others = rng.uniform(0, 60, (int(rng.integers(0, 3)), 2))
        boxes = np.vstack([moved, np.hstack([others, others + 12])])
        one = Found(boxes, rng.permutation(1000)[: len(boxes)] / 1000 + at * 1e-6)
        slices.append(Slice(f"P{at % patients}", true, rng.uniform(1, 400, len(true)), one))
    return slices


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("least", [0.3, 0.5])
def test_monai_matches_the_same_boxes_and_draws_the_same_curve(seed: int, least: float):
    """MONAI's COCO metric reads precision at 101 recalls, ours at all: so the curves are compared, read alike."""
    slices = random_slices(np.random.default_rng(seed))
    classes = [np.zeros(len(one.found.scores), int) for one in slices]
    matched = matching_batch(
        iou_fn=iou,
        iou_thresholds=[least],
        pred_boxes=[one.found.boxes for one in slices],
        pred_classes=classes,
        pred_scores=[one.found.scores for one in slices],
        gt_boxes=[one.true for one in slices],
        gt_classes=[np.zeros(len(one.true), int) for one in slices],
    )
    told, _ = COCOMetric(classes=["tumour"], iou_list=[least], iou_range=(least, least, 0.1), max_detection=[100])(
        matched
    )
    ranking = ranked(slices, least)
    hits, misses = (one[0] for one in _curve(np.ones((1, 6), int), ranking.owner, ranking.found_mm2 > 0))
    recall, precision = hits / len(ranking.true_mm2), hits / (hits + misses)
    read = [precision[recall >= at].max(initial=0) for at in np.linspace(0, 1, 101)]
    assert told[f"AP_IoU_{least:.2f}_MaxDet_100"] == pytest.approx(np.mean(read), abs=1e-6)
    assert ranking.figures().precision.value == pytest.approx(np.mean(read), abs=0.02)


def test_a_resampling_is_a_ranking_of_the_patients_that_were_drawn():
    slices = random_slices(np.random.default_rng(7))
    figures = ranked(slices, 0.3).figures()
    assert figures is not None
    count = 6
    drawn = np.random.default_rng(0).integers(0, count, (10_000, count))
    for at in (0, 1, 17):
        again = [
            Slice(f"{copy}", one.true, one.true_mm2, one.found)
            for copy, patient in enumerate(drawn[at])
            for one in slices
            if one.patient == f"P{patient}"
        ]
        plain = ranked(again, 0.3).figures()
        assert plain is not None
        # Copies of a patient share their scores, so their order within a tie is all that may differ.
        assert figures.precision.resampled[at] == pytest.approx(plain.precision.value, abs=0.02)
    same = figures.minus(figures).precision.estimate()
    assert same is not None
    assert (same.mean, same.low, same.high) == (0, 0, 0)
    estimate = figures.precision.estimate()
    assert estimate is not None
    assert estimate.low < estimate.mean < estimate.high


def test_by_size_boxes_that_found_another_size_are_left_out_and_false_ones_count_in_each():
    small = [sliced(at, found((*RIGHT, 0.5), (*WRONG, 0.9)), mm2=10.0) for at in range(5)]
    large = [sliced(at, found((*RIGHT, 0.8)), mm2=300.0) for at in range(5)]
    ranking = ranked([*small, *large], 0.5)
    assert ranking.figures((0.0, 35.0)).precision.value == pytest.approx(0.5), "five false ones come first"
    assert ranking.figures((200.0, np.inf)).precision.value == pytest.approx(0.5)
    assert ranking.figures((35.0, 200.0)) is None
    assert ranked(small[:4], 0.5).figures() is None, "fewer than five patients"


def test_the_report_has_boxes_in_tables_of_their_own_and_only_where_they_were_predicted(discs, tmp_path):
    store, _ = discs
    rows = read_slices(store)
    assert detector_sections({"loud": discs[1]["loud"]}, store, rows, Population.SIMULATED) == []
    for row in rows:
        true, _ = boxes_of(read_tumour(row.label(store)))
        exact = Found(true.astype(float), np.full(len(true), 0.9))
        other = Found(exact.boxes + 30, exact.scores)
        (tmp_path / f"{row.name}.nii.gz").symlink_to(discs[1]["loud"] / f"{row.name}.nii.gz")
        add(row.name, row.image(store), {HEAD: exact, MASK: other}, tmp_path)
    (section,) = detector_sections({"m": tmp_path}, store, rows, Population.SIMULATED)
    table, pairs = (one.as_json()["rows"] for one in section.tables)
    totals = {row["boxes of"]: row for row in table if row["true region"] == "total"}
    assert totals["box head"]["AP at 0.5"]["mean"] == 1.0
    assert totals["regions of its mask"]["AP at 0.5"]["mean"] == 0.0
    assert [row["true boxes"] for row in table[:4]] == [18, 18, 18, 54]
    assert pairs[0]["AP at 0.3"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
