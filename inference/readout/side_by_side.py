"""Two pictures side by side: a frame without and with its contour, or an earlier frame beside the one shown now."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from inference.contract import ModelContract
from inference.frame import Frame
from inference.live.health import Condition, Health
from inference.outcome import Outcome, Tumour
from inference.readout.annotations import Annotations, annotations_of
from inference.readout.correction import Correction
from inference.readout.marks import Ink, Line
from inference.readout.readout_state import Context, ReadoutState
from inference.readout.states import readout_of, region_lines
from inference.ruler import per_pixel
from inference.safety import SMALL
from inference.source_info import SourceInfo
from inference.view_notes import Marker, Phase, ViewNotes

MOST = 12
"""Earlier frames that are kept; the oldest goes first."""
RAW, OVERLAY = "WITHOUT CONTOUR", "WITH CONTOUR"
STANDING = Condition(Health.PAUSED)


class Beside(StrEnum):
    """What stands beside the picture."""

    NOTHING = "nothing"
    RAW = "raw"
    EARLIER = "earlier"


@dataclass(frozen=True, slots=True, eq=False)
class KeptFrame:
    """A frame that was kept to be compared with a later one, with all that decided what was said of it.

    Attributes:
        outcome: the frame and its own answer.
        phase: the phase of surgery at the time.
        contract: of the model that answered; None if there was none.
        at: when it was captured, by this computer's clock.
    """

    outcome: Outcome
    phase: Phase
    contract: ModelContract | None
    at: datetime


class KeptFrames:
    """The frames kept since the source was opened, newest last."""

    def __init__(self) -> None:
        self._kept: deque[KeptFrame] = deque(maxlen=MOST)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._kept)

    def keep(self, frame: KeptFrame) -> bool:
        """Keep a frame. False if it is kept already."""
        if any(kept.outcome.frame is frame.outcome.frame for kept in self._kept):
            return False
        self._kept.append(frame)
        return True

    def before(self, frame: KeptFrame | None, shown: Outcome | None) -> KeptFrame | None:
        """The newest kept frame before this one, the newest of all for None; never the frame that is shown."""
        kept: Sequence[KeptFrame] = list(self._kept)
        end = len(kept) if frame is None or frame not in kept else kept.index(frame)
        others = (one for one in reversed(kept[:end]) if shown is None or one.outcome.frame is not shown.frame)
        return next(others, None)

    def holds(self, shown: Outcome | None) -> bool:
        """Whether the frame that is shown is among them."""
        return shown is not None and any(kept.outcome.frame is shown.frame for kept in self._kept)

    def clear(self) -> None:
        """Forget all, for another source."""
        self._kept.clear()


@dataclass(frozen=True, slots=True, eq=False)
class BesidePane:
    """The picture that stands beside the one shown now.

    Attributes:
        frame: its picture.
        outcome: its answer; None if no contour belongs on it.
        lines: how each region is drawn.
        annotations: the marks around it.
        cavity: outlines of the resection cavity to draw.
        correction: the user's correction, drawn over the model's contour; None if nothing is corrected.
    """

    frame: Frame
    outcome: Outcome | None
    lines: tuple[Line, ...]
    annotations: Annotations
    cavity: tuple[NDArray[np.float32], ...] = ()
    correction: Correction | None = None


def raw_pane(frame: Frame, annotations: Annotations) -> BesidePane:
    """The same frame without a contour, so that the tissue can be judged.

    Args:
        frame: the frame shown.
        annotations: the marks around it.
    """
    bare = replace(narrow(annotations, frame), marker=Marker.NONE, banner="", framed=False, band="", truth="")
    bare = replace(bare, disagreement="", mode="", caliper=(), distance="", corrected="", wrong="")
    return BesidePane(frame, None, (), replace(bare, heading=RAW, heading_ink=Ink.GREY))


def earlier_pane(kept: KeptFrame, shown: Frame, info: SourceInfo, notes: ViewNotes, face_row: int | None) -> BesidePane:
    """An earlier frame with its own contour, area, scale, phase and warning, under the time at which it was taken.

    Args:
        kept: the frame.
        shown: the one beside which it stands.
        info: its source.
        notes: the flip of the view, which holds for both pictures.
        face_row: row of the probe face in this source's pictures; None where unknown.
    """
    outcome, frame = kept.outcome, kept.outcome.frame
    readout = readout_of(outcome, STANDING, Context(kept.contract, kept.phase))
    lines = region_lines(outcome, None) if readout.contour and isinstance(outcome, Tumour) else ()
    around = narrow(annotations_of(frame, info, Marker.NONE, face_row, notes.flip), frame)
    said = dict.fromkeys((_other_scale(frame, shown), readout.card.title, _small(outcome), around.note))
    annotations = replace(
        around,
        phase=kept.phase.words,
        note=" · ".join(words for words in said if words and words != kept.phase.words),
        banner=readout.banner,
        caption=f"EARLIER {_when(kept)} · {number_words(readout)}",
        caption_ink=Ink.BLUE,
    )
    return BesidePane(frame, outcome, lines, annotations, readout.cavity)


def _small(outcome: Outcome) -> str:
    """The size warning, which stands beside a graver headline too."""
    return SMALL.get(outcome.size, "") if isinstance(outcome, Tumour) and outcome.size is not None else ""


def _other_scale(frame: Frame, shown: Frame) -> str:
    """The scale by which the earlier area was measured, where it differs: such areas do not compare without a look."""
    then, now = frame.spacing, shown.spacing
    if then is None or now is None or (then.row_mm, then.col_mm) == (now.row_mm, now.col_mm):
        return ""
    return f"OTHER SCALE: {per_pixel(then)}"


def _when(kept: KeptFrame) -> str:
    """The time at which it was captured; of a recording, which has been captured at any time, the frame's number."""
    frame = kept.outcome.frame
    return f"{kept.at:%H:%M:%S}" if frame.origin.live else f"frame {frame.index + 1}"


def shown_annotations(annotations: Annotations, frame: Frame, heading: str, ink: Ink) -> Annotations:
    """The marks of the picture shown now while another one stands beside it: its heading says which one it is."""
    # Words that come and go make a narrow picture grow and shrink: how it was analysed is said when it stands alone.
    return replace(narrow(annotations, frame), heading=heading, heading_ink=ink, mode="")


def narrow(annotations: Annotations, frame: Frame) -> Annotations:
    """The same marks with a scale bar below the picture: half the width has no room for a depth ruler beside it."""
    return replace(annotations, row_mm=None, col_mm=None if frame.spacing is None else frame.spacing.col_mm)


def number_words(readout: ReadoutState) -> str:
    """The number with its unit, or what stands in its place."""
    return readout.headline or f"{readout.number} {readout.unit}".strip()
