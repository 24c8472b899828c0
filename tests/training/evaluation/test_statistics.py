"""Intervals and tests take patients as their unit, and give nothing for too few patients."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from training.evaluation.statistics import difference, holm, interval, sign_flip_p

dice = st.lists(st.floats(0, 1), min_size=5, max_size=12)


@settings(max_examples=20)
@given(dice)
def test_an_interval_holds_the_mean_and_lies_within_the_values(values):
    found = interval(values)
    assert found is not None
    assert min(values) - 1e-12 <= found.low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= found.high <= max(values) + 1e-12
    assert interval(values) == found


def test_an_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(3)
    hits = [(found := interval(rng.normal(0.6, 0.1, 20).tolist())).low <= 0.6 <= found.high for _ in range(200)]
    assert 0.88 <= np.mean(hits) <= 0.98


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1, 1, allow_subnormal=False).map(lambda x: round(x, 6)), min_size=5, max_size=8))
def test_the_exact_p_is_scipys(each):
    array = np.array(each)
    result = stats.permutation_test(
        (array,), lambda x: abs(np.mean(x)), permutation_type="samples", n_resamples=np.inf, alternative="greater"
    )
    assert sign_flip_p(array) == pytest.approx(result.pvalue)


def test_six_patients_on_one_side_reach_the_smallest_p():
    found = difference([0.6, 0.7, 0.8, 0.5, 0.6, 0.9], [0.5, 0.5, 0.7, 0.4, 0.5, 0.8])
    assert found.p == 2 / 2**6
    assert found.within(0.5) is True
    assert found.within(0.1) is False


def test_many_patients_are_drawn_and_come_out_again():
    rng = np.random.default_rng(0)
    each = rng.normal(0.05, 0.1, 30)
    assert sign_flip_p(each) == sign_flip_p(each)
    assert sign_flip_p(each) == pytest.approx(stats.ttest_1samp(each, 0).pvalue, abs=0.02)


def test_under_five_patients_there_is_no_figure():
    found = difference([0.5] * 4, [0.1] * 4)
    assert (found.n_patients, found.mean, found.p, found.within(1.0)) == (4, None, None, None)
    assert interval([0.5] * 4) is None


def test_an_equal_pair_differs_by_nothing():
    found = difference([0.5] * 6, [0.5] * 6)
    assert (found.mean, found.p, found.within(0.01)) == (0.0, 1.0, True)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_never_below_the_raw_p_and_keeps_the_order(ps):
    corrected = holm(ps)
    assert all(c >= p for c, p in zip(corrected, ps, strict=True))
    ranked = sorted(zip(ps, corrected, strict=True))
    assert all(a[1] <= b[1] for a, b in itertools.pairwise(ranked))


def test_holm_by_hand():
    assert holm([0.01, None, 0.04, 0.03]) == pytest.approx([0.03, None, 0.06, 0.06])
