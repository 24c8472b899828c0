"""Every guard of the picture: what breaks it on purpose, and what must not, on a screen as a grabber sees it."""

from collections.abc import Callable

import numpy as np
import pytest

from inference.alarms import Alarm
from inference.frame import Frame, Origin, View
from inference.guards.all import every_guard
from inference.guards.base import HOLD_S
from inference.guards.watch import Watch
from inference.sector import GrowingSector
from inference.sources.colour import colour_map
from inference.sources.disturbances import (
    Disturbance,
    Screen,
    black,
    calipers,
    cavity,
    clot,
    disturb,
    doppler,
    drawn,
    elastography,
    frozen,
    lifted,
    no_signal,
    noisy,
    partial_contact,
    tinted,
    two_panes,
    writing,
)
from inference.sources.disturbed import screens
from inference.sources.pixels import grey

SIZES = [(240, 320), (480, 640)]
PERIOD_S = 0.04
GOOD = 4


class Grabber:
    """Screens become frames as in a live source, and go through every guard."""

    def __init__(self, size: tuple[int, int], origin: Origin | None = None) -> None:
        self._screens, self._sector, self._index = screens(*size, count=6), GrowingSector(), 0
        self._origin = origin or Origin("grabber", View.NATIVE, live=True)
        self.watch: Watch = every_guard()

    def go(self, index: int) -> None:
        """Go to another picture, as a person may in a recording."""
        self._index = index

    def show(self, *disturbances: Disturbance) -> set[Alarm]:
        """The alarms on the next picture."""
        screen = disturb(self._screens[self._index % len(self._screens)], *disturbances)
        picture = drawn(screen)
        frame = Frame(
            self._index,
            self._sector.apply(grey(picture)),
            None,
            self._index * PERIOD_S,
            self._origin,
            colour=colour_map(picture, order="BGR"),
        )
        self._index += 1
        return {finding.alarm for finding in self.watch.look(frame)} - {Alarm.FROZEN}


BROKEN: list[tuple[Disturbance, Alarm]] = [
    (black, Alarm.BLACK),
    (no_signal, Alarm.BLACK),
    (lifted, Alarm.LIFTED),
    (doppler, Alarm.COLOUR),
    (elastography, Alarm.COLOUR),
    (two_panes, Alarm.PANES),
    (calipers, Alarm.GRAPHICS),
    (writing, Alarm.GRAPHICS),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("disturbance", "alarm"), BROKEN)
def test_it_fires_on_the_very_picture_and_is_silent_soon_after_the_last(
    size: tuple[int, int], disturbance: Disturbance, alarm: Alarm
) -> None:
    grabber = Grabber(size)
    assert [grabber.show() for _ in range(GOOD)] == [set()] * GOOD
    assert alarm in grabber.show(disturbance)
    assert next(finding for finding in grabber.watch.ringing).alarm is alarm  # the sentence that is shown
    assert alarm in grabber.show(disturbance)
    held = round(HOLD_S / PERIOD_S) - 1
    assert all(alarm in grabber.show() for _ in range(held))
    assert [grabber.show() for _ in range(2)][-1] == set()
    assert [(event.alarm, event.begins) for event in grabber.watch.events() if event.alarm is alarm] == [
        (alarm, True),
        (alarm, False),
    ]


@pytest.mark.parametrize(("disturbance", "alarm"), [pair for pair in BROKEN if pair[0] is not black])
def test_a_source_that_begins_so_is_told_at_once(disturbance: Disturbance, alarm: Alarm) -> None:
    assert alarm in Grabber((480, 640)).show(disturbance)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("disturbance", [cavity, clot, tinted, noisy, partial_contact])
def test_anatomy_tint_and_partial_contact_are_no_alarm(size: tuple[int, int], disturbance: Disturbance) -> None:
    """Saline and clot are anatomy; with half the face on tissue the picture is analysed, rings beside it or not."""
    grabber = Grabber(size)
    assert [grabber.show(disturbance) for _ in range(8)] == [set()] * 8


def test_a_vessel_over_tinted_tissue_is_colour_all_the_same() -> None:
    assert Alarm.COLOUR in Grabber((480, 640)).show(tinted, doppler)


def test_the_clock_that_runs_does_not_hide_a_frozen_sector() -> None:
    grabber, still = Grabber((240, 320)), frozen()
    for _ in range(30):
        grabber.show(still)
    assert Alarm.FROZEN in {finding.alarm for finding in grabber.watch.ringing}


def test_living_speckle_under_a_resting_probe_is_not_frozen() -> None:
    grabber = Grabber((240, 320))
    for _ in range(60):
        grabber.show()
        assert not grabber.watch.ringing


@pytest.mark.parametrize("disturbance", [lifted, two_panes, calipers, black])
def test_a_volume_s_slices_have_neither_probe_nor_screen(disturbance: Disturbance) -> None:
    slices = Origin("volume", View.SLICE)
    assert Grabber((240, 320), slices).show(disturbance) == set()


def at(column: int) -> Disturbance:
    """A single crossing."""

    def one(screen: Screen) -> Screen:
        picture = screen.picture.copy()
        row = picture.shape[0] // 2
        picture[row, column - 6 : column + 7] = 250
        picture[row - 6 : row + 7, column] = 250
        return Screen(picture, screen.depth, screen.side, screen.index)

    return one


def test_a_single_crossing_on_the_frame_that_a_person_went_to_is_told_at_once() -> None:
    """It stands there, and no other frame comes that could say whether the crossing stays."""
    recording = Grabber((480, 640), Origin("clip", View.NATIVE))
    assert recording.show() == set()
    assert recording.show(at(300)) == set(), "an accident of echoes, while it plays"
    for place in (40, 7, 7):
        recording.go(place)
        assert recording.show(at(300)) == {Alarm.GRAPHICS}
    assert recording.show() == set()


def test_a_single_crossing_has_to_stay_in_its_place() -> None:
    """One crossing may be an accident of echoes; after three pictures at one place it is none."""
    grabber = Grabber((480, 640))
    assert grabber.show() == set()
    assert [grabber.show(at(300 + 20 * step)) for step in range(6)] == [set()] * 6
    assert grabber.show() == set()
    assert [grabber.show(at(280)) for _ in range(4)] == [set(), set(), {Alarm.GRAPHICS}, {Alarm.GRAPHICS}]


def test_deep_pixels_are_judged_by_the_brightest_ever_seen() -> None:
    """A black picture of 16 bits holds a little noise, which is not its white."""
    screen = screens(240, 320, count=6)[0]
    picture = grey(screen.picture).astype(np.uint16) * 200
    origin = Origin("deep", View.NATIVE, live=True)
    watch = every_guard()
    frame: Callable[..., Frame] = lambda pixels: Frame(0, pixels, None, 0.0, origin)  # noqa: E731
    assert watch.look(frame(picture)) == ()
    noise = np.random.default_rng(0).integers(0, 400, picture.shape).astype(np.uint16)
    assert [finding.alarm for finding in watch.look(frame(noise))] == [Alarm.BLACK]


@pytest.mark.parametrize(("live", "asks"), [(True, True), (False, False)])
def test_only_a_live_picture_that_is_black_asks_about_probe_and_grabber(live: bool, asks: bool) -> None:
    grabber = Grabber((240, 320), Origin("source", View.NATIVE, live=live))
    grabber.show()
    grabber.show(black)
    (said,) = (found.sentence for found in grabber.watch.ringing if found.alarm is Alarm.BLACK)
    assert ("probe" in said and "grabber" in said) is asks
    assert "black or even" in said


def test_in_a_recording_each_frame_stands_for_itself() -> None:
    grabber = Grabber((240, 320), Origin("file", View.NATIVE))
    assert [grabber.show(doppler), grabber.show(), grabber.show(doppler)] == [{Alarm.COLOUR}, set(), {Alarm.COLOUR}]


@pytest.mark.parametrize("size", SIZES)
def test_the_scanner_s_own_noise_below_the_rings_is_no_tissue(size: tuple[int, int]) -> None:
    grabber = Grabber(size)
    assert grabber.show() == set()
    assert grabber.show(lifted, noisy) == {Alarm.LIFTED}


@pytest.mark.parametrize("nothing", [no_signal, black])
def test_a_grabber_s_blue_or_a_text_on_black_is_not_taken_for_the_sector(nothing: Disturbance) -> None:
    """The text around the sector would be analysed with it from then on."""
    screen = screens(240, 320, count=1)[0]
    good = grey(drawn(screen))
    for order in ((nothing, None), (None, nothing, None)):
        sector = GrowingSector()
        for each in order:
            shown = sector.apply(grey(drawn(screen if each is None else each(screen))))
        assert np.array_equal(shown[screen.inside], good[screen.inside])
        assert not shown[:18, 246:].any()
