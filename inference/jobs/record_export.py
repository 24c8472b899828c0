"""Export of the open record from the window: reports its progress; its key stops it, and so does closing the window."""

import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from inference.errors import OutputError
from inference.files import make_folder
from inference.jobs.background import BackgroundJobs
from inference.live.session import Session
from inference.outcome import Outcome
from inference.readout.marks import Tone

TELL_S = 1.0


class RecordExport:
    """Runs one export at a time.

    Args:
        session: the session whose record is exported.
        background: runs the export and reports how it went.
    """

    def __init__(self, session: Session, background: BackgroundJobs) -> None:
        self._session, self._background = session, background
        self._stop = threading.Event()
        self.running = False

    def toggle(self, shown: Outcome | None) -> None:
        """Export the whole open record, with the frame on the screen as DICOM too; or stop a running export."""
        if self.running:
            self._stop.set()
            return
        request = self._session.request
        if request is None or shown is None or not shown.frame.origin.record:
            self._background.say("Open a record first: what is exported is a record.")
            return
        path, spacing, number = Path(request.text).expanduser(), request.spacing, shown.frame.index

        def job() -> str:
            from inference.export.record import export_record
            from inference.sources.record import RecordSource

            out = make_folder(path.with_suffix(""))
            with RecordSource(path, typed=spacing) as source:
                files = export_record(source, out, chosen=(number,), watch=self._watched)
            return f"Exported: {len(files)} files in {out}."

        self._stop.clear()
        self.running = True
        self._background.say("The record is being exported: E stops it.", Tone.NEUTRAL)
        self._background.begin(job).add_done_callback(lambda _: self._done())

    def close(self) -> None:
        """Stop a running export."""
        self._stop.set()

    def _done(self) -> None:
        self.running = False

    def _watched(self, numbers: range) -> Iterator[int]:
        """Pass frame numbers on to an export, in its thread: reports progress once a second, ends when stopped."""
        told = monotonic()
        for number in numbers:
            if monotonic() - told > TELL_S:
                told = monotonic()
                self._background.say(f"Exporting: frame {number} of {len(numbers)}. E stops it.", Tone.NEUTRAL)
            if self._stop.is_set():
                raise OutputError("The export was stopped before its end: export again for all files.")
            yield number
