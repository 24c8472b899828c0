"""A captured frame written as pictures and DICOM, off the window's thread."""

from datetime import datetime
from pathlib import Path

from inference.files import claim, dated, make_folder
from inference.jobs.background import BackgroundJobs
from inference.outcome import Outcome
from inference.patience import SILENT
from inference.readout.marks import Tone
from inference.view_notes import AS_IT_CAME, Flip


class Snapshots:
    """Writes captures one after another.

    Args:
        folder: where the files go; created when the first one is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jobs = BackgroundJobs("ius-export")

    def take(
        self,
        outcome: Outcome,
        levels: tuple[float, float],
        notes: tuple[str, ...],
        flip: Flip = AS_IT_CAME,
        phase: tuple[str, ...] = (),
    ) -> None:
        """Start writing this outcome.

        Args:
            outcome: the frame on the screen and its analysis.
            levels: (black, white) of the display.
            notes: further lines for the caption, such as the phase.
            flip: how the picture is flipped on the screen; the pictures are written so, the DICOM pair as it came.
            phase: sentences of `safety.of_phase` about the phase.
        """
        self._jobs.begin(lambda: _write(self._folder, outcome, levels, notes, flip, phase), SILENT.format(self._folder))

    def poll(self) -> tuple[str, Tone] | None:
        """How the oldest finished capture went, and its tone; None while there is nothing to report."""
        return self._jobs.take()

    @property
    def busy(self) -> bool:
        """Whether a capture is not written yet."""
        return self._jobs.busy

    @property
    def failed(self) -> tuple[str, ...]:
        """What is to be said of the captures that could not be written, and that nobody has polled."""
        return self._jobs.failed

    def close(self) -> None:
        """Wait until every capture that was started is written, unless its drive is dead."""
        self._jobs.close()


def _write(
    folder: Path,
    outcome: Outcome,
    levels: tuple[float, float],
    notes: tuple[str, ...],
    flip: Flip,
    phase: tuple[str, ...],
) -> str:
    """Write the pictures and the DICOM pair; return a sentence that says where, and what could not be written."""
    from inference.export.capture import Capture
    from inference.export.dicom import write_dicom_pair
    from inference.export.picture import write_pictures

    capture = Capture(outcome, levels, notes=notes, phase=phase, turned_over=(flip.left_right, flip.up_down))
    plain = claim(dated(make_folder(folder), datetime.now().astimezone(), ".png"))
    try:
        write_pictures(capture, plain)
    finally:
        if plain.stat().st_size == 0:
            plain.unlink()
    pair = write_dicom_pair(capture, plain.with_suffix(".dcm"))
    kept = " Text outside the sector was kept: check it for names." if capture.text_kept else ""
    return f"Snapshot {plain.stem} is in {folder}. {pair.no_seg}{kept}".replace("  ", " ").strip()
