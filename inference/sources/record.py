"""Our own record of a session as a source: every frame as it was, with its scale and the outcome recorded for it."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from inference.contract import ModelContract, Reliability
from inference.errors import ContractError, FormatError
from inference.frame import Frame, Mask, Origin, Pixels, rescaled
from inference.model.segmentation import measured
from inference.nifti import header_of, in_volume, picture_header, write_mask_nifti
from inference.outcome import NothingFound, Outcome, Tumour, UnknownSpacing
from inference.recording.entries import UNKNOWN, correction_of, frame_of, outcome_of
from inference.recording.judgements import Judgements, KeptCorrection
from inference.recording.packing import unpack_mask
from inference.recording.reader import RecordReader
from inference.recording.schema import Corrector, EventKind, ModelUsed, Opening, Picture
from inference.recording.timeline import Setting, settings
from inference.source_info import SourceInfo, SweptGrid, shape_words
from inference.sources.recorded import Recorded
from inference.spacing import REMEDY, PixelSpacing, admitted

CUT = (
    "This record was cut off at {:.1f} s by a kill or a full disk, or is still being written: its {} frames until then "
    "are all there."
)
DAMAGED = f"This record is damaged, and nobody knows where: its scale is not to be believed: {REMEDY}."
LEFT_OUT = "{} damaged entries of this record are left out."
CHANGED = "The scale changed during this record: each frame keeps its own, and one given now is for those without."
OTHERWISE = "Segmented {}, but measured at {}: analyse the record again at this scale."
"""Said of answers to the picture of another size, which the network may have answered otherwise."""
UNANSWERED = (
    "Not analysed while it was recorded, since its scale was unknown then: analyse the record again at this scale."
)


class RecordSource(Recorded):
    """A record as a source of frames.

    A record cut off by a kill or a full disk can still be opened; `info.notice` then says where it ends.

    Args:
        path: the file.
        typed: the user's own spacing; takes precedence over the record's, but if that changed, which it does with the
            depth: then each frame keeps its own, and this is for those without one.

    Raises:
        FormatError: if it is not a record, or holds no frame.
    """

    def __init__(self, path: Path, *, typed: PixelSpacing | None = None) -> None:
        self._typed = typed
        self._reader = RecordReader(path)
        if len(self._reader) == 0:
            self._reader.close()
            raise FormatError(f"{path.name} holds no frame: nothing of it can be shown.")
        info = self._described(path.name)
        super().__init__(info, None if info.scale_varies else typed)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._reader)

    @property
    def opening(self) -> Opening:
        """What is true of the whole record."""
        return self._reader.opening

    @property
    def finished(self) -> bool:
        """Whether the record was finished, not cut off."""
        return self._reader.whole

    @property
    def models(self) -> tuple[ModelUsed, ...]:
        """The models that answered, in order."""
        return self._reader.models

    @property
    def dropped(self) -> int:
        """Number of frames that arrived faster than they could be written."""
        stated = [event.words for event in self._reader.events if event.kind is EventKind.DROPPED]
        return sum(int(words) for words in stated if words.isdecimal())

    @property
    def ended(self) -> str:
        """What ended the record: an `End`, or the name of a signal; empty if it was cut off, or made before this."""
        return next((event.words for event in reversed(self._reader.events) if event.kind is EventKind.ENDED), "")

    @property
    def seconds(self) -> float:
        """Time from the record's beginning to its last frame."""
        return self._reader.times_s[-1]

    @property
    def times_s(self) -> tuple[float, ...]:
        """When each frame was captured, seconds since the record began."""
        return tuple(self._reader.times_s)

    @property
    def inside(self) -> Mask | None:
        """(rows, cols) 0/1: the sector outside which every frame is black; None if it is not known."""
        return None

    @property
    def cropped(self) -> bool:
        """Whether every frame was cropped before it was recorded."""
        later = [event.words for event in self._reader.events if event.kind is EventKind.CROP]
        return self.opening.crop is not None and "whole" not in later

    @property
    def measured_anew(self) -> bool:
        """Whether a scale given since is in force for a frame that was recorded by another one, or by none."""
        if self._typed is None:
            return False
        if self._info.scale_varies:  # each frame keeps its own, if it has one
            return any(event.kind is EventKind.SCALE and event.words == UNKNOWN for event in self._reader.events)
        return _sides(self._scale()[0]) != _sides(self._typed)

    def settings(self) -> list[Setting]:
        """The settings in force at each frame."""
        return settings(self._reader.events, self._reader.times_s)

    def read(self, index: int) -> Frame:
        """Frame `index`, with the scale that was in force for it.

        Raises:
            IndexError: outside the record.
            FormatError: if it is damaged.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")
        try:
            frame = frame_of(self._reader.picture(index), self.opening, self._info.origin, time.monotonic())
        except (ValueError, FormatError) as error:
            raise FormatError(f"Frame {index} of {self._info.origin.name} is damaged: go on to the next.") from error
        if not self._reader.trusted:
            frame = rescaled(frame, None, DAMAGED)
        stated = frame.spacing, frame.no_spacing_reason
        spacing, reason = admitted(*stated, frame.rows, name=self._info.origin.name, either=frame.cols)
        if self._typed is not None and not (spacing and self._info.scale_varies):
            spacing, reason = self._typed, ""
        return rescaled(frame, spacing, reason)

    def outcome(self, index: int) -> Outcome | None:
        """The outcome recorded for a frame, measured by the scale in use; None if a slower analysis skipped it.

        Raises:
            IndexError: outside the record.
            FormatError: if it is damaged.
        """
        frame, answer = self.read(index), self._reader.answer(index)
        try:
            return None if answer is None else self._measured(outcome_of(answer, frame), index)
        except ValueError as error:
            name = self._info.origin.name
            raise FormatError(f"The answer to frame {index} of {name} is damaged: go on to the next.") from error

    def _measured(self, outcome: Outcome, index: int) -> Outcome:
        """The same answer, with all its numbers by the frame's scale where that is not the one it was given at."""
        now, stated = outcome.frame.spacing, self._reader.picture(index).scale
        was = None if stated is None else PixelSpacing(stated.row_mm, stated.col_mm, stated.provenance)
        if isinstance(outcome, UnknownSpacing) and now is not None:
            return UnknownSpacing(outcome.frame, UNANSWERED)
        if not isinstance(outcome, Tumour | NothingFound) or _sides(was) == _sides(now):
            return outcome
        if now is not None:
            said = OTHERWISE.format(f"at {_side_words(was)}" if was else "without a scale", _side_words(now))
            unlike = f"{outcome.analysis.unlike} {said}".lstrip()
            outcome = replace(outcome, analysis=replace(outcome.analysis, unlike=unlike))
        if isinstance(outcome, NothingFound):
            return outcome
        limits, frame = self._limits(outcome.analysis.model_sha256), outcome.frame
        return replace(outcome, regions=tuple(measured(region, frame, limits) for region in outcome.regions))

    def _limits(self, sha256: str) -> Reliability | None:
        """The limits of the size states of a model that answered; None if its entry is lost."""
        contract = next((model.contract for model in self.models if model.sha256 == sha256), None)
        try:
            return None if contract is None else ModelContract.from_json(contract).reliability
        except ContractError:
            return None

    @property
    def corrected(self) -> tuple[int, ...]:
        """Numbers of the frames whose contour the user corrected."""
        return tuple(sorted(self._reader.corrections))

    def correction(self, index: int) -> Mask | None:
        """The user's (rows, cols) 0/1 mask of a frame; None if its contour was not corrected.

        Raises:
            FormatError: if it is damaged.
        """
        found = self._reader.corrections.get(index)
        try:
            return None if found is None else unpack_mask(found.mask, (self.opening.rows, self.opening.cols))
        except ValueError as error:
            name = self._info.origin.name
            raise FormatError(f"The correction of frame {index} of {name} is damaged: go on to the next.") from error

    def corrector(self, index: int) -> Corrector | None:
        """Who corrected the contour of a frame; None if nobody did."""
        found = self._reader.corrections.get(index)
        return None if found is None else found.who

    def correct(self, index: int, mask: Mask | None, who: Corrector) -> None:
        """Take a correction made since the record was opened for that of a frame; the file stays as it is.

        Args:
            index: number of the frame.
            mask: (rows, cols) 0/1; None where all was taken back.
            who: who corrected it.
        """
        if mask is None:
            self._reader.corrections.pop(index, None)
        else:
            self._reader.corrections[index] = correction_of(mask, index, 0.0, who)

    def judgements(self) -> Judgements:
        """What the user judged; a correction that is damaged is left out, which `info.notice` says."""
        found = self.settings()
        wrong = frozenset(number for number, setting in enumerate(found) if setting.wrong)
        kept = {number: self._kept(number) for number in self.corrected if number < len(self)}
        corrections = {number: one for number, one in kept.items() if one is not None}
        return Judgements(
            frozenset(found[-1].overruled), wrong, frozenset(used.sha256 for used in self.models), corrections
        )

    def _kept(self, number: int) -> KeptCorrection | None:
        """The correction of a frame beside the engine's answer; None if it was taken back, or is damaged."""
        try:
            mask, who, answer = self.correction(number), self.corrector(number), self._reader.answer(number)
        except FormatError:
            return None
        shape = self.opening.rows, self.opening.cols
        before = unpack_mask(answer.mask, shape) if answer is not None and answer.mask else np.zeros(shape, np.uint8)
        if mask is None or who is None or np.array_equal(mask, before):
            return None
        return KeptCorrection(before, mask, who)

    def place(self, index: int) -> int:
        """The frame's index in the source it was recorded from; in a volume, its slice."""
        return self._reader.picture(index).index

    def close(self) -> None:
        """Close the file."""
        super().close()
        self._reader.close()

    def save_masks(self, masks: list[Mask], path: str) -> None:
        """Write the masks as NIfTI: on the grid of the volume that was swept, or as a stack of pictures.

        Raises:
            OutputError: if the file cannot be written.
        """
        grid = self._info.grid
        if grid is None:
            write_mask_nifti(np.stack(masks).T, picture_header(self._info.spacing), path)
            return
        volume = in_volume(grid, ((self.place(index), mask) for index, mask in enumerate(masks)))
        write_mask_nifti(volume, header_of(grid), path)

    def _pixels(self, index: int) -> Pixels:
        return self.read(index).pixels

    def _described(self, name: str) -> SourceInfo:
        opening, (spacing, reason), found = self.opening, self._scale(), self.settings()
        phases, flips = {setting.phase for setting in found}, {setting.flip for setting in found}
        markers = {setting.marker for setting in found}
        grid = opening.grid
        return SourceInfo(
            origin=Origin(name, opening.view, simulated=opening.simulated, record=True),
            rows=opening.rows,
            cols=opening.cols,
            spacing=spacing,
            no_spacing_reason=reason,
            levels=opening.levels,
            fps=self._pace(),
            edge_letters=opening.edge_letters,
            grid=None if grid is None else SweptGrid(grid.axis, grid.count, grid.header),
            notice=self._notice(),
            case_code=opening.case_code,
            phase=(phases.pop() or "unset") if len(phases) == 1 else "unset",
            flip=flips.pop() if len(flips) == 1 else "",
            marker=markers.pop() if len(markers) == 1 else "",
            scale_varies=reason == CHANGED,
            pixel_aspect=opening.pixel_aspect,
        )

    def _notice(self) -> str:
        sentences = [] if self.finished else [CUT.format(self.seconds, len(self))]
        if self._reader.damaged:
            sentences.append(LEFT_OUT.format(self._reader.damaged))
        if not self._reader.trusted:
            sentences.append(DAMAGED)
        if self._scale()[1] == CHANGED:
            sentences.append(CHANGED)
        if self._scale()[0] is None:
            sentences.append(shape_words("this record", self.opening.pixel_aspect))
        return " ".join(filter(None, sentences))

    def _scale(self) -> tuple[PixelSpacing | None, str]:
        """The scale of all frames, or the reason why there is no common one."""
        said = {event.words for event in self._reader.events if event.kind is EventKind.SCALE}
        if not self._reader.trusted:
            return None, DAMAGED
        if len(said) > 1:
            return None, CHANGED
        picture = self._first()
        if picture is None:
            return None, DAMAGED
        scale = picture.scale
        if scale is None:
            return None, CHANGED if said else picture.no_scale_reason
        return PixelSpacing(scale.row_mm, scale.col_mm, scale.provenance), ""

    def _first(self) -> Picture | None:
        """The first frame that can be read; None if the first hundred cannot."""
        for number in range(min(len(self), 100)):
            try:
                return self._reader.picture(number)
            except FormatError:
                continue
        return None

    def _pace(self) -> float | None:
        """Frames per second, as captured."""
        duration_s = self.seconds - self._reader.times_s[0]
        return (len(self) - 1) / duration_s if duration_s > 0 else self.opening.fps


def _sides(spacing: PixelSpacing | None) -> tuple[float, float] | None:
    return None if spacing is None else (spacing.row_mm, spacing.col_mm)


def _side_words(spacing: PixelSpacing) -> str:
    return f"{spacing.row_mm:.4g} × {spacing.col_mm:.4g} mm a pixel"
