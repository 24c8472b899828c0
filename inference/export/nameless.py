"""An outcome that may leave this computer: no sentence of it names the source's file, which may be a patient's name."""

import re
from dataclasses import replace

from inference.frame import Origin
from inference.outcome import Failed, NotAnalysed, Outcome, UnknownSpacing


def source_name(origin: Origin) -> str:
    """The source's name; a file's name is left out, since it may be a patient's."""
    return origin.name if origin.live or origin.simulated or origin.record else "a file (name left out)"


def unnamed(sentence: str, origin: Origin) -> str:
    """A sentence about a source without the name of its file."""
    if source_name(origin) == origin.name:
        return sentence
    return re.sub(rf"(?<!\w){re.escape(origin.name)}(\.\w+)*(?!\w)", "the file", sentence)


def nameless(outcome: Outcome) -> Outcome:
    """The same outcome; why there is no scale, place or answer is said of `the file`, and not of its name."""
    frame = outcome.frame
    scale, place = (unnamed(one, frame.origin) for one in (frame.no_spacing_reason, frame.no_pose_reason))
    if (scale, place) != (frame.no_spacing_reason, frame.no_pose_reason):
        outcome = replace(outcome, frame=replace(frame, no_spacing_reason=scale, no_pose_reason=place))
    if isinstance(outcome, UnknownSpacing | NotAnalysed | Failed):
        return replace(outcome, sentence=unnamed(outcome.sentence, frame.origin))
    return outcome
