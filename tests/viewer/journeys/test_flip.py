"""A flip turns over what is shown, contour and all; nothing that is analysed or measured changes."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QPainterPath
from pytestqt.qtbot import QtBot

from inference.jobs.snapshots import Snapshots
from inference.live.requests import SourceRequest
from inference.outcome import Outcome, Tumour
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Flip, Marker
from viewer.main_window import MainWindow
from viewer.picture.placement import Placement

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
flips = st.builds(Flip, st.booleans(), st.booleans())
SPACING = PixelSpacing(0.2, 0.13, Provenance.TYPED)


@given(flips, st.floats(-0.5, 90), st.floats(-0.5, 60))
def test_a_click_lands_where_it_was_drawn(flip: Flip, x: float, y: float) -> None:
    placement = Placement.fit(60, 90, SPACING, (10, 20, 500, 300), flip)
    assert placement.to_picture(*placement.to_view(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(flips)
def test_the_picture_stays_in_its_place_and_its_corner_goes_across(flip: Flip) -> None:
    plain = Placement.fit(60, 90, SPACING, (10, 20, 500, 300))
    turned = Placement.fit(60, 90, SPACING, (10, 20, 500, 300), flip)
    assert (turned.left, turned.top, turned.right, turned.bottom) == (plain.left, plain.top, plain.right, plain.bottom)
    corner = (89 if flip.left_right else 0, 59 if flip.up_down else 0)
    assert turned.to_view(*corner) == pytest.approx(plain.to_view(0, 0))


@given(flips, st.sampled_from(Marker))
def test_the_marker_follows_the_picture_and_comes_back(flip: Flip, marker: Marker) -> None:
    assert marker.seen(flip).seen(flip) is marker
    if flip.left_right and marker is Marker.LEFT:
        assert marker.seen(flip) is Marker.RIGHT


def test_letters_change_sides() -> None:
    edges = ("S", "I", "R", "L")
    assert Flip(left_right=True).letters(edges) == ("S", "I", "L", "R")
    assert Flip(up_down=True).letters(edges) == ("I", "S", "R", "L")


def test_the_window_shows_picture_and_contour_turned_over_together_and_says_so(
    show: Show, at: At, qtbot: QtBot
) -> None:
    window = show()
    at(window, 20)
    tumour, canvas = window.shown, window.view.canvas
    assert isinstance(tumour, Tumour)
    assert canvas.placement is not None
    window.state.marker = Marker.LEFT
    window.act("mirror")
    qtbot.waitUntil(lambda: canvas.contour.transform().m11() < 0, timeout=2000)
    assert window.shown is not None
    assert canvas.picture.transform() == canvas.contour.transform()
    assert window.shown.frame is tumour.frame, "nothing is analysed anew"
    path: QPainterPath = next(iter(canvas.contour._paths.values()))
    centre = canvas.contour.transform().map(path.boundingRect().center())
    x, y = canvas.placement.to_picture(centre.x(), centre.y())
    assert tumour.mask[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4].any()
    window.refresh.tick()
    assert (canvas._annotations.flipped, canvas._annotations.marker) == ("FLIPPED left-right", Marker.RIGHT)
    window.act("mirror")
    window.act("invert")
    window.refresh.tick()
    assert (canvas._annotations.flipped, canvas._annotations.marker) == ("FLIPPED up-down", Marker.LEFT)


def test_a_new_source_begins_unflipped(show: Show, at: At, qtbot: QtBot) -> None:
    window = show()
    at(window, 20)
    window.act("mirror")
    assert window.flip.left_right
    window.handlers.open_source(SourceRequest("another"))
    qtbot.waitUntil(lambda: window.flip == Flip(), timeout=5000)


def test_pictures_are_written_as_the_screen_shows_them(show: Show, at: At, tmp_path: Path) -> None:
    window = show()
    at(window, 20)
    assert window.shown is not None
    written = {}
    for name, flip in (("plain", Flip()), ("flipped", Flip(left_right=True))):
        snapshots = Snapshots(tmp_path / name)
        snapshots.take(window.shown, (0.0, 255.0), (), flip)
        snapshots.close()
        found = next(path for path in (tmp_path / name).glob("*.png") if "_contour" not in path.name)
        picture = cv2.imread(str(found), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        rows, cols = picture.shape
        contour = cv2.imread(str(found.with_name(f"{found.stem}_contour.png")))
        assert contour is not None
        written[name] = np.dstack([picture, contour[:rows, :cols]])
    assert written["plain"].any()
    np.testing.assert_array_equal(written["flipped"], written["plain"][:, ::-1])
