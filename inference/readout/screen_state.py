"""Everything the screen shows at one moment: one pure function resolves it, then it is drawn."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from inference import safety
from inference.contract import ModelContract
from inference.crop import Rect
from inference.frame import Frame
from inference.live.health import Condition, Health
from inference.live.moment import Moment
from inference.live.thorough import disagreement_of
from inference.outcome import NothingFound, Outcome, SizeState, Tumour
from inference.readout.annotations import Annotations, Ticks, annotations_of
from inference.readout.caliper import Caliper
from inference.readout.carrying import Carried
from inference.readout.correction import Correction
from inference.readout.formatting import mode_words
from inference.readout.look import AS_IT_CAME, NEUTRAL_KEY, Look
from inference.readout.marks import Ink, Line
from inference.readout.panes import analysed_annotations, live_annotations
from inference.readout.readout_state import Context, ReadoutState
from inference.readout.side_by_side import (
    OVERLAY,
    Beside,
    BesidePane,
    KeptFrame,
    earlier_pane,
    number_words,
    raw_pane,
    shown_annotations,
)
from inference.readout.states import readout_of, region_lines
from inference.readout.tools import Tool, ToolInputs, tools_of
from inference.readout.trend import TrendState
from inference.ruler import Point
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing
from inference.view_notes import Flip, Phase, ViewNotes

MAP_WORDS = "pink: model disagreement, not a margin"
HIDDEN_WORDS = "CONTOUR HIDDEN"
WRONG_WORDS = "CONTOUR MARKED AS WRONG"
CORRECTING = "CORRECTING: the model's contour so far"
BAND_WORDS = "thin lines: model 25-75 %, not a margin"


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The truth about one frame of a replay.

    Attributes:
        outlines: of the true tumour, each (n, 2) of (x, y) in pixels.
        words: how well the contour matches it; empty without a truth.
    """

    outlines: tuple[NDArray[np.float32], ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Marking:
    """What is being marked on the picture: a scale, or a rectangle.

    Attributes:
        points: clicked so far to set the scale, (x, y) in pixels.
        preview: two points and the scale they give, once they give one.
        ruler: two points on the scanner's depth scale, if the scale in use was measured on it.
        read: where the ruler and texts stand that were read from the screen, if a scale was.
        watched: where the depth text and ruler stand that are watched, or will be.
    """

    points: tuple[Point, ...] = ()
    preview: tuple[tuple[Point, Point], PixelSpacing] | None = None
    ruler: tuple[Point, Point] | None = None
    read: tuple[Rect, ...] = ()
    watched: tuple[Rect, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ScreenInputs:
    """Everything that decides what the screen shows.

    Attributes:
        now: `time.monotonic()` seconds.
        moment: what the session returned.
        info: of the open source; None while there is none.
        contract: of the loaded model; None while there is none.
        notes: what the user has said of the view.
        held: the gravest size warning of the last half second.
        failing: whether the contour is likely to fail, or was in the last half second.
        comparison: with the truth, where the shown frame has one.
        face_row: row of the probe face in this source's pictures; None where unknown.
        marking: what is being marked on the picture; None while nothing is.
        whole: the newest picture with the scanner's text and ruler, shown while something is marked on it.
        live_frame: what the live pane of two shows so far.
        two_panes: whether the live picture stands beside the analysed one.
        caliper: the caliper being set; None while it is put away.
        correction: the user's correction of the frame shown; None if there is none.
        carried: a contour carried to the frame shown that nobody has confirmed; None if there is none.
        correcting: whether the user is correcting it now.
        wrong: whether the user marked its contour as wrong.
        disagreement: whether the user wants the map of where passes disagree.
        contour_off: whether the user has hidden the contour for a moment.
        trend: the area over time, as last collected; None while no source is open.
        beside: what the user wants beside the picture.
        earlier: the kept frame that is wanted there, if one is.
        earlier_correction: the user's correction of that frame; None if there is none.
        earlier_wrong: whether the user marked its contour as wrong.
        frames: number of frames of a recording; None for a live source.
        playing: whether the recording plays.
        recorded_s: length of the record being written, seconds; None if none is.
        look: the user's zoom, brightness and contrast of the screen.
        sector: the box of the picture that holds tissue; None for the whole picture.
        overruled: whether the user has overruled a guard on this source.
    """

    now: float
    moment: Moment
    info: SourceInfo | None
    contract: ModelContract | None
    notes: ViewNotes
    held: SizeState | None = None
    failing: bool = False
    comparison: Comparison = field(default_factory=Comparison)
    face_row: int | None = None
    marking: Marking | None = None
    whole: Frame | None = None
    live_frame: Frame | None = None
    two_panes: bool = False
    caliper: Caliper | None = None
    correction: Correction | None = None
    carried: Carried | None = None
    correcting: bool = False
    wrong: bool = False
    disagreement: bool = False
    contour_off: bool = False
    trend: TrendState | None = None
    beside: Beside = Beside.NOTHING
    earlier: KeptFrame | None = None
    earlier_correction: Correction | None = None
    earlier_wrong: bool = False
    frames: int | None = None
    playing: bool = False
    recorded_s: float | None = None
    look: Look = AS_IT_CAME
    sector: Rect | None = None
    overruled: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class LivePane:
    """The live pane of two: every picture of the source, without a contour.

    Attributes:
        frame: its picture.
        annotations: the marks around it.
    """

    frame: Frame
    annotations: Annotations


@dataclass(frozen=True, slots=True, eq=False)
class LiveInset:
    """The small live picture shown while the view is frozen.

    Attributes:
        frame: a new picture; None keeps the present one.
        words: LIVE, or what is wrong with the signal.
        ink: colour of the words.
    """

    frame: Frame | None
    words: str
    ink: Ink


@dataclass(frozen=True, slots=True, eq=False)
class ScreenState:
    """Everything that is drawn at one moment.

    Attributes:
        info: of the source; shown in the top bar.
        condition: health of what is shown.
        readout: number, state and sentences.
        outcome: its picture and contour are shown; None before the first.
        whole: the picture shown instead, without a contour; None if the outcome's own is shown.
        lines: how each region of the outcome is drawn; empty if no contour may be drawn.
        comparison: the true outlines of the same frame.
        annotations: the marks around the picture; None before the first.
        correction: the user's correction, drawn over the model's contour; None if nothing is corrected.
        carried: a contour carried here, drawn thin beside the model's; None if there is none, or a correction.
        spread: (rows, cols) disagreement of the passes, drawn over the picture; None if it is not drawn.
        contour_off: whether the contour is hidden for a moment.
        live: the live pane of two; None with one pane, or before the first picture.
        inset: the live picture over a frozen view; None if there is none.
        trend: the area over time; None while no source is open.
        beside: the picture that stands beside the one shown; None if it stands alone.
        flip: how every picture is flipped.
        two_panes: whether the live picture stands beside the analysed one.
        marking: whether something is being marked on the picture.
        standing: whether one picture stands there for that, while the source goes on.
        phase: phase of surgery.
        tools: the buttons beside the picture.
        look: the user's zoom, brightness and contrast of the screen.
        sector: the box of the picture to which the view is fitted; None for the whole picture.
    """

    info: SourceInfo | None
    condition: Condition
    readout: ReadoutState
    outcome: Outcome | None
    whole: Frame | None
    lines: tuple[Line, ...]
    comparison: Comparison
    annotations: Annotations | None
    spread: NDArray[np.float32] | None
    contour_off: bool
    live: LivePane | None
    inset: LiveInset | None
    trend: TrendState | None
    beside: BesidePane | None
    flip: Flip
    two_panes: bool
    marking: bool
    standing: bool
    phase: Phase = Phase.UNSET
    tools: tuple[Tool, ...] = ()
    look: Look = AS_IT_CAME
    sector: Rect | None = None
    correction: Correction | None = None
    carried: Carried | None = None

    @property
    def for_audience(self) -> "ScreenState":
        """The same for a second screen, where nobody can press anything: no choices, and no whole picture with a name.

        Answers keep their sentences, all of which state what is. What says why there is no answer also says what to do,
        and may name a file: its title stands alone.
        """
        around = self.annotations
        if around is not None:
            look = tuple(words for words in around.look if words != NEUTRAL_KEY)
            around = replace(around, points=(), read=(), watched=(), ticks=None, measuring="", look=look)
        answered = self.condition.flowing and isinstance(self.outcome, Tumour | NothingFound)
        card = replace(self.readout.card, offers=(), body=self.readout.card.body if answered else ())
        live = None if self.marking else self.live
        return replace(self, whole=None, annotations=around, readout=replace(self.readout, card=card), live=live)


def resolve(given: ScreenInputs) -> ScreenState:
    """Resolve what the screen shows from everything that decides it."""
    outcome, condition = given.moment.shown, _condition(given)
    readout = readout_of(outcome, condition, Context(given.contract, given.notes.phase, given.held, given.failing))
    spread = disagreement_of(outcome) if given.disagreement and condition.flowing else None
    live = given.whole or given.moment.picture or given.live_frame
    annotations = None if outcome is None else _annotations(given, outcome, condition, readout, spread, live)
    beside = None if outcome is None or annotations is None else _beside(given, outcome, annotations)
    if outcome is not None and annotations is not None and beside is not None:
        annotations = shown_annotations(annotations, outcome.frame, *_heading(given, condition, readout))
    return ScreenState(
        info=given.info,
        condition=condition,
        readout=readout,
        outcome=outcome,
        whole=None if given.two_panes else given.whole,
        lines=region_lines(outcome, given.held, failing=given.failing)
        if readout.contour and isinstance(outcome, Tumour)
        else (),
        comparison=given.comparison,
        annotations=annotations,
        spread=spread,
        contour_off=given.contour_off,
        live=_live_pane(given, readout, live) if given.two_panes and live is not None else None,
        inset=_inset(given) if condition.health is Health.VIEW_FROZEN and not given.two_panes else None,
        trend=given.trend,
        beside=beside,
        flip=given.notes.flip,
        two_panes=given.two_panes,
        marking=given.marking is not None,
        standing=given.whole is not None,
        phase=given.notes.phase,
        tools=tools_of(given.info, condition, outcome, _tool_inputs(given)),
        look=given.look,
        correction=_correction(given),
        carried=_carried(given),
        sector=given.sector if given.marking is None else None,  # the scanner's text and ruler are outside it
    )


def _tool_inputs(given: ScreenInputs) -> ToolInputs:
    return ToolInputs(
        given.frames, given.playing, given.recorded_s, given.caliper is not None, given.contour_off, given.correcting
    )


def _correction(given: ScreenInputs) -> Correction | None:
    """The user's correction, if it changes anything and the picture shown is its own."""
    made = given.correction
    return made if made is not None and made.changed and given.whole is None else None


def _carried(given: ScreenInputs) -> Carried | None:
    """The contour carried to the picture shown, unless the user has corrected it."""
    return given.carried if given.whole is None and _correction(given) is None else None


def _condition(given: ScreenInputs) -> Condition:
    """Condition of what is shown; a picture that is being marked has a condition of its own."""
    condition = given.moment.condition
    if condition.health is Health.VIEW_FROZEN or given.two_panes or given.whole is None or not condition.flowing:
        return condition
    return Condition(Health.CALIBRATING)


def _annotations(
    given: ScreenInputs,
    outcome: Outcome,
    condition: Condition,
    readout: ReadoutState,
    spread: NDArray[np.float32] | None,
    live: Frame | None,
) -> Annotations:
    """The marks around the analysed picture."""
    caliper = () if given.caliper is None else given.caliper.on(outcome.frame)
    made, carried = _correction(given), _carried(given)
    drawn = readout.contour and not given.contour_off
    has_band = drawn and isinstance(outcome, Tumour) and outcome.band is not None
    annotations = replace(
        _around(given, outcome.frame, readout),
        band=BAND_WORDS if has_band else "",
        truth=given.comparison.words,
        mode=given.moment.mode,
        disagreement="" if spread is None else MAP_WORDS,
        corrected=made.words if made is not None else _uncorrected(given, carried),
        wrong=WRONG_WORDS if given.wrong else "",
        hidden=HIDDEN_WORDS if given.contour_off else "",
        caliper=caliper,
        distance=given.caliper.words if given.caliper is not None and caliper else "",
        measuring="" if given.caliper is None else given.caliper.asks(outcome.frame),
    )
    return analysed_annotations(annotations, outcome, condition, live, given.now) if given.two_panes else annotations


def _uncorrected(given: ScreenInputs, carried: Carried | None) -> str:
    if carried is not None:
        return carried.words
    return CORRECTING if given.correcting else ""


def _live_pane(given: ScreenInputs, readout: ReadoutState, frame: Frame) -> LivePane:
    around = _around(given, frame, readout)
    return LivePane(frame, live_annotations(around, given.info, given.moment.live, standing=given.whole is not None))


def _beside(given: ScreenInputs, outcome: Outcome, annotations: Annotations) -> BesidePane | None:
    """The picture beside the one shown; none beside two panes, nor while something is marked on the picture."""
    if given.two_panes or given.whole is not None or given.info is None:
        return None
    if given.beside is Beside.RAW:
        return raw_pane(outcome.frame, annotations)
    if given.beside is Beside.EARLIER and given.earlier is not None:
        pane = earlier_pane(given.earlier, outcome.frame, given.info, given.notes, given.face_row)
        made = given.earlier_correction
        corrected = "" if made is None else made.words
        judged = replace(pane.annotations, corrected=corrected, wrong=WRONG_WORDS if given.earlier_wrong else "")
        return replace(pane, annotations=judged, correction=made if corrected else None)
    return None


def _heading(given: ScreenInputs, condition: Condition, readout: ReadoutState) -> tuple[str, Ink]:
    """What the picture shown is called while another one stands beside it."""
    if given.beside is Beside.RAW:
        return OVERLAY, Ink.GREY
    words, ink, _ = mode_words(given.info, condition)
    return f"{words} · {number_words(readout)}", ink


def _inset(given: ScreenInputs) -> LiveInset:
    answer = given.moment.answer
    words, ink, _ = mode_words(given.info, given.moment.live)
    return LiveInset(None if answer is None else answer.frame, words, ink)


def _around(given: ScreenInputs, frame: Frame, readout: ReadoutState) -> Annotations:
    """The marks around any picture of this source."""
    if given.info is None:
        return Annotations()
    notes = given.notes
    return replace(
        annotations_of(frame, given.info, notes.marker, given.face_row, notes.flip),
        ticks=None if given.marking is None else _ticks(given.marking, frame),
        points=() if given.marking is None else given.marking.points,
        read=() if given.marking is None else given.marking.read,
        watched=() if given.marking is None else given.marking.watched,
        phase=notes.phase.words,
        overruled=safety.OVERRULED if given.overruled else "",
        look=given.look.words,
        banner=readout.banner,
        framed=given.moment.condition.health is Health.VIEW_FROZEN,
    )


def _ticks(marking: Marking, frame: Frame) -> Ticks | None:
    """Our own centimetres beside the scanner's, from the points clicked so far or from the scale in use."""
    if marking.preview is not None:
        return Ticks.along(*marking.preview)
    return None if marking.ruler is None or frame.spacing is None else Ticks.along(marking.ruler, frame.spacing)
