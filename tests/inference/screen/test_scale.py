"""The scale read from a screen: right, or not read; never read where the screen contradicts itself."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scanner_screens import STYLES, Shot, Style, draw, write

from inference.screen.scale import APART, NO_NUMBER, NO_RULER, PANES, NoProposal, ScaleProposal, _regions, read_scale
from inference.spacing import Provenance

READ = [style for style in STYLES if style.name != "Aloka"]
"""Character displays of five dots a letter are not read."""
BY = {style.name: style for style in STYLES}


def read(style: Style, depth_mm: float, scale: float = 1.0, quality: int = 90) -> tuple[ScaleProposal, float]:
    """The proposal for a drawn screen, and the right scale."""
    drawn = draw(Shot(style, depth_mm, scale, quality))
    found = read_scale(drawn.picture)
    assert isinstance(found, ScaleProposal), found
    return found, drawn.mm


def refused(style: Style, depth_mm: float) -> str:
    """Why nothing is read from a drawn screen."""
    found = read_scale(draw(Shot(style, depth_mm)).picture)
    assert isinstance(found, NoProposal), found
    return found.reason


@pytest.mark.parametrize("style", READ, ids=lambda style: style.name)
def test_a_screen_of_every_maker_is_read_to_a_tenth_of_a_per_cent(style: Style) -> None:
    found, mm = read(style, 110.0 if style.label == 50 else 60.0)  # at least two labels
    assert found.spacing.row_mm == pytest.approx(mm, rel=1e-3)
    assert found.spacing.provenance is Provenance.READ
    (_, top), (_, bottom) = found.points
    assert (bottom - top) * mm == pytest.approx(found.tick_mm * (found.ruler.count - 1), rel=1e-3)


@pytest.mark.parametrize(("scale", "quality"), [(0.625, 75), (1.5, 60)])
def test_a_grabbed_screen_is_read_at_its_own_size(scale: float, quality: int) -> None:
    found, mm = read(BY["Philips"], 110.0, scale, quality)
    assert found.spacing.row_mm == pytest.approx(mm, rel=3e-3)


def test_pixels_that_are_not_square_keep_their_shape() -> None:
    drawn = draw(Shot(BY["Philips"], 110.0))
    found = read_scale(cv2.resize(drawn.picture, None, fx=0.8, fy=1.0), aspect=1.25)
    assert isinstance(found, ScaleProposal)
    assert found.spacing.col_mm == pytest.approx(1.25 * found.spacing.row_mm)


def test_words_and_region_say_what_was_read() -> None:
    by_depth, _ = read(BY["Philips"], 110.0)
    assert by_depth.words == "ticks every 10 mm and depth 11 cm"
    by_labels, _ = read(BY["BK"], 60.0)
    assert by_labels.words == "ticks every 1 mm and labels 1 to 6"
    for found in (by_depth, by_labels):
        text, ruler = found.regions
        for region, rect in ((ruler, found.ruler.rect), *((text, one.rect) for one in found.texts)):
            assert region.top <= rect.top <= rect.top + rect.rows <= region.top + region.rows
            assert region.left <= rect.left <= rect.left + rect.cols <= region.left + region.cols


def test_nothing_that_lies_on_tissue_is_to_be_watched() -> None:
    found, _ = read(BY["Philips"], 110.0)
    inside = np.zeros(draw(Shot(BY["Philips"], 110.0)).picture.shape[:2], np.uint8)
    inside[found.ruler.rect.where] = 1
    assert _regions(found.ruler, found.texts, inside) == (), "living speckle would void the scale at once"


def test_a_depth_that_the_ruler_contradicts_is_no_scale() -> None:
    assert refused(replace(BY["Philips"], depth="8{}cm"), 80.0) == NO_NUMBER  # 88 cm, of eight ticks
    assert refused(replace(BY["SonoSite"], depth="7 cm"), 45.0) == NO_NUMBER


def test_a_depth_that_the_sector_exceeds_is_no_scale() -> None:
    """Sixteen times 5 mm, as it says; but the tissue goes on below them."""
    screen = draw(Shot(replace(BY["Canon"], depth=""), 120.0)).picture
    screen[620:, 1150:] = 0
    write(screen, "8cm", 1150, 890, BY["Canon"])
    assert read_scale(screen) == NoProposal(NO_NUMBER)


def test_labels_and_depth_that_differ_are_no_scale() -> None:
    assert refused(replace(BY["GE"], depth="D 6 cm", unit=10), 120.0) == APART


def test_the_length_of_a_caliper_is_no_depth() -> None:
    """It would fit: nine ticks of five millimetres, as the depth says."""
    assert refused(replace(BY["SonoSite"], depth="+ 4.5 cm"), 45.0) == NO_NUMBER
    assert refused(replace(BY["SonoSite"], depth="4.50 cm"), 45.0) == NO_NUMBER


def test_one_statement_alone_is_no_scale() -> None:
    assert refused(replace(BY["Philips"], depth=""), 80.0) == NO_NUMBER
    assert refused(replace(BY["BK"], tick=500.0, label=0, depth="D 8 cm"), 80.0) == NO_RULER


def test_labels_without_a_unit_that_may_be_either_are_no_scale() -> None:
    assert refused(replace(BY["BK"], unit=1), 30.0) == APART  # 30 mm or 30 cm
    found, mm = read(replace(BY["BK"], unit=1, depth="D {} mm", depth_at=(0.02, 0.5)), 30.0)
    assert found.spacing.row_mm == pytest.approx(mm, rel=1e-3)


def test_panes_of_two_scales_are_no_scale() -> None:
    one, other = (draw(Shot(BY["SonoSite"], depth)).picture for depth in (40.0, 60.0))
    found = read_scale(np.hstack([one, other]))
    assert found == NoProposal(PANES)


@pytest.mark.parametrize("picture", [np.zeros((480, 640), np.uint8), np.full((480, 640), 200, np.uint8)])
def test_a_picture_of_nothing_has_no_scale(picture: NDArray[np.uint8]) -> None:
    assert isinstance(read_scale(picture), NoProposal)


TRUE_MM = {
    "butterfly-ocular-phantom.mp4": 0.05769,
    "clarius-ocular-image.png": 0.0508,
    "interson-image.jpg": 0.06329,
    "sonosite-anon-eye1.jpg": 0.07576,
}
"""By hand, from the first and the last centimetre of the ruler."""


@pytest.mark.parametrize("name", ["BK", "SonoSite", *TRUE_MM])
def test_screens_in_files_are_read(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Drawn ones everywhere, real ones where they are."""
    from inference.sources import open_here
    from inference.sources.base import Whole

    if name in BY:
        drawn = draw(Shot(BY[name], 60.0))
        path, true_mm = tmp_path / "screen.png", drawn.mm
        assert cv2.imwrite(str(path), drawn.picture)
    else:
        path, true_mm = request.getfixturevalue("shared_data") / "screens" / name, TRUE_MM[name]
    with open_here(str(path)) as source:
        shown = source.read(0).pixels
        whole = source.whole() if isinstance(source, Whole) else None
    found = read_scale(np.asarray(shown if whole is None else whole, np.uint8))
    assert isinstance(found, ScaleProposal), found
    assert found.spacing.row_mm == pytest.approx(true_mm, rel=2e-3)
