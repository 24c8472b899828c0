"""What leaves the room: the right picture, its contour, its words, and nothing of a patient."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from inference.assets import demo_clip_path, demo_model_path
from inference.contract import DEMONSTRATION, INTENDED_USE
from inference.engine import Engine
from inference.errors import OutputError
from inference.export.capture import Capture, Outside
from inference.export.picture import annotated, outlined, write_pictures
from inference.export.words import caption
from inference.reading import NothingFound, Outcome, Tumour, UnknownSpacing
from inference.segmenter import Segmenter
from inference.sources import open_source
from inference.sources.simulated import PhantomSource

EIGHT_BITS = (0.0, 255.0)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load(demo_model_path())


@pytest.fixture(scope="module")
def clip_tumour(engine: Engine) -> Tumour:
    """The middle of the bundled clip."""
    with open_source(str(demo_clip_path())) as source:
        outcome = Segmenter(engine)(source.read(len(source) // 2))
    assert isinstance(outcome, Tumour)
    return outcome


@pytest.fixture(scope="module")
def phantom_outcome(engine: Engine) -> Outcome:
    with open_source("simulated:") as source:
        return Segmenter(engine)(source.read(120))


def _words(outcome: Outcome, **options: object) -> str:
    return "\n".join(caption(Capture(outcome, EIGHT_BITS, **options)))


def test_the_plain_picture_is_the_frame_to_the_pixel(clip_tumour: Tumour, tmp_path: Path) -> None:
    plain, beside = write_pictures(Capture(clip_tumour, EIGHT_BITS, Outside.KEPT), tmp_path / "still.png")
    np.testing.assert_array_equal(cv2.imread(str(plain), cv2.IMREAD_UNCHANGED), clip_tumour.frame.pixels)
    assert beside == tmp_path / "still_contour.png"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["still.png", "still_contour.png"]
    read = cv2.imread(str(beside))
    assert read is not None
    assert read.shape[0] > clip_tumour.frame.rows


def test_black_outside_takes_nothing_from_a_cropped_source(clip_tumour: Tumour, phantom_outcome: Outcome) -> None:
    """The clip's own sector is already all there is."""
    for outcome in (clip_tumour, phantom_outcome):
        capture = Capture(outcome, EIGHT_BITS)
        lost = (capture.pixels != outcome.frame.pixels) & (outcome.frame.pixels > 12)
        assert np.count_nonzero(lost) == 0
        assert not capture.text_kept


def test_the_line_runs_along_the_edge_of_the_mask(clip_tumour: Tumour) -> None:
    capture = Capture(clip_tumour, EIGHT_BITS)
    drawn = (outlined(capture) != capture.pixels[..., None]).any(axis=2)
    mask = clip_tumour.mask
    ring = cv2.dilate(mask, np.ones((9, 9), np.uint8)) - cv2.erode(mask, np.ones((9, 9), np.uint8))
    assert drawn.any()
    assert not (drawn & (ring == 0)).any()
    edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    near = cv2.dilate(drawn.astype(np.uint8), np.ones((13, 13), np.uint8))
    assert np.count_nonzero(edge & (near == 0)) == 0


def test_words_name_area_scale_model_source_and_use(clip_tumour: Tumour) -> None:
    words = _words(clip_tumour, notes=("Phase: before dura opening",))
    assert f"{clip_tumour.area_mm2:.1f} mm²" in words
    spacing = clip_tumour.frame.spacing
    assert spacing is not None
    assert f"{spacing.row_mm:.6g} mm a row" in words
    assert spacing.provenance.words in words
    assert clip_tumour.analysis.model in words
    assert clip_tumour.analysis.model_sha256[:12] in words
    assert clip_tumour.frame.origin.name in words
    assert "SIMULATED" in words
    assert DEMONSTRATION not in words
    assert "Phase: before dura opening" in words
    assert words.endswith(INTENDED_USE)


def test_the_demonstration_line_stands_where_the_source_is_not_simulated(
    engine: Engine, write_dicom: Callable[..., Path], fan: np.ndarray, us_region: Callable
) -> None:
    path = write_dicom("real.dcm", np.stack([fan] * 2), [us_region((0, 0, 119, 89))])
    with open_source(str(path)) as source:
        outcome = Segmenter(engine)(source.read(0))
    assert isinstance(outcome, Tumour | NothingFound)
    assert DEMONSTRATION in _words(outcome)


def test_unknown_scale_is_said_and_never_in_millimetres(engine: Engine) -> None:
    with PhantomSource(spacing_mm=None) as source:
        frame = source.read(120)
    refused = Segmenter(engine)(frame)
    assert isinstance(refused, UnknownSpacing)
    words = _words(refused)
    assert "Not analysed: This phantom hides its scale" in words
    assert "mm" not in words
    chosen = _words(Segmenter(engine, without_scale=True)(frame))
    assert "Scale unknown" in chosen
    assert "mm" not in chosen


def test_text_outside_the_sector_goes_unless_kept_and_both_are_said(engine: Engine) -> None:
    with open_source("simulated:") as source:
        frame = source.read(0)
    cv2.putText(frame.pixels, "DOE JANE", (5, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255)
    text = np.s_[20:45, :100]
    assert frame.pixels[text].any()
    outcome = Segmenter(engine)(frame)
    black, kept = Capture(outcome, EIGHT_BITS), Capture(outcome, EIGHT_BITS, Outside.KEPT)
    assert not black.pixels[text].any()
    assert kept.pixels[text].any()
    assert (black.text_kept, kept.text_kept) == (False, True)
    assert "set to black" in _words(outcome)
    assert "check it for names" in _words(outcome, outside=Outside.KEPT)
    full = Capture(outcome, EIGHT_BITS, sector=np.ones(frame.pixels.shape, np.uint8))
    assert full.text_kept
    assert "nothing was set to black" in "\n".join(caption(full))


def test_a_caption_is_never_cut(phantom_outcome: Outcome) -> None:
    """Each line ends in the strip: the last columns and rows are empty."""
    capture = Capture(phantom_outcome, EIGHT_BITS, notes=("word " * 60, "x" * 300))
    rows = phantom_outcome.frame.rows
    strip = annotated(capture)[rows:]
    bright = (strip > 60).any(axis=2)
    assert bright.any()
    assert not bright[:, -4:].any()
    assert not bright[-3:].any()


def test_a_missing_folder_is_one_sentence(phantom_outcome: Outcome, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose another folder"):
        write_pictures(Capture(phantom_outcome, EIGHT_BITS), tmp_path / "nowhere" / "still.png")
