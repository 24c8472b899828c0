"""How far preoperative MRI, its label and a second reader are from the truth: chosen by us, declared before any run.

Brain shift and label error are parameters of the simulation, so whatever follows from them says nothing about patients.
"""

from dataclasses import dataclass
from enum import StrEnum

NAVIGATION_MM = (2.0, 12.0)
NAVIGATION_DEG = (0.0, 4.0)
"""Navigation error at every level: a shift of this length in any direction, a turn about the middle of the tumour."""


class LabelError(StrEnum):
    """How wrong the MRI's label is once the navigation error is taken away."""

    NONE = "none"
    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Imperfection:
    """One level. Lengths in mm."""

    sag_mm: float
    """Peak of the brain's sag under the craniotomy."""
    wander_mm: float
    """SD of a smooth random displacement along each axis."""
    border_mm: float
    """SD of the annotator's border against the true one, within a patient."""
    habit_mm: float
    """SD over patients of drawing the whole border too far out or in."""


IMPERFECTIONS = {
    LabelError.NONE: Imperfection(0.0, 0.0, 0.0, 0.0),
    LabelError.LOW: Imperfection(sag_mm=3.0, wander_mm=0.6, border_mm=0.8, habit_mm=0.4),
    LabelError.HIGH: Imperfection(sag_mm=8.0, wander_mm=1.5, border_mm=1.6, habit_mm=1.0),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """The simulated second reader of the ultrasound. Lengths in mm."""

    border_mm: float = 0.8
    habit_mm: float = 0.4
    correlation_mm: float = 8.0
    """Distance over which a border wanders off and comes back."""
    fringe_mm: float = 2.0
    """Parts of the tumour thinner than twice this are fringes."""
    missed_share: float = 0.5
    """Share of the fringes that the reader does not see."""


READER = Reader()
