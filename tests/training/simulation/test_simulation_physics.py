"""The simulator's parts obey their laws: noise, geometry, speckle, shadows, grey map, anatomy."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from training.simulation.acoustics import Scene, build_scene, render_plane
from training.simulation.geometry import Pose, Sector, square_raster
from training.simulation.greymap import PERCENTILES, fit_grey_map
from training.simulation.noise import smooth_noise
from training.simulation.parameters import (
    BRIGHT_IMAGE,
    DARK_IMAGE,
    CohortKind,
    Echogenicity,
    Scanner,
    draw_scanner,
    draw_tumour,
)
from training.simulation.patient import SMALL, detail_of, draw_patient
from training.simulation.tissue import Box, Tissue

SECTORS = st.builds(
    Sector,
    face_radius_mm=st.floats(8, 60),
    depth_mm=st.floats(30, 90),
    half_angle_rad=st.floats(0.2, 0.8),
    samples=st.integers(50, 300),
    lines=st.integers(20, 120),
)
SCANNER = Scanner(
    depth_mm=60.0,
    face_radius_mm=30.0,
    half_angle_deg=25.0,
    frequency_mhz=7.0,
    focus_mm=30.0,
    beam_mm=0.4,
    attenuation=0.5,
    tgc=1.0,
    noise=1e-6,
    haze=0.0,
    looks=1,
    brightness=0.5,
)


@given(seed=st.integers(0, 10_000), knot=st.floats(1.0, 12.0))
@settings(max_examples=20, deadline=None)
def test_noise_is_smooth_with_unit_variance(seed: int, knot: float) -> None:
    axis = np.arange(0.0, 40.0 * knot, knot / 4.0, dtype=np.float32)
    field = smooth_noise(np.random.default_rng(seed), (axis, axis), knot)
    assert field.shape == (len(axis), len(axis))
    # The mean of 40 × 40 independent knots has a standard deviation of 315 / 151 / 40: five of them.
    assert abs(float(field.mean())) < 0.26
    assert float(field.std()) == pytest.approx(1.0, abs=0.15)
    # A cubic B-spline has a mean square slope of 2/3 over its mean square of 151/315; samples lie a quarter knot apart.
    step = np.sqrt(2 / 3 / (151 / 315)) / 4
    assert float(np.diff(field, axis=0).std()) == pytest.approx(step, rel=0.12)


@given(sector=SECTORS)
@settings(max_examples=40, deadline=None)
def test_polar_index_inverts_the_sector(sector: Sector) -> None:
    line, sample, _ = sector.polar_index(*sector.cartesian())
    assert np.abs(line - np.arange(sector.lines)[None, :]).max() < 0.01
    assert np.abs(sample - np.arange(sector.samples)[:, None]).max() < 0.01


@given(
    tilt=st.floats(-0.6, 0.6), pivot=st.floats(50, 400), shift=st.floats(-5, 5), turn=st.floats(-0.2, 0.2),
)  # fmt: skip
def test_a_plane_keeps_distances(tilt: float, pivot: float, shift: float, turn: float) -> None:
    rng = np.random.default_rng(0)
    lateral, depth = rng.uniform(-40, 40, (2, 30)).astype(np.float32)
    moved = np.stack(Pose(tilt, pivot, shift, turn).points(lateral, depth))
    flat = np.stack([lateral, depth])
    before = np.linalg.norm(flat[:, :, None] - flat[:, None, :], axis=0)
    after = np.linalg.norm(moved[:, :, None] - moved[:, None, :], axis=0)
    assert np.abs(before - after).max() < 1e-3


@pytest.mark.parametrize("kind", list(CohortKind))
def test_every_scanner_fits_its_picture(kind: CohortKind) -> None:
    """512 pixels of at most 0.17 mm hold the whole sector of any scanner that can be drawn."""
    for seed in range(200):
        scanner = draw_scanner(np.random.default_rng(seed), kind)
        angle = float(np.radians(scanner.half_angle_deg))
        sector = Sector(scanner.face_radius_mm, scanner.depth_mm, angle, 200, 60)
        raster = square_raster(sector, 512)
        assert (0.07 if kind.hard else 0.12) < raster.pitch_mm <= 0.171  # a linear probe's picture is small
        lateral, depth = sector.cartesian()
        column, row = (lateral - raster.left_mm) / raster.pitch_mm, (depth - raster.top_mm) / raster.pitch_mm
        assert min(column.min(), row.min()) >= 0
        assert max(column.max(), row.max()) <= 511


@given(brightness=st.floats(0, 1), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_the_grey_map_is_monotone_and_sets_the_levels(brightness: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples = (20.0 * np.log10(rng.rayleigh(size=20_000) * np.exp(rng.normal(0, 0.5, 20_000)))).astype(np.float32)
    grey = fit_grey_map(samples, brightness)
    shades = grey.apply(np.sort(samples))
    assert (np.diff(shades.astype(int)) >= 0).all()
    assert shades.min() >= 1  # 0 is outside the sector
    wanted = np.array(DARK_IMAGE) * (1 - brightness) + np.array(BRIGHT_IMAGE) * brightness
    assert np.abs(np.percentile(shades, PERCENTILES) - wanted).max() < 1.5


def _tissue(box: Box) -> Tissue:
    shape = (len(box.y), len(box.z), len(box.x))
    flat = np.zeros(shape, np.float32)
    return Tissue(np.full(shape, 0.012, np.float32), np.ones(shape, np.float32), flat.copy(), flat.copy())


def _box() -> Box:
    x, y, z = (np.arange(*span, 1.0, dtype=np.float32) for span in ((-46, 47), (-34, 35), (-6, 79)))
    return Box(x, y, z, np.eye(4))


def _scene(box: Box, tissue: Tissue) -> Scene:
    return build_scene(np.random.default_rng(3), box, tissue, SCANNER, 500, 160)


def test_speckle_of_uniform_tissue_is_fully_developed() -> None:
    """The envelope is Rayleigh: mean over SD is 1.91, whatever the depth."""
    box = _box()
    scene = _scene(box, _tissue(box))
    uneven = scene.contact  # known loss of each line: not speckle
    envelope = 10.0 ** (render_plane(scene, Pose(0.0, 200.0), 0) / 20.0) / uneven
    for rows in (slice(150, 250), slice(250, 350), slice(350, 450)):
        part = envelope[rows, 10:-10]
        assert float(part.mean() / part.std()) == pytest.approx(1.91, abs=0.22)


def test_full_gain_compensation_levels_uniform_tissue() -> None:
    box = _box()
    level = render_plane(_scene(box, _tissue(box)), Pose(0.0, 200.0), 0)[:, 20:-20].mean(axis=1)
    assert abs(float(level[100:200].mean() - level[350:450].mean())) < 1.5


@pytest.mark.parametrize(("attenuation", "sign"), [(12.0, -1.0), (0.0, 1.0)])
def test_absorbers_shadow_and_fluid_enhances(attenuation: float, sign: float) -> None:
    """Behind a 6 mm target in the middle of the picture, against lines that miss it."""
    box = _box()
    tissue, plain = _tissue(box), _tissue(box)
    tissue.attenuation[:, 26:32, 41:52] = attenuation
    pose = Pose(0.0, 200.0)
    change = render_plane(_scene(box, tissue), pose, 0) - render_plane(_scene(box, plain), pose, 0)
    behind, aside = change[300:400, 75:85].mean(), change[300:400, :20].mean()
    assert sign * behind > 3.0
    assert abs(aside) < 0.1


def test_speckle_moves_with_the_tissue_and_fades_across_planes() -> None:
    """The same plane gives the same speckle; a third of a millimetre away it is alike, 3 mm away it is new."""
    box = _box()
    scene = _scene(box, _tissue(box))

    def level(tilt_mm: float) -> np.ndarray:
        picture = render_plane(scene, Pose(tilt_mm / 230.0, 200.0), 0)[200:400, 20:-20]
        return picture - ndimage.gaussian_filter(picture, 12)

    def likeness(tilt_mm: float) -> float:
        return float(np.corrcoef(level(0.0).ravel(), level(tilt_mm).ravel())[0, 1])

    assert likeness(0.0) == pytest.approx(1.0)
    assert 0.6 < likeness(0.3) < 1.0
    assert likeness(3.0) < 0.25


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_tumour_is_one_piece_in_one_hemisphere(number: int) -> None:
    patient = draw_patient(21, number, CohortKind.TRAIN, SMALL)
    anatomy = patient.anatomy
    body = anatomy.tissue.tumour > 0
    assert ndimage.label(body)[1] == 1
    where = np.argwhere(body)
    middle = where.mean(axis=0) * anatomy.box.step_mm + [anatomy.box.y[0], anatomy.box.z[0], anatomy.box.x[0]]
    assert np.linalg.norm(middle - anatomy.centre[[1, 2, 0]]) < patient.tumour.radius_mm
    assert (anatomy.tissue.power > 0).all()
    assert (anatomy.tissue.attenuation > 0).all()


def test_tumours_come_in_all_kinds_and_sizes() -> None:
    drawn = [draw_tumour(np.random.default_rng(seed), CohortKind.TRAIN) for seed in range(300)]
    assert len({tumour.echogenicity for tumour in drawn}) == 5
    radii = np.array([tumour.radius_mm for tumour in drawn])
    assert np.mean(radii < 8) > 0.2
    assert np.mean(radii > 16) > 0.15
    assert 0.05 < np.mean([tumour.calcified for tumour in drawn]) < 0.25


def test_an_even_cohort_holds_the_rare_tumours_as_often_and_smaller_ones() -> None:
    kinds = Counter(draw_tumour(np.random.default_rng(seed), CohortKind.EVEN).echogenicity for seed in range(500))
    assert set(kinds) == set(Echogenicity) - {Echogenicity.BLENDED}
    assert min(kinds.values()) > 70
    drawn = [draw_tumour(np.random.default_rng(seed), CohortKind.EVEN).radius_mm for seed in range(300)]
    assert 4.0 <= min(drawn) < 4.5
    assert np.mean(np.array(drawn) < 8) > 0.4


@pytest.mark.parametrize("small", [True, False])
def test_an_even_cohort_has_the_volumes_of_the_folds_and_no_sweeps(small: bool) -> None:
    assert detail_of(CohortKind.EVEN, small) == replace(detail_of(CohortKind.TRAIN, small), frames=0)
