"""The source that is shown, and the buttons that are always there."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from inference.live.health import Condition
from inference.readout.formatting import mode_words, source_words
from inference.source_info import SourceInfo
from inference.view_notes import Phase
from viewer.layout.recording_badge import RecordBadge
from viewer.style import theme
from viewer.style.icons import icon
from viewer.style.theme import Sizes
from viewer.style.widgets import ElidedLabel, Mark, button, label, set_ink, set_text, size_button

HEIGHT = 56
MODE_SIZES = (27, 20)
"""Font sizes of LIVE or VIEW FROZEN, px at 1280×800: the largest for which there is room."""
NAME = 120
"""A name that is longer than its shortest form by more than this gives way to the clock, px."""


class TopBar(QWidget):
    """LIVE or REPLAY, the source's name, and the buttons for phase, open, calibrate, model, keys.

    Args:
        act: runs an action by its name.
    """

    def __init__(self, act: Callable[[str], None]) -> None:
        super().__init__()
        self.setObjectName("top")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._mark, self._mode = Mark(), label()
        self._mode_fonts = [self._mode.font()]
        self._fitted: tuple[object, ...] = ()
        self._name, self._details = ElidedLabel(), label("muted")
        self._details.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._clock = label("soft")
        self._clock.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._clock.setAccessibleName("Time of day")
        self.phase = button("", "Phase of surgery (P)")
        self.phase.setIcon(icon("down"))
        self.phase.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.badge, self._buttons = RecordBadge(), [self.phase]
        for text, action, hint in (
            ("Open…", "open", "Open a stream or file (Ctrl+O)"),
            ("Calibrate", "calibrate", "Two points and a length (C)"),
            ("Model", "model", "What the model is and was tested on (M)"),
            ("?", "help", "Keys and all actions (?)"),
        ):
            made = button(text, hint)
            made.clicked.connect(lambda _=False, name=action: act(name))
            self._buttons.append(made)
        self.badge.appeared.connect(self._make_room)
        self.badge.clicked.connect(lambda _=False: act("record"))
        self.phase.clicked.connect(lambda _=False: act("phase"))
        self._row = QHBoxLayout(self)
        for widget in (self._mark, self._mode, self._name, self._details):
            self._row.addWidget(widget)
        self._row.addStretch(1)
        self._row.addWidget(self._clock)
        self._row.addWidget(self.badge)
        for made in self._buttons:
            self._row.addWidget(made)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self.setFixedHeight(sizes.px(HEIGHT))
        self._row.setContentsMargins(sizes.px(16), 0, sizes.px(16), 0)
        self._row.setSpacing(sizes.px(10))
        self._mode_fonts = [sizes.font(size, QFont.Weight.Bold) for size in MODE_SIZES]
        self._mode.setFont(self._mode_fonts[0])
        self._fitted = ()
        self._mark.setFixedSize(sizes.px(20), sizes.px(20))
        self._name.setFont(sizes.font(14, QFont.Weight.Medium))
        self._details.setFont(sizes.font(14))
        self._clock.setFont(sizes.font(13, QFont.Weight.Medium))
        self._clock.setFixedWidth(self._clock.fontMetrics().horizontalAdvance("Wed 00:00") + sizes.px(8))
        self.badge.apply(sizes)
        for made in self._buttons:
            size_button(made, sizes)
        widest = max(made.fontMetrics().horizontalAdvance(phase.words) for phase in Phase for made in [self.phase])
        self.phase.setFixedWidth(widest + sizes.px(28 + 24))

    def show_source(self, info: SourceInfo | None, condition: Condition, *, standing: bool = False) -> None:
        """Show the source's name and condition, and whether a picture stands there while something is marked on it."""
        words, ink, shape = mode_words(info, condition, standing=standing)
        set_text(self._mode, words)
        set_ink(self._mode, ink)
        self._mark.show_shape(shape, theme.INKS[ink])
        set_text(self._name, "" if info is None else info.origin.name)
        set_text(self._details, "" if info is None else source_words(info, brief=not self.badge.isHidden()))
        fitted = (self.width(), words, self._name.text(), self._details.text(), self.badge.isHidden())
        if fitted != self._fitted:  # measuring text at every tick would cost a tenth of a millisecond
            self._fitted = fitted
            self._make_room()

    def _make_room(self) -> None:
        """In a narrow bar the source's details give way first, then clock and name, then the condition's size."""
        font = next((one for one in self._mode_fonts if self._free(one) >= 0), self._mode_fonts[-1])
        gap, name = self._row.spacing(), self._name
        free = self._free(font) - min(name.sizeHint().width() - name.minimumSizeHint().width(), NAME)
        clock = free >= self._clock.maximumWidth() + gap
        free -= self._clock.maximumWidth() + gap if clock else 0
        self._clock.setVisible(clock)
        self._details.setVisible(free >= self._details.sizeHint().width() + gap)
        if self._mode.font() != font:  # a new font costs a layout
            self._mode.setFont(font)
        self._mode.setFixedWidth(self._mode_width(font))  # its own hint is still that of a larger window

    def _free(self, font: QFont) -> int:
        """The width that nothing needs but details and clock, px, with the condition in this font."""
        others = [made for made in (self.badge, *self._buttons) if not made.isHidden()]
        needed = sum(
            made.sizeHint().width() if made.maximumWidth() > self.width() else made.maximumWidth() for made in others
        )
        needed += self._mark.width() + self._mode_width(font) + self._name.minimumSizeHint().width()
        gaps = (len(others) + 4) * self._row.spacing() + 2 * self._row.contentsMargins().left()
        return self.width() - needed - gaps

    def _mode_width(self, font: QFont) -> int:
        """Room for the condition: what follows must not move between the usual words, and longer ones are not cut."""
        metrics = QFontMetrics(font)
        return max(metrics.horizontalAdvance(words) for words in ("STOPPED", "REPLAY", self._mode.text())) + 2

    def show_clock(self, words: str) -> None:
        """Show the time of day."""
        set_text(self._clock, words)

    def show_phase(self, phase: Phase) -> None:
        """Show the phase on its button."""
        set_text(self.phase, phase.words)
