"""What is asked for, and what opening it gave: a source, a model, or one sentence why not."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from inference.contract import ModelContract
from inference.frame import Frame
from inference.outcome import Outcome
from inference.sources.base import LiveSource, RecordedSource
from inference.spacing import PixelSpacing

if TYPE_CHECKING:
    from inference.live.truth import Truth


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What the user wants to see.

    Attributes:
        text: a path, `simulated:`, or the address of a stream.
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


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model that loaded and passed its self-test here.

    Attributes:
        path: the file.
        contract: what it says of itself.
        sha256: its identity.
        provider: what it really runs on.
        fallbacks: why faster providers were not taken.
        self_test: the self-test's result in words.
        warm_up_ms: one pass through the network.
        analyse: Frame -> Outcome.
        analyse_without_scale: the same by the user's choice where nobody knows the scale.
        want_band: asks for the uncertainty band with every answer, or no longer.
        thorough: the mean over every mirrored pass, with or without scale; None where the model has one mode. May be
            called from another thread than `analyse`: the two wait for each other.
    """

    path: Path
    contract: ModelContract
    sha256: str
    provider: str
    fallbacks: tuple[str, ...]
    self_test: str
    warm_up_ms: float
    analyse: Callable[[Frame], Outcome]
    analyse_without_scale: Callable[[Frame], Outcome]
    want_band: Callable[[bool], None]
    thorough: Callable[[Frame], Outcome] | None = None


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
