"""One outcome as JSON for other programs: OpenIGTLink's IUS_Result and the lines of `ius-segment live`."""

from collections.abc import Mapping

from inference.export.nameless import nameless
from inference.export.readings import pose_words, reading_row
from inference.outcome import NothingFound, Outcome, Tumour
from inference.safety import INTENDED_USE, warnings
from inference.version import SOFTWARE

FORMAT = "ius-result/1"


def result_cells(
    outcome: Outcome, utc: float, notes: Mapping[str, str], of_phase: tuple[str, ...] = ()
) -> dict[str, object]:
    """An outcome with its scale, its model and its warnings; None means unknown.

    The source's name is left out, since it may be a patient's.

    Args:
        outcome: any outcome.
        utc: when its frame reached this computer, seconds since 1970.
        notes: phase and orientation, in words.
        of_phase: the result of `safety.of_phase`.
    """
    outcome = nameless(outcome)
    frame, spacing = outcome.frame, outcome.frame.spacing
    cells = _head(utc, notes) | reading_row(outcome)
    cells |= {
        "scale": "unknown" if spacing is None else "known",
        "scale_from": None if spacing is None else spacing.provenance.words,
        "no_scale_reason": frame.no_spacing_reason or None,
        "pose": pose_words(frame) or None,
        "no_pose_reason": frame.no_pose_reason or None,
        "view": frame.origin.view.value,
        "simulated": frame.origin.simulated,
        "warnings": list(warnings(outcome, of_phase)),
        "alarms": [finding.alarm.value for finding in frame.findings],
    }
    if isinstance(outcome, Tumour):
        cells["touches_edge"] = outcome.touches_edge
        cells["likely_to_fail"] = None if outcome.quality is None else outcome.likely_to_fail
    if isinstance(outcome, Tumour | NothingFound):
        cells |= {
            "model": outcome.analysis.model,
            "model_sha256": outcome.analysis.model_sha256,
            "demonstration": outcome.analysis.demonstration,
            "mode": outcome.analysis.mode.value,
            "unlike_training": outcome.analysis.unlike or None,
        }
    return cells


def withdrawn_cells(sentence: str, utc: float, notes: Mapping[str, str]) -> dict[str, object]:
    """Say that earlier results are no longer valid; `sentence` says why, without naming a patient."""
    return _head(utc, notes) | {"outcome": "withdrawn", "scale": "unknown", "reason": sentence}


def _head(utc: float, notes: Mapping[str, str]) -> dict[str, object]:
    return {
        "format": FORMAT,
        "software": SOFTWARE,
        "captured_utc": round(utc, 6),
        "intended_use": INTENDED_USE,
        **notes,
    }
