"""The scale of what is open, and what it rests on: the crop, the watched depth text and ruler, the presets."""

from dataclasses import replace
from time import monotonic

from inference.crop import Rect, propose_crop
from inference.errors import OutputError, SpacingError
from inference.readout.marks import Tone
from inference.spacing import PixelSpacing, Provenance
from viewer.control.app_state import AppState
from viewer.control.presets import Place, Preset, Presets, packed

DEPTH_WORDS = (
    "Drag a rectangle around the scanner's depth text together with its ruler. If either changes, the scale is void."
)
CROP_WORDS = "Drag the rectangle around the part that is to be analysed. What is outside counts as black."
APPLIED = "The scale kept for this device is in use: its depth text and ruler are as they were. Check the ticks (C)."
DIFFERENT = "A scale is kept for this device, but its depth text or ruler was another one: calibrate again (C)."
DELETED = "The scale kept for this device is deleted."
KEPT = "The scale is kept for this device, picture size and crop."


class Calibration:
    """Serves the calibration panel.

    Args:
        state: what is open and shown.
        presets: scales kept across starts.
    """

    def __init__(self, state: AppState, presets: Presets) -> None:
        self._state, self._presets = state, presets
        self._aim_is_depth = False
        self._preset: Preset | None = None
        panel, marking = state.view.calibration, state.view.marking
        panel.depth_wanted.connect(self.mark_depth)
        panel.crop_wanted.connect(self.mark_crop)
        panel.delete_wanted.connect(self.delete)
        marking.accepted.connect(self.accept)
        marking.all_wanted.connect(lambda: self._crop(None))
        marking.closed.connect(self._put_away)
        for pane in (state.view.canvas, state.view.live):
            pane.region.changed.connect(lambda _: marking.allow(ready=True))
        if presets.complaint:
            state.view.picture_area.say(presets.complaint, monotonic())

    def source_opened(self) -> None:
        """Another source: use the scale that is kept for it, if its depth text and ruler still say so."""
        self._preset, self._state.ruler = None, None
        source, info = self._state.session.source, self._state.session.info
        self._state.view.calibration.aspect = 1.0 if info is None else info.pixel_aspect
        if source is not None and info is not None and source.captured:
            known = self._presets.known(info.origin.name, info.rows, info.cols)
            fitting = next((preset for preset in known if self._still_true(preset)), None)
            if fitting is not None:
                self._apply(fitting)
            elif known:
                self._state.view.picture_area.say(DIFFERENT, monotonic())
        self.refresh()

    def refresh(self) -> None:
        """Tell the panel what is watched, and whether a scale is kept."""
        source, place = self._state.session.source, self._place()
        captured, watched = source is not None and source.captured, source is not None and source.depth_watched
        kept = place is not None and self._presets.find(place) is not None
        self._state.view.calibration.show_watch(captured=captured, watched=watched, kept=kept)

    def delete(self) -> None:
        """Delete the scale that is kept for this device, size and crop; where it is in use, the number goes with it."""
        place, state = self._place(), self._state
        if place is None:
            return
        try:
            self._presets.remove(place)
        except OutputError as error:
            state.view.picture_area.say(str(error), monotonic())
            return
        self._preset, shown = None, state.shown
        in_use = None if shown is None else shown.frame.spacing
        if in_use is not None and in_use.provenance is Provenance.PRESET:
            state.session.calibrate(None)
            state.ruler = None
        self.refresh()
        state.view.picture_area.refit()
        state.view.picture_area.say(DELETED, monotonic(), Tone.NOTICE)

    def _place(self) -> Place | None:
        """The device, size and crop of what is open."""
        source, info = self._state.session.source, self._state.session.info
        if source is None or info is None:
            return None
        return Place(info.origin.name, info.rows, info.cols, source.cropping.rect)

    def mark_depth(self) -> None:
        """Let the user mark depth text and ruler."""
        source = self._state.session.source
        if source is not None and source.whole() is not None:
            self._begin(source.watched, DEPTH_WORDS, depth=True)

    def mark_crop(self) -> None:
        """Let the user adjust the crop; the sector that stands out is the proposal."""
        source, shown = self._state.session.source, self._state.shown
        if source is None or shown is None:
            return
        rect = source.cropping.rect
        self._begin(rect or propose_crop([shown.frame.pixels]), CROP_WORDS, depth=False)

    def _begin(self, rect: Rect | None, words: str, *, depth: bool) -> None:
        view, self._aim_is_depth = self._state.view, depth
        view.picture_area.toggle(view.marking)
        view.marking.begin(words, whole=not depth)
        view.marking.allow(ready=rect is not None)
        view.picture_area.refit()
        view.front.region.begin(rect)

    def accept(self) -> None:
        """Use the rectangle that was marked."""
        rect = self._state.view.front.region.rect_marked
        if rect is None:
            return
        if self._aim_is_depth:
            self._watch(rect)
        else:
            self._crop(rect)

    def calibrated(self, spacing: PixelSpacing) -> None:
        """A scale was given: keep it with what it rests on, if somebody will notice when it is void."""
        state, source = self._state, self._state.session.source
        state.ruler = state.view.calibration.measured
        self.refresh()
        if source is None or source.watched is None or not source.depth_watched:
            return
        whole, place = source.whole(), self._place()
        if whole is None or place is None:
            return
        reference = packed(whole, source.watched)
        self._keep(Preset(place, spacing.row_mm, spacing.col_mm, source.watched, state.marker, reference, state.ruler))

    def marker_turned(self) -> None:
        """The marker side goes with the preset."""
        if self._preset is not None:
            self._keep(replace(self._preset, marker=self._state.marker))

    def _keep(self, preset: Preset) -> None:
        say = self._state.view.picture_area.say
        try:
            self._presets.save(preset)
        except (OutputError, SpacingError) as error:
            say(str(error), monotonic())
            return
        self._preset = preset
        self.refresh()
        say(KEPT, monotonic(), Tone.NOTICE)

    def _watch(self, rect: Rect) -> None:
        source = self._state.session.source
        whole = None if source is None else source.whole()
        if source is None or whole is None:
            return
        try:
            source.watch(rect, whole)
        except SpacingError as error:
            self._state.view.marking.complain(str(error))
            self._state.view.picture_area.refit()
            return
        self._preset = None
        self._back()

    def _crop(self, rect: Rect | None) -> None:
        self._state.session.crop(rect)
        self._preset = None
        self._back()

    def _back(self) -> None:
        """To the calibration panel."""
        self.refresh()
        self._state.view.picture_area.toggle(self._state.view.calibration)

    def _put_away(self) -> None:
        for pane in (self._state.view.canvas, self._state.view.live):
            pane.region.hide()

    def _still_true(self, preset: Preset) -> bool:
        """Whether the scanner shows what it showed when this scale was given."""
        source, reference = self._state.session.source, preset.reference_picture
        if source is None or preset.watched is None or reference is None:
            return False
        try:
            return source.shows(preset.watched, reference)
        except SpacingError:
            return False

    def _apply(self, preset: Preset) -> None:
        state, source, reference = self._state, self._state.session.source, preset.reference_picture
        if source is None or preset.watched is None or reference is None:
            return
        state.session.crop(preset.place.crop)
        source.watch(preset.watched, reference)
        state.session.calibrate(preset.spacing)
        state.marker, state.ruler, self._preset = preset.marker, preset.ruler, preset
        state.view.picture_area.say(APPLIED, monotonic(), Tone.NOTICE)
