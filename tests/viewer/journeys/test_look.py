"""Contrast, geometry of the picture, sizes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wcag
from contact_sheet import LARGEST
from hypothesis import given
from hypothesis import strategies as st
from legible import (
    AA,
    AA_LARGE,
    contrast,
    cut_off,
    faint,
    is_large,
    luminance,
    pixels_of,
    text_contrast,
)
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QFontMetricsF, QImage, QPainter
from pytestqt.qtbot import QtBot

from inference.frame import Frame
from inference.outcome import Outcome
from inference.readout.annotations import Annotations
from inference.readout.marks import Ink
from inference.readout.states import DEMONSTRATION_BANNER
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Marker
from viewer.layout.picture_area import EDGE, PANE_EDGE, PANE_SIDE, SIDE
from viewer.main_window import MainWindow
from viewer.picture import overlay
from viewer.picture.placement import Placement
from viewer.style import theme
from viewer.style.widgets import label

Show = Callable[..., MainWindow]


@pytest.mark.parametrize(("text", "ground"), sorted(set(wcag.text_pairs())))
def test_every_text_has_aa_contrast(text: str, ground: str) -> None:
    assert wcag.contrast(text, ground) >= 4.5


def test_contrast_is_wcags() -> None:
    assert wcag.contrast("#ffffff", "#000000") == pytest.approx(21)
    assert wcag.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_lines_are_told_apart_by_lightness_or_hue_and_seen_on_black() -> None:
    assert len(set(theme.LINES.values())) == 3
    assert all(wcag.contrast(colour, theme.BLACK) >= 7 for colour in theme.LINES.values())


def test_on_a_24_inch_screen_state_text_is_10_mm_and_touch_targets_15_mm() -> None:
    """24 inches, 16:9, 1920 pixels across: 3.61 pixels a mm."""
    per_mm = 1920 / (24 * 25.4 * 16 / (16**2 + 9**2) ** 0.5)
    sizes = theme.Sizes.for_window(1920, 1080)
    assert sizes.px(27) / per_mm >= 9.9
    assert sizes.touch / per_mm >= 14.9


mm = st.floats(0.05, 2.0)
side = st.integers(8, 1200)


@given(side, side, mm, mm, st.floats(100, 1500), st.floats(100, 1500))
def test_the_picture_keeps_its_physical_shape_and_fits(
    rows: int, cols: int, row_mm: float, col_mm: float, width: float, height: float
) -> None:
    spacing = PixelSpacing(row_mm, col_mm, Provenance.HEADER)
    placed = Placement.fit(rows, cols, spacing, (10, 20, width, height))
    assert placed.down / placed.across == pytest.approx(row_mm / col_mm)
    assert placed.right - placed.left <= width * (1 + 1e-9)
    assert placed.bottom - placed.top <= height * (1 + 1e-9)
    assert placed.left + placed.right == pytest.approx(20 + width)


@given(st.floats(-0.5, 99), st.floats(-0.5, 49), mm, mm)
def test_a_click_comes_back_to_the_pixel_it_was_made_on(x: float, y: float, row_mm: float, col_mm: float) -> None:
    placed = Placement.fit(50, 100, PixelSpacing(row_mm, col_mm, Provenance.HEADER), (0, 0, 640, 480))
    back = placed.to_picture(*placed.to_view(x, y))
    assert back == pytest.approx((x, y), abs=1e-6)
    assert placed.holds(*back)


def test_the_corner_of_the_first_pixel_is_the_corner_of_the_picture() -> None:
    placed = Placement.fit(50, 100, None, (0, 0, 200, 200))
    assert placed.to_view(-0.5, -0.5) == (placed.left, placed.top)
    assert placed.transform.map(0.0, 0.0) == (placed.left, placed.top)


def test_the_sheet_of_all_states_is_small_enough_for_the_repository() -> None:
    sheet = Path(__file__).resolve().parents[3] / "docs" / "states.png"
    assert 50_000 < sheet.stat().st_size <= LARGEST
    assert not QImage(str(sheet)).isNull()


# ── read off the pixels ─────────────────────────────────────────────────────────────────────────────────────


def test_contrast_on_pixels_is_the_themes(show: Show) -> None:
    window = show()
    made = label()
    made.setParent(window)
    made.setFont(theme.Sizes().font(14))
    for text, ground in (("#e8ecf1", "#12161b"), ("#777777", "#ffffff"), ("#95a1ae", "#0a0c0f")):
        made.setStyleSheet(f"color: {text}; background: {ground};")
        made.setText("Scale unknown")
        made.adjustSize()
        measured = text_contrast(pixels_of(made.grab().toImage()))
        assert measured == pytest.approx(wcag.contrast(text, ground), rel=0.15)


def test_a_pale_text_and_a_cut_one_are_found(show: Show, qtbot: QtBot) -> None:
    window = show()
    qtbot.waitUntil(lambda: not cut_off(window), timeout=5000)
    window._timer.stop()
    value = window.view.readout._values["Scale"]
    value.setText("a scale of a length that no column of this width has ever held")
    assert any("no column" in text for text in cut_off(window))
    value.setText("pale")
    value.setStyleSheet("color: #3a424c;")
    qtbot.wait(30)
    assert any("pale" in text for text in faint(window, pixels_of(window.grab().toImage())))


@pytest.mark.parametrize("ground", [0, 90, 255], ids=["on black", "on grey", "on white"])
def test_what_is_written_over_the_picture_is_legible_on_any_tissue(show: Show, qtbot: QtBot, ground: int) -> None:
    """Banner, phase, notes, flips, letters, ruler: measured where they are painted, over the worst tissue."""
    window = show(Even(ground), wait=False)
    qtbot.waitUntil(lambda: window.view.canvas.placement is not None, timeout=5000)
    canvas, sizes = window.view.canvas, window._sizes or theme.Sizes()
    words = Annotations(
        marker=Marker.LEFT,
        letters=("S", "I", "R", "L"),
        row_mm=0.2,
        phase="Before dura opening",
        note="reconstructed slice, not probe view",
        flipped="FLIPPED left/right",
        banner=DEMONSTRATION_BANNER,
    )
    scaled = replace(words, row_mm=None, col_mm=0.2, marker=Marker.UNSET)
    live = replace(words, heading="LIVE", heading_ink=Ink.GREEN)
    pane = replace(scaled, marker=Marker.NONE, caption="ANALYSED 0.7 s AGO", caption_ink=Ink.AMBER)
    places = ((words, SIDE, EDGE), (scaled, SIDE, EDGE), (live, SIDE, PANE_EDGE), (pane, PANE_SIDE, PANE_EDGE))
    for annotations, side, edge in places:
        canvas.leave_free(side, edge)
        canvas.set_annotations(annotations)
        placement = canvas.placement
        canvas._annotations = Annotations()  # no words, and the picture stays where they leave it
        image = canvas.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        painter = Recorder(image)
        overlay.paint(painter, annotations, placement, canvas.room, sizes)
        painter.end()
        assert len(painter.texts) > 8
        assert all(place.width() > 3 for _, place, _, _ in painter.texts)
        for text, place, before, large in painter.texts:
            after = pixels_of(image.copy(place))
            measured = contrast_over(before, after)
            assert measured >= (AA_LARGE if large else AA), f"{text}: {measured:.1f}"


@pytest.mark.parametrize("size", [(1120, 700), (1920, 1080)])
def test_no_words_and_no_message_lie_over_the_picture(show: Show, qtbot: QtBot, size: tuple[int, int]) -> None:
    window = show(Even(90), wait=False, size=size)
    qtbot.waitUntil(lambda: window.view.canvas.placement is not None, timeout=5000)
    canvas, sizes = window.view.canvas, window._sizes or theme.Sizes()
    native = Annotations(
        phase="Resection started",
        mode="thorough: mean of 4 mirrored passes and 5 folds",
        disagreement="pink: model disagreement, not a margin",
        band="thin lines: model 25-75 %, not a margin",
        truth="true contour (pink): Dice 0.93 on this frame",
        flipped="FLIPPED left-right, up-down",
        banner=DEMONSTRATION_BANNER,
    )
    sliced = replace(native, col_mm=0.2, note="reconstructed slice, not probe view")
    pane = replace(sliced, caption="ANALYSED 0.7 s AGO", caption_ink=Ink.AMBER)
    for annotations in (native, sliced, pane):
        canvas.set_annotations(annotations)
        placed = canvas.placement
        assert placed is not None
        picture = QRectF(placed.left, placed.top, placed.right - placed.left, placed.bottom - placed.top)
        image = QImage(canvas.room.size(), QImage.Format.Format_RGB32)
        painter = Recorder(image)
        overlay.paint(painter, annotations, placed, canvas.room, sizes)
        painter.end()
        assert {text for text, *_ in painter.texts} >= {native.phase, native.mode, native.band, native.banner}
        for text, place, *_ in painter.texts:
            assert not picture.intersects(QRectF(place)) or text == "M?", text
            assert place.left() >= 0, text
            assert place.right() <= canvas.room.right(), text
    area = window.view.picture_area
    area.say("Snapshot iUS-20260102-030405 is in the folder for exports. " * 3, 0.0)
    assert not area.notice.geometry().intersects(canvas.geometry())
    before = canvas.geometry()
    area.expire(1e9)
    assert canvas.geometry().height() > before.height()


def test_the_place_is_that_of_the_frame_whose_reading_stands_there(
    show: Show, at: Callable[[MainWindow, int], Outcome]
) -> None:
    window = show(PhantomSource(count=60))
    at(window, 30)
    transport, playback = window.view.transport, window.session.playback
    assert playback is not None
    assert transport._place.text() == "31 / 60"
    playback.seek(41)  # the recording is there before its answer is
    transport.update_place()
    assert window.shown is not None
    assert transport._place.text() == f"{window.shown.frame.index + 1} / 60"


class Even(PhantomSource):
    """Tissue of one grey, in the shape of a scanner's screen: the picture is as wide as the view lets it be."""

    def __init__(self, grey: int) -> None:
        super().__init__(rows=360, cols=640, count=2)
        self._grey = grey

    def read(self, index: int) -> Frame:
        frame = super().read(index)
        return replace(frame, pixels=np.full(frame.pixels.shape, self._grey, np.uint8))


class Recorder(QPainter):
    """A painter that keeps, for each text, the pixels that were there before it."""

    def __init__(self, image: QImage) -> None:
        super().__init__(image)
        self._image = image
        self.texts: list[tuple[str, QRect, NDArray[np.int_], bool]] = []

    def drawText(self, *arguments: Any) -> Any:  # noqa: N802
        """Note where the text comes to lie, then draw it."""
        metrics, (at, *flags, text) = QFontMetricsF(self.font()), arguments
        place = metrics.boundingRect(at, flags[0], text) if flags else metrics.boundingRect(text).translated(at)
        place = place.toAlignedRect().intersected(self._image.rect())
        self.texts.append((text, place, pixels_of(self._image.copy(place)), is_large(self.font())))
        super().drawText(*arguments)


def contrast_over(before: NDArray[np.int_], after: NDArray[np.int_]) -> float:
    """Contrast of a text's strongest pixels with the ground under them that is nearest to its colour."""
    changed = np.abs(after - before).sum(axis=-1)
    strongest = changed >= 0.95 * changed.max()
    text = float(np.median(luminance(after)[strongest]))
    return float(contrast(luminance(before)[changed > 0], text).min())
