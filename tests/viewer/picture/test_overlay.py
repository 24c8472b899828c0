"""Words about a pane: whole at every width and scale, and never over the orientation marker."""

import pytest
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QFont, QFontMetricsF
from PySide6.QtWidgets import QApplication

from inference.readout.annotations import Annotations
from inference.readout.look import Look
from inference.safety import DEMONSTRATION
from inference.view_notes import Flip, Marker
from viewer.picture import overlay
from viewer.picture.placement import Placement
from viewer.style.theme import Sizes

LONGEST = "VIEW FROZEN −29.9\xa0s · No tumour segmented"


@pytest.mark.parametrize("scale", [1.0, 1.35, 2.7])
@pytest.mark.parametrize("marker", list(Marker))
@pytest.mark.parametrize("width", [340, 465, 930])
def test_the_longest_heading_is_whole_and_beside_the_marker(
    qapp: QApplication,  # noqa: ARG001 - fonts need it
    scale: float,
    marker: Marker,
    width: int,
) -> None:
    sizes, annotations = Sizes(scale), Annotations(marker=marker, heading=LONGEST)
    view = QRect(0, 0, sizes.px(width), sizes.px(500))
    room = overlay.top_room(annotations, view, sizes)
    font = overlay.banner_font(LONGEST, room.width(), sizes)
    assert QFontMetricsF(font).horizontalAdvance(LONGEST) <= room.width()
    assert font.pixelSize() >= sizes.px(9)
    assert not room.intersects(overlay.marker_rect(annotations, view, sizes))


@pytest.mark.parametrize("width", [186, 314, 479])
def test_in_a_narrow_pane_the_words_stand_above_the_scale_bar_and_not_one_to_a_line(
    qapp: QApplication,  # noqa: ARG001 - fonts need it
    width: int,
) -> None:
    sizes, view = Sizes(), QRect(0, 0, width, 500)
    note = "reconstructed slice, not probe view"
    annotations = Annotations(phase="Phase not set", note=note, col_mm=0.5)
    rows = overlay._rows(annotations, view, sizes)
    assert len(rows) <= 3
    _, below = overlay.strips(annotations, view, sizes)
    assert below == overlay.strips(Annotations(col_mm=0.5), view, sizes)[1] + len(rows) * sizes.px(overlay.LINE)


@pytest.mark.parametrize("scale", [1.0, 2.7])
@pytest.mark.parametrize("words", ["NOT ANALYSED: THE SAME PICTURE", "NOT ANALYSED 129.9 s AGO"])
def test_not_analysed_is_whole_beside_a_panel_in_the_smallest_window(
    qapp: QApplication,  # noqa: ARG001 - fonts need it
    scale: float,
    words: str,
) -> None:
    sizes = Sizes(scale)
    room = overlay.top_room(Annotations(caption=words), QRect(0, 0, sizes.px(124), sizes.px(500)), sizes)
    font, wrap = overlay.top_font(words, room, sizes)
    assert room.contains(QFontMetricsF(font).boundingRect(room, Qt.AlignmentFlag.AlignCenter | wrap, words))


@pytest.mark.parametrize("scale", [1.0, 2.7])
@pytest.mark.parametrize(
    ("width", "marker"), [(300, Marker.UNSET), (204, Marker.RIGHT), (225, Marker.NONE), (900, Marker.LEFT)]
)
def test_the_banner_is_whole_in_the_narrowest_pane_and_leaves_the_rulers_zero_alone(
    qapp: QApplication,  # noqa: ARG001 - fonts need it
    scale: float,
    width: int,
    marker: Marker,
) -> None:
    sizes = Sizes(scale)
    annotations = Annotations(marker=marker, banner=DEMONSTRATION)
    view = QRect(0, 0, sizes.px(width), sizes.px(500))
    above, below = overlay.strips(annotations, view, sizes)
    placement = Placement.fit(100, 100, None, (0, above, view.width(), view.height() - above - below))
    band = overlay.banner_rect(annotations, view, sizes)
    assert not band.intersects(overlay.marker_rect(annotations, view, sizes))
    room = band.adjusted(sizes.px(8), 0, -sizes.px(8), 0)
    font = overlay.banner_font(DEMONSTRATION, room.width(), sizes, room.height())
    taken = QFontMetricsF(font).boundingRect(
        room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, DEMONSTRATION
    )
    assert room.contains(taken)
    assert band.top() >= 0
    assert band.bottom() <= placement.top - sizes.px(10), "half the height of the words of depth 0"


@pytest.mark.parametrize("scale", [1.0, 2.7])
@pytest.mark.parametrize("flip", [Flip(), Flip(left_right=True), Flip(up_down=True)])
@pytest.mark.parametrize("zoom", [1.0, 4.0])
@pytest.mark.parametrize("end", [(99.0, 50.0), (0.0, 50.0), (50.0, 0.0), (50.0, 99.0)])
def test_the_caliper_s_distance_is_whole_wherever_its_end_lies(
    qapp: QApplication,  # noqa: ARG001 - fonts need it
    scale: float,
    flip: Flip,
    zoom: float,
    end: tuple[float, float],
) -> None:
    """Of 122.2 mm at the edge of a pane only the 1 could be read; of a point that is zoomed away, nothing."""
    sizes, start = Sizes(scale), (50.0, 50.0)
    view = QRect(0, 0, sizes.px(330), sizes.px(500))
    area = (sizes.px(12), sizes.px(48), sizes.px(306), sizes.px(400))
    placement = Placement.fit(100, 100, None, area, flip, look=Look(zoom))
    annotations = Annotations(caliper=(start, end), distance="122.2 mm")
    box = overlay.distance_rect(annotations, placement, view, sizes)
    words = QFontMetricsF(sizes.font(16, QFont.Weight.DemiBold)).horizontalAdvance(annotations.distance)
    assert view.contains(box.toAlignedRect())
    assert box.width() >= words
    assert area[1] <= box.top() < box.bottom() <= area[1] + area[3], "the words below the picture are not covered"
    assert zoom > 1 or not box.contains(QPointF(*placement.to_view(*end)))
