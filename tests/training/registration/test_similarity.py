"""LC2 and MIND-SSC against patch loops written from the papers, and the laws they have to obey."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.registration.align import align
from training.registration.lc2 import lc2
from training.registration.mind import mind_ssc
from training.registration.search import maximise
from training.registration.transforms import Matrix, apply, rigid
from training.registration.volume import Volume, coarser, smoothed, warp

SEEDS = st.integers(0, 10**6)


def _lc2_by_loop(us: np.ndarray, mask: np.ndarray, channels: list[np.ndarray], size: int) -> float:
    """Wein et al. 2013, patch by patch with a least-squares solver."""
    valid = mask & np.isfinite(sum(channels))
    total = weights = 0.0
    for centre in np.ndindex(us.shape):
        patch = tuple(slice(max(0, c - size // 2), c + size // 2 + 1) for c in centre)
        inside = valid[patch]
        if 2 * inside.sum() <= size**3:
            continue
        seen = us[patch][inside].astype(float)
        if seen.var() <= 1e-12:
            continue
        columns = np.stack([*(channel[patch][inside].astype(float) for channel in channels), np.ones(inside.sum())], 1)
        fit = columns @ np.linalg.lstsq(columns, seen, rcond=None)[0]
        total += seen.std() * (1 - (seen - fit).var() / seen.var())
        weights += seen.std()
    return total / weights if weights else 0.0


def _scene(seed: int, channels: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    us, *mri = (rng.gamma(2, 20, (channels + 1, 8, 7, 6))).astype(np.float32)
    mask = rng.random(us.shape) < 0.85
    mri[0][:2] = np.nan  # no MRI there
    if channels > 2:
        mri[2] = 4 * mri[1]  # a channel that says nothing new, exactly
        mri[0][5:] = 4.0  # and one that is constant in part
    return np.where(mask, us, 0), mask, mri


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, channels=st.integers(1, 4), size=st.sampled_from([3, 5]))
def test_box_filters_give_what_the_patch_loop_gives(seed: int, channels: int, size: int) -> None:
    us, mask, mri = _scene(seed, channels)
    assert lc2(us, mask, mri, size) == pytest.approx(_lc2_by_loop(us, mask, mri, size), abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, scale=st.floats(0.01, 100), offset=st.floats(-50, 50))
def test_lc2_does_not_know_the_scale_of_either_image(seed: int, scale: float, offset: float) -> None:
    us, mask, mri = _scene(seed, 2)
    changed = lc2((us * scale + offset).astype(np.float32), mask, [mri[1] * -scale + offset, mri[0]], 5)
    assert changed == pytest.approx(lc2(us, mask, mri, 5), abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, weights=st.tuples(*[st.floats(-3, 3).filter(lambda value: abs(value) > 0.1)] * 3))
def test_lc2_is_one_for_any_linear_combination_and_less_for_noise(seed: int, weights: tuple) -> None:
    us, mask, mri = _scene(seed, 2)
    mixed = np.nan_to_num(weights[0] * mri[0] + weights[1] * mri[1] + weights[2])
    assert lc2(mixed, mask, mri, 5) == pytest.approx(1, abs=1e-4)
    assert lc2(us, mask, mri, 5) < 0.5


def test_lc2_of_nothing_is_zero() -> None:
    us, mask, mri = _scene(1, 2)
    assert lc2(us, np.zeros_like(mask), mri, 5) == 0
    assert lc2(us, mask, [np.full_like(us, np.nan)], 5) == 0
    assert lc2(np.zeros_like(us), mask, mri, 5) == 0


def _mind_by_loop(image: np.ndarray, radius: int, dilation: int) -> np.ndarray:
    """Heinrich et al. 2013: patch distances between the neighbours of a voxel that are √2 apart."""
    faces = [np.array(face) for face in [(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)]]
    pairs = [(a, b) for n, a in enumerate(faces) for b in faces[n + 1 :] if np.linalg.norm(a - b) < 1.5]
    assert len(pairs) == 12
    last = np.array(image.shape) - 1
    around = [np.array(at) - radius for at in np.ndindex((2 * radius + 1,) * 3)]
    distance = np.zeros((12, *image.shape))
    for centre in np.ndindex(image.shape):
        for number, (one, other) in enumerate(pairs):
            squares = []
            for step in around:
                base = np.array(centre) + step
                # The border is repeated outwards.
                here, there = (np.clip(base + dilation * face, 0, last) for face in (one, other))
                squares.append((float(image[tuple(here)]) - float(image[tuple(there)])) ** 2)
            distance[number, *centre] = np.mean(squares)
    distance -= distance.min(axis=0)
    noise = distance.mean(axis=0)
    return np.exp(-distance / np.clip(noise, 1e-3 * noise.mean(), 1e3 * noise.mean()))


@pytest.mark.parametrize(("radius", "dilation"), [(1, 2), (1, 1)])
def test_mind_is_what_the_definition_gives(radius: int, dilation: int) -> None:
    image = np.random.default_rng(4).gamma(2, 20, (7, 6, 8)).astype(np.float32)
    expected = _mind_by_loop(image, radius, dilation)
    np.testing.assert_allclose(mind_ssc(image, radius, dilation), expected, atol=1e-4)
    some = np.ones(image.shape, bool)
    some[0] = False
    np.testing.assert_allclose(mind_ssc(image, radius, dilation, some), expected[:, some], atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, scale=st.floats(0.05, 20), offset=st.floats(-50, 50))
def test_mind_does_not_know_brightness_or_contrast_or_their_sign(seed: int, scale: float, offset: float) -> None:
    image = np.random.default_rng(seed).gamma(2, 20, (8, 8, 8)).astype(np.float32)
    plain = mind_ssc(image)
    assert plain.shape == (12, 8, 8, 8)
    assert plain.max() == 1
    np.testing.assert_allclose(mind_ssc(-scale * image + np.float32(offset)), plain, atol=2e-3)
    assert mind_ssc(np.full((5, 5, 5), 7, np.float32)).min() == 1  # nothing to describe, and no division by zero


def _somewhere(seed: int, spacing: tuple[float, float, float]) -> Matrix:
    rng = np.random.default_rng(seed)
    turned = rigid(np.concatenate([rng.uniform(-30, 30, 3), rng.uniform(-1, 1, 3)]), np.zeros(3))
    return turned @ np.diag([*spacing, 1.0])


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, side=st.floats(0.8, 3.0))
def test_averaging_and_smoothing_leave_everything_where_it_is(seed: int, side: float) -> None:
    """A ramp in world coordinates stays that ramp, whatever the spacings: half a voxel of shift would show."""
    rng = np.random.default_rng(seed)
    affine = _somewhere(seed, tuple(rng.uniform(0.3, 1.5, 3)))
    slope = rng.normal(size=3)

    def ramp(shape: tuple[int, ...], where: Matrix) -> np.ndarray:
        index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 3)
        return (apply(where, index.astype(float)) @ slope).reshape(shape)

    volume = Volume(ramp((40, 36, 44), affine).astype(np.float32), affine)
    for result, tolerance in ((coarser(volume, side)[0], 0.02), (smoothed(volume, side), 0.05)):
        margin = [int(np.ceil(4 * side / mm)) for mm in result.spacing]
        inner = tuple(slice(m, n - m) for m, n in zip(margin, result.pixels.shape, strict=True))
        expected = ramp(result.pixels.shape, result.affine)
        np.testing.assert_allclose(result.pixels[inner], expected[inner], atol=tolerance)


def test_averaging_counts_only_the_mask() -> None:
    pixels = np.full((8, 8, 8), 5, np.float32)
    pixels[:, :, 4:] = 1000
    mask = pixels < 1000
    volume, inside = coarser(Volume(pixels, np.eye(4)), 2.0, mask)
    assert inside.sum() == 4 * 4 * 2
    np.testing.assert_allclose(volume.pixels[inside], 5, rtol=1e-6)
    assert (volume.pixels[~inside] == 0).all()


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_a_warped_volume_is_where_the_transform_takes_it(seed: int) -> None:
    """A bright cube of the MRI appears where T takes it, and where there is no MRI stands no number."""
    rng = np.random.default_rng(seed)
    fixed = Volume(np.zeros((24, 26, 22), np.float32), _somewhere(seed, (1.1, 0.9, 1.0)))
    truth = rigid(np.concatenate([rng.uniform(-4, 4, 3), rng.uniform(-0.2, 0.2, 3)]), rng.uniform(-10, 10, 3))
    target = rng.uniform(8, 14, 3)
    affine = np.linalg.inv(truth) @ fixed.affine @ _somewhere(seed + 1, (1, 1, 1))
    affine[:3, 3] += (np.linalg.inv(truth) @ fixed.affine @ np.append(target, 1) - affine @ [10, 10, 10, 1])[:3]
    pixels = np.zeros((21, 21, 21), np.float32)
    pixels[8:13, 8:13, 8:13] = 1
    warped = warp(Volume(pixels, affine), fixed, truth)
    assert np.isnan(warped).any()
    where = np.nan_to_num(warped)
    centroid = np.array([(axis * where).sum() for axis in np.indices(where.shape)]) / where.sum()
    np.testing.assert_allclose(centroid, target, atol=0.15)


def test_bobyqa_finds_the_top_within_its_bounds() -> None:
    top = np.array([1.0, -2.0, 0.5, 0.02, 0.03, -0.05])
    scale = np.array([1, 1, 1, 30, 30, 30])
    value, found = maximise(
        lambda at: -float(np.sum(((at - top) * scale) ** 2)),
        np.zeros(6),
        np.repeat([6.0, 0.15], 3),
        np.repeat([1.5, 0.03], 3),
        300,
    )
    np.testing.assert_allclose(found * scale, top * scale, atol=0.01)
    assert value == pytest.approx(0, abs=1e-4)
    _, held = maximise(lambda at: float(at.sum()), np.zeros(6), np.repeat(0.5, 6), np.repeat(0.1, 6), 200)
    np.testing.assert_allclose(held, 0.5, atol=1e-6)


@pytest.fixture(scope="module")
def pair() -> tuple[Volume, list[Volume], Matrix]:
    """A textured MRI in two sequences, an ultrasound made of both, and the transform between them."""
    from scipy import ndimage

    rng = np.random.default_rng(8)
    shape = (56, 52, 60)
    first, second = (ndimage.gaussian_filter(rng.normal(size=shape), sigma) for sigma in (2.5, 3.0))
    mris = [Volume((image / image.std() * 40 + 300).astype(np.float32), np.eye(4)) for image in (first, second)]
    truth = rigid(np.array([3.0, -4.0, 2.0, 0.05, -0.06, 0.04]), np.array([28.0, 26.0, 30.0]))
    affine = np.eye(4)
    affine[:3, 3] = [12, 10, 14]
    grid = Volume(np.zeros((32, 32, 32), np.float32), affine)
    one, two = (warp(mri, grid, truth) for mri in mris)
    us = 60 + 0.4 * (one - 300) - 0.3 * (two - 300) + rng.normal(0, 4, one.shape)
    sector = np.linalg.norm(np.indices(us.shape) - 15.5, axis=0) < 16
    return Volume(np.where(sector, np.clip(us, 1, None), 0).astype(np.float32), affine), mris, truth


@pytest.mark.parametrize("metric", ["lc2+mind", "lc2", "mind"])
def test_a_known_transform_is_found(pair: tuple[Volume, list[Volume], Matrix], metric: str) -> None:
    us, mris, truth = pair
    found = align(us, mris, metric=metric)
    corners = np.array(np.meshgrid([16, 40], [14, 38], [18, 42])).reshape(3, -1).T.astype(float)
    error = np.linalg.norm(apply(found.matrix, corners) - apply(truth, corners), axis=1).mean()
    assert error < 0.8
    assert found.similarity > found.similarity_start
    assert found.shift_mm == pytest.approx(np.sqrt(29), abs=1.0)
    assert found.rotation_deg == pytest.approx(np.degrees(np.linalg.norm([0.05, 0.06, 0.04])), abs=2)
    assert found.overlap_percent == 100
