"""The entries of a record: MessagePack in MCAP, one topic for each kind of entry.

Reading is strict: an unknown or missing field means a record of another version. Nothing in a record names a patient, a
file or a date; every time is in seconds since the record began.
"""

import re
import struct
import zlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from inference.contract import Mode
from inference.errors import OutputError
from inference.frame import View
from inference.outcome import Reason, SizeState
from inference.pose import System
from inference.spacing import Provenance

CASE_CODE = re.compile(r"(?=.*\d)[A-Za-z0-9-]{1,32}")
"""Letters, digits and dashes with at least one digit, which no name has."""
_OF_DAY = re.compile(r"S-\d{4}-day")

Count = Annotated[int, Meta(ge=0)]


class EventKind(StrEnum):
    """Something that happened between two frames."""

    PHASE = "phase"
    FLIP = "flip"
    MARKER = "marker"
    """The side of the unflipped picture on which the probe's marker is."""
    GUARD_BEGIN = "guard_begin"
    GUARD_END = "guard_end"
    OVERRULED = "guard_overruled"
    """The alarms that the user calls false from here on, separated by spaces; none if all are heeded again."""
    SCALE = "scale"
    """The spacing changes with the next frame; each frame also carries its own."""
    CROP = "crop"
    """The part of the picture kept from here on: top, left, rows and columns, or `whole`."""
    WRONG = "contour_wrong"
    """The user marked the contour of one frame as wrong."""
    DROPPED = "frames_dropped"
    """The number of frames that came faster than they could be written."""
    ENDED = "ended"
    """The last event: one of `End`, or the name of the signal that ended the program, as in SIGTERM."""


class End(StrEnum):
    """What ended a record. One without such an event was cut off, or written by an older version."""

    STOPPED = "stopped"
    """The user, or a length given beforehand."""
    SOURCE = "source_ended"
    """The source ended, broke, or gave way to another one."""
    SIZE = "picture_size"
    """The picture changed its size."""
    CLOSED = "program_closed"
    """The user closed the program, or nobody reads its output any more."""
    LOGOUT = "logout"
    """The desktop's session ended."""


class Corrector(StrEnum):
    """Who corrected a contour."""

    USER = "user"
    CARRIED = "carried, confirmed by user"
    """It was carried from another frame by registration of the pictures, and the user confirmed it on this one."""


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A group of fields; none may be added or left out."""


class Scale(_Group, frozen=True):
    """The distance from one pixel to the next, mm."""

    row_mm: float
    col_mm: float
    provenance: Provenance


class Grid(_Group, frozen=True):
    """The volume whose slices the frames are."""

    axis: Annotated[str, Meta(pattern="^[ijk]$")]
    """The axis that is swept: a frame's `index` counts along it."""
    count: Count
    """Number of slices along the axis."""
    header: bytes
    """The volume's NIfTI header without any text."""


MOST_PX = 100_000_000
"""Pixels of the largest picture, as in every other file: nobody could have recorded a larger one."""


class Opening(_Group, frozen=True, tag="opening", omit_defaults=True):
    """The first entry, with the facts that hold for the whole record."""

    version: Literal[1, 2]
    software: str
    intended_use: str
    case_code: str
    device: str
    """Name of a live or simulated source; empty for a file, whose name may be a patient's."""
    view: View
    simulated: bool
    live: bool
    rows: Count
    cols: Count
    levels: tuple[float, float]
    fps: float | None
    edge_letters: tuple[str, str, str, str]
    crop: tuple[int, int, int, int] | None
    """Top, left, rows and columns of the part kept; all else is 0. None: the whole picture with any burnt-in text."""
    grid: Grid | None
    pixel_aspect: float = 1.0
    """Width of a pixel over its height. Versions from before it refuse a record with one that is not 1."""


class Plane(_Group, frozen=True):
    """Where a frame lies, in its sender's coordinates, as `inference.pose.Pose` has it, mm."""

    across: tuple[float, float, float]
    down: tuple[float, float, float]
    origin: tuple[float, float, float]
    system: System


class Picture(_Group, frozen=True, tag="frame", omit_defaults=True):
    """One frame as it was analysed."""

    number: Count
    """Number in the record, from 0."""
    index: Count
    """Position in its source."""
    at_s: float
    """When it was captured."""
    time_s: float | None
    """Time on the source's own clock."""
    dtype: Literal["uint8", "uint16", "float32"]
    scale: Scale | None
    no_scale_reason: str
    pixels: bytes
    """(rows, cols), packed by `inference.recording.packing`."""
    plane: Plane | None = None
    """Versions from before it read records without poses, and refuse one with them."""
    no_plane_reason: str = ""
    alarms: tuple[str, ...] = ()
    """Those that the grey values do not show, such as of colour. Versions from before them refuse a record with one."""
    face_row: Count | None = None
    """Row of the probe face, where a crop blackened it. Versions from before this refuse a record with one."""


class Looked(_Group, frozen=True):
    """The model that analysed a frame, and how long it took."""

    model: str
    sha256: str
    provider: str
    latency_ms: float
    network_ms: float
    demonstration: bool
    mode: Mode
    unlike: str
    """How the frame differs from the model's training data; empty if it does not."""


class Piece(_Group, frozen=True):
    """One region of the mask, as in `inference.outcome.Region`."""

    area_px: Count
    area_mm2: float | None
    contours: tuple[bytes, ...]
    """(n, 2) arrays of x and y, little-endian float32."""
    longest_mm: float | None
    perpendicular_mm: float | None
    ends: tuple[tuple[float, float], tuple[float, float]] | None
    depth_mm: tuple[float, float] | None
    touches_edge: bool
    size: SizeState | None


class Foretold(_Group, frozen=True):
    """What the model foretells of its contour, as in `inference.outcome.PredictedQuality`."""

    score: float
    likely_to_fail: bool


class Hole(_Group, frozen=True):
    """The resection cavity, as in `inference.outcome.Cavity`."""

    mask: bytes
    """(rows, cols) 0/1, packed by `inference.recording.packing`."""
    outlines: tuple[bytes, ...]
    """(n, 2) arrays of x and y, little-endian float32."""


class Answer(_Group, frozen=True, tag="outcome", omit_defaults=True):
    """The engine's answer to a frame. A slower analysis skips frames, which then have no answer."""

    number: Count
    """Number of its frame in the record."""
    said: Literal["tumour", "nothing_found", "unknown_spacing", "not_analysed", "failed"]
    sentence: str
    reason: Reason | None
    looked: Looked | None
    mask: bytes
    """(rows, cols) 0/1, packed by `inference.recording.packing`; empty without a tumour."""
    regions: tuple[Piece, ...]
    quality: Foretold | None = None
    """Left out where the model foretells nothing, as in every record from before it could."""
    cavity: Hole | None = None
    """Left out where no cavity is seen, as in every record of a model that knows none."""


class CorrectedContour(_Group, frozen=True, tag="corrected_contour"):
    """A contour of one frame that a person corrected; the engine's answer stays beside it. The last one holds.

    Versions from before this entry pass over it.
    """

    at_s: float
    number: Count
    """Number of its frame in the record."""
    who: Corrector
    mask: bytes
    """(rows, cols) 0/1, packed by `inference.recording.packing`; empty, or the engine's, where all was taken back."""


class Event(_Group, frozen=True, tag="event"):
    """Something that happened, or a choice that applies from here on."""

    at_s: float
    kind: EventKind
    words: str
    number: Count | None = None
    """Number of the frame in the record that it concerns, if it concerns one frame."""


class ModelUsed(_Group, frozen=True, tag="model"):
    """The model that answers from here on."""

    at_s: float
    sha256: str
    provider: str
    contract: str
    """The model's contract, JSON."""


ENCODING = "msgpack+crc32"
"""How entries are written: MessagePack, then four bytes of `checksum`, little-endian. Version 1 had no checksums."""
Entry: TypeAlias = Opening | Picture | Answer | CorrectedContour | Event | ModelUsed
KINDS: tuple[type[Entry], ...] = (Opening, Picture, Answer, CorrectedContour, Event, ModelUsed)


def checksum(data: bytes, number: int, at_ns: int) -> int:
    """CRC-32 over an entry together with its MCAP sequence number and time."""
    return zlib.crc32(data, zlib.crc32(struct.pack("<IQ", number, at_ns)))


def topic(kind: type[Entry]) -> str:
    """The MCAP topic of a kind of entry."""
    return f"/ius/{kind.__struct_config__.tag}"


def checked_case_code(text: str) -> str:
    """Check a case code before it goes into a record; empty means none.

    Raises:
        OutputError: if it could be a name.
    """
    code = text.strip()
    if code and not CASE_CODE.fullmatch(code):
        raise OutputError(
            "A case code is at most 32 letters, digits and dashes, a digit among them, and never a name: GL-017."
        )
    return code


def code_of_day(now: datetime) -> str:
    """The code of records for which nobody typed one, so that what is recorded together is found together."""
    return f"S-{now:%m%d}-day"


def patients_code(code: str) -> str:
    """The case code if it is one patient's; empty for a code of the day, which many have, and which is a date."""
    return "" if _OF_DAY.fullmatch(code) else code
