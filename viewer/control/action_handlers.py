"""What the actions do. The actions themselves are listed in `actions`."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

from PySide6.QtCore import Qt

from inference import safety
from inference.alarms import Alarm
from inference.frame import View
from inference.live.health import OPENING_AFTER_S
from inference.live.requests import SourceRequest
from inference.live.thorough import NOT_YET, disagreement_of
from inference.outcome import NothingFound, Tumour
from inference.readout.caliper import Caliper
from inference.readout.look import AS_IT_CAME
from inference.readout.marks import Tone
from inference.readout.readout_state import Offer
from inference.ruler import Point
from inference.sources import device_names
from inference.sources.listing import is_model, is_source
from inference.spacing import PixelSpacing
from inference.view_notes import Marker, Phase
from viewer import settings
from viewer.control.app_state import STANDS, AppState
from viewer.control.calibration import TURNED, Calibration
from viewer.control.correcting import Correcting
from viewer.control.monitors import Monitors
from viewer.control.pedal import Pedal
from viewer.control.pointing import Pointing
from viewer.control.records import Records
from viewer.control.second_screen import SecondScreens
from viewer.control.side_by_side import SideBySide

OF_FRAMES_TO_COME = (Offer.WITHOUT_SCALE, Offer.DEMONSTRATION, Offer.OVERRULE, Offer.HEED)
"""Choices that change no frame of before."""
GIVEN_UP, NOTHING_OPEN = "{} was given up: what is open stays.", "{} was given up: nothing is open."
NOT_SHOWN = "{} when this was written: the screen showed no contour"
NOT_SAID = "{} when this was written: the screen showed no answer"
OVERLAY_OFF_S = 3.0
STEP_SHARE = 0.1
"""By which share of the view a key moves the picture."""
DRAG_PX, DRAG_CONTRAST = 2.0, 1.005
"""View pixels of a drag for one grey level of brightness, and what one of them does to the contrast."""


class ActionHandlers:
    """Carries out the requests of keys, buttons and cards.

    Args:
        state: the state that the actions change.
        calibration: serves the calibration panel.
        monitors: handles what concerns the window itself.
        records: serves the list of records.
        side_by_side: puts a picture beside the one shown.
        second_screens: opens the second screen.
        correcting: corrects the contour that is shown.
    """

    def __init__(
        self,
        state: AppState,
        calibration: Calibration,
        monitors: Monitors,
        records: Records,
        side_by_side: SideBySide,
        second_screens: SecondScreens,
        correcting: Correcting,
    ) -> None:
        self._state, self._view, self._session = state, state.view, state.session
        self._calibration, self.monitors, self.records = calibration, monitors, records
        self.side_by_side, self.second_screens, self.correcting = side_by_side, second_screens, correcting
        self.pointing = Pointing(state, correcting)
        self.pedal = Pedal(state, lambda: self.pointing.wanted, self.point_by_keys)

    def accept(self, offer: Offer) -> None:
        """Carry out what a card offers."""
        does: dict[Offer, Callable[[], None]] = {
            Offer.CALIBRATE: self.show_calibration_panel,
            Offer.WITHOUT_SCALE: self._session.analyse_without_scale,
            Offer.OPEN: self.show_source_panel,
            Offer.GIVE_UP: self.give_up,
            Offer.DEMONSTRATION: self._use_demonstration_model,
            Offer.MODEL: self.show_model_panel,
            Offer.OVERRULE: lambda: self._session.overrule(Alarm.GRAPHICS),
            Offer.HEED: lambda: self._session.heed(Alarm.GRAPHICS),
        }
        if offer in OF_FRAMES_TO_COME:
            self._state.thaw()  # a frozen view would stand there as if nothing had been pressed
        does[offer]()

    def open_source(self, request: SourceRequest) -> None:
        """Start opening a source; what is open stays until that one is."""
        self._view.source.current = request.text
        self._session.open(request)

    def give_up(self) -> None:
        """Wait no longer for the source that is being opened."""
        if words := self._session.give_up():
            sentence = NOTHING_OPEN if self._session.info is None else GIVEN_UP
            self._view.picture_area.say(sentence.format(words), monotonic(), Tone.NOTICE)

    def _use_demonstration_model(self) -> None:
        self._session.model_chosen = True

    def open_model(self, path: Path | None, *, chosen: bool = True) -> None:
        """Start loading a model; `chosen` is False if it may only be used when there is no other."""
        present = self._session.model
        self._session.load(path, chosen=chosen)
        self._view.model_card.show_model(present, "")
        if present is not None:
            wanted = "The bundled model" if path is None else path.name
            sentence = f"{wanted} is being loaded: {present.contract.identity.name} goes on until it is ready."
            self._state.loading = sentence
            self._view.picture_area.say(sentence, monotonic(), Tone.NOTICE)

    def set_phase(self, phase: Phase) -> None:
        """Set the phase of surgery."""
        self._state.phase = phase

    def calibrate(self, spacing: PixelSpacing) -> None:
        """Use this scale from the next frame on, unless the depth was changed while it was measured."""
        if not self._calibration.still_shows_what_was_marked():
            self._view.picture_area.say(TURNED, monotonic())
            return
        self._state.thaw()
        self._state.held_warning.reset()
        self._state.trend.void(monotonic())
        self._session.calibrate(spacing)
        self._calibration.calibrated(spacing)
        info = self._session.info
        if info is not None and info.scale_varies:
            self._view.picture_area.say(info.no_spacing_reason, monotonic(), Tone.NOTICE)

    def zoom(self, by: float, at: Point | None = None) -> None:
        """Zoom in or out about a picture position, or about the middle."""
        placement = self._view.front.placement
        if placement is not None:
            centre = placement.centre
            self._state.look = self._state.look.zoomed(by, at or centre, centre)

    def move_picture(self, x: float, y: float) -> None:
        """Show what lies further to the right or down, by view pixels."""
        placement = self._view.front.placement
        if placement is not None:
            self._state.look = self._state.look.moved(*placement.moved(x, y), placement.centre)

    def move_by_step(self, x: int, y: int) -> None:
        """Show what lies a step further to the right or down."""
        side = STEP_SHARE * min(self._view.front.width(), self._view.front.height())
        self.move_picture(x * side, y * side)

    def drag(self, x: float, y: float, button: Qt.MouseButton) -> None:
        """Carry out a drag over the picture: the right button changes its tones, any other moves it.

        While points are being set, a hand that slips with the left button must not move the picture under them.
        """
        if button is Qt.MouseButton.RightButton:
            self._state.look = self._state.look.lighter(-y / DRAG_PX).sharper(DRAG_CONTRAST**x)
        elif button is not Qt.MouseButton.LeftButton or not self.pointing.setting_points:
            self.move_picture(-x, -y)

    def lighten(self, by: float) -> None:
        """Show the picture brighter or darker, on the screen only."""
        self._state.look = self._state.look.lighter(by)

    def sharpen(self, by: float) -> None:
        """Show the picture with more or less contrast, on the screen only."""
        self._state.look = self._state.look.sharper(by)

    def look_as_it_came(self) -> None:
        """Fit the sector to the window again, with the tones as they came."""
        self._state.look = AS_IT_CAME

    def toggle_disagreement(self) -> None:
        """Show or hide the disagreement map of a thorough answer; say so if there is none."""
        state = self._state
        state.disagreement = not state.disagreement and disagreement_of(state.shown) is not None
        if not state.disagreement and disagreement_of(state.shown) is None:
            self._view.picture_area.say(NOT_YET, monotonic(), Tone.NOTICE)

    def toggle_caliper(self) -> None:
        """Start the caliper on a still picture, or put it away."""
        if self._state.caliper is not None:
            self._state.caliper = None
            return
        self._view.picture_area.dismiss()
        if self._session.live is not None:
            self.freeze()
        elif self._session.playback is not None:
            self._session.playback.pause()
        self._state.caliper = Caliper()

    def point_by_keys(self) -> None:
        """Let the arrow keys point on the picture."""
        self.pointing.point_by_keys()

    def use_scale_again(self) -> None:
        """Use the scale again that was in force before an interruption."""
        self._calibration.use_again()

    def turn_marker(self) -> None:
        """Change the probe's marker side: left, right, left."""
        self._state.marker = self._state.marker.following
        self._calibration.marker_turned()

    def introduced(self) -> None:
        """Remember that the first run's explanation was read."""
        self._state.remember(replace(self._state.settings, introduced=True))

    def choose_case_code(self, case_code: str) -> None:
        """Use this case code for the records to come; with an empty one they get an automatic code."""
        self._state.recording.case_code = case_code or None

    def show_case_code_panel(self) -> None:
        """Open or close the panel for the case code."""
        self._view.picture_area.toggle(self._view.record)

    def freeze(self) -> None:
        """Freeze the view of a live source; its last half minute can be scrubbed through.

        Not behind a picture that is being marked: that one would stand there under the age of the frozen one.
        """
        if self._state.calibrating:
            self._view.picture_area.say(STANDS, monotonic(), Tone.NOTICE)
        elif self._state.freezing.freeze():
            self._state.held_warning.reset()

    def play_or_pause(self) -> None:
        """Play or pause a recording; freeze a live view, or let it run again."""
        self._state.caliper = None
        if self._state.freezing.review is not None:
            self._state.thaw()
        elif self._session.live is not None:
            self.freeze()
        playback = self._session.playback
        if playback is not None and len(playback) > 1:
            (playback.pause if playback.playing else playback.play)()
            self._view.transport.update_place()

    def replay(self) -> None:
        """Play or pause the half minute that a frozen view holds."""
        self._state.caliper = None
        if (review := self._state.freezing.review) is not None:
            self._state.held_warning.reset()
            (review.pause if review.playing else review.play)()

    def go_to(self, at: float) -> None:
        """Show the frame at a place of the trend: a time in a frozen view, else a frame of a recording."""
        self._state.held_warning.reset()
        if (review := self._state.freezing.review) is not None:
            review.seek_time(at)
        elif self._session.playback is not None:
            self._session.playback.seek(round(at))
        self._view.transport.update_place()

    def step(self, by: int) -> None:
        """Show the frame `by` places on; a live view is frozen first."""
        if self._session.live is not None:
            self.freeze()
        seekable = self._state.freezing.review or self._session.playback
        if seekable is not None:
            self._state.held_warning.reset()
            seekable.step(by)
            self._view.transport.update_place()

    def show_calibration_panel(self) -> None:
        """Open or close the calibration, always of the running view; its points are no caliper's."""
        self._state.thaw()
        self._state.caliper = None
        self._calibration.refresh()
        self._view.picture_area.toggle(self._view.calibration)

    def show_source_panel(self) -> None:
        """Open or close the choice of a source, with the devices that are connected now, and a volume's axes."""
        info = self._session.info
        volume = info is not None and info.origin.view is View.SLICE
        self._view.source.show_axes(self._session.opened if volume else None)
        self._list_sources()
        self._view.picture_area.toggle(self._view.source)

    def browse_sources(self) -> None:
        """Show the folder of recordings, to go from there to whatever is to be opened."""
        panel, source, start = self._view.folder, self._view.source, settings.exports_folder()
        panel.begin("Open", start, is_source, lambda text: self.open_source(source.request(text)), folders=True)
        self._view.picture_area.toggle(panel)

    def browse_models(self) -> None:
        """Show the own folder, to go from there to a model file."""
        start = settings.exports_folder()
        self._view.folder.begin("Model", start, is_model, lambda text: self.open_model(Path(text)), folders=False)
        self._view.picture_area.toggle(self._view.folder)

    def keep_recent(self, wanted: bool) -> None:
        """Keep the list of what was opened last, models too, for the next start, or only until the end."""
        self._state.remember(replace(self._state.settings, keep_recent=wanted))

    def clear_recent(self) -> None:
        """Forget what was opened last, models too, here and in the settings."""
        self._state.remember(self._state.settings.without_names())
        self._state.look_for_models()
        self._list_sources()

    def _list_sources(self) -> None:
        self._view.source.list.show_sources(device_names(), self._state.settings)

    def write_snapshot(self) -> None:
        """Write a snapshot of what is on the screen; nothing is analysed again."""
        state, info = self._state, self._session.info
        if state.calibrating:
            self._view.picture_area.say(STANDS, monotonic(), Tone.NOTICE)
            return
        if state.shown is not None and info is not None:
            notes = tuple(note for note in (state.phase.words, self._marker().words, *self._judged()) if note)
            state.snapshots.take(state.shown, info.levels, notes, state.flip, self._session.of_phase)

    def _judged(self) -> Iterator[str]:
        """What the user said of the contour on the screen, and whether it was there."""
        if (shown := self._state.shown) is None:
            return
        screen = self._state.screen
        if screen is not None and isinstance(shown, Tumour) and not screen.readout.contour:
            yield NOT_SHOWN.format(screen.readout.card.title)
        if screen is not None and isinstance(shown, NothingFound) and screen.readout.headline != safety.NOTHING:
            yield NOT_SAID.format(screen.readout.card.title)
        corrected = self._state.corrections.of(shown.frame)
        if corrected is not None and corrected.changed:
            yield safety.MODELS_OWN
        if self._state.recording.is_wrong(shown):
            yield safety.CALLED_WRONG

    def _marker(self) -> Marker:
        """The probe's marker side; a slice has no probe."""
        info = self._session.info
        return Marker.NONE if info is not None and info.origin.view is View.SLICE else self._state.marker

    def record_or_stop(self) -> None:
        """Start recording at once, or stop."""
        recording = self._state.recording
        (recording.stop if recording.running else recording.start)()

    def contour_off(self) -> None:
        """Hide the contour for a moment, to show the tissue below it."""
        self._state.overlay_off_until = monotonic() + OVERLAY_OFF_S

    def widen(self, by: float) -> None:
        """Draw the contour wider by this many px, and remember that."""
        self._state.remember(self._state.settings.with_width(by))
        self._view.widen(self._state.settings.line_width)

    def show_phase_panel(self) -> None:
        """Open or close the choice of the phase of surgery."""
        self._view.picture_area.toggle(self._view.phase)

    def toggle_band(self) -> None:
        """Turn the uncertainty band on or off."""
        self._session.want_band(not self._session.band)

    def flip_left_right(self) -> None:
        """Flip the picture left to right."""
        self._state.flip_view(self._state.flip.across)

    def flip_up_down(self) -> None:
        """Flip the picture top to bottom."""
        self._state.flip_view(self._state.flip.over)

    def keep_last(self) -> None:
        """Keep the last half minute of a live source."""
        self._state.recording.keep()

    def export_record(self) -> None:
        """Start exporting the open record, or stop the export."""
        self._state.record_export.toggle(self._state.shown, self._state.corrections.by_number)

    def mark_wrong(self) -> None:
        """Mark the contour on the screen as wrong."""
        screen, shown = self._state.screen, self._state.shown
        if screen is None or not screen.readout.contour or self._state.calibrating:
            shown = None  # nobody judges what the screen withholds
        if self._state.recording.mark_wrong(shown) and shown is not None:
            self._state.trend.mark_wrong(shown)

    def show_model_panel(self) -> None:
        """Open or close the model card."""
        self._state.look_for_models()
        self._view.picture_area.toggle(self._view.model_card)

    def show_timing_panel(self) -> None:
        """Open or close the timing."""
        self._view.picture_area.toggle(self._view.timing)

    def show_keys_panel(self) -> None:
        """Open or close the help; a live picture stays in sight beside it."""
        self._view.keys.aside = self._session.live is not None
        self._view.picture_area.toggle(self._view.keys)

    def close_panel(self) -> None:
        """Close the open panel; while a source is waited for, wait no longer instead."""
        opening = self._session.opening
        if opening is not None and opening.seconds >= OPENING_AFTER_S:
            self.give_up()
        else:
            self._view.picture_area.dismiss()
