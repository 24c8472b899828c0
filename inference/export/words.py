"""An outcome in words, for captions and pages. The words never claim more certainty than the outcome."""

from inference import safety
from inference.contract import Mode
from inference.export.capture import Capture
from inference.export.nameless import source_name
from inference.frame import Frame, View
from inference.outcome import Failed, NothingFound, Outcome, Tumour
from inference.safety import DEMONSTRATION, INTENDED_USE
from inference.source_info import SQUARE
from inference.spacing import PixelSpacing

SHORT_SHA = 12
"""Digits of a model's sha256 that a caption shows."""


def caption(capture: Capture) -> tuple[str, ...]:
    """Every line that must appear below a picture of this outcome."""
    outcome = capture.outcome
    lines = [
        answer(outcome),
        *cavity(outcome),
        *warnings(outcome, capture.phase),
        scale(outcome.frame),
        *distorted(outcome.frame),
        *model(outcome),
        source(outcome.frame),
    ]
    notes = [note for note in capture.notes if note not in lines]
    return (*lines, *notes, capture.outside_words, *demonstration(outcome), INTENDED_USE)


def answer(outcome: Outcome) -> str:
    """The engine's answer in one line."""
    match outcome:
        case Tumour():
            return f"Segmented area {area(outcome)} · {_regions(len(outcome.regions))}"
        case NothingFound():
            return f"{safety.NOTHING}: {safety.NOT_EVIDENCE.lower()}"
        case Failed():
            return f"{safety.FAILED}: {outcome.sentence}"
        case _:
            return f"{safety.NOT_ANALYSED}: {outcome.sentence}"


def cavity(outcome: Outcome) -> tuple[str, ...]:
    """What the line around a resection cavity is, if there is one; the cavity has no number."""
    seen = isinstance(outcome, Tumour | NothingFound) and outcome.cavity is not None
    return (safety.CAVITY,) if seen else ()


def area(tumour: Tumour) -> str:
    """The area of all regions: in mm² if the scale is known, else in pixels; with ≥ if the edge cuts a region."""
    mm2 = tumour.area_mm2
    number = f"{tumour.area_px} px" if mm2 is None else f"{mm2:.1f} mm²"
    return f"≥ {number}" if tumour.touches_edge else number


def warnings(outcome: Outcome, phase: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What to know before believing the answer, apart from what `answer` and `demonstration` already say."""
    said = answer(outcome).casefold()
    sentences = (sentence for sentence in safety.warnings(outcome, phase) if sentence not in demonstration(outcome))
    return tuple(sentence for sentence in sentences if sentence.casefold() not in said)


def scale(frame: Frame) -> str:
    """The scale with its provenance, or why there is none."""
    if frame.spacing is None:
        return f"Scale unknown. {frame.no_spacing_reason}".strip()
    return f"Scale {spacing(frame.spacing)}"


def distorted(frame: Frame) -> tuple[str, ...]:
    """What a picture with one pixel for each of the frame's does to shapes; empty if they are square or not known."""
    across = 1.0 if frame.spacing is None else frame.spacing.col_mm / frame.spacing.row_mm
    if abs(across - 1) <= SQUARE:
        return ()
    return (f"Shapes are distorted: pixels are {across:.3g} times as wide as high, and drawn as squares.",)


def spacing(known: PixelSpacing) -> str:
    """`0.15 mm a row, 0.2 mm a column (typed)`."""
    return f"{known.row_mm:.6g} mm a row, {known.col_mm:.6g} mm a column ({known.provenance.words})"


def model(outcome: Outcome) -> tuple[str, ...]:
    """The model that analysed the frame, if one did."""
    if not isinstance(outcome, Tumour | NothingFound):
        return ()
    analysis = outcome.analysis
    mode = " · thorough, over all mirrors" if analysis.mode is Mode.THOROUGH else ""
    return (f"Model {analysis.model} · sha256 {analysis.model_sha256[:SHORT_SHA]}{mode}",)


def source(frame: Frame) -> str:
    """Where the frame comes from."""
    parts = [f"Source {source_name(frame.origin)}", f"frame {frame.index}"]
    if frame.time_s is not None:
        parts.append(f"{frame.time_s:.2f} s")
    if frame.origin.simulated:
        parts.append("SIMULATED")
    if frame.origin.view is View.SLICE:
        parts.append(safety.SLICE)
    return " · ".join(parts)


def phase(name: str) -> str:
    """The phase of surgery in words.

    Args:
        name: the contract's term for it; empty or `unset` if nobody set it.
    """
    return "Phase not set" if name in ("", "unset") else f"Phase: {name.replace('_', ' ')}"


def demonstration(outcome: Outcome) -> tuple[str, ...]:
    """The demonstration line, if a model trained on simulation analysed anything else."""
    shown = isinstance(outcome, Tumour | NothingFound) and outcome.analysis.demonstration
    return (DEMONSTRATION,) if shown else ()


def _regions(count: int) -> str:
    return "one region" if count == 1 else f"{count} regions"
