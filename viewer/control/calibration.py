"""The scale of the open source and what it depends on: the crop, the watched depth text and ruler, the presets."""

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from inference.crop import Rect
from inference.errors import OutputError, SpacingError
from inference.frame import Frame
from inference.jobs.scale_reading import ScaleReadings
from inference.live.guarded_source import BY_HAND
from inference.outcome import Outcome
from inference.readout.marks import Tone
from inference.ruler import per_pixel
from inference.spacing import PixelSpacing
from viewer.control.app_state import AppState
from viewer.control.presets import Place, Preset, Presets, packed
from viewer.control.region_marking import RegionMarking

if TYPE_CHECKING:
    from inference.screen.scale import ScaleProposal

APPLIED = "The scale kept for this device is in use: its depth text and ruler are as they were. Check the ticks (C)."
DIFFERENT = "A scale is kept for this device, but its depth text or ruler was another one: calibrate again (C)."
DELETED = "The scale kept for this device is deleted."
NOTHING_ENDED = "No interruption has ended a scale that is still watched: press C to calibrate."
TURNED = "The depth was turned while you calibrated: nothing is used. Calibrate again (C), on the picture of now."
MARK_FIRST = "A part of what was read lies on tissue: mark depth text and ruler yourself, then use it."
KEPT = "The scale is kept for this device, picture size and crop."


class Calibration:
    """Serves the calibration panel.

    Args:
        state: what is open and shown.
        presets: scales kept from one start to the next.

    Attributes:
        marking: has the user draw the crop, and around depth text and ruler.
        ended: scale that an interruption ended, while the watched depth text and ruler are as before; else None.
    """

    def __init__(self, state: AppState, presets: Presets) -> None:
        self._state, self._presets = state, presets
        self._preset: Preset | None = None
        self._unused: PixelSpacing | None = None
        self._in_use: PixelSpacing | None = None
        self.ended: PixelSpacing | None = None
        self._readings = ScaleReadings()
        self._read_from: Frame | None = None
        self.marking = RegionMarking(state, self._region_changed)
        panel = state.view.calibration
        panel.fit.connect(state.view.picture_area.refit)
        panel.depth_wanted.connect(self.marking.mark_depth)
        panel.crop_wanted.connect(self.marking.mark_crop)
        panel.delete_wanted.connect(self.delete)
        panel.proposal_used.connect(self.use_read)
        panel.closed.connect(self._forget_reading)
        if presets.complaint:
            state.view.picture_area.say(presets.complaint, monotonic())

    def source_opened(self) -> None:
        """After a change of source: use the scale kept for it, if its depth text and ruler still show the same."""
        self._preset, self._unused, self._in_use, self._state.ruler = None, None, None, None
        source, info = self._state.session.source, self._state.session.info
        self._state.view.calibration.aspect = 1.0 if info is None else info.aspect
        if source is not None and info is not None and source.captured:
            known = self._presets.known(info.origin.name, info.rows, info.cols)
            fitting = next((preset for preset in known if self._still_true(preset)), None)
            if fitting is not None:
                self._apply(fitting)
            elif known:
                self._state.view.picture_area.say(DIFFERENT, monotonic())
            elif self._presets.unread:
                self._state.view.picture_area.say(self._presets.complaint, monotonic())
        self.refresh()

    def refresh(self) -> None:
        """Tell the panel what is watched, and whether a scale is kept."""
        source, place = self._state.session.source, self._place()
        captured, watched = source is not None and source.captured, source is not None and source.depth_watched
        marked = source is not None and bool(source.watched)
        kept = place is not None and self._presets.find(place) is not None
        self._state.view.calibration.show_watch(captured=captured, marked=marked, watched=watched, kept=kept)

    def delete(self) -> None:
        """Delete the scale kept for this device, size and crop; if it is in use, the number shown goes with it."""
        place, state = self._place(), self._state
        if place is None:
            return
        try:
            self._presets.remove(place)
        except OutputError as error:
            state.view.picture_area.say(str(error), monotonic())
            return
        self._preset, self._unused, shown = None, None, state.shown
        in_use = None if shown is None else shown.frame.spacing
        if in_use is not None and in_use.provenance in BY_HAND:  # also one that was given and kept in this sitting
            state.session.calibrate(None)
            state.ruler = None
            state.trend.void(monotonic())
        self.refresh()
        state.view.picture_area.refit()
        state.view.picture_area.say(DELETED, monotonic(), Tone.NOTICE)

    def _place(self) -> Place | None:
        """Device, size and crop of the open source."""
        source, info = self._state.session.source, self._state.session.info
        if source is None or info is None:
            return None
        return Place(info.origin.name, info.rows, info.cols, source.cropping.rect)

    @property
    def framed(self) -> tuple[Rect, ...]:
        """The regions that are watched, or those taken so far while others are being marked."""
        source, marking = self._state.session.source, not self._state.view.marking.isHidden()
        return tuple(self.marking.taken) if marking else () if source is None else source.watched

    def read_screen(self) -> None:
        """While the panel is open, read the scale from the picture that stands there; called at every tick."""
        state, panel = self._state, self._state.view.calibration
        if panel.isHidden():
            return
        frame = state.marked_on or (None if state.shown is None else state.shown.frame)
        if self._read_from is None and frame is not None:
            self._read_from = frame
            self._readings.ask(frame, panel.aspect)
        reading = self._readings.poll()
        if reading is not None and reading.frame is self._read_from:
            panel.propose(reading.proposal, reading.reason, reading.excerpt)

    def _forget_reading(self) -> None:
        self._read_from = None

    def use_read(self, proposal: "ScaleProposal") -> None:
        """Use the scale that was read and confirmed; on a live picture, ruler and texts are watched from then on."""
        source, panel, frame = self._state.session.source, self._state.view.calibration, self._read_from
        if source is None or frame is None:
            return
        if source.captured and not source.watched:
            if not proposal.regions:
                panel.complain(MARK_FIRST)
                return
            try:
                source.watch(proposal.regions, frame.pixels)
            except SpacingError as error:
                panel.complain(str(error))
                return
            self._preset = None
        panel.use(proposal)

    def close(self) -> None:
        """Wait for what is still being read."""
        self._readings.close()

    def still_shows_what_was_marked(self) -> bool:
        """Whether the scanner still shows the depth text and ruler of the picture on which the points were clicked."""
        source, marked_on = self._state.session.source, self._state.marked_on
        if source is None or not source.watched or marked_on is None:
            return True
        try:
            return source.shows(source.watched, marked_on.pixels)
        except SpacingError:
            return False

    def calibrated(self, spacing: PixelSpacing) -> None:
        """Take a new scale; it is kept once a frame has been shown with it."""
        self._state.ruler = self._state.view.calibration.measured
        self._unused = spacing
        self.refresh()

    def follow(self, shown: Outcome | None) -> None:
        """Keep a scale once it is in use; called at every tick."""
        spacing = None if shown is None else shown.frame.spacing
        if spacing is not None and spacing == self._unused:
            self._unused = None
            self._keep_used(spacing)

    def look_for_interruption(self, newest: Outcome | None) -> None:
        """At every tick, offer the scale that an interruption ended, while depth text and ruler are as before.

        Args:
            newest: the source's own newest outcome, never an older one of a frozen view.
        """
        from inference.sources.live import INTERRUPTED  # its libraries are not needed at the start

        source, frame = self._state.session.source, None if newest is None else newest.frame
        if source is not None and not source.depth_watched:
            self._state.view.picture_area.take_back(APPLIED)
        if source is None or frame is None or not source.depth_watched:
            self._in_use = None
        elif frame.spacing is not None:
            self._in_use = frame.spacing if frame.spacing.provenance in BY_HAND else None
        elif frame.no_spacing_reason != INTERRUPTED:
            self._in_use = None
        self.ended = self._in_use if frame is not None and frame.no_spacing_reason == INTERRUPTED else None
        self._state.view.readout.offer_scale("" if self.ended is None else per_pixel(self.ended))

    def use_again(self) -> None:
        """Use the scale that the interruption ended; the user says that the depth is unchanged."""
        source, state = self._state.session.source, self._state
        if source is None or self.ended is None:
            state.view.picture_area.say(NOTHING_ENDED, monotonic(), Tone.NOTICE)
            return
        state.thaw()
        state.held_warning.reset()
        source.restore_spacing(self.ended)

    def _keep_used(self, spacing: PixelSpacing) -> None:
        """Keep a scale and what it depends on, if a change that voids it would be noticed."""
        state, source = self._state, self._state.session.source
        if source is None or not source.watched or not source.depth_watched:
            return
        whole, place = source.whole(), self._place()
        if whole is None or place is None:
            return
        reference = packed(whole, source.watched)
        self._keep(Preset(place, spacing.row_mm, spacing.col_mm, source.watched, state.marker, reference, state.ruler))

    def marker_turned(self) -> None:
        """Keep the new marker side with the preset."""
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

    def _region_changed(self) -> None:
        self._preset = None
        self.refresh()

    def _still_true(self, preset: Preset) -> bool:
        """Whether the scanner shows the same as when this scale was given."""
        source, reference = self._state.session.source, preset.reference_picture
        if source is None or not preset.watched or reference is None:
            return False
        try:
            return source.shows(preset.watched, reference)
        except SpacingError:
            return False

    def _apply(self, preset: Preset) -> None:
        state, source, reference = self._state, self._state.session.source, preset.reference_picture
        if source is None or not preset.watched or reference is None:
            return
        state.session.crop(preset.place.crop)
        source.watch(preset.watched, reference)
        state.session.calibrate(preset.spacing)
        state.marker, state.ruler, self._preset = preset.marker, preset.ruler, preset
        state.view.picture_area.say(APPLIED, monotonic(), Tone.NOTICE)
