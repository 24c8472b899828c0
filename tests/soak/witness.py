"""What was really painted, and when: every round of painting of a real window, with what stood on it."""

from dataclasses import dataclass
from time import monotonic

from PySide6.QtCore import QEvent, QObject

from inference.live.paint_meter import Painted
from viewer.main_window import MainWindow


@dataclass(frozen=True, slots=True)
class Round:
    """One round of painting: Qt paints everything that changed, and flushes it together.

    Attributes:
        at: when it ended, `time.monotonic()` seconds.
        contour: whether the picture carries a contour.
        number: the words where the area stands.
        title: the state's words.
    """

    at: float
    contour: bool
    number: str
    title: str

    @property
    def torn(self) -> bool:
        """Whether a contour stands without its number, or a number without its contour."""
        return self.contour != any(letter.isdigit() for letter in self.number)


class Witness(QObject):
    """Watches a window from its first round of painting on.

    Attributes:
        rounds: those in which contour, number or state differ from the round before.
        latencies: (painted at, capture to paint in seconds) of every new frame.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._window = window
        self._contour, self._number, self._title = False, "", ""
        self._last_frame: object = None
        self.rounds: list[Round] = []
        self.latencies: list[tuple[float, float]] = []
        self._area = window.view.readout._area
        self._card = window.view.readout._card._title
        self._report = window.view.canvas._on_painted
        window.view.canvas._on_painted = self._painted
        for watched in (window, self._area, self._card):
            watched.installEventFilter(self)

    def _painted(self, painted: Painted) -> None:
        """The canvas was painted, with or without outlines."""
        self._report(painted)
        contour = self._window.view.canvas.contour
        self._contour = bool(contour._paths) and not contour.hidden
        if painted.picture is not None and painted.picture is not self._last_frame:
            self._last_frame = painted.picture
            self.latencies.append((painted.at, painted.at - painted.picture.captured_at))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Note what is painted; a round is over when the window's update request has been dealt with."""
        if event.type() == QEvent.Type.Paint:
            if watched is self._area:
                number, _, headline, _ = self._area._words
                self._number = headline or number
            elif watched is self._card:
                self._title = self._card.text()
        elif event.type() == QEvent.Type.UpdateRequest and watched is self._window:
            watched.removeEventFilter(self)
            watched.event(event)
            watched.installEventFilter(self)
            self._note()
            return True
        return False

    def _note(self) -> None:
        now = Round(monotonic(), self._contour, self._number, self._title)
        before = self.rounds[-1] if self.rounds else None
        if before is None or (now.contour, now.number, now.title) != (before.contour, before.number, before.title):
            self.rounds.append(now)
