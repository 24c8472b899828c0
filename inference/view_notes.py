"""What the user has said of the view: it goes into every record and comes back with it."""

from dataclasses import dataclass

from viewer.flip import Flip
from viewer.phase import Phase
from viewer.picture.annotations import Marker


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds until the user says otherwise.

    Attributes:
        phase: of surgery.
        flip: how the picture is turned over.
        marker: the probe's marker side.
    """

    phase: Phase
    flip: Flip
    marker: Marker

    @property
    def said(self) -> dict[str, str]:
        """The same in a record's words; empty where nothing was said."""
        marker = self.marker.value if self.marker in (Marker.LEFT, Marker.RIGHT) else ""
        return {"phase": self.phase.value, "flip": self.flip.words, "marker": marker}
