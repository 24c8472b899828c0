"""The scale of what is open, and what it rests on: the crop, the watched depth text and ruler, the presets."""

from dataclasses import replace
from time import monotonic

from inference.crop import Rect, propose_crop
from inference.errors import OutputError, SpacingError
from inference.spacing import PixelSpacing
from viewer.control.app_state import Desk
from viewer.control.presets import Place, Preset, Presets, packed
from viewer.style.marks import Tone

DEPTH_WORDS = (
    "Drag a rectangle around the scanner's depth text together with its ruler. If either changes, the scale is void."
)
CROP_WORDS = "Drag the rectangle around the part that is to be analysed. What is outside counts as black."
APPLIED = "The scale kept for this device is in use: its depth text and ruler are as they were. Check the ticks (C)."
DIFFERENT = "A scale is kept for this device, but its depth text or ruler was another one: calibrate again (C)."
KEPT = "The scale is kept for this device, picture size and crop."


class Calibrating:
    """Serves the calibration panel.

    Args:
        desk: what is open and shown.
        presets: scales kept across starts.
    """

    def __init__(self, desk: Desk, presets: Presets) -> None:
        self._desk, self._presets = desk, presets
        self._aim_is_depth = False
        self._preset: Preset | None = None
        panel, marking = desk.view.calibration, desk.view.marking
        panel.depth_wanted.connect(self.mark_depth)
        panel.crop_wanted.connect(self.mark_crop)
        marking.accepted.connect(self.accept)
        marking.all_wanted.connect(lambda: self._crop(None))
        marking.closed.connect(self._put_away)
        for pane in (desk.view.canvas, desk.view.live):
            pane.region.changed.connect(lambda _: marking.allow(ready=True))
        if presets.complaint:
            desk.view.stage.say(presets.complaint, monotonic())

    def source_opened(self) -> None:
        """Another source: use the scale that is kept for it, if its depth text and ruler still say so."""
        self._preset, self._desk.ruler = None, None
        feed, info = self._desk.session.feed, self._desk.session.info
        if feed is not None and info is not None and feed.captured:
            known = self._presets.known(info.origin.name, info.rows, info.cols)
            fitting = next((preset for preset in known if self._still_true(preset)), None)
            if fitting is not None:
                self._apply(fitting)
            elif known:
                self._desk.view.stage.say(DIFFERENT, monotonic())
        self.refresh()

    def refresh(self) -> None:
        """Tell the panel what is watched."""
        feed = self._desk.session.feed
        captured = feed is not None and feed.captured
        self._desk.view.calibration.show_watch(captured=captured, watched=feed is not None and feed.guarded)

    def mark_depth(self) -> None:
        """Let the user mark depth text and ruler."""
        feed = self._desk.session.feed
        if feed is not None and feed.whole() is not None:
            self._begin(feed.watched, DEPTH_WORDS, depth=True)

    def mark_crop(self) -> None:
        """Let the user adjust the crop; the sector that stands out is the proposal."""
        feed, shown = self._desk.session.feed, self._desk.shown
        if feed is None or shown is None:
            return
        rect = feed.cropping.rect
        self._begin(rect or propose_crop([shown.frame.pixels]), CROP_WORDS, depth=False)

    def _begin(self, rect: Rect | None, words: str, *, depth: bool) -> None:
        view, self._aim_is_depth = self._desk.view, depth
        view.stage.toggle(view.marking)
        view.marking.begin(words, whole=not depth)
        view.marking.allow(ready=rect is not None)
        view.stage.refit()
        view.front.region.begin(rect)

    def accept(self) -> None:
        """Use the rectangle that was marked."""
        rect = self._desk.view.front.region.rect_marked
        if rect is None:
            return
        if self._aim_is_depth:
            self._watch(rect)
        else:
            self._crop(rect)

    def calibrated(self, spacing: PixelSpacing) -> None:
        """A scale was given: keep it with what it rests on, if somebody will notice when it is void."""
        desk, feed, info = self._desk, self._desk.session.feed, self._desk.session.info
        desk.ruler = desk.view.calibration.measured
        self.refresh()
        if feed is None or info is None or feed.watched is None or not feed.guarded:
            return
        whole = feed.whole()
        if whole is None:
            return
        place = Place(info.origin.name, info.rows, info.cols, feed.cropping.rect)
        reference = packed(whole, feed.watched)
        self._keep(Preset(place, spacing.row_mm, spacing.col_mm, feed.watched, desk.marker, reference, desk.ruler))

    def marker_turned(self) -> None:
        """The marker side goes with the preset."""
        if self._preset is not None:
            self._keep(replace(self._preset, marker=self._desk.marker))

    def _keep(self, preset: Preset) -> None:
        say = self._desk.view.stage.say
        try:
            self._presets.save(preset)
        except (OutputError, SpacingError) as error:
            say(str(error), monotonic())
            return
        self._preset = preset
        say(KEPT, monotonic(), Tone.NOTICE)

    def _watch(self, rect: Rect) -> None:
        feed = self._desk.session.feed
        whole = None if feed is None else feed.whole()
        if feed is None or whole is None:
            return
        try:
            feed.watch(rect, whole)
        except SpacingError as error:
            self._desk.view.marking.complain(str(error))
            self._desk.view.stage.refit()
            return
        self._preset = None
        self._back()

    def _crop(self, rect: Rect | None) -> None:
        self._desk.session.crop(rect)
        self._preset = None
        self._back()

    def _back(self) -> None:
        """To the calibration panel."""
        self.refresh()
        self._desk.view.stage.toggle(self._desk.view.calibration)

    def _put_away(self) -> None:
        for pane in (self._desk.view.canvas, self._desk.view.live):
            pane.region.hide()

    def _still_true(self, preset: Preset) -> bool:
        """Whether the scanner shows what it showed when this scale was given."""
        feed, reference = self._desk.session.feed, preset.as_it_stood
        if feed is None or preset.watched is None or reference is None:
            return False
        try:
            return feed.shows(preset.watched, reference)
        except SpacingError:
            return False

    def _apply(self, preset: Preset) -> None:
        desk, feed, reference = self._desk, self._desk.session.feed, preset.as_it_stood
        if feed is None or preset.watched is None or reference is None:
            return
        desk.session.crop(preset.place.crop)
        feed.watch(preset.watched, reference)
        desk.session.calibrate(preset.spacing)
        desk.marker, desk.ruler, self._preset = preset.marker, preset.ruler, preset
        desk.view.stage.say(APPLIED, monotonic(), Tone.NOTICE)
