"""Laws of temperature and scores: no mask changes, a score is a share, and only the contract's threshold decides."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from certainties import certain, certainty
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from tiny import threshold_model

from inference.contract import Mode, QualityScore
from inference.frame import Frame, Origin, View
from inference.model.engine import Engine
from inference.model.quality import predicted_quality, probability, score_of
from inference.model.segmentation import band_of
from inference.model.segmenter import Segmenter
from inference.outcome import NothingFound, Tumour
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance
from training.export.onnx_file import seal, write_onnx
from training.export.proof import golden_of

logits = arrays(np.float32, (7, 9), elements=st.floats(-80, 80, width=32))
temperatures = st.floats(0.1, 10)


@given(logits, temperatures)
def test_a_temperature_never_changes_which_pixels_are_tumour(plane: NDArray[np.float32], temperature: float) -> None:
    found = probability(plane, temperature)
    assert not (found[plane > 0] < 0.5).any()
    assert not (found[plane < 0] > 0.5).any()
    order = np.argsort(plane, axis=None)
    assert (np.diff(found.ravel()[order]) >= 0).all()


@given(logits, temperatures, st.floats(0.05, 0.95), st.sampled_from(QualityScore))
def test_every_score_is_a_share_and_0_without_a_contour(
    plane: NDArray[np.float32], temperature: float, threshold: float, kind: QualityScore
) -> None:
    score = score_of(kind, plane, temperature, threshold)
    assert 0 <= score <= 1 + 1e-6
    if not (plane > 0).any():
        assert score == 0


@pytest.mark.parametrize("kind", QualityScore)
def test_a_contour_of_which_the_network_is_sure_scores_higher(kind: QualityScore) -> None:
    sure, unsure = np.full((20, 20), -9, np.float32), np.full((20, 20), -0.5, np.float32)
    sure[5:15, 5:15], unsure[5:15, 5:15] = 9, 0.5
    assert score_of(kind, sure, 1.0, 0.5) > 0.95
    assert score_of(kind, unsure, 1.0, 0.5) < 0.75


@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_probabilities_are_the_networks_own_whatever_its_threshold(threshold: float) -> None:
    """A logit of ln 3 is a probability of 75 %, and 50 % counts for the contour only if the threshold is below."""
    own = np.array([[np.log(3), 0.0, -9.0]], np.float32)
    margin = own - np.float32(np.log(threshold / (1 - threshold)))
    inside = [0.75, 0.5] if threshold < 0.5 else [0.75]
    assert score_of(QualityScore.MEAN_PROBABILITY, margin, 1.0, threshold) == pytest.approx(np.mean(inside))


def test_only_a_score_below_the_contracts_threshold_is_said_to_fail() -> None:
    margin = np.full((4, 4), 2.0, np.float32)
    score = score_of(QualityScore.MEAN_PROBABILITY, margin, 2.0, 0.5)
    assert predicted_quality(margin, certainty(threshold=score + 0.01), 0.5).likely_to_fail
    assert not predicted_quality(margin, certainty(threshold=score), 0.5).likely_to_fail


def test_the_band_is_that_of_the_calibrated_probability() -> None:
    """On a slope of one logit a pixel, 75 % lies ln 3 pixels inside the contour, and twice that at temperature 2."""
    slope = np.tile(20 - np.arange(40, dtype=np.float32), (30, 1))
    inner = [band_of(slope, 0.5, temperature).inner[0][:, 0].max() for temperature in (1.0, 2.0)]
    assert inner == pytest.approx([20 - np.log(3), 20 - 2 * np.log(3)], abs=0.1)


def _both(folder: Path) -> tuple[Segmenter, Segmenter]:
    """The same model without and with a certainty, for the fast mode only."""
    plain, sure = folder / "plain.onnx", folder / "sure.onnx"
    contract = threshold_model(plain, level=0.7, blur=9)
    network = onnx.load(plain)
    seal(network, certain(contract, certainty(threshold=1.0, temperature=5.0)), golden_of(network, contract))
    write_onnx(network, sure)
    return Segmenter(Engine.load(plain, threads=1)), Segmenter(Engine.load(sure, threads=1))


def test_a_file_with_certainty_gives_the_same_masks_and_foretells_where_one_without_says_nothing(
    tmp_path: Path,
) -> None:
    plain, sure = _both(tmp_path)
    source = PhantomSource(count=60, speckle=0.2)
    for index in (0, 20, 40):
        frame = source.read(index)
        before, after = plain(frame), sure(frame)
        assert isinstance(before, Tumour)
        assert isinstance(after, Tumour)
        assert np.array_equal(before.mask, after.mask)
        assert before.quality is None
        assert not before.likely_to_fail
        assert after.quality is not None
        assert after.likely_to_fail


def test_nothing_is_foretold_in_a_mode_that_was_not_measured_nor_of_an_empty_answer(tmp_path: Path) -> None:
    _, sure = _both(tmp_path)
    frame = PhantomSource(count=60).read(0)
    slow = Segmenter(sure.engine, mode=Mode.THOROUGH)(frame)
    assert isinstance(slow, Tumour)
    assert slow.quality is None
    black = Frame(
        0, np.zeros((60, 70), np.uint8), PixelSpacing(0.3, 0.3, Provenance.EXACT), 0.0, Origin("black", View.NATIVE)
    )
    assert isinstance(sure(black), NothingFound)
