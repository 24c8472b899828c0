"""The metric definitions against MONAI and SimpleITK on a thousand random pairs, edge cases included."""

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from training.evaluation.metrics import hd95_mm, hd95_pooled_mm, score, score_with_distances

PAIRS = 1000
SPACINGS = ((0.5, 0.5), (0.35, 0.21), (1.0, 1.0))


def mask(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A random mask: blobs, speckle, a single pixel, a full picture, a shape at the border, or nothing."""
    kind = rng.integers(8)
    if kind == 0:
        return np.zeros(shape, bool)
    if kind == 1:
        return np.ones(shape, bool)
    if kind == 2:
        one = np.zeros(shape, bool)
        one[tuple(rng.integers(0, shape))] = True
        return one
    if kind == 3:
        return rng.random(shape) > rng.uniform(0.05, 0.95)
    smooth = ndimage.gaussian_filter(rng.standard_normal(shape), rng.uniform(1, 5))
    return smooth > np.quantile(smooth, rng.uniform(0.4, 0.99))


def pairs() -> Iterator[tuple[np.ndarray, np.ndarray, tuple[float, float]]]:
    rng = np.random.default_rng(0)
    for number in range(PAIRS):
        shape = (int(rng.integers(2, 60)), int(rng.integers(2, 60)))
        true = mask(rng, shape)
        predicted = true.copy() if number % 50 == 0 else mask(rng, shape)
        yield predicted, true, SPACINGS[number % len(SPACINGS)]


def test_a_thousand_pairs_hold_every_edge_case():
    kinds = [(bool(p.any()), bool(t.any()), bool((p & t).any()), bool((p == t).all())) for p, t, _ in pairs()]
    assert {(False, False, False, True), (True, False, False, False), (False, True, False, False)} <= set(kinds)
    assert {(True, True, False, False), (True, True, True, True), (True, True, True, False)} <= set(kinds)


def test_overlap_measures_are_simpleitks():
    """Dice, recall, FNR, precision (1 - false discovery rate), vs; without a prediction, the paper's convention."""
    for predicted, true, spacing in pairs():
        ours = score(predicted, true, spacing[0] * spacing[1])
        if not predicted.any() and not true.any():
            assert (ours.dice, ours.precision, ours.recall, ours.vs) == (None, None, None, None)
            continue
        measure = sitk.LabelOverlapMeasuresImageFilter()
        measure.Execute(*(sitk.GetImageFromArray(one.astype(np.uint8)) for one in (predicted, true)))
        assert ours.dice == pytest.approx(measure.GetDiceCoefficient(), abs=1e-6)
        assert ours.vs == pytest.approx(measure.GetVolumeSimilarity(), abs=1e-6)
        if true.any():
            assert ours.fnr == pytest.approx(measure.GetFalseNegativeError(), abs=1e-6)
            assert ours.recall == pytest.approx(1 - measure.GetFalseNegativeError(), abs=1e-6)
        if predicted.any():
            assert ours.precision == pytest.approx(1 - measure.GetFalseDiscoveryRate(), abs=1e-6)
        elif true.any():
            assert (ours.dice, ours.precision, ours.recall, ours.fnr) == (0, 0, 0, 1)


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")  # MONAI 1.6 does it itself
def test_hd95_is_monais():
    """HD95 is the larger of the two directed 95th percentiles.

    MONAI's last step takes the percentile in single precision, accurate to 1e-5 only. So its edges and distances are
    compared to 1e-6 on every pair, and its whole function, which is slow, to 1e-5 on every tenth.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of MONAI's imports
        import torch
        from monai.metrics import compute_hausdorff_distance
        from monai.metrics.utils import get_mask_edges, get_surface_distance
    torch.set_num_threads(1)
    for number, (predicted, true, spacing) in enumerate(pairs()):
        ours = hd95_mm(predicted, true, spacing)
        if not predicted.any() or not true.any():
            assert ours is None
            continue
        edges = get_mask_edges(torch.from_numpy(predicted), torch.from_numpy(true), crop=False)
        both = [get_surface_distance(*way, spacing=spacing).double() for way in (edges, edges[::-1])]
        assert ours == pytest.approx(max(float(torch.quantile(way, 0.95)) for way in both), rel=1e-6, abs=1e-6)
        if number % 10 == 1:
            one, other = (torch.from_numpy(mask[None, None].astype(np.float32)) for mask in (predicted, true))
            whole = compute_hausdorff_distance(one, other, include_background=True, percentile=95, spacing=spacing)
            assert ours == pytest.approx(float(whole), rel=1e-5, abs=1e-6)


def itk_pooled(predicted: np.ndarray, true: np.ndarray, spacing: tuple[float, float]) -> list[float]:
    """The distances of both directions from ITK's contours and distance maps, as seg-metrics computes them."""
    found: list[float] = []
    for one, other in ((predicted, true), (true, predicted)):
        here, there = (sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (one, other))
        for image in (here, there):
            image.SetSpacing(spacing[::-1])
        distance = sitk.Abs(sitk.SignedMaurerDistanceMap(there, squaredDistance=False, useImageSpacing=True))
        contour = sitk.GetArrayFromImage(sitk.LabelContour(here, fullyConnected=True)) > 0
        found += sitk.GetArrayFromImage(distance)[contour].tolist()
    return found


def test_pooled_hd95_is_that_of_the_papers_script():
    compared = 0
    for predicted, true, spacing in pairs():
        ours = hd95_pooled_mm(predicted, true, spacing)
        if not predicted.any() or not true.any() or predicted.all() or true.all():
            assert ours is None
            continue
        assert ours == pytest.approx(np.percentile(itk_pooled(predicted, true, spacing), 95), rel=1e-5, abs=1e-5)
        compared += 1
    assert compared > PAIRS / 2


def test_the_two_hd95_differ_where_one_direction_is_the_worse():
    """A perfect contour and a far speck, which is 7 % of the prediction's edge and under 5 % of both edges together."""
    true = np.zeros((40, 60), bool)
    true[5:35, 5:35] = True
    predicted = true.copy()
    predicted[5:8, 50:53] = True
    scored = score_with_distances(predicted, true, (1.0, 1.0))
    assert scored.hd95_mm is not None
    assert scored.hd95_mm > 15
    assert scored.hd95_pooled_mm == 0


def test_hd95_by_hand():
    one, other = np.zeros((1, 30), bool), np.zeros((1, 30), bool)
    one[0, 0] = other[0, 10] = True
    assert hd95_mm(one, other, (3.0, 0.5)) == 5.0
    assert hd95_mm(one, one, (3.0, 0.5)) == 0.0
    other[0, 0] = True  # one of two edge pixels is 5 mm off: the 95th percentile of (0, 5)
    assert hd95_mm(one, other, (3.0, 0.5)) == pytest.approx(4.75)
