"""Converts frames and outcomes to entries of a record, and back."""

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from inference import outcome as reading
from inference.alarms import UNSEEN, Alarm, Finding
from inference.crop import Rect
from inference.frame import Frame, Mask, Origin
from inference.outcome import (
    LOADING,
    Analysis,
    Cavity,
    Diameters,
    Failed,
    NotAnalysed,
    NothingFound,
    Outcome,
    PredictedQuality,
    Tumour,
    UnknownSpacing,
)
from inference.pose import Pose
from inference.recording.packing import pack_mask, pack_pixels, unpack_mask, unpack_pixels
from inference.recording.schema import (
    Answer,
    CorrectedContour,
    Corrector,
    Event,
    EventKind,
    Foretold,
    Grid,
    Hole,
    Looked,
    Opening,
    Picture,
    Piece,
    Plane,
    Scale,
)
from inference.safety import INTENDED_USE
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing
from inference.version import __version__

NO_SCALE = "The recorded source did not say how large a pixel is: calibrate."
NO_MODEL = "No model was in use: the one that was chosen was refused."
BROKE = "The analysis of this frame broke."
UNKNOWN = "unknown"
"""The words of a scale that is not known."""


def opening_of(info: SourceInfo, case_code: str = "", crop: Rect | None = None) -> Opening:
    """The first entry of this source's record."""
    origin, grid = info.origin, info.grid
    return Opening(
        version=2,
        intended_use=INTENDED_USE,
        software=__version__,
        case_code=case_code,
        device=origin.name if _speaks_of_no_file(origin) else "",
        view=origin.view,
        simulated=origin.simulated,
        live=origin.live,
        rows=info.rows,
        cols=info.cols,
        levels=info.levels,
        fps=info.fps,
        edge_letters=info.edge_letters,
        crop=None if crop is None else (crop.top, crop.left, crop.rows, crop.cols),
        grid=None if grid is None else Grid(axis=grid.axis, count=grid.count, header=grid.header),
        pixel_aspect=info.pixel_aspect,
    )


def picture_of(frame: Frame, number: int, start: float) -> Picture:
    """A frame as an entry; `start` is when the record begins, `time.monotonic()` seconds."""
    spacing = frame.spacing
    return Picture(
        number=number,
        index=frame.index,
        at_s=since(start, frame.captured_at),
        time_s=frame.time_s,
        dtype=frame.pixels.dtype.name,  # type: ignore[arg-type]  # one of the three types a frame may have
        scale=None if spacing is None else _scale(spacing),
        no_scale_reason="" if spacing else _safe(frame.origin, frame.no_spacing_reason, NO_SCALE),
        pixels=pack_pixels(frame.pixels),
        plane=None if frame.pose is None else Plane(**asdict(frame.pose)),
        no_plane_reason=frame.no_pose_reason,
        alarms=tuple(sorted(one.alarm.value for one in frame.findings if one.alarm in UNSEEN)),
        face_row=frame.face_row,
    )


def since(start: float, at: float) -> float:
    """Seconds since the record began, rounded to nanoseconds as in MCAP, so that equal times stay equal."""
    return max(0.0, round(at - start, 9))


def scale_event(spacing: PixelSpacing | None, at_s: float) -> Event:
    """The event that sets this scale from here on."""
    words = UNKNOWN if spacing is None else scale_words(spacing)
    return Event(at_s=at_s, kind=EventKind.SCALE, words=words)


def scale_words(spacing: PixelSpacing) -> str:
    """The scale and its provenance in words."""
    return f"{spacing.row_mm:.9g} mm a row, {spacing.col_mm:.9g} mm a column ({spacing.provenance.words})"


def frame_of(picture: Picture, opening: Opening, origin: Origin, captured_at: float) -> Frame:
    """The frame of an entry, with its position in the record.

    Raises:
        ValueError: if the pixels are damaged, or an alarm is unknown.
    """
    scale, plane = picture.scale, picture.plane
    return Frame(
        index=picture.number,
        pixels=unpack_pixels(picture.pixels, (opening.rows, opening.cols), np.dtype(picture.dtype)),
        spacing=None if scale is None else PixelSpacing(scale.row_mm, scale.col_mm, scale.provenance),
        captured_at=captured_at,
        origin=origin,
        time_s=picture.at_s,
        no_spacing_reason=picture.no_scale_reason,
        pose=None if plane is None else Pose(plane.across, plane.down, plane.origin, plane.system),
        no_pose_reason=picture.no_plane_reason,
        findings=tuple(_found(name, captured_at) for name in picture.alarms),
        face_row=picture.face_row,
    )


def _found(name: str, at: float) -> Finding:
    alarm = Alarm(name)  # type: ignore[call-arg]  # by its value
    return Finding(alarm, at, alarm.sentence)


def answer_of(outcome: Outcome, number: int) -> Answer:
    """An outcome as the entry for frame `number`."""
    looked = _looked(outcome.analysis) if isinstance(outcome, Tumour | NothingFound) else None
    said, sentence, reason = _words(outcome)
    mask, regions, quality, cavity = b"", tuple[Piece, ...](), None, None
    if isinstance(outcome, Tumour | NothingFound) and outcome.cavity is not None:
        cavity = Hole(mask=pack_mask(outcome.cavity.mask), outlines=_lines(outcome.cavity.outlines))
    if isinstance(outcome, Tumour):
        mask, regions = pack_mask(outcome.mask), tuple(map(_piece, outcome.regions))
        quality = None if outcome.quality is None else _foretold(outcome.quality)
    return Answer(
        number=number,
        said=said,  # type: ignore[arg-type]  # one of the five answers
        sentence=sentence,
        reason=reason,
        looked=looked,
        mask=mask,
        regions=regions,
        quality=quality,
        cavity=cavity,
    )


def correction_of(mask: Mask | None, number: int, at_s: float, who: Corrector) -> CorrectedContour:
    """A (rows, cols) 0/1 mask corrected by a person as an entry for frame `number`; None where all was taken back."""
    return CorrectedContour(at_s=at_s, number=number, who=who, mask=b"" if mask is None else pack_mask(mask))


def outcome_of(answer: Answer, frame: Frame) -> Outcome:
    """The outcome of an entry, on its own frame.

    Raises:
        ValueError: if the entry contradicts itself or its mask is damaged.
    """
    if answer.looked is not None:
        analysis, cavity = _analysis(answer.looked), _cavity(answer.cavity, frame)
        if answer.said == "nothing_found":
            return NothingFound(frame, analysis, cavity=cavity)
        if answer.said == "tumour" and answer.regions:
            mask = unpack_mask(answer.mask, (frame.rows, frame.cols))
            quality = None if answer.quality is None else _quality(answer.quality)
            return Tumour(frame, analysis, mask, tuple(map(_region, answer.regions)), quality=quality, cavity=cavity)
    silent: dict[str, Callable[[], Outcome]] = {
        "unknown_spacing": lambda: UnknownSpacing(frame, answer.sentence),
        "failed": lambda: Failed(frame, answer.sentence),
    }
    if answer.said == "not_analysed" and answer.reason is not None:
        return NotAnalysed(frame, answer.reason, answer.sentence)
    if answer.said not in silent:
        raise ValueError(f"no answer that can be: {answer.said}")
    return silent[answer.said]()


def _words(outcome: Outcome) -> tuple[str, str, reading.Reason | None]:
    """Which of the five answers it is, its sentence, and its reason."""
    origin = outcome.frame.origin
    match outcome:
        case Tumour():
            return "tumour", "", None
        case NothingFound():
            return "nothing_found", "", None
        case UnknownSpacing():
            return "unknown_spacing", _safe(origin, outcome.sentence, NO_SCALE), None
        case Failed():
            return "failed", _safe(origin, outcome.sentence, BROKE), None
        case _:
            return "not_analysed", _why_not(outcome), outcome.reason


def _why_not(outcome: NotAnalysed) -> str:
    """Why it was not analysed. A refused model's sentence may name its file, so a general one takes its place."""
    refused = outcome.reason is reading.Reason.OFF and outcome.sentence != LOADING
    return NO_MODEL if refused else outcome.sentence


def _speaks_of_no_file(origin: Origin) -> bool:
    return origin.live or origin.simulated


def _safe(origin: Origin, sentence: str, instead: str) -> str:
    """The sentence, or a general one if it may name a file and thereby a patient."""
    return sentence if _speaks_of_no_file(origin) else instead


def _scale(spacing: PixelSpacing) -> Scale:
    return Scale(row_mm=spacing.row_mm, col_mm=spacing.col_mm, provenance=spacing.provenance)


def _looked(analysis: Analysis) -> Looked:
    return Looked(
        model=analysis.model,
        sha256=analysis.model_sha256,
        provider=analysis.provider,
        latency_ms=analysis.latency_ms,
        network_ms=analysis.network_ms,
        demonstration=analysis.demonstration,
        mode=analysis.mode,
        unlike=analysis.unlike,
    )


def _analysis(looked: Looked) -> Analysis:
    return Analysis(
        model=looked.model,
        model_sha256=looked.sha256,
        provider=looked.provider,
        latency_ms=looked.latency_ms,
        network_ms=looked.network_ms,
        demonstration=looked.demonstration,
        mode=looked.mode,
        unlike=looked.unlike,
    )


def _foretold(quality: PredictedQuality) -> Foretold:
    return Foretold(score=quality.score, likely_to_fail=quality.likely_to_fail)


def _quality(foretold: Foretold) -> PredictedQuality:
    return PredictedQuality(foretold.score, foretold.likely_to_fail)


def _cavity(hole: Hole | None, frame: Frame) -> Cavity | None:
    return None if hole is None else Cavity(unpack_mask(hole.mask, (frame.rows, frame.cols)), _outlines(hole.outlines))


def _lines(outlines: tuple[NDArray[np.float32], ...]) -> tuple[bytes, ...]:
    return tuple(np.ascontiguousarray(line, "<f4").tobytes() for line in outlines)


def _outlines(lines: tuple[bytes, ...]) -> tuple[NDArray[np.float32], ...]:
    return tuple(np.frombuffer(line, "<f4").reshape(-1, 2).astype(np.float32) for line in lines)


def _piece(region: reading.Region) -> Piece:
    diameters = region.diameters
    return Piece(
        area_px=region.area_px,
        area_mm2=region.area_mm2,
        contours=_lines(region.contours),
        longest_mm=None if diameters is None else diameters.longest_mm,
        perpendicular_mm=None if diameters is None else diameters.perpendicular_mm,
        ends=None if diameters is None else diameters.ends,
        depth_mm=region.depth_mm,
        touches_edge=region.touches_edge,
        size=region.size,
    )


def _region(piece: Piece) -> reading.Region:
    diameters = None
    if piece.longest_mm is not None and piece.perpendicular_mm is not None and piece.ends is not None:
        diameters = Diameters(piece.longest_mm, piece.perpendicular_mm, piece.ends)
    return reading.Region(
        area_px=piece.area_px,
        area_mm2=piece.area_mm2,
        contours=_outlines(piece.contours),
        diameters=diameters,
        depth_mm=piece.depth_mm,
        touches_edge=piece.touches_edge,
        size=piece.size,
    )
