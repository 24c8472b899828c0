"""The list of records: filled as the records are looked at; open, export and delete what is selected in it."""

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from time import monotonic

from inference.crop import Rect
from inference.errors import SourceError
from inference.jobs.record_export import Form, Wanted
from inference.jobs.record_list import ListedRecord, RecordList, delete
from inference.live.requests import SourceRequest
from inference.patience import SILENT
from inference.readout.marks import Tone
from viewer.control.app_state import AppState
from viewer.control.presets import Presets

OPEN_NOW = "{name} is open now: open something else before it is deleted."

EXPORTING = "An export is running: wait for its end, or stop it (E), before records are deleted."


class Records:
    """Serves the list of records.

    Args:
        state: the state of the window.
        presets: know the crop of each scanner.
        folder: where records are.
    """

    def __init__(self, state: AppState, presets: Presets, folder: Path) -> None:
        self._state, self._presets, self._folder = state, presets, folder
        self._panel, self._list = state.view.records, RecordList()
        self._deleting: Future[str] | None = None

    def toggle(self) -> None:
        """Open the list with the records that are there now, or close it."""
        if self._panel.isHidden():
            self._look()
        self._state.view.picture_area.toggle(self._panel)

    def poll(self) -> None:
        """Take over the records that have been looked at; called a few times a second."""
        if self._deleting is not None and self._deleting.done():
            self._deleting = None
            self._look()
        try:
            count = self._list.count()
        except SourceError as error:
            self._panel.begin(self._folder, 0)
            self._say(str(error), Tone.FAULT)
            return
        if count is not None:
            self._panel.begin(self._folder, count)
        while (record := self._list.poll()) is not None:
            self._panel.add(record)

    def request(self, path: Path) -> SourceRequest:
        """The request to open a record."""
        return self._state.view.source.request(str(path))

    def export(self, records: Sequence[ListedRecord], form: Form) -> None:
        """Export these records, one after another; the open one with what was corrected since."""
        wanted = []
        for one in records:
            rect = self._crop(one) if form is not Form.FULL else None
            corrected = self._state.corrections.by_number if one.path == self._opened else {}
            wanted.append(Wanted(one.path, form=form, rect=rect, corrected=corrected))
        self._state.record_export.begin(wanted)

    @property
    def _opened(self) -> Path | None:
        """The file that is open now; None if nothing is."""
        opened = self._state.session.opened
        return None if opened is None else opened.place

    def delete(self, paths: Sequence[Path]) -> None:
        """Delete these records, unless one of them is open, or is being opened."""
        session = self._state.session
        asked = None if session.source_refusal else session.request
        in_use = {self._opened, None if asked is None else asked.place}
        if (used := next((path for path in paths if path in in_use), None)) is not None:
            self._say(OPEN_NOW.format(name=used.name), Tone.NOTICE)
            return
        if self._state.record_export.running:
            self._say(EXPORTING, Tone.NOTICE)
            return
        self._deleting = self._state.background.begin(lambda: delete(paths), SILENT.format(self._folder))

    def _say(self, sentence: str, tone: Tone) -> None:
        self._state.view.picture_area.say(sentence, monotonic(), tone)

    def close(self) -> None:
        """Wait for the record that is being looked at."""
        self._list.close()

    def _look(self) -> None:
        record = self._state.session.record
        self._list.look(self._folder, None if record is None else record.status().path)
        self._panel.begin(self._folder, None)

    def _crop(self, record: ListedRecord) -> Rect | None:
        """The crop of the open record, if it is this one or of the same scanner; else the last one kept for that."""
        source = self._state.session.source
        opened = next((row.record for row in self._panel.rows if row.record.path == self._opened), None)
        if source is not None and source.cropping.rect is not None and opened is not None:
            of_scanner = bool(record.device) and (opened.device, opened.size) == (record.device, record.size)
            if of_scanner or opened.path == record.path:
                return source.cropping.rect
        known = self._presets.known(record.device, *record.size) if record.device else ()
        return next((preset.place.crop for preset in known if preset.place.crop is not None), None)
