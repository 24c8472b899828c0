"""What the user judged of a record's frames: kept in the record, and there again when it is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inference.frame import Mask
from inference.recording.schema import Corrector


@dataclass(frozen=True, slots=True, eq=False)
class KeptCorrection:
    """A corrected contour of one frame.

    Attributes:
        answer: (rows, cols) 0/1 of the engine at the time; empty if it found nothing.
        mask: (rows, cols) 0/1 as corrected.
        who: who corrected it.
    """

    answer: Mask
    mask: Mask
    who: Corrector


@dataclass(frozen=True, slots=True, eq=False)
class Judgements:
    """Everything that the user judged.

    Attributes:
        overruled: names of the alarms that were called false at the record's end.
        wrong: numbers of the frames whose contour was marked as wrong.
        models: sha256 of the models that drew the contours; empty if nobody knows.
        corrections: by the number of their frame; those taken back are left out.
    """

    overruled: frozenset[str] = frozenset()
    wrong: frozenset[int] = frozenset()
    models: frozenset[str] = frozenset()
    corrections: Mapping[int, KeptCorrection] = field(default_factory=dict)
