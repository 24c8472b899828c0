"""What is asked for, and what opening it gave: a source, a model, or one sentence why not."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from inference.live.model import Model
from inference.sources.base import LiveSource, RecordedSource
from inference.spacing import PixelSpacing

if TYPE_CHECKING:
    from inference.live.truth import Truth

DEMO = "demo:"
"""Stands for the bundled clip."""


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What the user wants to see.

    Attributes:
        text: a path, `demo:`, `simulated:`, or the address of a stream.
        axis: i, j or k, along which a volume is swept.
        spacing: typed by the user, or None.
        region: which ultrasound region of a DICOM picture, or None.
        config: the PLUS configuration of a tracked sequence, or None.
        truth: true masks of the recording, to be compared with, or None.
    """

    text: str
    axis: str = "k"
    spacing: PixelSpacing | None = None
    region: int | None = None
    config: Path | None = None
    truth: Path | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a source or model was not taken, in one sentence."""

    sentence: str


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A recording with its true masks."""

    source: RecordedSource
    truth: "Truth"

    def close(self) -> None:
        """Free both."""
        self.source.close()
        self.truth.close()


Opened: TypeAlias = RecordedSource | LiveSource | Compared
Loaded: TypeAlias = Opened | Model | Refusal
