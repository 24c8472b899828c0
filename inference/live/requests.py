"""Requests to open a source, and their results: an opened source, or one sentence why not."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from inference.live.model import Model
from inference.sources import DEVICE, DISTURBED, SIMULATED, is_live
from inference.sources.base import LiveSource, RecordedSource
from inference.sources.paths import shown_address
from inference.spacing import PixelSpacing

if TYPE_CHECKING:
    from inference.live.truth import Truth

DEMO = "demo:"
"""The address of the bundled clip."""
_TRANSFORM = re.compile(r"igtl://[^?]*(\?transform=[^?&@]+)")
"""What an address says of where the probe is; no password of any camera."""


def named(text: str) -> str:
    """What a person calls the source of this address: no word of the command line stands in the window."""
    if text.startswith(DEVICE):
        return text.removeprefix(DEVICE)
    if text.startswith(DISTURBED):
        return "Phantom, live"
    return {DEMO: "Demo clip", SIMULATED: "Phantom"}.get(text) or shown_address(text)


def where(path: Path) -> Path:
    """Where a file lies, however it is named: as a list of its folder calls it; said without a look at the disk."""
    return Path(os.path.normpath(path.expanduser().absolute()))


def lasting(text: str) -> str:
    """The address of a source for a later start, from whichever folder: there a file of that name may be another's."""
    if is_live(text) or text in (DEMO, SIMULATED):
        found = _TRANSFORM.fullmatch(text)
        return shown_address(text) + (found[1] if found else "")
    return str(Path(text).expanduser().absolute())


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What the user wants to see.

    Attributes:
        text: a path, `demo:`, `simulated:`, or the address of a stream.
        axis: the axis along which a volume is swept: i, j or k.
        spacing: spacing typed by the user, or None.
        region: number of the ultrasound region of a DICOM picture, or None.
        config: the PLUS configuration of a tracked sequence, or None.
        truth: true masks of the recording to compare with, or None.
    """

    text: str
    axis: str = "k"
    spacing: PixelSpacing | None = None
    region: int | None = None
    config: Path | None = None
    truth: Path | None = None

    @property
    def place(self) -> Path:
        """Where a file of this name lies."""
        return where(Path(self.text))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a source or model was not taken, in one sentence.

    Attributes:
        regions: number and words of each part that can be picked instead, if that is what it asks for.
    """

    sentence: str
    regions: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A recording with its true masks."""

    source: RecordedSource
    truth: "Truth"

    def close(self) -> None:
        """Close recording and masks."""
        self.source.close()
        self.truth.close()


Opened: TypeAlias = RecordedSource | LiveSource | Compared
Loaded: TypeAlias = Opened | Model | Refusal
