"""Words about a pane: whole at every width and scale, and never over the orientation marker."""

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication

from inference.readout.annotations import Annotations
from inference.view_notes import Marker
from viewer.picture import overlay
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
