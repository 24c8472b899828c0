"""Correcting the contour of a frame that stands, by hand. The mode ends with its panel, or when the frame is left."""

from pathlib import Path
from time import monotonic

from inference.outcome import Outcome
from inference.patience import SILENT
from inference.readout.carrying import Carried
from inference.readout.correction import Correction, Gesture, begun, brush_px, same_frame
from inference.readout.marks import Tone
from inference.recording.schema import Corrector, patients_code
from inference.ruler import Point
from viewer.control.app_state import AppState
from viewer.control.carrying import Carrying

NO_ANSWER = "Only a frame that the model has analysed can be corrected: wait for its answer, or choose another frame."
PARTS_NOTHING = "The line parts nothing: draw it right across the contour, from outside to outside."
NOTHING_TO_CONFIRM = "No contour was carried to this frame: there is nothing to confirm."
NOTHING_TO_UNDO = "There is nothing to undo: A corrects the contour that is shown."


class Correcting:
    """The correction in progress, and those made of this source's frames.

    Args:
        state: the state of the window.
        carrying: carries corrections to other frames.
        folder: where training cases go; made when the first one is written.
    """

    def __init__(self, state: AppState, carrying: Carrying, folder: Path) -> None:
        self._carrying, self._folder = carrying, folder
        self._state, self._panel, self._marker = state, state.view.correction, state.view.canvas.stroke
        self._of: Outcome | None = None
        self._made: Correction | None = None
        self._preview: tuple[tuple[Point, ...], Correction] | None = None
        self._marker.finished.connect(self.stroked)
        self._panel.chosen.connect(self._show_brush)
        self._panel.undo_wanted.connect(self.undo)
        self._panel.export_wanted.connect(self.export)
        self._panel.carry_wanted.connect(self.carry)
        self._panel.confirmed.connect(self.confirm)
        self._panel.closed.connect(self._end)

    @property
    def on(self) -> bool:
        """Whether strokes correct the contour."""
        return not self._panel.isHidden()

    def toggle(self) -> None:
        """Begin to correct the contour that is shown, or end it."""
        state = self._state
        if self.on:
            self._panel.dismiss()
            return
        if state.session.live is not None:
            state.freezing.freeze()
        elif state.session.playback is not None:
            state.session.playback.pause()
        shown = state.session.standing(state.shown)
        made = None if shown is None else self._made_of(shown)
        if made is None:
            state.view.picture_area.say(NO_ANSWER, monotonic(), Tone.NOTICE)
            return
        state.caliper, self._of = None, shown
        state.view.picture_area.toggle(self._panel)
        self._marker.begin()
        self._show(made)

    def stroked(self, stroke: tuple[Point, ...]) -> None:
        """Correct the contour by a stroke."""
        before = self._base
        if before is None or self._made is None:
            return
        made = before.made(self._panel.gesture, stroke, self._panel.radius_mm)
        if made is before and self._panel.gesture is Gesture.CUT:
            self._state.view.picture_area.say(PARTS_NOTHING, monotonic(), Tone.NOTICE)
        self._keep(self._made if made is before else made)

    def carry(self) -> None:
        """Carry the correction of the frame shown to the frames beside it."""
        standing = self._state.session.standing(self._state.shown)
        self._carrying.begin(None if standing is None else self._state.corrections.of(standing.frame))

    def confirm(self) -> None:
        """Take the contour that was carried to the frame shown as one's own."""
        shown = self._state.shown
        carried = None if self._state.calibrating else self._carrying.proposed(shown)  # only what is on the screen
        made = None if shown is None or carried is None else begun(shown)
        if shown is None or carried is None or made is None:
            self._state.view.picture_area.say(NOTHING_TO_CONFIRM, monotonic(), Tone.NOTICE)
            return
        self._settle(shown, made.taken(carried.mask, Corrector.CARRIED))
        self._of = None  # an open panel takes it over with the next tick

    def undo(self) -> None:
        """Take the last gesture back."""
        if self._made is None or not self._made.changed:
            self._state.view.picture_area.say(NOTHING_TO_UNDO, monotonic(), Tone.NOTICE)
            return
        self._keep(self._made.undone())

    def export(self) -> None:
        """Write the corrected frame as a training case, behind the window."""
        state, made, of = self._state, self._made, self._of
        info, source = state.session.info, state.session.source
        if made is None or of is None or info is None or source is None:
            return
        outcome, mask, who, phase, rect = of, made.mask, made.who, state.phase, source.rect
        code = patients_code(info.case_code) or state.recording.case_code or ""

        def job() -> str:
            from inference.export.training_case import TrainingCase, write_training_case

            table = write_training_case(TrainingCase(outcome, mask, code, phase, rect, who), self._folder)
            return f"Training case {table.parent.name} is in {self._folder}, as the training package reads it."

        state.background.begin(job, SILENT.format(self._folder))

    def follow(self, shown: Outcome | None) -> Correction | None:
        """The correction of what is shown, with the stroke being made; None if there is none. Called at every tick."""
        self._carrying.take_over()
        standing = self._state.session.standing(shown)
        if self.on and (standing is None or self._left(standing)):
            self._panel.dismiss()
        if standing is None:
            return None
        if self._made is None:
            return self._state.corrections.of(standing.frame)
        self._renew(standing)
        return self._drawn()

    def proposed(self, shown: Outcome | None) -> Carried | None:
        """The contour that was carried to what is shown and waits to be confirmed; None if there is none."""
        return None if self._preview is not None else self._carrying.proposed(shown)

    def _left(self, shown: Outcome) -> bool:
        """Whether another frame than the corrected one is shown; until then, the last one to arrive is corrected."""
        made = self._made
        if made is None or not made.changed or same_frame(shown.frame, made.frame):
            return False
        return self._carrying.proposed(shown) is None

    def _renew(self, shown: Outcome) -> None:
        """Take over a better answer to the same frame, or another scale."""
        if shown is not self._of:
            if self._of is not None and not same_frame(shown.frame, self._of.frame):
                self._marker.drop()  # it was drawn along what the other frame shows
            self._of = shown
            made = self._made_of(shown)
            if made is None:
                self._panel.dismiss()
            else:
                self._show(made)

    def _made_of(self, shown: Outcome) -> Correction | None:
        """The correction of what is shown, over the answer shown; one that changes nothing if there is none."""
        kept = self._state.corrections.of(shown.frame)
        return begun(shown) if kept is None else kept.upon(shown)

    def _drawn(self) -> Correction | None:
        """The edge follows the brush while it pushes; every other gesture waits for the end of its stroke."""
        stroke = self._marker.stroke
        before = self._base if stroke and self._panel.gesture is Gesture.PUSH else None
        if before is None:
            return self._made
        if self._preview is None or self._preview[0] != stroke:
            self._preview = stroke, before.made(Gesture.PUSH, stroke, self._panel.radius_mm)
        return self._preview[1]

    @property
    def _base(self) -> Correction | None:
        """What the next gesture changes: the contour that was carried here, if one was, else the one so far."""
        made, carried = self._made, None if self._of is None else self._carrying.proposed(self._of)
        return made if made is None or carried is None else made.taken(carried.mask, Corrector.CARRIED)

    def _keep(self, made: Correction) -> None:
        """Keep it for its frame and in the record, gesture by gesture: the program may end at any time."""
        if made is not self._made and self._of is not None:
            self._settle(self._of, made)
        self._show(made)

    def _settle(self, of: Outcome, made: Correction) -> None:
        self._state.corrections.keep(made)
        self._state.proposals.settle(made.frame)
        self._state.recording.correct(of, made.mask if made.changed else None, made.who)

    def _show(self, made: Correction) -> None:
        self._made, self._preview = made, None
        self._panel.show_correction(made, None if self._of is None else self._carrying.proposed(self._of))
        self._state.view.picture_area.refit()
        self._show_brush()

    def _show_brush(self) -> None:
        gesture = self._panel.gesture
        pushes = None if gesture is not Gesture.PUSH else self._made
        brush = None if pushes is None else brush_px(self._panel.radius_mm, pushes.frame.spacing)
        self._marker.show_as(brush, closed=gesture in (Gesture.ADD, Gesture.ERASE))

    def _end(self) -> None:
        self._marker.hide()
        self._made = self._of = self._preview = None
