"""The records in a folder, each opened for a moment outside the window's thread; and their deletion."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.contract import ModelContract
from inference.display import grey
from inference.errors import ContractError, IusError, OutputError, SourceError
from inference.files import time_in
from inference.one_thread import OneThread
from inference.patience import SILENT, in_time
from inference.readout.formatting import counted, size_words, time_words
from inference.recording.hold import held

SUFFIX = ".mcap"
LOOK_S = 5.0
"""How long a folder, and each record, may take to answer."""
SIDE = 160
"""Longest side of a thumbnail, pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class ListedRecord:
    """What the list shows of a record.

    Attributes:
        path: its file.
        begun: when it began, by this computer's clock: from the file's name, else when the file was last written.
        case_code: its case code; empty if it has none.
        words: length, frames, size, and how it ended if it was cut off; or why it cannot be opened.
        model: name of the model that answered last; empty if none did.
        thumbnail: (rows, cols) grey values 0 to 255 of its middle frame; None if there is none.
        shape: (width, height) of the frame, in mm where its scale is known.
        device: the scanner's or stream's name; empty for a file.
        size: (rows, cols) of its frames; (0, 0) if it cannot be opened.
    """

    path: Path
    begun: datetime
    case_code: str = ""
    words: str = ""
    model: str = ""
    thumbnail: NDArray[np.uint8] | None = None
    shape: tuple[float, float] = (1.0, 1.0)
    device: str = ""
    size: tuple[int, int] = (0, 0)

    @property
    def opens(self) -> bool:
        """Whether it can be opened."""
        return self.size != (0, 0)


class RecordList:
    """Looks at the records of a folder, newest first, and remembers those that have not changed."""

    def __init__(self) -> None:
        self._pool = OneThread("ius-records")
        self._listing: Future[list[Path]] | None = None
        self._running: list[Future[ListedRecord]] = []
        self._known: dict[tuple[Path, int, int], ListedRecord] = {}

    def look(self, folder: Path, leave_out: Path | None = None) -> None:
        """Start looking at the records of a folder; this replaces the request before.

        Args:
            folder: may be missing.
            leave_out: the record that is being written, which is not finished.
        """
        for running in (self._listing, *self._running):
            if running is not None:
                running.cancel()
        self._running = []
        late = SILENT.format(folder)
        self._listing = self._pool.submit(in_time, lambda: _records_in(folder, leave_out), LOOK_S, late)

    def count(self) -> int | None:
        """How many records there are, told once; None until that is known.

        Raises:
            SourceError: if the folder's drive does not answer.
        """
        if self._listing is None or not self._listing.done():
            return None
        listing, self._listing = self._listing, None
        self._running = [self._pool.submit(self._look_at, path) for path in listing.result()]
        return len(self._running)

    def poll(self) -> ListedRecord | None:
        """The next record, in order; None until it is ready, and at the end."""
        if not self._running or not self._running[0].done():
            return None
        return self._running.pop(0).result()

    def close(self) -> None:
        """Wait for the record that is being looked at."""
        self._pool.shutdown(cancel_futures=True)

    def _look_at(self, path: Path) -> ListedRecord:
        try:
            return in_time(lambda: self._known_or_listed(path), LOOK_S, SILENT.format(path.name))
        except OSError:
            return ListedRecord(path, datetime.now().astimezone(), words="It is gone.")
        except SourceError as error:
            return ListedRecord(path, datetime.now().astimezone(), words=str(error))

    def _known_or_listed(self, path: Path) -> ListedRecord:
        state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size)
        if key not in self._known:
            self._known[key] = _listed(path, state.st_mtime, state.st_size)
        return self._known[key]


def _records_in(folder: Path, leave_out: Path | None) -> list[Path]:
    """The finished records of a folder, newest first; a pipe of such a name is none."""
    paths = sorted(folder.glob(f"*{SUFFIX}"), key=_written_at, reverse=True) if folder.is_dir() else []
    return [path for path in paths if path != leave_out and not path.name.startswith(".") and path.is_file()]


def delete(paths: Sequence[Path]) -> str:
    """Delete these records, and return a sentence that says so. Their exports stay.

    Raises:
        OutputError: if one of them cannot be deleted, or another program is writing it; those before it are.
    """
    for path in paths:
        if held(path):
            raise OutputError(f"{path.name} is being recorded: stop that in its own window before it is deleted.")
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{path.name} cannot be deleted ({error.strerror}): close what has it open.") from error
    return f"{counted(len(paths), 'record')} deleted."


def _listed(path: Path, written_at: float, size: int) -> ListedRecord:
    """Open a record, and describe it."""
    from inference.sources.record import RecordSource  # its libraries are not needed at the start

    begun = _begun(path, written_at)
    try:
        with RecordSource(path) as record:
            frame, info = record.read(len(record) // 2), record.info
            length = f"{time_words(record.seconds)} · {counted(len(record), 'frame')} · {size_words(size)}"
            spacing = frame.spacing
            tall, wide = (1.0, 1.0) if spacing is None else (spacing.row_mm, spacing.col_mm)
            step = max(1, -(-max(frame.rows, frame.cols) // SIDE))
            return ListedRecord(
                path,
                begun,
                record.opening.case_code,
                length if record.finished else f"{length} · cut off",
                _model_name(record.models[-1].contract) if record.models else "",
                np.ascontiguousarray(grey(frame.pixels, info.levels)[::step, ::step]),
                (frame.cols * wide, frame.rows * tall),
                record.opening.device,
                (frame.rows, frame.cols),
            )
    except IusError as error:
        return ListedRecord(path, begun, words=str(error))
    except OSError as error:
        return ListedRecord(path, begun, words=f"It cannot be read ({error.strerror}).")


def _model_name(contract: str) -> str:
    try:
        return ModelContract.from_json(contract).title
    except ContractError:
        return "a model of another version"


def _begun(path: Path, written_at: float) -> datetime:
    return time_in(path.name) or datetime.fromtimestamp(written_at).astimezone()


def _written_at(path: Path) -> float:
    try:
        return _begun(path, path.stat().st_mtime).timestamp()
    except OSError:
        return 0.0
