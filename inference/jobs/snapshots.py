"""A captured frame written as pictures and DICOM, off the window's thread."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from inference.errors import OutputError
from inference.files import claim, dated, make_folder
from inference.outcome import Outcome
from inference.readout.marks import Tone
from inference.view_notes import AS_IT_CAME, Flip


class Snapshots:
    """Writes captures one after another.

    Args:
        folder: where the files go; created when the first one is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ius-export")
        self._running: list[Future[str]] = []

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
        self._running.append(self._pool.submit(_write, self._folder, outcome, levels, notes, flip, phase))

    def poll(self) -> tuple[str, Tone] | None:
        """How the oldest finished capture went, and its tone; None while there is nothing to report."""
        if not self._running or not self._running[0].done():
            return None
        done = self._running.pop(0)
        try:
            return done.result(), Tone.NEUTRAL
        except OutputError as error:
            return str(error), Tone.FAULT

    def close(self) -> None:
        """Wait until every capture that was started is written."""
        self._pool.shutdown()


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
