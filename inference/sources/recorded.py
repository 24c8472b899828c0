"""What every recorded source shares: random access, playing to the end, closing, writing masks."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from cv2.utils import logging

from inference.errors import FormatError
from inference.frame import ColourMap, Frame, Mask, Pixels, View
from inference.nifti import picture_header, write_mask_nifti
from inference.source_info import SourceInfo
from inference.sources.base import Closing
from inference.spacing import PixelSpacing, admitted


class Recorded(Closing, ABC):
    """Base of every `RecordedSource`: a subclass only gives the number of frames and their pixels.

    Args:
        info: what is known of the source; the scale it states is used only if it is plausible.
        typed: the user's own spacing; takes precedence over the file's.
        rows: height of what the probe drew, pixels; None for the whole picture.
    """

    def __init__(self, info: SourceInfo, typed: PixelSpacing | None = None, *, rows: int | None = None) -> None:
        either = info.cols if info.origin.view is View.SLICE else None
        stated = info.spacing, info.no_spacing_reason
        spacing, reason = admitted(*stated, rows or info.rows, name=info.origin.name, either=either)
        if typed is not None:
            spacing, reason = typed, ""
        self._info = replace(info, spacing=spacing, no_spacing_reason=reason)
        self._closed = threading.Event()

    @abstractmethod
    def __len__(self) -> int:
        """Number of frames."""

    @abstractmethod
    def _pixels(self, index: int) -> Pixels:
        """The (rows, cols) grey values of one frame."""

    def _seen(self, index: int) -> tuple[Pixels, ColourMap | None]:
        """The same, and where the frame was coloured; overridden by sources that know colour."""
        return self._pixels(index), None

    @property
    def info(self) -> SourceInfo:
        """What is known before the first frame."""
        return self._info

    def read(self, index: int) -> Frame:
        """Frame `index`, from 0.

        Raises:
            IndexError: outside the source.
            SourceError: if this frame cannot be read; others may still be readable.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")
        info = self._info
        pixels, colour = self._seen(index)
        if pixels.shape != (info.rows, info.cols):  # a file of a folder may be written anew while it is open
            raise FormatError(f"Frame {index} of {info.origin.name} has another size than before: open it again.")
        return Frame(
            index=index,
            pixels=pixels,
            spacing=info.spacing,
            captured_at=time.monotonic(),
            origin=info.origin,
            time_s=None if info.fps is None else index / info.fps,
            no_spacing_reason=info.no_spacing_reason,
            colour=colour,
        )

    def frames(self) -> Iterator[Frame]:
        """Every frame in order; ends early after `close()`."""
        for index in range(len(self)):
            if self._closed.is_set():
                return
            yield self.read(index)

    def close(self) -> None:
        """End `frames()`."""
        self._closed.set()

    def save_masks(self, masks: list[Mask], path: str) -> None:
        """Write the masks as NIfTI, (columns, rows, frames), without a position: pictures have none in the patient.

        Raises:
            OutputError: if the file cannot be written.
        """
        write_mask_nifti(np.stack(masks).T, picture_header(self._info.spacing), path)


@contextmanager
def quiet_opencv(most: int = logging.LOG_LEVEL_SILENT) -> Iterator[None]:
    """Keep OpenCV from writing more than this to the terminal: errors are reported in one sentence of ours."""
    level = logging.getLogLevel()
    logging.setLogLevel(most)
    try:
        yield
    finally:
        logging.setLogLevel(level)
