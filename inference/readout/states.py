"""What the screen says and how it looks for every answer of the engine and every condition of the source.

Pure functions from (outcome, condition, context) to a `ReadoutState`; no widget, no clock. A hazard review reads this
file. Each state has a tone (colour), a shape for those who cannot tell the colours, and its own sentence.
The headline is the gravest reason not to trust a contour: phase, then what the model foretells of this very contour,
then population, then size and scale. The other reasons stand below it; amber stays while the size is small or the
contour likely to fail, whatever the headline. Nothing is said where nothing is foretold.

    state                     shape  tone     number   contour
    tumour, no size warning   ●      neutral  mm²      cyan, solid
    tumour cut by the edge    ●      neutral  ≥ mm²    cyan, solid
    at most 200 / 35 mm²      ▲      amber    mm²      amber, dashed
    likely to fail here       ▲      amber    mm²      amber, dashed
    scale unknown, analysed   ◇      notice   pixels   grey, dotted
    scale unknown             ◇      notice   —        none
    not analysed              ◇      notice   —        none
    a guard forbids it        ◇      notice   words    none
    the user overruled it     ◇      notice   mm²      its own
    phase not set, or not
    evaluated; trained on
    other pictures            ◇      notice   mm²      its own
    nothing segmented         ●      neutral  words    none
    scanner frozen               ■      fault    its own  its own
    analysis failed, signal
    lost, stale, too old      ■      fault    —        none
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from inference import safety
from inference.alarms import OVERRULABLE, Alarm
from inference.contract import Certainty, Measured, ModelContract
from inference.frame import Frame
from inference.live.health import Condition, Health
from inference.outcome import (
    Failed,
    NotAnalysed,
    NothingFound,
    Outcome,
    Reason,
    Region,
    SizeState,
    Tumour,
    UnknownSpacing,
)
from inference.readout.formatting import (
    UNDER_1,
    area_words,
    counted,
    detail_words,
    region_words,
    share_words,
    spaced,
)
from inference.readout.marks import Line, Shape, Tone
from inference.readout.readout_state import Card, Context, Offer, ReadoutState
from inference.readout.reliability import Gap, evidence, expected_dice, is_demonstration
from inference.safety import DEMONSTRATION, INTENDED_USE

RESEARCH_LINE = INTENDED_USE
DEMONSTRATION_BANNER = DEMONSTRATION
SLICE_LINE = safety.SLICE
NOT_MEASURED = "Expected accuracy not measured for this"
FAILURES_THAT_STAY = 10
MOST_EXPLAINED = 2
"""Concerns under the headline that are explained; of more, each has its title alone."""
DASH = "—"


def readout_of(outcome: Outcome | None, condition: Condition, context: Context) -> ReadoutState:
    """The readout for this outcome under this condition; a broken source outranks any outcome."""
    card = condition_card(condition)
    if card is not None or outcome is None:
        card = card or Card(Tone.NEUTRAL, Shape.DOT, "Waiting for the first frame")
        return ReadoutState(DASH, "", "", "", card, dimmed=condition.health in _DIMMED)
    answer = _answer(outcome, condition, context)
    if condition.health is Health.FROZEN:
        answer = replace(answer, card=_frozen_card(condition, answer.card))
    return _with_banner(answer, outcome.frame, context.contract)


def _frozen_card(condition: Condition, card: Card) -> Card:
    """Picture and contour stay, and the card says so; the warnings of the picture's own card follow below."""
    title, body = _frozen_title(condition.seconds), (condition.sentence, f"{card.title}.", *card.body)
    return Card(Tone.FAULT, Shape.SQUARE, title, body, card.offers)


def _frozen_title(seconds: float) -> str:
    return f"SCANNER FROZEN {seconds:.0f}\u00a0s"


def _answer(outcome: Outcome, condition: Condition, context: Context) -> ReadoutState:
    """The readout for one of the engine's five answers."""
    match outcome:
        case Tumour():
            return _tumour(outcome, context, figures=condition.health is not Health.FROZEN)
        case NothingFound():
            return _nothing(outcome, context, figures=condition.health is not Health.FROZEN)
        case UnknownSpacing():
            offers = (Offer.CALIBRATE, Offer.WITHOUT_SCALE)
            card = Card(
                Tone.NOTICE, Shape.DIAMOND, f"{safety.NOT_ANALYSED}: scale unknown", (outcome.sentence,), offers
            )
            changed = outcome.frame.depth_changed_at is not None
            return _no_number(card, Alarm.DEPTH.headline if changed else "")
        case NotAnalysed():
            choice = (Offer.OVERRULE,) if outcome.alarm in OVERRULABLE else _CHOICES.get(outcome.reason, ())
            card = Card(Tone.NOTICE, Shape.DIAMOND, safety.NOT_ANALYSED, (outcome.sentence,), choice)
            return _no_number(card, "" if outcome.alarm is None else outcome.alarm.headline)
        case Failed():
            return _no_number(_failure_card(outcome, condition.failures_in_a_row))
        case _:
            assert_never(outcome)


def _no_number(card: Card, headline: str = "") -> ReadoutState:
    """A dash instead of the number, or the words that replace it."""
    return ReadoutState("" if headline else DASH, "", headline, "", card)


def _with_banner(shown: ReadoutState, frame: Frame, contract: ModelContract | None) -> ReadoutState:
    """The same state, with the demonstration banner if it is required."""
    if not is_demonstration(frame, contract):
        return shown
    return replace(shown, banner=DEMONSTRATION_BANNER)


def condition_card(condition: Condition) -> Card | None:
    """The card of a source or model that is not running; None if the outcome may speak for itself."""
    if condition.flowing:
        return None
    if condition.frozen_s is not None:
        words = f"The analysis is {condition.seconds:.1f} s old: contour and number are removed."
        return Card(Tone.FAULT, Shape.SQUARE, _frozen_title(condition.frozen_s), (words,))
    tone, title, sentence = _CONDITIONS[condition.health]
    body = (sentence or condition.sentence,)
    shape = {Tone.FAULT: Shape.SQUARE, Tone.NOTICE: Shape.DIAMOND}.get(tone, Shape.DOT)
    title = title.format(seconds=f"{condition.seconds:.1f}\u00a0s")  # a line never begins with the unit alone
    return Card(tone, shape, title, body, _REMEDIES.get(condition.health, ()))


_CONDITIONS = {
    Health.EMPTY: (Tone.NEUTRAL, "No source", "Open a stream or file (Ctrl+O), or drop a file on the window."),
    Health.OPENING: (Tone.NOTICE, "Opening… {seconds}", ""),
    Health.REFUSED: (Tone.FAULT, "Source refused", ""),
    Health.LOADING: (Tone.NEUTRAL, "Loading model…", "Reading, checking against its golden cases, warming up."),
    Health.MODEL_REFUSED: (Tone.FAULT, "Model refused", ""),
    Health.CALIBRATING: (Tone.NOTICE, "Calibration", "Contour and number come back when the panel is closed."),
    Health.STALE: (Tone.FAULT, "STALE {seconds}", "No new frame from the source."),
    Health.LOST: (Tone.FAULT, "SIGNAL LOST {seconds}", "No frames from the source."),
    Health.OLD: (Tone.FAULT, "ANALYSIS {seconds} OLD", "It does not keep up: contour and number are removed."),
    Health.BROKEN: (Tone.FAULT, "Source stopped", ""),
    Health.ENDED: (Tone.NEUTRAL, "End of the source", "There are no more frames."),
}
"""Tone, title and sentence; if the sentence is empty, the condition's own is used."""
_REMEDIES = {
    Health.EMPTY: (Offer.OPEN,),
    Health.OPENING: (Offer.GIVE_UP,),
    Health.REFUSED: (Offer.OPEN,),
    Health.BROKEN: (Offer.OPEN,),
    Health.MODEL_REFUSED: (Offer.MODEL,),
}
_CHOICES: dict[Reason, tuple[Offer, ...]] = {Reason.DEMONSTRATION: (Offer.MODEL, Offer.DEMONSTRATION)}
"""What the user can do about a frame that was left unanalysed on purpose."""
_DIMMED = (Health.STALE, Health.LOST, Health.BROKEN, Health.OPENING)
"""Conditions in which the picture itself can no longer be trusted, or is not the one that is wanted."""


def _failure_card(outcome: Failed, in_a_row: int) -> Card:
    """The card for one failure, or for a run of failures."""
    if in_a_row >= FAILURES_THAT_STAY:
        return Card(Tone.FAULT, Shape.SQUARE, "ANALYSIS FAILING", (f"{in_a_row} frames in a row.", outcome.sentence))
    return Card(Tone.FAULT, Shape.SQUARE, safety.FAILED, (outcome.sentence,))


@dataclass(frozen=True, slots=True)
class _Concern:
    """One reason not to trust an answer: its headline, and what it means."""

    title: str
    lines: tuple[str, ...] = ()


def _concerns(outcome: Tumour | NothingFound, context: Context) -> tuple[_Concern, ...]:
    """Reasons not to trust an answer of any size: phase, then what is foretold of it, then population."""
    contract, unlike = context.contract, outcome.analysis.unlike
    phase = safety.of_phase(context.phase, None if contract is None else contract.population.phases)
    found = [_Concern(phase[0], phase[1:])] if phase else []
    if isinstance(outcome, Tumour):
        found += _foretold(outcome, context)
    if safety.is_overruled(outcome.frame):
        found.append(_Concern(safety.OVERRULED, (safety.OVERRULED_RISK,)))
    if is_demonstration(outcome.frame, contract):
        found.append(_Concern(safety.SIMULATION, ("Nothing is known of its accuracy on this picture.",)))
    if unlike:
        found.append(_Concern(safety.outside_training(unlike), (unlike,)))
    if evidence(outcome.frame, contract, context.phase, outcome.analysis.mode).gap is Gap.VIEW:
        found.append(_Concern(safety.SLICES_ONLY, ("evaluated on slices of 3D volumes, not on live frames",)))
    return tuple(found)


def _foretold(tumour: Tumour, context: Context) -> list[_Concern]:
    """That this very contour is likely to fail, with what was measured on such ones where that may be quoted."""
    if not tumour.likely_to_fail:
        return [_Concern(safety.LIKELY_TO_FAIL_BEFORE)] if context.failing else []
    known = None if context.contract is None else context.contract.certainty_in(tumour.analysis.mode)
    applies = evidence(tumour.frame, context.contract, context.phase, tumour.analysis.mode).gap is None
    why = "the network is unsure of this contour"
    if known is None or not applies or known.simulated is not tumour.frame.origin.simulated:
        return [_Concern(safety.LIKELY_TO_FAIL, (why,))]
    below, above = known.failure.dice_below, known.failure.dice_above
    if below is None or above is None:
        return [_Concern(safety.LIKELY_TO_FAIL, (why,))]
    figures = (
        f"overlap (Dice) of such contours {below:.2f}, of the others {above:.2f}, {_test_set(known)}: {known.data}"
    )
    return [_Concern(safety.LIKELY_TO_FAIL, (why, figures))]


def _said_under(concerns: Sequence[_Concern]) -> tuple[str, ...]:
    """Titles of the concerns that are not the headline, with their lines where the card has room for them.

    Of three or more only the titles are said: more would not fit on the smallest screen, nor be read.
    """
    if len(concerns) > MOST_EXPLAINED:
        return tuple(concern.title for concern in concerns)
    return tuple(sentence for concern in concerns for sentence in (concern.title, *concern.lines))


def _tumour(tumour: Tumour, context: Context, *, figures: bool) -> ReadoutState:
    """A contour with its area in mm², or in pixels if the scale is unknown."""
    area = tumour.area_mm2
    card = _tumour_card(tumour, context, figures=figures)
    if area is None:
        words = region_words(len(tumour.regions))
        return ReadoutState(spaced(tumour.area_px), "px", "", words, card, contour=True, cavity=_hole(tumour))
    limits = _limits(context.contract)
    number = area_words(area, limits)
    if tumour.touches_edge:  # below 1 mm² and cut by the edge: known only to be more than 0
        number = ">\u00a00" if number == UNDER_1 else f"≥\u00a0{number}"
    return ReadoutState(number, "mm²", "", detail_words(tumour, limits), card, contour=True, cavity=_hole(tumour))


def _tumour_card(tumour: Tumour, context: Context, *, figures: bool) -> Card:
    """Reasons not to trust the contour, gravest first, then what is known of its accuracy."""
    held, failing = context.held or tumour.size, tumour.likely_to_fail or context.failing
    small = tumour.size is not None and held in (SizeState.AT_MOST_200, SizeState.AT_MOST_35)
    concerns = (*_concerns(tumour, context), *_of_size(tumour, context, held=small))
    cut = (*((f"{safety.CUT}.",) if tumour.touches_edge else ()), *_hole_words(tumour))
    # While a warning is only held, this frame's own figures would contradict it, as they would one of failure.
    quoted = figures and not failing and (held is tumour.size or not small)
    accuracy = _accuracy_lines(tumour, context) if quoted else ()
    offers = (*((Offer.CALIBRATE,) if tumour.size is None else ()), *_heed(tumour.frame))
    if not concerns:
        return Card(Tone.NEUTRAL, Shape.DOT, safety.NO_SIZE_WARNING, (*cut, *accuracy), offers)
    tone, shape = (Tone.WARNING, Shape.TRIANGLE) if small or failing else (Tone.NOTICE, Shape.DIAMOND)
    first, *rest = concerns
    return Card(tone, shape, first.title, (*first.lines, *_said_under(rest), *cut, *accuracy), offers)


def _heed(frame: Frame) -> tuple[Offer, ...]:
    """What was overruled can be heeded again."""
    return (Offer.HEED,) if safety.is_overruled(frame) else ()


def _of_size(tumour: Tumour, context: Context, *, held: bool) -> tuple[_Concern, ...]:
    """Concerns about a small or unscaled contour; they describe this very frame, however long the warning is held."""
    if tumour.size is None:
        return (_Concern(safety.UNVALIDATED, ("Pixels instead of mm², and no size warning is possible.",)),)
    if tumour.size in safety.SMALL:
        return (_Concern(safety.SMALL[tumour.size], (_limit_words(tumour.size, context.contract),)),)
    return (_Concern(safety.SMALL_BEFORE, ("The largest region is above the limit again.",)),) if held else ()


def _limit_words(held: SizeState, contract: ModelContract | None) -> str:
    """The warning's limit, from the contract, with the diameter of a disc of that area."""
    if contract is None:
        return "segmented area at most the model's limit"
    reliability = contract.reliability
    very_small = held is SizeState.AT_MOST_35
    limit = reliability.very_small_area_mm2 if very_small else reliability.min_reliable_area_mm2
    across = 2 * math.sqrt(limit / math.pi)
    return f"segmented area at most {limit:.0f} mm² (about {across:.0f} mm across)"


def _accuracy_lines(tumour: Tumour, context: Context) -> tuple[str, ...]:
    """Expected Dice with its n, patients and data; nothing if a headline already says why there is none."""
    known = evidence(tumour.frame, context.contract, context.phase, tumour.analysis.mode)
    if safety.is_overruled(tumour.frame) or tumour.analysis.unlike or known.gap not in (None, Gap.NOT_MEASURED):
        return ()
    if known.measured is None:
        return (NOT_MEASURED,)
    score = expected_dice(tumour, known.measured)
    if score is None or score.dice_mean is None:
        return () if tumour.touches_edge else (NOT_MEASURED,)
    spread = "" if score.dice_sd is None else f" ± {score.dice_sd:.2f}"
    return (
        f"Expected overlap (Dice) {score.dice_mean:.2f}{spread} at this area, {_test_set(known.measured)}",
        f"{counted(score.n_slices, 'slice')}, {_patients(score.n_patients, known.measured)}: {known.measured.data}",
    )


def _test_set(measured: Measured | Certainty) -> str:
    return "simulated test set" if measured.simulated else "test set"


def _nothing(outcome: NothingFound, context: Context, *, figures: bool) -> ReadoutState:
    """Never 'no tumour': nothing was segmented; says how often that is wrong, or that it was not measured."""
    concerns = _concerns(outcome, context)
    if outcome.frame.spacing is None:
        concerns = (*concerns, _Concern(safety.UNVALIDATED))
    accuracy = _miss_lines(outcome, context) if figures and not concerns else ()
    body = (*_said_under(concerns), *_hole_words(outcome), *accuracy)
    scale = (Offer.CALIBRATE,) if outcome.frame.spacing is None else ()
    card = Card(Tone.NEUTRAL, Shape.DOT, safety.NOT_EVIDENCE, body, (*scale, *_heed(outcome.frame)))
    return ReadoutState("", "", safety.NOTHING, "", card, cavity=_hole(outcome))


def _hole(outcome: Tumour | NothingFound) -> tuple[NDArray[np.float32], ...]:
    return () if outcome.cavity is None else outcome.cavity.outlines


def _hole_words(outcome: Tumour | NothingFound) -> tuple[str, ...]:
    return () if outcome.cavity is None else (f"{safety.CAVITY}.",)


def _miss_lines(outcome: NothingFound, context: Context) -> tuple[str, ...]:
    """How often an empty answer is wrong, with its n, patients and data."""
    measured = evidence(outcome.frame, context.contract, context.phase, outcome.analysis.mode).measured
    if measured is None or measured.specificity is None or measured.miss_rate is None:
        return ("specificity and miss rate not measured",)
    return (
        f"tumour missed on {share_words(measured.miss_rate)} of tumour slices; "
        f"{share_words(measured.specificity)} of tumour-free slices stayed empty",
        f"{counted(measured.n_slices, 'slice')}, {_patients(measured.n_patients, measured)}: {measured.data}",
    )


def region_lines(tumour: Tumour, held: SizeState | None, *, failing: bool = False) -> tuple[Line, ...]:
    """How each region is drawn: small ones dashed whatever the total area; the largest follows the held warning.

    All of them are dashed if the contour is likely to fail, or was in the last half second (`failing`).
    """
    failing = failing or tumour.likely_to_fail
    return tuple(_line(region, held if at == 0 else None, failing=failing) for at, region in enumerate(tumour.regions))


def _line(region: Region, held: SizeState | None, *, failing: bool) -> Line:
    if region.size is None:
        return Line.DOTTED
    small = {SizeState.AT_MOST_200, SizeState.AT_MOST_35}
    return Line.DASHED if failing or region.size in small or held in small else Line.SOLID


def _limits(contract: ModelContract | None) -> tuple[float, ...]:
    if contract is None:
        return ()
    return (contract.reliability.very_small_area_mm2, contract.reliability.min_reliable_area_mm2)


def _patients(count: int, measured: Measured) -> str:
    return counted(count, "simulated patient" if measured.simulated else "patient")
