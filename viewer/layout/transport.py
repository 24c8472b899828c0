"""Play, pause, step, scrub and speed of a recorded source; freeze and scrub of a live one."""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QStyle, QVBoxLayout, QWidget

from inference.live.playback import Playback
from viewer.style.icons import icon
from viewer.style.theme import Sizes
from viewer.style.widgets import button, label, set_text, size_button

SPEEDS = (0.25, 0.5, 1.0, 2.0)


class Seekable(Protocol):
    """Anything with a position to move: a playback, or the last half minute of a frozen view."""

    def __len__(self) -> int: ...

    @property
    def position(self) -> int:
        """Index of the frame shown."""
        ...

    @property
    def playing(self) -> bool:
        """Whether it advances by itself."""
        ...

    @property
    def speed(self) -> float:
        """Playback speed; 1 is the recording's own."""
        ...

    def seek(self, index: int) -> None:
        """Show frame `index`."""
        ...


LIVE_NOTE = "live: Freeze (space) holds the last 30 s, to look through frame by frame"
REVIEW_NOTE = "view frozen: the last 30 s, each contour on its own frame · L plays, space goes back to live"


class Scrubber(QSlider):
    """A slider that jumps to the point where it is touched."""

    touched = Signal(int)
    """Emitted when the user moves it, not when the program does."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Position in the recording")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Move to where it was pressed."""
        self._jump(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the finger."""
        self._jump(event)

    def _jump(self, event: QMouseEvent) -> None:
        x = round(event.position().x())
        value = QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), x, self.width())
        self.setValue(value)
        self.touched.emit(value)


class Transport(QWidget):
    """The controls under the picture.

    Args:
        act: runs an action by its name.
    """

    def __init__(self, act: Callable[[str], None]) -> None:
        super().__init__()
        self._seekable: Seekable | None = None
        self._live = False
        self._shown: int | None = None
        self._icons = {name: icon(name) for name in ("play", "pause", "back", "forward")}
        self._back, self._play = button("", "One frame back (←)", "icon"), button("", "Play or pause (space)", "icon")
        self._forward, self._speed = button("", "One frame on (→)", "icon"), button("1×", "Speed")
        self._back.setIcon(self._icons["back"])
        self._forward.setIcon(self._icons["forward"])
        self._play.setIcon(self._icons["play"])
        self._playing = False
        for made, action in ((self._back, "back"), (self._forward, "forward")):
            made.clicked.connect(lambda _=False, name=action: act(name))
        self._play.clicked.connect(lambda: act("replay" if self._of_frozen_view else "play"))
        self._speed.clicked.connect(self.next_speed)
        self.scrubber = Scrubber()
        self.scrubber.touched.connect(self._seek)
        self._place, self._note = label("soft"), label("muted")
        self._place.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._row = QHBoxLayout()
        for widget in (self._back, self._play, self._forward):
            self._row.addWidget(widget)
        self._row.addWidget(self.scrubber, 1)
        self._row.addWidget(self._place)
        self._row.addWidget(self._speed)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._row)
        self._column.addWidget(self._note)
        self.set_source(None)

    @property
    def _of_frozen_view(self) -> bool:
        return self._live and self._seekable is not None

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._column.setContentsMargins(sizes.px(16), sizes.px(12), sizes.px(16), sizes.px(10))
        self._column.setSpacing(sizes.px(4))
        self._row.setSpacing(sizes.px(8))
        for made in (self._back, self._play, self._forward):
            size_button(made, sizes, square=True)
        size_button(self._speed, sizes)
        self._speed.setFixedWidth(sizes.px(64))
        self.scrubber.setFixedHeight(sizes.touch)
        self._place.setFont(sizes.font(13))
        self._note.setFont(sizes.font(12))
        self._fit_place()

    def set_source(self, seekable: Seekable | None, *, live: bool = False) -> None:
        """Control this recording or this frozen live view; None with `live` means the running view."""
        self._seekable, self._live, self._shown = seekable, live, None
        self.scrubber.setRange(0, max(0, len(seekable) - 1) if seekable else 0)
        movable = seekable is not None and len(seekable) > 1
        for widget in (self._back, self._forward, self.scrubber, self._speed):
            widget.setEnabled(movable)
        self._play.setEnabled(movable or live)
        self._play.setToolTip(
            "Play or pause the frozen half minute (L)" if self._of_frozen_view else "Play or pause (space)"
        )
        self._speed.setVisible(not live)
        for part in (self._back, self._play, self._forward, self.scrubber, self._place):
            part.setVisible(not live or seekable is not None)  # a running live view has no place to go to
        self._fit_place()
        self.update_place()

    def show_frame(self, index: int | None) -> None:
        """Show the number of the frame on the screen: the readings belong to it, however far the recording has run on.

        Args:
            index: its place in the recording; None while nothing is shown.
        """
        if index != self._shown:
            self._shown = index
            self._show_place()

    def _show_place(self) -> None:
        seekable = self._seekable
        if seekable is not None:
            of_recording = isinstance(seekable, Playback) and self._shown is not None
            place = self._shown if of_recording and self._shown is not None else seekable.position
            set_text(self._place, f"{place + 1} / {len(seekable)}")

    def update_place(self) -> None:
        """Show the recording's present position."""
        seekable = self._seekable
        self._show_playing(self._live if seekable is None else seekable.playing)
        set_text(self._note, self._note_words())
        if seekable is None:
            set_text(self._place, "")
            return
        if not self.scrubber.isSliderDown():
            self.scrubber.setValue(seekable.position)
        self._show_place()
        set_text(self._speed, f"{seekable.speed:g}×")

    def _show_playing(self, playing: bool) -> None:
        if playing is not self._playing:
            self._playing = playing
            self._play.setIcon(self._icons["pause" if playing else "play"])

    def _note_words(self) -> str:
        if self._live:
            return LIVE_NOTE if self._seekable is None else REVIEW_NOTE
        if not isinstance(self._seekable, Playback):
            return ""
        if len(self._seekable) == 1:
            return "one picture"
        return (
            "frames at the recording's own pace" if self._seekable.info.fps else "slices in order: no time between them"
        )

    def next_speed(self) -> None:
        """Switch to the next speed."""
        if isinstance(self._seekable, Playback):
            faster = [speed for speed in SPEEDS if speed > self._seekable.speed]
            self._seekable.set_speed(faster[0] if faster else SPEEDS[0])
            self.update_place()

    def _seek(self, index: int) -> None:
        if self._seekable is not None:
            self._seekable.seek(index)

    def _fit_place(self) -> None:
        """Reserve room for the widest position, so that nothing moves."""
        count = len(self._seekable) if self._seekable else 100
        widest = "0" * len(str(count))
        self._place.setFixedWidth(self._place.fontMetrics().horizontalAdvance(f"{widest} / {widest}") + 4)
