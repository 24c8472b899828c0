"""A recorded frame prepared for pictures, DICOM and video, with what was said of it when it was recorded."""

from dataclasses import replace

from inference import safety
from inference.alarms import OVERRULABLE, Alarm, Finding
from inference.contract import ModelContract
from inference.export import words
from inference.export.capture import Capture
from inference.export.record_readings import correction_of, outcome_at
from inference.frame import View
from inference.outcome import NothingFound, Outcome, Tumour
from inference.recording.schema import patients_code
from inference.recording.timeline import Setting
from inference.sources.record import RecordSource
from inference.view_notes import Marker, Phase


def capture_of(source: RecordSource, number: int, setting: Setting) -> Capture:
    """A frame prepared for export, with the settings in force when it was recorded."""
    marker = Marker.NONE if source.opening.view is View.SLICE else Marker(setting.marker or Marker.UNSET)
    notes = [
        words.phase(setting.phase),
        *filter(None, [marker.words]),
        *(f"Guard: {name.replace('_', ' ')}" for name in setting.guards),
    ]
    notes += [f"Overruled by the user: {name.replace('_', ' ')}" for name in setting.overruled]
    if setting.wrong:
        notes.append(safety.CALLED_WRONG)
    if correction_of(source, number, None)["corrected_by"]:
        notes.append(safety.MODELS_OWN)
    if code := patients_code(source.opening.case_code):
        notes.append(f"Case {code}")
    turned_over = ("left-right" in setting.flip, "up-down" in setting.flip)
    outcome = _as_guarded(outcome_at(source, number), setting)
    phase = safety.of_phase(Phase(setting.phase or Phase.UNSET), _evaluated(source, outcome))
    levels, sector = source.info.levels, source.inside
    return Capture(outcome, levels, sector=sector, notes=tuple(notes), phase=phase, turned_over=turned_over)


def _as_guarded(outcome: Outcome, setting: Setting) -> Outcome:
    """The outcome with what the guards and the user said of its frame then and still warn of, which keeps its contour.

    A record holds it beside the frames, and every export says it with the contour.
    """
    frame = outcome.frame
    overruled = {alarm for alarm in OVERRULABLE if alarm.value in setting.overruled}
    frozen = {Alarm.FROZEN} if Alarm.FROZEN.value in setting.guards else set[Alarm]()
    found = (Finding(one, frame.captured_at, one.sentence, one in overruled) for one in overruled | frozen)
    return replace(outcome, frame=replace(frame, findings=(*frame.findings, *found)))


def _evaluated(source: RecordSource, outcome: Outcome) -> tuple[str, ...] | None:
    """The phases of surgery on which the frame's model was evaluated; None if no model answered."""
    if not isinstance(outcome, Tumour | NothingFound):
        return None
    sha256 = outcome.analysis.model_sha256
    contract = next((model.contract for model in source.models if model.sha256 == sha256), None)
    return None if contract is None else ModelContract.from_json(contract).population.phases
