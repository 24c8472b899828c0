"""Sources and streams read in a separate process, used as if they were in this one."""

import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from inference.errors import FormatError, SourceError
from inference.frame import Frame, Mask, Pixels
from inference.patience import BYTES_PER_S, in_time
from inference.source_info import SourceInfo
from inference.sources.base import Closing
from inference.sources.live import Picture
from inference.sources.wire import Connect, Gone, Next, Open, Opened, Read, SaveMasks, Shown
from inference.sources.worker import Worker, WorkerLostError, borrow, give_back, keep
from inference.spacing import PixelSpacing

OPEN_S = 8.0
"""A small file that is not open by then never will be."""
FILE_BYTES = 1 << 20
"""What opening a file of a folder is worth beside its bytes: 50 ms. All of them are read."""
READ_S = 10.0
"""A frame that is not decoded by then never will be."""
WRITE_S = 120.0
CONNECT_S = 12.0
"""Longer than a stream's own limits: after that it is stuck."""


class RemoteSource(Closing):
    """A `RecordedSource` in a separate process.

    A process that crashes on a frame is replaced: that frame raises an error, and the next one is read as usual.

    Args:
        text: path of a file or folder.
        axis: as for `open_source`.
        spacing: as for `open_source`.
        region: as for `open_source`.
        config: as for `open_source`.

    Raises:
        SourceError: if it cannot be opened, with what to do about it.
    """

    def __init__(
        self, text: str, *, axis: str, spacing: PixelSpacing | None, region: int | None, config: Path | None
    ) -> None:
        self._request = Open(text, axis, spacing, region, None if config is None else str(config))
        self._name = Path(text).name
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._whole: Pixels | None = None
        self._worker: Worker | None = None
        _, opened = self._opened()
        self._info, self._count = opened.info, opened.count

    def __len__(self) -> int:
        """Number of frames."""
        return self._count

    @property
    def info(self) -> SourceInfo:
        """What is known before the first frame."""
        return self._info

    def whole(self) -> Pixels | None:
        """The frame read last, before anything was removed from it; None if the source removes nothing."""
        return self._whole

    def read(self, index: int) -> Frame:
        """Frame `index`, from 0.

        Raises:
            IndexError: outside the source.
            SourceError: if this frame cannot be read; others may still be readable.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")
        with self._lock:
            worker = self._here()
            try:
                shown, (pixels, colour, whole) = worker.ask(Read(index), READ_S)
            except WorkerLostError as error:
                self._lost()
                self._refuse_closed()
                sentence = f"Frame {index} of {self._name} cannot be decoded: go on to the next, or export it again."
                raise FormatError(sentence) from error
        assert isinstance(shown, Shown)  # noqa: S101
        assert pixels is not None  # noqa: S101
        self._whole = whole
        return Frame(
            index=index,
            pixels=pixels,
            spacing=self._info.spacing,
            captured_at=time.monotonic(),
            origin=self._info.origin,
            time_s=shown.time_s,
            no_spacing_reason=self._info.no_spacing_reason,
            colour=colour,
        )

    def frames(self) -> Iterator[Frame]:
        """Every frame in order; ends early after `close()`."""
        for index in range(len(self)):
            if self._closed.is_set():
                return
            yield self.read(index)

    def save_masks(self, masks: list[Mask], path: str) -> None:
        """Write one (rows, cols) 0/1 mask per frame as NIfTI, on the source's own geometry.

        Raises:
            OutputError: if the file cannot be written.
        """
        stack = np.stack(masks)
        request = SaveMasks(str(Path(path).absolute()), stack.shape, np.packbits(stack > 0).tobytes())
        with self._lock:
            try:
                self._here().ask(request, WRITE_S)
            except WorkerLostError as error:
                self._lost()
                self._refuse_closed()
                raise SourceError(f"The masks of {self._name} cannot be written: open it again.") from error

    def close(self) -> None:
        """End `frames()` and free the file. A request that waits for the process ends at once, as the process does."""
        self._closed.set()
        at_rest = self._lock.acquire(blocking=False)
        worker, self._worker = self._worker, None
        self._forgotten.detach()
        if at_rest:
            self._lock.release()
        if worker is None:
            return
        if at_rest:
            give_back(worker)
        else:
            worker.end()

    def _here(self) -> Worker:
        """The process that has the file open; the file is reopened if the last process was lost."""
        self._refuse_closed()
        if self._worker is None:
            worker, opened = self._opened()
            if (opened.info, opened.count) != (self._info, self._count):
                raise SourceError(f"{self._name} has become another file: open it again.")
            return worker
        return self._worker

    def _refuse_closed(self) -> None:
        if self._closed.is_set():
            raise SourceError(f"{self._name} is closed: open it again.")

    def _lost(self) -> None:
        self._worker = None
        self._forgotten.detach()

    def _lend(self, worker: Worker) -> None:
        self._worker = worker
        self._forgotten = weakref.finalize(self, keep, worker)  # a source that nobody closes

    def _opened(self) -> tuple[Worker, Opened]:
        worker, kept = borrow(), False
        self._lend(worker)  # before it has the file open, so that `close` ends it also while it opens
        limit_s = OPEN_S + _bytes(Path(self._request.text).expanduser()) / BYTES_PER_S
        try:
            self._refuse_closed()
            opened, _ = worker.ask(self._request, limit_s)
            assert isinstance(opened, Opened)  # noqa: S101
            kept = True
        except WorkerLostError as error:
            self._refuse_closed()
            slow = isinstance(error.__cause__, TimeoutError)
            what = f"takes longer than {limit_s:.0f} s to open" if slow else "brings its decoder down"
            raise FormatError(f"{self._name} {what}: copy it to this computer, or export it again.") from error
        finally:
            if not kept:
                self._lost()
                if worker.alive:
                    give_back(worker)
        return worker, opened


class RemoteConnection:
    """A network stream open in a separate process.

    Args:
        url: address of the stream.
        shown: the address without the password.

    Raises:
        SourceError: if nothing arrives.
    """

    def __init__(self, url: str, shown: str) -> None:
        self._shown = shown
        self._worker = borrow()
        try:
            self._worker.ask(Connect(url), CONNECT_S)
        except WorkerLostError as error:
            raise SourceError(f"Nothing comes from {shown}: check the sender, its address and port.") from error
        except SourceError:
            give_back(self._worker)
            raise

    def read(self) -> Picture | None:
        """The next picture; None once the sender is gone, or has crashed the decoder.

        Raises:
            SourceError: if the stream can never be shown.
        """
        try:
            shown, arrays = self._worker.ask(Next(), CONNECT_S)
        except WorkerLostError:
            return None
        if isinstance(shown, Gone):
            return None
        assert isinstance(shown, Shown)  # noqa: S101
        pixels, colour, _ = arrays
        assert pixels is not None  # noqa: S101
        return Picture(pixels, None, shown.no_spacing_reason, colour, damaged=shown.damaged, aspect=shown.aspect)

    def close(self) -> None:
        """Free the stream."""
        if self._worker.alive:
            give_back(self._worker)


def _bytes(path: Path) -> int:
    """Size of a file, or of a folder's files and what opening each is worth; 0 if unknown.

    Used only to estimate how long it may take.
    """
    try:
        return in_time(lambda: _counted(path), OPEN_S, "")
    except (OSError, SourceError):
        return 0


def _counted(path: Path) -> int:
    if path.is_dir():
        return sum(child.stat().st_size + FILE_BYTES for child in path.iterdir())
    return path.stat().st_size
