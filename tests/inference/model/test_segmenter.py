"""Frame in, outcome out, through a real session: areas of known shapes, and the answers that are no area."""

import math
from pathlib import Path

import numpy as np
import pytest
from tiny import threshold_model

from inference.frame import Frame, Origin, View
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.outcome import NothingFound, SizeState, Tumour, UnknownSpacing
from inference.sources.simulated import Ellipse, PhantomSource
from inference.spacing import PixelSpacing, Provenance

TISSUE, TUMOUR = 70, 150


def _segmenter(path: Path, spacing_mm: tuple[float, float], patch: tuple[int, int], level: float = 0.5) -> Segmenter:
    threshold_model(path, level=level, spacing_mm=spacing_mm, patch=patch)
    return Segmenter(Engine.load(path, threads=1))


def _phantom(shape: Ellipse, spacing: PixelSpacing, rows: int, cols: int) -> Frame:
    covered = shape.coverage(rows, cols, spacing)
    pixels = np.rint(TISSUE + (TUMOUR - TISSUE) * covered).astype(np.uint8)
    return Frame(0, pixels, spacing, 0.0, Origin("phantom", View.NATIVE, simulated=True))


@pytest.mark.parametrize(
    ("area_mm2", "row_mm", "col_mm", "network_mm", "tolerance"),
    [
        (600, 0.3, 0.3, (0.3, 0.3), 0.01),
        (200, 0.3, 0.3, (0.3, 0.3), 0.01),
        (200, 0.3, 0.15, (0.3, 0.3), 0.01),
        (200, 0.15, 0.15, (0.35, 0.35), 0.01),
        (35, 0.2, 0.2, (0.2, 0.2), 0.01),
        (35, 0.2, 0.1, (0.2, 0.2), 0.01),
        (20, 0.3, 0.3, (0.35, 0.35), 0.05),
        (35, 0.5, 0.4, (0.35, 0.35), 0.05),
    ],
)
def test_area_of_a_known_shape_through_a_model(
    tmp_path: Path, area_mm2: float, row_mm: float, col_mm: float, network_mm: tuple[float, float], tolerance: float
) -> None:
    """Each of 10 x 10 sub-pixel positions within tolerance, resampled to the network's spacing or not."""
    spacing = PixelSpacing(row_mm, col_mm, Provenance.EXACT)
    segmenter = _segmenter(tmp_path / "threshold.onnx", network_mm, (160, 160))
    b = math.sqrt(area_mm2 / math.pi / 1.4)
    rows, cols = int(36 / row_mm), int(40 / col_mm)
    errors = []
    for across, down in np.ndindex(10, 10):
        shape = Ellipse(20 + across / 10 * col_mm, 17 + down / 10 * row_mm, 1.4 * b, b, 0.6)
        outcome = segmenter(_phantom(shape, spacing, rows, cols))
        assert isinstance(outcome, Tumour)
        assert outcome.area_mm2 is not None
        errors.append(outcome.area_mm2 / shape.area_mm2 - 1)
    assert np.abs(errors).max() <= tolerance
    if tolerance == 0.01:
        assert abs(np.mean(errors)) < 0.003


@pytest.fixture(scope="module")
def phantom_segmenter(tmp_path_factory: pytest.TempPathFactory) -> Segmenter:
    # The phantom's sector lies in black: half way from tissue to tumour is not half way from black to tumour.
    level = (TISSUE + TUMOUR) / 2 / TUMOUR
    return _segmenter(tmp_path_factory.mktemp("model") / "threshold.onnx", (0.35, 0.35), (256, 256), level)


def test_the_phantom_s_area_is_followed(phantom_segmenter: Segmenter) -> None:
    source = PhantomSource()
    states = set()
    for index in range(0, len(source), 16):
        outcome = phantom_segmenter(source.read(index))
        assert isinstance(outcome, Tumour)
        assert outcome.frame.index == index
        true = source.shape(index).area_mm2
        assert outcome.area_mm2 == pytest.approx(true, rel=0.01 if true >= 35 else 0.05)
        states.add(outcome.size)
    assert states == set(SizeState)


def test_without_scale_nothing_is_analysed_unless_chosen(phantom_segmenter: Segmenter) -> None:
    frame = PhantomSource(spacing_mm=None).read(100)
    outcome = phantom_segmenter(frame)
    assert isinstance(outcome, UnknownSpacing)
    assert outcome.sentence == frame.no_spacing_reason
    chosen = Segmenter(phantom_segmenter.engine, without_scale=True)(frame)
    assert isinstance(chosen, Tumour)
    assert chosen.area_mm2 is None
    assert chosen.size is None
    truth = PhantomSource().truth(100)
    assert (chosen.mask & truth).sum() > 0.95 * truth.sum()


def test_a_simulated_model_is_a_demonstration_on_anything_but_simulation(phantom_segmenter: Segmenter) -> None:
    frame = PhantomSource().read(120)
    real = Frame(0, frame.pixels, frame.spacing, 0.0, Origin("scanner", View.NATIVE))
    on_phantom, on_scanner = phantom_segmenter(frame), phantom_segmenter(real)
    assert isinstance(on_phantom, Tumour)
    assert isinstance(on_scanner, Tumour)
    assert (on_phantom.analysis.demonstration, on_scanner.analysis.demonstration) == (False, True)


def test_a_black_frame_holds_nothing(phantom_segmenter: Segmenter) -> None:
    spacing = PixelSpacing(0.2, 0.2, Provenance.EXACT)
    frame = Frame(0, np.zeros((64, 80), np.uint8), spacing, 0.0, Origin("scanner", View.NATIVE))
    assert isinstance(phantom_segmenter(frame), NothingFound)


def test_a_tumour_that_nears_the_sectors_edge_is_cut_from_two_pixels_on(tmp_path: Path) -> None:
    """Black to the left of column 20; the ellipse's rim reaches column 20 + gap, on pixels of the network's size."""
    spacing, edge, radius = PixelSpacing(0.3, 0.3, Provenance.EXACT), 20, 8.1
    segmenter = _segmenter(tmp_path / "threshold.onnx", (0.3, 0.3), (160, 160), level=(TISSUE + TUMOUR) / 2 / TUMOUR)
    cut = []
    for gap in range(8):
        frame = _phantom(Ellipse((edge + gap) * 0.3 + radius, 20.0, radius, radius), spacing, 130, 150)
        frame.pixels[:, :edge] = 0
        outcome = segmenter(frame)
        assert isinstance(outcome, Tumour)
        cut.append(outcome.touches_edge)
    assert cut == [gap <= 2 for gap in range(8)]
