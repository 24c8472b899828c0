"""The resection cavity from the network to whatever leaves the room: drawn as its own, and never counted as tumour."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from highdicom.seg import segread
from outcomes import INFO, record, tumour
from outcomes import frame as noisy
from tiny import threshold_model

from inference import safety
from inference.export import words
from inference.export.capture import Capture
from inference.export.dicom import write_dicom_pair
from inference.export.openigtlink_server import _Packer
from inference.export.picture import LEMON, outlined
from inference.export.readings import reading_row
from inference.export.result import result_cells
from inference.frame import Frame, Origin, View
from inference.live.health import Condition, Health
from inference.live.ring import Ring
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.outcome import Cavity, NothingFound, Outcome, Tumour
from inference.readout.readout_state import Context
from inference.readout.states import readout_of
from inference.readout.tools import NO_CONTOUR, ToolInputs, tools_of
from inference.recording.entries import outcome_of
from inference.recording.reader import RecordReader
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Phase

SPACING = PixelSpacing(0.3, 0.3, Provenance.EXACT)


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Segmenter:
    path = tmp_path_factory.mktemp("cavity") / "three.onnx"
    threshold_model(path, level=0.3, cavity=0.8, spacing_mm=(0.3, 0.3), patch=(160, 160))
    return Segmenter(Engine.load(path, threads=1))


def picture(tumour: bool = True, hole: bool = True) -> Frame:
    """Tissue, a tumour of 40 x 50 pixels, and a cavity of 15 pixels in radius that reaches into it."""
    pixels = np.full((120, 130), 60, np.uint8)
    pixels[0, 0], pixels[0, 1] = 20, 250  # the range of grey, whatever else is there
    if tumour:
        pixels[40:80, 40:90] = 150
    if hole:
        cv2.circle(pixels, (85, 60), 15, 250, cv2.FILLED)
    return Frame(0, pixels, SPACING, 1.0, Origin("phantom", View.NATIVE, simulated=True))


@pytest.fixture(scope="module")
def both(segmenter: Segmenter) -> Tumour:
    outcome = segmenter(picture())
    assert isinstance(outcome, Tumour)
    assert outcome.cavity is not None
    return outcome


def without(outcome: Tumour | NothingFound) -> Tumour | NothingFound:
    return replace(outcome, cavity=None)


def test_each_pixel_is_one_tissue_and_the_area_is_the_tumours(segmenter: Segmenter, both: Tumour) -> None:
    hole = np.zeros(both.mask.shape, np.uint8)
    cv2.circle(hole, (85, 60), 15, 1, cv2.FILLED)
    assert not (both.mask & both.cavity.mask).any()
    assert np.count_nonzero(both.cavity.mask != hole) < 0.1 * hole.sum()
    assert both.area_px < 40 * 50 - 200
    assert both.area_px == int(both.mask.sum())
    alone = segmenter(picture(hole=False))
    assert isinstance(alone, Tumour)
    assert alone.cavity.mask.sum() <= 2, "the one bright pixel that sets the range"
    assert alone.area_px == pytest.approx(40 * 50, rel=0.02)


def test_a_cavity_alone_is_no_tumour(segmenter: Segmenter) -> None:
    outcome = segmenter(picture(tumour=False))
    # The blurred edge between dark and bright has the tumour's grey somewhere: what matters is the cavity itself.
    assert outcome.cavity is not None
    assert not outcome.cavity.mask[40:80, 40:68].any()
    found = NothingFound(outcome.frame, outcome.analysis, cavity=outcome.cavity)
    assert safety.warnings(found) == safety.warnings(without(found))


def test_one_pixel_in_both_cannot_be() -> None:
    one = tumour(noisy(0))
    with pytest.raises(ValueError, match="in the cavity too"):
        replace(one, cavity=Cavity(one.mask, (one.regions[0].contours[0],)))


def test_number_warnings_rows_and_messages_do_not_read_it(both: Tumour) -> None:
    bare = without(both)
    assert reading_row(both) == reading_row(bare)
    assert result_cells(both, 1.0, {}) == result_cells(bare, 1.0, {})
    assert safety.warnings(both) == safety.warnings(bare)
    packed = [_Packer(contour=True).pack(one, {}, ()) for one in (both, bare)]
    mask = both.mask.tobytes()
    assert all(mask in one for one in packed)
    assert both.cavity.mask.tobytes() not in packed[0]


def test_the_screen_names_its_line_beside_the_same_number(both: Tumour) -> None:
    for outcome in (both, NothingFound(both.frame, both.analysis, cavity=both.cavity)):
        shown, bare = (
            readout_of(one, Condition(Health.RUNNING), Context(None, Phase.RESECTION))
            for one in (outcome, without(outcome))
        )
        assert (shown.number, shown.unit, shown.headline, shown.detail) == (
            bare.number,
            bare.unit,
            bare.headline,
            bare.detail,
        )
        assert shown.card.title == bare.card.title
        assert [line for line in shown.card.body if line not in bare.card.body] == [f"{safety.CAVITY}."]
        assert shown.cavity is both.cavity.outlines
        assert bare.cavity == ()
    stale = readout_of(both, Condition(Health.STALE, seconds=3.0), Context(None, Phase.RESECTION))
    assert stale.cavity == ()


def test_a_cavity_alone_can_be_hidden_too(both: Tumour) -> None:
    only = NothingFound(both.frame, both.analysis, cavity=both.cavity)
    for outcome, refusal in ((only, ""), (without(only), NO_CONTOUR)):
        tools = tools_of(INFO, Condition(Health.RUNNING), outcome, ToolInputs())
        assert next(one for one in tools if one.action == "overlay").refusal == refusal


def lemon_in(picture: np.ndarray) -> np.ndarray:
    """Where a picture (blue, green, red) has the cavity's colour, however thinly: no grey, no amber, no cyan."""
    blue, green, red = (picture[..., at].astype(int) for at in range(3))
    assert LEMON == (107, 242, 233)
    return (green > blue + 40) & (red > blue + 40) & (red < green + 10)


def test_a_picture_draws_it_apart_and_says_so(both: Tumour) -> None:
    capture, bare = (Capture(one, (0.0, 255.0)) for one in (both, without(both)))
    drawn, bare_drawn = (lemon_in(outlined(one)) for one in (capture, bare))
    assert drawn.sum() > 20
    assert not bare_drawn.any()
    assert (cv2.dilate(both.cavity.mask, np.ones((7, 7), np.uint8)) > 0)[drawn].all()
    assert [line for line in words.caption(capture) if line not in words.caption(bare)] == [safety.CAVITY]


def test_dicom_has_a_segment_of_its_own(both: Tumour, tmp_path: Path) -> None:
    pair = write_dicom_pair(Capture(both, (0.0, 255.0)), tmp_path / "a.dcm")
    seg = segread(pair.seg)
    assert [one.SegmentLabel for one in seg.SegmentSequence] == ["Tumour", "Resection cavity"]
    source = [pydicom.dcmread(pair.image).SOPInstanceUID]
    planes = seg.get_pixels_by_source_instance(source, ignore_spatial_locations=True)[0]
    np.testing.assert_array_equal(planes[..., 0], both.mask)
    np.testing.assert_array_equal(planes[..., 1], both.cavity.mask)
    only = NothingFound(both.frame, both.analysis, cavity=both.cavity)
    assert "Only a cavity" in write_dicom_pair(Capture(only, (0.0, 255.0)), tmp_path / "b.dcm").no_seg


def same(one: Outcome, other: Outcome) -> None:
    assert type(one) is type(other)
    np.testing.assert_array_equal(one.cavity.mask, other.cavity.mask)
    for line, expected in zip(one.cavity.outlines, other.cavity.outlines, strict=True):
        np.testing.assert_array_equal(line, expected)


def seen(at: int) -> list[Outcome]:
    """A tumour and an empty answer with a cavity each, and one without."""
    one = tumour(noisy(at))
    hole = Cavity(1 - one.mask, one.regions[0].contours)
    return [replace(one, cavity=hole), NothingFound(noisy(at + 1), one.analysis, cavity=hole), tumour(noisy(at + 2))]


def test_a_record_and_the_last_half_minute_keep_it(tmp_path: Path) -> None:
    outcomes, ring = seen(0), Ring()
    for one in outcomes:
        ring.add(one)
    held = ring.held()
    reader = RecordReader(record(tmp_path / "a.mcap", outcomes))
    kept = [outcome_of(reader.answer(at), one.frame) for at, one in enumerate(outcomes)]
    reader.close()
    for at, one in enumerate(outcomes[:2]):
        same(held.outcome(at), one)
        same(kept[at], one)
    assert held.outcome(2).cavity is None
    assert kept[2].cavity is None
    np.testing.assert_array_equal(held.outcome(0).mask, outcomes[0].mask)


def test_the_contract_says_that_it_tells_the_cavity_apart(segmenter: Segmenter) -> None:
    told = json.loads(segmenter.engine.contract.to_json())
    assert (told["schema"], told["output"]["cavity_index"]) == (4, 2)
    assert segmenter.engine.self_test.passed
